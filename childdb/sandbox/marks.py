"""Which planted errors each row carries, as bits; turned into text only at the end."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from childdb.sandbox.columns import Column, column
from childdb.sandbox.hashing import Bools, Ints, Words
from childdb.sandbox.reference_tables import rows_of

# Omissions and changes that the list of error modes names only in a sentence.
EXTRA = (
    "B-ngay_sinh",
    "B-dan_toc",
    "B-ho_ten_me",
    "B-so_dinh_danh_me",
    "B-so_dinh_danh_cha",
    "B-phone",
    "B-household",
    "B-birth_registration",
    "P-changed",
    "P-household",
    "P-zero",
    "P-moved",
    "P-left",
    "P-unlisted",
)


@cache
def error_ids() -> tuple[str, ...]:
    """Return all error ids in the order of their bits."""
    return tuple(row["id"] for row in rows_of("error_modes")) + EXTRA


@cache
def _bit(error_id: str) -> int:
    return error_ids().index(error_id)


class Marks:
    """Bits per row."""

    def __init__(self, count: int) -> None:
        self.low: Words = np.zeros(count, dtype=np.uint64)
        self.high: Words = np.zeros(count, dtype=np.uint64)

    def set(self, error_id: str, rows: Bools | Ints) -> None:
        """Mark these rows (a mask or positions) with an error."""
        bit = _bit(error_id)
        words, shift = (self.low, bit) if bit < 64 else (self.high, bit - 64)
        words[rows] |= np.uint64(1) << np.uint64(shift)

    def clear(self, error_id: str, rows: Bools | Ints) -> None:
        """Take an error's mark from these rows."""
        bit = _bit(error_id)
        words, shift = (self.low, bit) if bit < 64 else (self.high, bit - 64)
        words[rows] &= ~(np.uint64(1) << np.uint64(shift))

    def has(self, error_id: str) -> Bools:
        """Return which rows carry an error."""
        bit = _bit(error_id)
        words, shift = (self.low, bit) if bit < 64 else (self.high, bit - 64)
        found: Bools = (words >> np.uint64(shift)) & np.uint64(1) == 1
        return found

    def text(self) -> Column:
        """Return per row its error ids joined by ``;`` in their order; empty text for a clean row."""
        mixed = self.low * np.uint64(0x9E3779B97F4A7C15) ^ self.high
        indices = column(mixed).dictionary_encode().indices.to_numpy()
        first = np.zeros(int(indices.max()) + 1 if len(indices) else 0, dtype=np.int64)
        first[indices[::-1]] = np.arange(len(indices))[::-1]
        words = column([_named(int(self.low[row]) | int(self.high[row]) << 64) for row in first], pa.string())
        return words.take(column(indices))


def _named(bits: int) -> str:
    names, found = error_ids(), []
    while bits:
        lowest = bits & -bits
        found.append(names[lowest.bit_length() - 1])
        bits ^= lowest
    return ";".join(found)
