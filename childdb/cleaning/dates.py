"""Dates as people write them in Viet Nam: day before month, three precisions, never an invented day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from childdb.cleaning.text import fold

RULE_FORM = "DATE-001"
RULE_SERIAL = "DATE-002"
RULE_YEAR = "DATE-003"
RULE_MONTH = "DATE-004"
RULE_SHORT_YEAR = "DATE-005"
RULE_IMPOSSIBLE = "DATE-006"
RULE_UNREADABLE = "DATE-007"
RULE_FUTURE = "DATE-008"
RULE_OVER_AGE = "DATE-009"
RULE_FIRST_OF_JANUARY = "DATE-010"
RULE_ORDER = "DATE-011"
RULE_ORDER_DOUBT = "DATE-012"
RULE_SEQUENCE = "DATE-013"
RULE_ZONE = "DATE-014"
RULE_TURNED_16 = "DATE-015"
RULE_MISSING = "DATE-016"
RULE_SMALL_SERIAL = "DATE-017"
RULE_LATER_EVENT = "DATE-018"

EXCEL_EPOCH = date(1899, 12, 30)
EXCEL_1904_DAYS = 1462
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


class Precision(StrEnum):
    """How much of a date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DateResult:
    """A date with what is known of it; `time` is hh:mm:ss or None; `rules` names what was judged."""

    precision: Precision = Precision.UNKNOWN
    year: int | None = None
    month: int | None = None
    day: int | None = None
    time: str | None = None
    rules: tuple[str, ...] = ()

    @property
    def value(self) -> date | None:
        """Return the plain date, or None unless the day is known."""
        if self.precision is not Precision.DAY or None in (self.year, self.month, self.day):
            return None
        return date(self.year or 1, self.month or 1, self.day or 1)


@dataclass(frozen=True, slots=True)
class DateContext:
    """What the file tells about its dates: the day it was made, its date system, whether serials are dates."""

    latest: date | None = None
    oldest_age_years: int = 17
    date_system: str = "1900"
    serials_are_dates: bool = True


_ISO = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?"
    r"\s*(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_CLOCK = r"(?:[ ,T]+(?:luc )?([0-9]{1,2})[:h]([0-9]{2})?(?::([0-9]{2}))?(?: ?(am|pm|sa|ch))?)?"
_DAY_MONTH_YEAR = re.compile(
    rf"([0-9]{{1,2}})\s*[/.\-\s]\s*([0-9]{{1,2}})\s*[/.\-\s]\s*([0-9]{{4}}|[0-9]{{2}}){_CLOCK}"
)
_YEAR_MONTH_DAY = re.compile(rf"([0-9]{{4}})\s*[/.]\s*([0-9]{{1,2}})\s*[/.]\s*([0-9]{{1,2}}){_CLOCK}")
_WORDS = re.compile(
    r"(?:ngay|mung|ng)?\.?\s*([0-9]{1,2})\s*(?:thang|th|t)\.?\s*([0-9]{1,2})\s*,?\s*(?:nam|n)?\.?\s*([0-9]{4})"
)
_MONTH_YEAR = re.compile(r"(?:thang|th|t)?\.?\s*([0-9]{1,2})\s*(?:[/.\-]|,?\s*nam)\s*([0-9]{4})")
_YEAR_MONTH = re.compile(r"([0-9]{4})\s*[/\-]\s*([0-9]{1,2})")
_YEAR = re.compile(r"(?:nam|sn|sinh nam|khoang nam)?\s*([0-9]{4})(?:\.0)?")
_DIGITS = re.compile(r"[0-9]{7,8}")
_SERIAL = re.compile(r"([0-9]{1,5})(?:\.[0-9]+)?")
_MISSING = frozenset(
    ["khong", "khong ro", "khong co", "chua ro", "chua co", "ko", "ko ro", "k", "null", "none", "nan", "n/a", "na", "0",
     "khong nho", "khong xac dinh", "chua xac dinh", "khong biet"]
)  # fmt: skip


@lru_cache(maxsize=262144)
def parse_date(value: str, context: DateContext = DateContext()) -> DateResult:
    """Return what a cell says about a date; nothing that is not written is added.

    >>> parse_date("5/3/2019").value, parse_date("30/02/2019").year, parse_date("03/2019").precision.value
    (datetime.date(2019, 3, 5), 2019, 'month')
    """
    text = " ".join(value.split()).strip(" '’‘`,;")
    if not text.isascii():
        text = fold(text)
    lowered = text.lower()
    if lowered.strip(" .-/_?*") in ("", *_MISSING) and lowered.strip("0") != "0":
        return DateResult(rules=(RULE_MISSING,))
    for reader in (_read_iso, _read_full, _read_partial, _read_digits):
        result = reader(lowered, context)
        if result is not None:
            return result
    return DateResult(rules=(RULE_UNREADABLE,))


def _read_iso(text: str, context: DateContext) -> DateResult | None:
    match = _ISO.fullmatch(text.upper())
    if not match:
        return None
    result = _checked(
        int(match[1]), int(match[2]), int(match[3]), _clock(match[4], match[5], match[6], None), ()
    )
    if match[7]:
        # The zone never shifts a plain date: the day written is the day meant.
        return DateResult(result.precision, result.year, result.month, result.day, result.time,
                          (*result.rules, RULE_ZONE))  # fmt: skip
    return result


