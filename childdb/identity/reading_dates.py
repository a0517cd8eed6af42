"""Dates of birth out of texts as people type them: plain dates, with how much of them is known."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

_EXCEL_EPOCH = dt.date(1899, 12, 30)
_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$")
_DAY_FIRST = re.compile(r"^(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4}|\d{2})$")
_COMPACT = re.compile(r"^((?:19|20)\d{2})(\d{2})(\d{2})$")
_MONTH = re.compile(r"^(\d{1,2})[-/. ]+(\d{4})$")
_ISO_MONTH = re.compile(r"^(\d{4})[-/. ]+(\d{1,2})$")
_YEAR = re.compile(r"^(?:19|20)\d{2}$")
_WORDS = re.compile(r"[^\d/.\- :T]+")


@dataclass(frozen=True)
class PartialDate:
    """A date with its precision: 3 day, 2 month, 1 year, 0 nothing."""

    precision: int = 0
    year: int | None = None
    month: int | None = None
    day: int | None = None


def read_birth_date(text: str) -> PartialDate:
    """Return what a text says of a date of birth.

    >>> read_birth_date("5/3/2019")
    PartialDate(precision=3, year=2019, month=3, day=5)
    >>> read_birth_date("2019").precision
    1
    """
    plain = " ".join(_WORDS.sub(" ", text).split())
    plain = re.sub(r"\s*([-/.])\s*", r"\1", plain)
    if found := _ISO.match(plain) or _COMPACT.match(plain):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_FIRST.match(plain):
        return _date(_full_year(found[3]), int(found[2]), int(found[1]))
    if _YEAR.match(plain):
        return PartialDate(1, int(plain))
    if found := _MONTH.match(plain):
        return _date(int(found[2]), int(found[1]), None)
    if found := _ISO_MONTH.match(plain):
        return _date(int(found[1]), int(found[2]), None)
    return _serial(plain)


def _full_year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _serial(plain: str) -> PartialDate:
    """Return the day behind a number a spreadsheet shows for a date (from 1990 to 2040)."""
    if not re.fullmatch(r"\d{5}(?:\.0+)?", plain) or not 32874 <= int(plain[:5]) <= 51502:
        return PartialDate()
    found = _EXCEL_EPOCH + dt.timedelta(days=int(plain[:5]))
    return PartialDate(3, found.year, found.month, found.day)


def _date(year: int, month: int, day: int | None) -> PartialDate:
    """Return the date as far as the calendar allows; an impossible day leaves month or year."""
    if not 1900 <= year <= 2100:
        return PartialDate()
    if day is not None and month > 12 >= day:
        month, day = day, month
    if not 1 <= month <= 12:
        return PartialDate(1, year)
    try:
        dt.date(year, month, day or 0)
    except ValueError:
        return PartialDate(2, year, month)
    return PartialDate(3, year, month, day)
