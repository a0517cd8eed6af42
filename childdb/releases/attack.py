"""What a reader could work out of protected counts: possible ranges under everything that is told at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 5
"""A hidden count keeps a possible range at least this wide."""
SMALL, HALF = 10, 2
PASSES = 60
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class System:
    """Counts and what ties them: in every equation the signed terms add up to nothing."""

    told: Floats
    """What is told of each count; NaN where it is hidden."""
    is_free: NDArray[np.bool_]
    """Counts that nobody said are small: what is left of a sum, and neighbours hidden to protect another."""
    equation: Integers
    count: Integers
    sign: Floats

    @property
    def is_hidden(self) -> NDArray[np.bool_]:
        """Counts a reader is not told."""
        return np.isnan(self.told)

    def equations_of(self, chosen: NDArray[np.bool_]) -> System:
        """Return the same counts with those equations only that a chosen count stands in."""
        is_live = np.zeros(int(self.equation.max(initial=-1)) + 1, dtype=bool)
        is_live[self.equation[chosen[self.count]]] = True
        terms = np.flatnonzero(is_live[self.equation])
        return System(self.told, self.is_free, self.equation[terms], self.count[terms], self.sign[terms])

    def bounds(self) -> tuple[Floats, Floats]:
        """Return what each count can be by itself: rounding for a told one, under ten for a hidden one."""
        low = np.where(self.is_hidden, 0.0, np.maximum(SMALL, self.told - HALF))
        high = np.where(self.is_hidden, SMALL - 1.0, self.told + HALF)
        high = np.where(self.is_hidden & self.is_free, np.inf, high)
        return low, high


def possible_ranges(system: System) -> tuple[Floats, Floats]:
    """Return the range of each count when every equation is used, over and over, until nothing narrows.

    An equation of which nothing has moved says again what it said: only the others are looked at again.
    """
    low, high = system.bounds()
    live = system
    for _ in range(PASSES):
        new_low, new_high, is_refused = _narrow(live, low, high)
        has_moved = (new_low != low) | (new_high != high)
        if not has_moved.any():
            break
        low, high = new_low, new_high
        # What was refused has to be weighed as a whole each time.
        live = system.equations_of(has_moved | is_refused)
    return low, high


def implied_ranges(system: System, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return, per term, the range that its equation alone gives its count from the other terms."""
    below, above = low[system.count], high[system.count]
    positive = system.sign > 0
    least, most = np.where(positive, below, -above), np.where(positive, above, -below)
    rest_least = _rest(system.equation, least)
    rest_most = _rest(system.equation, most)
    return np.where(positive, -rest_most, rest_least), np.where(positive, -rest_least, rest_most)


def _rest(equation: Integers, term: Floats) -> Floats:
    """Return the sum of the other terms of each equation; infinite where one of them is."""
    is_open = np.isinf(term)
    finite = np.where(is_open, 0.0, term)
    size = int(equation.max(initial=-1)) + 1
    sums = np.bincount(equation, finite, size)[equation] - finite
    others_open = np.bincount(equation, is_open, size)[equation] - is_open
    sign = np.sign(np.bincount(equation, np.where(is_open, np.sign(term), 0), size))[equation]
    return np.where(others_open > 0, np.copysign(np.inf, sign), sums)


def _narrow(system: System, low: Floats, high: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return narrower ranges, and the counts whose narrowing contradicted itself and was refused."""
    below, above = implied_ranges(system, low, high)
    new_low, new_high = low.copy(), high.copy()
    np.maximum.at(new_low, system.count, below)
    np.minimum.at(new_high, system.count, above)
    # What contradicts itself tells nothing: a range never turns round.
    sound = new_low <= new_high
    return np.where(sound, new_low, low), np.where(sound, new_high, high), ~sound


def weak_counts(system: System, checked: NDArray[np.bool_]) -> Integers:
    """Return the hidden counts that a reader can narrow to less than the width asked for."""
    low, high = possible_ranges(system)
    return np.flatnonzero(system.is_hidden & checked & (high - low < WIDTH))


def hide_neighbours(system: System, checked: NDArray[np.bool_]) -> tuple[System, Integers]:
    """Return the system with as many more counts hidden as it takes, and which those are.

    For each weak count the equation that narrows it most loses its smallest told part, or its total where no
    part is told; then everything is attacked again.
    """
    told, is_free = system.told.copy(), system.is_free.copy()
    hidden: set[int] = set()
    while True:
        now = System(told, is_free, system.equation, system.count, system.sign)
        low, high = possible_ranges(now)
        weak = now.is_hidden & checked & (high - low < WIDTH)
        chosen = _neighbours(now, weak, low, high)
        if not len(chosen):
            return now, np.array(sorted(hidden), dtype=np.int64)
        told[chosen], is_free[chosen] = np.nan, True
        hidden.update(int(one) for one in chosen)


def _neighbours(system: System, weak: NDArray[np.bool_], low: Floats, high: Floats) -> Integers:
    """Return one told count to hide for each weak one, from the equation that narrows it most."""
    below, above = implied_ranges(system, low, high)
    told = ~system.is_hidden[system.count]
    has_told = np.bincount(system.equation, told, int(system.equation.max(initial=-1)) + 1) > 0
    terms = np.flatnonzero(weak[system.count] & has_told[system.equation])
    order = terms[np.lexsort((system.equation[terms], (above - below)[terms], system.count[terms]))]
    _, first = np.unique(system.count[order], return_index=True)
    equations = np.unique(system.equation[order[first]])
    candidates = np.flatnonzero(told & np.isin(system.equation, equations))
    rank = np.lexsort(
        (
            system.count[candidates],
            system.told[system.count[candidates]],
            system.sign[candidates] < 0,
            system.equation[candidates],
        )
    )
    ordered = candidates[rank]
    _, first = np.unique(system.equation[ordered], return_index=True)
    return np.unique(system.count[ordered[first]])
