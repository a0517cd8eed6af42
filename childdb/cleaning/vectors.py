"""Work on distinct values instead of rows: a function judges each odd value once, Arrow spreads the answer."""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray


Answer = TypeVar("Answer")
Judge: TypeAlias = "Callable[[str], tuple[str | None, tuple[str, ...]]]"
Item = TypeVar("Item")
PART_ROWS = 200_000
_THREADS = 2
_WORTH_THREADS = 20_000
_LOOKED_AT, _FEW, HANDFUL = 1_000, 20, 256
# White space as Unicode has it: what the engine of columns means by it, and the standard library nearly.
_SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_here = threading.local()


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


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """The distinct values of a whole column in the order of their first row, with how often each occurs."""

    values: list[str]
    times: NDArray[np.int64]

    @property
    def weighted(self) -> Iterator[tuple[str, int]]:
        """Return each value with its count."""
        return zip(self.values, self.times.tolist(), strict=True)

    @property
    def filled(self) -> int:
        """Return how many cells are not blank."""
        return int(self.times.sum())


def count_values(cells: pa.Array | pa.ChunkedArray) -> ValueCounts:
    """Return the distinct values of a column with their counts; the column itself is not copied."""
    counts = pc.value_counts(cells if cells.type == pa.string() else cells.cast(pa.string()))
    values, times = counts.field("values"), counts.field("counts")
    known = pc.is_valid(values)
    return ValueCounts(values.filter(known).to_pylist(), times.filter(known).to_numpy(zero_copy_only=False))


def parts_of(cells: pa.Array | pa.ChunkedArray, size: int = PART_ROWS) -> Iterator[pa.Array]:
    """Yield a column in arrays of bounded length."""
    for start in range(0, len(cells), size):
        yield text_array(cells.slice(start, size))


def distinct(cells: pa.Array) -> Distinct:
    """Return the distinct values of a text array in the order of their first row."""
    encoded = cells.dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Distinct(encoded.dictionary.to_pylist(), places)


def repeats_itself(cells: pa.Array) -> bool:
    """Return whether a column plainly holds few values, so that work on distinct ones is cheaper."""
    head = cells.slice(0, _LOOKED_AT)
    return len(cells) > _LOOKED_AT and pc.count_distinct(head).as_py() * _FEW < _LOOKED_AT


def matches(cells: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Return which cells match a pattern; a blank cell does not."""
    if cells.null_count == len(cells):
        return np.zeros(len(cells), dtype=bool)
    if len(cells) <= HANDFUL or repeats_itself(cells):
        found = distinct(cells)
        return np.append(_contains(found.values, pattern), False)[found.places]
    return np.asarray(pl.Series(cells).str.contains(pattern).fill_null(False).to_numpy())


def _contains(values: list[str], pattern: str) -> NDArray[np.bool_]:
    """Return which values match; a handful is not worth a trip to the engine of columns and its threads."""
    portable = _portable(pattern) if len(values) <= HANDFUL else None
    if portable is not None:
        return np.fromiter((portable.search(value) is not None for value in values), bool, len(values))
    return np.asarray(pl.Series(values, dtype=pl.String).str.contains(pattern).to_numpy(), dtype=bool)


@lru_cache(maxsize=256)
def _portable(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern for the standard library that means the same, or None where it has no words for it."""
    if r"\p" in pattern:
        return None
    in_class = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(r"\s", _SPACE), pattern)
    outside = in_class.replace(r"\s", f"[{_SPACE}]")
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", outside))


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


def judge_odd(column: str, cells: pa.Array, plain: str, judge: Judge) -> tuple[pa.Array, list[Mark]]:
    """Return a column with its odd values judged; values that match `plain` need no work and are not looked at."""
    if cells.null_count == len(cells):
        return cells, []
    if len(cells) <= HANDFUL or repeats_itself(cells):
        return _judge_distinct(column, cells, plain, judge)
    return judge_rows(column, cells, np.flatnonzero(present(cells) & ~matches(cells, plain)), judge)


def judge_rows(
    column: str, cells: pa.Array, rows: NDArray[np.int64], judge: Judge
) -> tuple[pa.Array, list[Mark]]:
    """Return a column with the values of some rows judged, each distinct one once."""
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


def _judge_distinct(column: str, cells: pa.Array, plain: str, judge: Judge) -> tuple[pa.Array, list[Mark]]:
    found = distinct(cells)
    is_plain = _contains(found.values, plain)
    if is_plain.all():
        return cells, []
    answers = [
        (value, ()) if known else judge(value) for value, known in zip(found.values, is_plain, strict=True)
    ]
    return found.spread([a[0] for a in answers], pa.string()), found.marks(column, [a[1] for a in answers])


def judge_all(column: str, cells: pa.Array, judge: Judge) -> tuple[pa.Array, list[Mark]]:
    """Return a column with each distinct value judged once."""
    if cells.null_count == len(cells):
        return cells, []
    found = distinct(cells)
    answers = [judge(value) for value in found.values]
    values = found.spread([answer[0] for answer in answers], pa.string())
    return values, found.marks(column, [answer[1] for answer in answers])


def for_each(columns: Sequence[str], size: int, work: Callable[[str], Answer]) -> list[Answer]:
    """Return the answers of independent work on columns, in their order; long ones run side by side."""
    if size < _WORTH_THREADS or getattr(_here, "is_worker", False):
        return [work(column) for column in columns]
    return list(side_by_side(columns, work))


def side_by_side(items: Iterable[Item], work: Callable[[Item], Answer]) -> Iterator[Answer]:
    """Yield the answers of independent work in the order of the items; few are under way at any time."""
    with ThreadPoolExecutor(max_workers=_THREADS, initializer=_mark_worker) as pool:
        waiting: deque[Future[Answer]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep all work in the thread that asks for it, so that a profile sees it."""
    _here.is_worker = True
    try:
        yield
    finally:
        _here.is_worker = False


def _mark_worker() -> None:
    """Let work inside a worker stay there: workers of workers would only stand in each other's way."""
    _here.is_worker = True


def mark_where(column: str | None, rule_id: str, condition: NDArray[np.bool_]) -> list[Mark]:
    """Return a mark for the rows where a condition holds, if there are any."""
    rows = np.flatnonzero(condition)
    return [Mark(column, rule_id, rows)] if len(rows) else []


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    """Return marks without empty ones."""
    return [mark for mark in marks if len(mark.rows)]
