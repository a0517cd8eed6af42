"""What one stored cell of a workbook means: text, number, date, truth value, error or unknown formula."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING

from childdb.reading.grid import ERROR_VALUES

if TYPE_CHECKING:
    from childdb.reading.grid import ValueTable

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})", re.ASCII)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_EXTERNAL = re.compile(r"\[\d+\]|\[[^\]]+\.xl\w+\]|'?[A-Za-z]:\\|https?://", re.I)
_BUILTIN_DATES = frozenset({14, 15, 16, 17, 22, *range(27, 32), 34, 35, 36, *range(50, 59)})
_FORMAT_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_LAST_SERIAL = 2_958_466
_DAY_ZERO = {"1900": datetime(1899, 12, 30), "1904": datetime(1904, 1, 1)}


def is_date_format(number: int, code: str | None) -> bool:
    """Return whether a number format shows a calendar date (a time of day alone is none).

    >>> is_date_format(165, "dd/mm/yyyy"), is_date_format(165, '0.00 "kg"'), is_date_format(21, None)
    (True, False, False)
    """
    if code is None:
        return number in _BUILTIN_DATES
    plain = _FORMAT_NOISE.sub("", code.split(";")[0]).lower()
    return "y" in plain or ("d" in plain and "general" not in plain and "red" not in plain)


def plain_number(raw: str) -> str | None:
    """Return a stored number as the shortest plain decimal text, None when it is no number.

    >>> plain_number("1319000001"), plain_number("7.9E+10"), plain_number("12.50"), plain_number("NaN")
    ('1319000001', '79000000000', '12.5', None)
    """
    if _PLAIN_INTEGER.fullmatch(raw):
        return raw
    if not _NUMBER.fullmatch(raw):
        return None
    value = float(raw)
    if value in (float("inf"), float("-inf")) or abs(value) >= 1e100:
        return None
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def serial_date(raw: str, date_system: str) -> str | None:
    """Return a date serial as ISO text, with its time where it has one; None outside the calendar.

    >>> serial_date("43529", "1900"), serial_date("42067", "1904"), serial_date("60", "1900")
    ('2019-03-05', '2019-03-05', '1900-02-29')
    """
    try:
        serial = float(raw)
    except ValueError:
        return None
    if not 0 <= serial < _LAST_SERIAL or (serial < 1 and date_system == "1900"):
        return None
    days = int(serial)
    seconds = round((serial - days) * 86_400)
    if date_system == "1900" and days == 60:
        return "1900-02-29"
    shift = 1 if date_system == "1900" and days < 60 else 0
    moment = _DAY_ZERO[date_system] + timedelta(days=days + shift, seconds=seconds)
    return moment.date().isoformat() if seconds == 0 else moment.isoformat()


def stored_text(raw: str) -> str:
    """Return text as written in the XML of a workbook: entities and ``_xHHHH_`` escapes undone."""
    if "&" in raw:
        raw = unescape(raw)
    if "_x" in raw:
        raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), raw)
    return raw


@dataclass(slots=True)
class CellResolver:
    """Gives each stored cell its number in the table of values; keeps what it saw on the way."""

    values: ValueTable
    shared: list[str]
    date_styles: frozenset[int] = frozenset()
    date_system: str = "1900"
    external_formulas: int = 0
    _first_shared: int | None = None

    def resolve(
        self, cell_type: str, style: int, formula: str | None, value: str | None, inline: str | None
    ) -> int:
        """Return the value number of one cell; 0 for a blank one."""
        is_formula = formula is not None
        if is_formula and _EXTERNAL.search(formula or ""):
            self.external_formulas += 1
            return self.values.add("", "f", is_formula=True)
        if inline is not None:
            return self.values.add(inline, "t", is_formula=is_formula)
        if not value:
            return self._without_value(cell_type, is_formula=is_formula)
        text, kind = self._typed(cell_type, style, value)
        return self.values.add(text, kind, is_formula=is_formula)

    def shared_number(self, place: str) -> int:
        """Return the value number of a shared text by its place; all of them are entered at once."""
        if self._first_shared is None:
            self._first_shared = self.values.add_texts(self.shared)
        index = int(place)
        if index >= len(self.shared) or self.shared[index] in ERROR_VALUES:
            return self.values.add(*self._typed("s", 0, place))
        text = self.shared[index]
        return 0 if not text or text.isspace() else self._first_shared + index

    def _without_value(self, cell_type: str, *, is_formula: bool) -> int:
        if is_formula and cell_type != "str":
            return self.values.add("", "f", is_formula=True)
        return 0

    def _typed(self, cell_type: str, style: int, value: str) -> tuple[str, str]:
        if cell_type == "s":
            place = int(value) if value.strip().isdigit() else -1
            return (self.shared[place], "t") if 0 <= place < len(self.shared) else ("#REF!", "e")
        if cell_type in ("str", "inlineStr"):
            return stored_text(value), "t"
        if cell_type == "b":
            return ("TRUE" if value.strip() in ("1", "true") else "FALSE"), "b"
        if cell_type == "e":
            return stored_text(value), "e"
        if cell_type == "d":
            return value.strip(), "d"
        return self._numeric(style, value.strip())

    def _numeric(self, style: int, value: str) -> tuple[str, str]:
        number = plain_number(value)
        if number is None:
            return stored_text(value), "t"
        if style in self.date_styles:
            day = serial_date(number, self.date_system)
            if day is not None:
                return day, "d"
        return number, "n"
