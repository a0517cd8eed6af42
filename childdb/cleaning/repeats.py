"""Rows that repeat and numbers that two children carry: the only judgements that need the whole file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.identifiers import RULE_DUPLICATE
from childdb.cleaning.vectors import Mark, text_array
from childdb.reference import export_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

RULE_REPEAT = "ROW-002"
_IGNORED = ("stt",)
_FIRST_LOOK = ("ho_ten_tre", "ngay_sinh", "so_dinh_danh", "ho_ten_me", "ma_tre", "so_khai_sinh")


def repeated_rows(rows: pa.Table) -> NDArray[np.int64]:
    """Return the rows that repeat an earlier row in all columns but the running number."""
    if not rows.num_rows:
        return np.array([], dtype=np.int64)
    first_look = pl.DataFrame({name: pl.Series(text_array(rows[name])) for name in _FIRST_LOOK})
    suspects = np.flatnonzero(first_look.hash_rows(seed=1).is_duplicated().to_numpy())
    if not len(suspects):
        return suspects
    # The hash of a few columns only chooses whom to compare; equality is decided on all values.
    names = [name for name in export_columns() if name not in _IGNORED]
    chosen = rows.select(names).take(pa.array(suspects))
    same = pl.DataFrame({name: pl.Series(text_array(chosen[name])) for name in names})
    first = same.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    blank = same.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    return np.asarray(suspects[~first & ~blank], dtype=np.int64)


def shared_numbers(
    numbers: Iterable[pa.Array], people: Iterable[pa.Array], repeats: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows whose number stands on several children: same number, another name or birth date."""
    frame = pl.DataFrame({"number": _joined(numbers), "person": _joined(people)}).with_row_index("row")
    frame = frame.filter(pl.col("number").is_not_null() & ~pl.col("row").is_in(repeats.tolist()))
    several = frame.filter(pl.col("number").is_duplicated())
    if several.is_empty():
        return np.array([], dtype=np.int64)
    differing = several.filter(pl.col("person").n_unique().over("number") > 1)
    return np.sort(differing["row"].to_numpy().astype(np.int64))


def _joined(arrays: Iterable[pa.Array]) -> pl.Series:
    chunks = list(arrays)
    return pl.Series(pa.chunked_array(chunks, pa.string())) if chunks else pl.Series([], dtype=pl.String)


def repeat_marks(rows: pa.Table, numbers: list[pa.Array], people: list[pa.Array]) -> list[Mark]:
    """Return the marks of repeats and shared numbers over a whole file."""
    repeats = repeated_rows(rows)
    shared = shared_numbers(numbers, people, repeats)
    marks = [Mark(None, RULE_REPEAT, repeats), Mark("so_dinh_danh", RULE_DUPLICATE, shared)]
    return [mark for mark in marks if len(mark.rows)]
