"""Counter-based random numbers: the draw for (seed, stream, index) is a pure function, so any part can be made alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mixed(words: Words) -> Words:
    """Return the words after the splitmix64 finaliser."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def stream_key(seed: int, stream: str) -> int:
    """Return the 64-bit key of one named stream of one seed."""
    return int.from_bytes(hashlib.blake2b(f"{seed}|{stream}".encode(), digest_size=8).digest(), "little")


class Dice:
    """Draws of one seed; every method takes the name of its stream and the indices to draw for."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._keys: dict[str, np.uint64] = {}

    def words(self, stream: str, index: Ints) -> Words:
        """Return one 64-bit word per index."""
        key = self._keys.get(stream)
        if key is None:
            key = self._keys[stream] = np.uint64(stream_key(self.seed, stream))
        with np.errstate(over="ignore"):
            return _mixed((index.astype(np.uint64) + np.uint64(1)) * _GOLDEN + key)

    def uniform(self, stream: str, index: Ints) -> Floats:
        """Return one number in [0, 1) per index."""
        return (self.words(stream, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def chance(self, stream: str, index: Ints, share: float | Floats) -> Bools:
        """Return True for about ``share`` of the indices."""
        result: Bools = self.uniform(stream, index) < share
        return result

    def below(self, stream: str, index: Ints, limit: int | Ints) -> Ints:
        """Return one whole number in [0, limit) per index."""
        result: Ints = (self.uniform(stream, index) * limit).astype(np.int64)
        return result

    def choice(self, stream: str, index: Ints, weights: Sequence[float] | Floats) -> Ints:
        """Return one position per index, drawn with the given weights."""
        return pick(self.uniform(stream, index), cumulative(weights))


def cumulative(weights: Sequence[float] | Floats) -> Floats:
    """Return cumulative shares that end in exactly 1."""
    total: Floats = np.cumsum(np.asarray(weights, dtype=np.float64))
    total /= total[-1]
    total[-1] = 1.0
    return total


def pick(uniform: Floats, shares: Floats) -> Ints:
    """Return the position of each uniform number in the cumulative shares."""
    return np.searchsorted(shares, uniform, side="right").astype(np.int64)


def rank_weights(count: int, shift: float = 4.0, power: float = 0.8) -> Floats:
    """Return weights that fall with rank, as frequencies of names do."""
    result: Floats = 1.0 / (np.arange(count, dtype=np.float64) + shift) ** power
    return result


def rank_within(keys: Ints) -> Ints:
    """Return for each position how many earlier positions have the same key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys)) - starts
    return ranks
