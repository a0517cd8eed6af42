"""Intervals for shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A share with the interval that holds the truth 95 times in 100."""

    share: float
    low: float
    high: float


def wilson(hits: float, rows: float) -> Interval:
    """Return the share of hits with Wilson's interval, which holds near 0 and 1 too."""
    if rows <= 0:
        return Interval(0.0, 0.0, 1.0)
    share, square = hits / rows, _Z * _Z
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    half = _Z * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows)) / (1 + square / rows)
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))
