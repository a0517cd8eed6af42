"""Rows that repeat and numbers that two children carry: the only judgements that need the whole file at once.

Of each row only three numbers are remembered while a file is cleaned part by part; rows that may repeat are fetched
again at the end and compared on all their values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.identifiers import RULE_DUPLICATE
from childdb.cleaning.vectors import PART_ROWS, Mark, text_array
from childdb.reference import export_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RULE_REPEAT = "ROW-002"
_IGNORED = ("stt",)
_FIRST_LOOK = ("ho_ten_tre", "ngay_sinh", "so_dinh_danh", "ho_ten_me", "ma_tre", "so_khai_sinh")
_COMPARED = tuple(name for name in export_columns() if name not in _IGNORED)
_SEED = 1
_MARKS = "\u0300\u0301\u0303\u0309\u0323"


def _styles() -> dict[str, str]:
    """Return open oa, oe, uy with their tone in the one place, and in the other: both are one name."""
    import unicodedata

    compose = unicodedata.normalize
    pairs = [
        (first, second, mark) for first, second in (("o", "a"), ("o", "e"), ("u", "y")) for mark in _MARKS
    ]
    return {
        first + compose("NFC", second + mark): compose("NFC", first + mark) + second
        for first, second, mark in pairs
    }


_STYLES = _styles()


class RepeatWatch:
    """Remembers of each row what tells repeats and shared numbers; 24 bytes a row."""

    def __init__(self) -> None:
        self.looks: list[NDArray[np.uint64]] = []
        self.numbers: list[NDArray[np.int64]] = []
        self.people: list[NDArray[np.uint64]] = []

    def remember(self, sight: Sight) -> None:
        """Keep what was seen of one part; parts come in the order of the file."""
        self.looks.append(sight.looks)
        self.numbers.append(sight.numbers)
        self.people.append(sight.people)

    def marks(self, rows: pa.Table) -> list[Mark]:
        """Return the marks of repeats and shared numbers over the whole file."""
        repeats = self._repeated(rows)
        shared = self._shared(repeats)
        marks = [Mark(None, RULE_REPEAT, repeats), Mark("so_dinh_danh", RULE_DUPLICATE, shared)]
        return [mark for mark in marks if len(mark.rows)]

    def _repeated(self, rows: pa.Table) -> NDArray[np.int64]:
        """Return the rows that repeat an earlier row in all columns but the running number."""
        looks = pl.Series(np.concatenate(self.looks)) if self.looks else pl.Series([], dtype=pl.UInt64)
        suspects = np.flatnonzero(looks.is_duplicated().to_numpy())
        if not len(suspects):
            return suspects
        # The hash of a few columns only chooses whom to compare; equality is decided on all values.
        order = np.lexsort((suspects, looks.to_numpy()[suspects]))
        found = list(_equal_to_earlier(rows, suspects[order], looks.to_numpy()))
        return np.sort(np.concatenate(found))

    def _shared(self, repeats: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows whose number stands on several children: same number, another name or birth date."""
        frame = pl.DataFrame({"number": np.concatenate(self.numbers), "person": np.concatenate(self.people)})
        kept = np.ones(len(frame), dtype=bool)
        kept[repeats] = False
        frame = frame.with_row_index("row").filter(pl.Series(kept) & (pl.col("number") >= 0))
        several = frame.filter(pl.col("number").is_duplicated())
        if several.is_empty():
            return np.array([], dtype=np.int64)
        differing = several.filter(pl.col("person").n_unique().over("number") > 1)
        return np.sort(differing["row"].to_numpy().astype(np.int64))


class Sight:
    """What is remembered of the rows of one part."""

    __slots__ = ("looks", "numbers", "people")

    def __init__(self, rows: pa.Table, records: pa.Table) -> None:
        first = pl.DataFrame({name: pl.Series(text_array(rows[name])) for name in _FIRST_LOOK})
        self.looks = first.hash_rows(seed=_SEED).to_numpy()
        self.numbers = (
            pl.Series(records["so_dinh_danh"]).cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
        )
        people = pl.DataFrame({
            "name": pl.Series(records["ho_ten_tre"]).str.to_lowercase().str.replace_many(_STYLES),
            "birth": pl.Series(records["ngay_sinh_raw"]),
        })  # fmt: skip
        self.people = people.select(pl.all().fill_null("")).hash_rows(seed=_SEED).to_numpy()


def _equal_to_earlier(
    rows: pa.Table, suspects: NDArray[np.int64], looks: NDArray[np.uint64]
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows equal to an earlier one; suspects come sorted by their hash, then by row."""
    start = 0
    while start < len(suspects):
        end = min(start + PART_ROWS, len(suspects))
        while end < len(suspects) and looks[suspects[end]] == looks[suspects[end - 1]]:
            end += 1
        places = np.sort(suspects[start:end])
        same = _fetched(rows, places)
        first = same.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
        blank = same.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
        yield places[~first & ~blank]
        start = end


def _fetched(rows: pa.Table, places: NDArray[np.int64]) -> pl.DataFrame:
    """Return some rows with the columns that count, fetched part by part."""
    chosen = rows.select(_COMPARED)
    taken = []
    for start in range(0, rows.num_rows, PART_ROWS):
        here = places[np.searchsorted(places, start) : np.searchsorted(places, start + PART_ROWS)]
        if len(here):
            taken.append(chosen.slice(start, PART_ROWS).take(pa.array(here - start)))
    table = pa.concat_tables(taken)
    return pl.DataFrame({name: pl.Series(text_array(table[name])) for name in _COMPARED})
