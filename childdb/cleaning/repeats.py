"""Rows that repeat and numbers that two children carry: the only judgements that need the whole file at once.

Of each row only three numbers are remembered while a file is cleaned part by part; rows that may repeat are fetched
again at the end and compared on all their values.
"""

from __future__ import annotations

import secrets
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.identifiers import RULE_DUPLICATE
from childdb.cleaning.vectors import PART_ROWS, Mark, text_array
from childdb.mixing import mixed
from childdb.reference import export_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RULE_REPEAT = "ROW-002"
_IGNORED = ("stt",)
_FIRST_LOOK = ("ho_ten_tre", "ngay_sinh", "so_dinh_danh", "ho_ten_me", "ma_tre", "so_khai_sinh")
_COMPARED = tuple(name for name in export_columns() if name not in _IGNORED)
# Drawn anew by every process: what a large file leaves on disk for a while says nothing to whoever finds it.
_SEED = secrets.randbits(63)
_SEEN = np.dtype([("look", np.uint64), ("number", np.uint64), ("person", np.uint64), ("numbered", np.bool_)])
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
    """Remembers of each row what tells repeats and shared numbers: 25 bytes a row, on disk once a file is large.

    What is looked at together is a share of the rows chosen by its hash, so memory stays the same however many rows
    there are. The file on disk has no name and goes with the process.
    """

    def __init__(self, *, rows_at_once: int = 2_000_000) -> None:
        self.rows_at_once = rows_at_once
        self.kept = SpooledTemporaryFile(max_size=rows_at_once * _SEEN.itemsize)  # noqa: SIM115 (closed by marks)
        self.sizes: list[int] = []

    def remember(self, sight: NDArray[np.void]) -> None:
        """Keep what was seen of one part (`sight_of`); parts come in the order of the file."""
        self.kept.write(sight.tobytes())
        self.sizes.append(len(sight))

    def marks(self, rows: pa.Table) -> list[Mark]:
        """Return the marks of repeats and shared numbers over the whole file; what was remembered is given up."""
        with self.kept:
            repeats = self._repeated(rows)
            shared = self._shared(repeats)
        marks = [Mark(None, RULE_REPEAT, repeats), Mark("so_dinh_danh", RULE_DUPLICATE, shared)]
        return [mark for mark in marks if len(mark.rows)]

    def _shares(self, column: str) -> Iterator[pl.DataFrame]:
        """Yield rows (row, look, number, person, numbered) in shares; those equal in the column are in one share.

        By number, only the rows that carry one.
        """
        shares = -(-sum(self.sizes) // self.rows_at_once)
        for share in range(shares):
            taken = []
            self.kept.seek(0)
            first = 0
            for size in self.sizes:
                seen = np.frombuffer(self.kept.read(size * _SEEN.itemsize), dtype=_SEEN)
                counts = seen["numbered"] if column == "number" else True
                here = np.flatnonzero((seen[column] % shares == share) & counts)
                taken.append({"row": here + first} | {name: seen[name][here] for name in _SEEN.names or ()})
                first += size
            yield pl.DataFrame({name: np.concatenate([part[name] for part in taken]) for name in taken[0]})

    def _repeated(self, rows: pa.Table) -> NDArray[np.int64]:
        """Return the rows that repeat an earlier row in all columns but the running number."""
        found = [np.array([], dtype=np.int64)]
        for share in self._shares("look"):
            # The hash of a few columns only chooses whom to compare; equality is decided on all values.
            suspects = share.filter(pl.col("look").is_duplicated()).sort("look", "row")
            found.extend(_equal_to_earlier(rows, suspects["row"].to_numpy(), suspects["look"].to_numpy()))
        return np.sort(np.concatenate(found))

    def _shared(self, repeats: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows whose number stands on several children: same number, another name or birth date."""
        found = [np.array([], dtype=np.int64)]
        for share in self._shares("number"):
            once = share.filter(~pl.col("row").is_in(repeats))
            several = once.filter(pl.col("number").is_duplicated())
            differing = several.filter(pl.col("person").n_unique().over("number") > 1)
            found.append(differing["row"].to_numpy())
        return np.sort(np.concatenate(found))


def sight_of(rows: pa.Table, records: pa.Table) -> NDArray[np.void]:
    """Return what is remembered of the rows of one part: hashes of a look and of the person, and the number, hidden."""
    first = pl.DataFrame({name: pl.Series(text_array(rows[name])) for name in _FIRST_LOOK})
    numbers = pl.Series(records["so_dinh_danh"]).cast(pl.UInt64, strict=False)
    people = pl.DataFrame({
        "name": pl.Series(records["ho_ten_tre"]).str.to_lowercase().str.replace_many(_STYLES),
        "birth": pl.Series(records["ngay_sinh_raw"]),
    })  # fmt: skip
    seen = np.empty(rows.num_rows, dtype=_SEEN)
    seen["look"] = first.hash_rows(seed=_SEED).to_numpy()
    seen["number"] = _hidden(numbers.fill_null(0).to_numpy())
    seen["numbered"] = numbers.is_not_null().to_numpy()
    seen["person"] = people.select(pl.all().fill_null("")).hash_rows(seed=_SEED).to_numpy()
    return seen


def _hidden(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers that say nothing to who does not know this process's seed; equal ones and only those stay equal."""
    return mixed(numbers ^ np.uint64(_SEED))


def _equal_to_earlier(
    rows: pa.Table, suspects: NDArray[np.int64], looks: NDArray[np.uint64]
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows equal to an earlier one; suspects come with their hashes, sorted by hash, then by row."""
    start = 0
    while start < len(suspects):
        end = min(start + PART_ROWS, len(suspects))
        while end < len(suspects) and looks[end] == looks[end - 1]:
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