def _read_full(text: str, context: DateContext) -> DateResult | None:
    match = _DAY_MONTH_YEAR.fullmatch(text)
    if match:
        year, rules = _full_year(match[3], context)
        time = _clock(match[4], match[5], match[6], match[7])
        if year is None:
            return DateResult(rules=(*rules, RULE_UNREADABLE))
        return _checked(year, int(match[2]), int(match[1]), time, (*rules, *_form_rule(text)))
    match = _YEAR_MONTH_DAY.fullmatch(text)
    if match:
        time = _clock(match[4], match[5], match[6], match[7])
        return _checked(int(match[1]), int(match[2]), int(match[3]), time, (RULE_FORM,))
    match = _WORDS.fullmatch(text)
    if match:
        return _checked(int(match[3]), int(match[2]), int(match[1]), None, (RULE_FORM,))
    return None


def _form_rule(text: str) -> tuple[str, ...]:
    return (
        ()
        if re.match(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}(?: [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?$", text)
        else (RULE_FORM,)
    )


def _read_partial(text: str, context: DateContext) -> DateResult | None:
    match = _MONTH_YEAR.fullmatch(text)
    year, month = (match[2], match[1]) if match else (None, None)
    if not match:
        match = _YEAR_MONTH.fullmatch(text)
        year, month = (match[1], match[2]) if match else (None, None)
    if year is not None and month is not None:
        return _month(int(year), int(month))
    match = _YEAR.fullmatch(text)
    if match and _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR:
        return DateResult(Precision.YEAR, int(match[1]), rules=(RULE_YEAR,))
    return None


def _month(year: int, month: int) -> DateResult:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return DateResult(rules=(RULE_UNREADABLE,))
    if not 1 <= month <= 12:
        return DateResult(Precision.YEAR, year, rules=(RULE_IMPOSSIBLE,))
    return DateResult(Precision.MONTH, year, month, rules=(RULE_MONTH,))


def _read_digits(text: str, context: DateContext) -> DateResult | None:
    if _DIGITS.fullmatch(text):
        return _from_run(text.zfill(8), context)
    match = _SERIAL.fullmatch(text)
    return _from_serial(int(match[1]), context) if match else None


def _from_run(run: str, context: DateContext) -> DateResult:
    """Return the date of eight digits: ddmmyyyy, or yyyymmdd where only that is a date in reach."""
    readings = {
        result.value: result
        for result in (
            _checked(int(run[4:]), int(run[2:4]), int(run[:2]), None, (RULE_FORM,)),
            _checked(int(run[:4]), int(run[4:6]), int(run[6:]), None, (RULE_FORM,)),
        )
        if result.value is not None and 1950 <= result.value.year <= _reach(context)
    }
    return next(iter(readings.values())) if len(readings) == 1 else DateResult(rules=(RULE_UNREADABLE,))


def _reach(context: DateContext) -> int:
    return context.latest.year + 1 if context.latest else 2050


def _from_serial(serial: int, context: DateContext) -> DateResult:
    if serial <= 60:
        return DateResult(rules=(RULE_SMALL_SERIAL,))
    days = serial + (EXCEL_1904_DAYS if context.date_system == "1904" else 0)
    day = EXCEL_EPOCH + timedelta(days=days)
    if not context.serials_are_dates or not 1990 <= day.year <= _reach(context):
        return DateResult(rules=(RULE_UNREADABLE,))
    return DateResult(Precision.DAY, day.year, day.month, day.day, None, (RULE_SERIAL,))


def _full_year(year: str, context: DateContext) -> tuple[int | None, tuple[str, ...]]:
    """Return a year in four digits; two digits are read only inside the ages a child can have."""
    if len(year) == 4:
        return int(year), ()
    if context.latest is None:
        return None, (RULE_SHORT_YEAR,)
    full = context.latest.year - (context.latest.year - int(year)) % 100
    if full < context.latest.year - context.oldest_age_years:
        return None, (RULE_SHORT_YEAR,)
    return full, (RULE_SHORT_YEAR,)


def _checked(year: int, month: int, day: int, time: str | None, rules: tuple[str, ...]) -> DateResult:
    """Return a full date, or its year alone where the calendar has no such day."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return DateResult(rules=(*rules, RULE_UNREADABLE))
    try:
        date(year, month, day)
    except ValueError:
        swapped = 12 < month <= 31 and 1 <= day <= 12
        return DateResult(Precision.YEAR, year, rules=(*rules, RULE_ORDER if swapped else RULE_IMPOSSIBLE))
    return DateResult(Precision.DAY, year, month, day, time, rules)


def _clock(hour: str | None, minute: str | None, second: str | None, half: str | None) -> str | None:
    if hour is None:
        return None
    hours = int(hour) % 12 + (12 if half in ("pm", "ch") else 0) if half else int(hour)
    if hours > 23 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    return f"{hours:02d}:{int(minute or 0):02d}:{int(second or 0):02d}"


def full_years(birth: date, day: date) -> int:
    """Return the age in full years on a day; someone born on 29 February has a birthday on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def birthday(birth: date, years: int) -> date:
    """Return the day on which someone turns so many years old."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)
