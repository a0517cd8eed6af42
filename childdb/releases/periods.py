"""Periods that figures are told for: a year, a half-year or a quarter."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from childdb.errors import UsageError

FORM = re.compile(r"(?P<year>\d{4})(?:-(?P<part>S[12]|Q[1-4]))?")
MONTHS = {
    None: (1, 12), "S1": (1, 6), "S2": (7, 12), "Q1": (1, 3), "Q2": (4, 6), "Q3": (7, 9), "Q4": (10, 12),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """One period: its code and the days it holds."""

    code: str
    first_day: date
    last_day: date

    def reference_date(self, as_of: date) -> date:
        """Return the day figures of the period refer to: its last day, or ``as_of`` while it runs."""
        return min(self.last_day, as_of)


def parse_period(code: str) -> Period:
    """Return the period written as ``2026``, ``2026-S1`` or ``2026-Q1``.

    >>> parse_period("2026-S1").last_day
    datetime.date(2026, 6, 30)
    """
    match = FORM.fullmatch(code)
    if match is None or int(match["year"]) < 1900:
        raise UsageError(
            f"Period '{code[:20]}' is none: write 2026, 2026-S1 or 2026-Q1.",
            f"Kỳ '{code[:20]}' không hợp lệ: hãy ghi 2026, 2026-S1 hoặc 2026-Q1.",
        )
    year = int(match["year"])
    first, last = MONTHS[match["part"]]
    return Period(code, date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1]))
