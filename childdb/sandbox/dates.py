"""Birth dates as officers write them: one pool of texts per day and form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import IntEnum
from functools import cache

import numpy as np
import pyarrow as pa

from childdb.sandbox.columns import Column, column
from childdb.sandbox.geography import date_of
from childdb.sandbox.hashing import Bools, Ints
from childdb.sandbox.lunar import lunar_day_month

FIRST_DAY, LAST_DAY = 13_514, 21_185  # 2007-01-01 to 2028-01-01


class DateForm(IntEnum):
    """How a date is written; NONE is an empty cell."""

    PLAIN = 0
    SHORT = 1
    DASHES = 2
    DOTS = 3
    WORDS = 4
    SPACED = 5
    ISO = 6
    SERIAL = 7
    YEAR = 8
    NEW_YEAR = 9
    MONTH = 10
    TWO_DIGITS = 11
    IMPOSSIBLE = 12
    OUT_OF_RANGE = 13
    SWAPPED = 14
    NONE = 15


def _impossible(day: dt.date) -> str:
    return (f"30/02/{day.year}", f"31/04/{day.year}", f"00/00/{day.year}", f"31/09/{day.year}")[
        day.toordinal() % 4
    ]


def _out_of_range(day: dt.date) -> str:
    year = (f"209{day.year % 10}", f"19{day.year % 100:02d}")[day.toordinal() % 2]
    return f"{day:%d/%m}/{year}"


_WRITERS: dict[DateForm, Callable[[dt.date], str]] = {
    DateForm.PLAIN: lambda day: f"{day:%d/%m/%Y}",
    DateForm.SHORT: lambda day: f"{day.day}/{day.month}/{day.year}",
    DateForm.DASHES: lambda day: f"{day.day}-{day.month}-{day.year}",
    DateForm.DOTS: lambda day: f"{day:%d.%m.%Y}",
    DateForm.WORDS: lambda day: f"ngày {day.day} tháng {day.month} năm {day.year}",
    DateForm.SPACED: lambda day: f"{day.day} / {day.month} / {day.year}",
    DateForm.ISO: lambda day: day.isoformat(),
    DateForm.SERIAL: lambda day: str((day - dt.date(1899, 12, 30)).days),
    DateForm.YEAR: lambda day: str(day.year),
    DateForm.NEW_YEAR: lambda day: f"01/01/{day.year}",
    DateForm.MONTH: lambda day: f"{day:%m/%Y}",
    DateForm.TWO_DIGITS: lambda day: f"{day.day}/{day.month}/{day:%y}",
    DateForm.IMPOSSIBLE: _impossible,
    DateForm.OUT_OF_RANGE: _out_of_range,
    DateForm.SWAPPED: lambda day: f"{day:%m/%d/%Y}",
}


@cache
def _pool() -> Column:
    days = [date_of(number) for number in range(FIRST_DAY, LAST_DAY)]
    return column([_WRITERS[form](day) for form in DateForm if form in _WRITERS for day in days], pa.string())


def date_texts(days: Ints, forms: Ints) -> Column:
    """Return each day in its form; NULL where the form is NONE."""
    absent = forms == DateForm.NONE
    codes = np.where(absent, 0, (days - FIRST_DAY) + forms * (LAST_DAY - FIRST_DAY))
    return _pool().take(column(codes, mask=absent))


@cache
def _lunar() -> Ints:
    """Return for each day of the pool the solar date that is written like its lunar date, or −1 if there is none."""
    found = []
    for number in range(FIRST_DAY, LAST_DAY):
        day = date_of(number)
        lunar_day, lunar_month = lunar_day_month(number, day.year)
        year = day.year - 1 if lunar_month > day.month + 6 else day.year
        try:
            found.append((dt.date(year, lunar_month, lunar_day) - dt.date(1970, 1, 1)).days)
        except ValueError:
            found.append(-1)
    return np.array(found)


def lunar_days(days: Ints) -> Ints:
    """Return the days as they read when the lunar date is given as a solar one; −1 where no such day exists."""
    result: Ints = _lunar()[days - FIRST_DAY]
    return result


def can_swap(days: Ints) -> Bools:
    """Return which days still read as a date, another one, when day and month change places."""
    values = days.astype("datetime64[D]")
    months = values.astype("datetime64[M]").astype(np.int64) % 12 + 1
    inside = (values - values.astype("datetime64[M]")).astype(np.int64) + 1
    result: Bools = (inside <= 12) & (inside != months)
    return result
