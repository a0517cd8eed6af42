"""Work on distinct values instead of rows: a function judges each odd value once, Arrow spreads the answer."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray


Answer = TypeVar("Answer")
_THREADS = 2
_WORTH_THREADS = 20_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Rows of a chunk in which a rule applied to a column (None for the row as a whole)."""

    column: str | None
    rule_id: str
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Distinct:
    """The distinct values of a column and, per row, the place of its value (-1 where the cell is blank)."""

    values: list[str]
    places: NDArray[np.int64]

    def spread(self, answers: Sequence[Any], kind: pa.DataType) -> pa.Array:
        """Return one answer per row for one answer per distinct value; blank cells stay NULL."""
        places = pa.array(self.places, mask=self.places < 0)
        return pa.array(answers, kind).take(places)

    def marks(self, column: str, rules: Sequence[tuple[str, ...]]) -> list[Mark]:
        """Return the marks of rules given per distinct value."""
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for place, names in enumerate(rules):
            for name in names:
                holders[name].append(place)
        return [Mark(column, name, self._rows_of(places)) for name, places in sorted(holders.items())]

    def _rows_of(self, places: list[int]) -> NDArray[np.int64]:
        chosen = np.zeros(len(self.values) + 1, dtype=bool)
        chosen[places] = True
        return np.flatnonzero(chosen[self.places])


def text_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one Arrow text array."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.string())
    return array if array.type == pa.string() else array.cast(pa.string())


def distinct(cells: pa.Array) -> Distinct:
    """Return the distinct values of a text array in the order of their first row."""
    encoded = cells.dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Distinct(encoded.dictionary.to_pylist(), places)


def matches(cells: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Return which cells match a pattern; a blank cell does not."""
    if cells.null_count == len(cells):
        return np.zeros(len(cells), dtype=bool)
    found = pl.Series(cells).str.contains(pattern).fill_null(False)
    return np.asarray(found.to_numpy())


def present(cells: pa.Array) -> NDArray[np.bool_]:
    """Return which cells are not blank."""
    return np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False))


def replace_rows(cells: pa.Array, rows: NDArray[np.int64], values: pa.Array) -> pa.Array:
    """Return a column with new values in some rows."""
    if not len(rows):
        return cells
    mask = np.zeros(len(cells), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(cells, pa.array(mask), values)


def judge_odd(
    column: str, cells: pa.Array, plain: str, judge: Callable[[str], tuple[str | None, tuple[str, ...]]],
    also_odd: str | None = None,
) -> tuple[pa.Array, list[Mark]]:  # fmt: skip
    """Return a column with its odd values judged; values that match `plain` need no work and are not looked at."""
    if cells.null_count == len(cells):
        return cells, []
    is_odd = present(cells) & ~matches(cells, plain)
    if also_odd is not None:
        is_odd |= matches(cells, also_odd)
    rows = np.flatnonzero(is_odd)
    if not len(rows):
        return cells, []
    odd = distinct(cells.take(pa.array(rows)))
    answers = [judge(value) for value in odd.values]
    values = odd.spread([answer[0] for answer in answers], pa.string())
    marks = [
        Mark(mark.column, mark.rule_id, rows[mark.rows])
        for mark in odd.marks(column, [a[1] for a in answers])
    ]
    return replace_rows(cells, rows, values), marks


def judge_all(
    column: str, cells: pa.Array, judge: Callable[[str], tuple[str | None, tuple[str, ...]]]
) -> tuple[pa.Array, list[Mark]]:
    """Return a column with each distinct value judged once."""
    if cells.null_count == len(cells):
        return cells, []
    found = distinct(cells)
    answers = [judge(value) for value in found.values]
    values = found.spread([answer[0] for answer in answers], pa.string())
    return values, found.marks(column, [answer[1] for answer in answers])


def for_each(columns: Sequence[str], size: int, work: Callable[[str], Answer]) -> list[Answer]:
    """Return the answers of independent work on columns, in their order; long ones run side by side."""
    if size < _WORTH_THREADS:
        return [work(column) for column in columns]
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return list(pool.map(work, columns))


def mark_where(column: str | None, rule_id: str, condition: NDArray[np.bool_]) -> list[Mark]:
    """Return a mark for the rows where a condition holds, if there are any."""
    rows = np.flatnonzero(condition)
    return [Mark(column, rule_id, rows)] if len(rows) else []


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    """Return marks without empty ones."""
    return [mark for mark in marks if len(mark.rows)]
