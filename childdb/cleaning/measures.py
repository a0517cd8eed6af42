"""Weights, heights, years and telephone numbers: a strict grammar, units read, nothing rounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from childdb.cleaning.text import fold

RULE_FORM = "NUM-001"
RULE_FORMAT = "NUM-002"
RULE_RANGE = "NUM-003"
RULE_UNIT = "NUM-004"
RULE_YEAR_FORM = "NUM-005"
RULE_YEAR_RANGE = "NUM-006"
RULE_PHONE_ZERO = "NUM-007"
RULE_PHONE_FORM = "NUM-008"
RULE_PHONE_DOUBT = "NUM-009"
RULE_MISSING = "NUM-010"

_NUMBER = re.compile(r"([0-9]{1,6})(?:([.,])([0-9]{1,4}))?")
_WEIGHT_UNIT = re.compile(r"\s*(kg|kgs|ky|ki|can|g|gr|gram)\.?$")
_HEIGHT_UNIT = re.compile(r"\s*(cm|m|mm)\.?$")
_METRES = re.compile(r"([01])m([0-9]{1,2})")
_MISSING = frozenset(["", "khong", "khong ro", "ko", "chua can", "chua do", "chua ro", "chua", "x", "null", "none",
                      "na", "n/a", "0", "khong co", "khong biet", "chua co"])  # fmt: skip


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """A number as decimal text, or None with the rule that says why."""

    value: str | None
    rules: tuple[str, ...] = ()


def _plain(number: Decimal) -> str:
    text = format(number.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=65536)
def read_weight(value: str) -> MeasureResult:
    """Return a weight in kilograms; 2.300 and 2300 are a newborn's grams.

    >>> read_weight("12,5").value, read_weight("2.300").value, read_weight("2300").value
    ('12.5', '2.3', '2.3')
    """
    text = fold(value)
    match = _WEIGHT_UNIT.search(text)
    unit = match[1] if match else ""
    number = _number(text[: match.start()] if match else text)
    if number is None:
        return _unread(text)
    rules = [RULE_FORM] if unit or "," in value else []
    if unit in ("g", "gr", "gram") or (not unit and 500 <= number <= 6500):
        number, rules = number / 1000, [RULE_UNIT]
    return _in_range(number, Decimal("0.3"), Decimal(200), rules)


@lru_cache(maxsize=65536)
def read_height(value: str) -> MeasureResult:
    """Return a height in centimetres; metres are converted where they cannot be anything else.

    >>> read_height("95,5").value, read_height("1m05").value, read_height("0,95 m").value
    ('95.5', '105', '95')
    """
    text = fold(value)
    metres = _METRES.fullmatch(text.replace(" ", ""))
    if metres:
        return _in_range(Decimal(f"{metres[1]}.{metres[2]}") * 100, Decimal(20), Decimal(230), [RULE_UNIT])
    match = _HEIGHT_UNIT.search(text)
    unit = match[1] if match else ""
    number = _number(text[: match.start()] if match else text)
    if number is None:
        return _unread(text)
    rules = [RULE_FORM] if unit or "," in value else []
    if unit == "m" or (not unit and Decimal("0.3") <= number <= Decimal("2.1")):
        number, rules = number * 100, [RULE_UNIT]
    elif unit == "mm":
        number, rules = number / 10, [RULE_UNIT]
    return _in_range(number, Decimal(20), Decimal(230), rules)


def _number(text: str) -> Decimal | None:
    match = _NUMBER.fullmatch(text.strip())
    return Decimal(f"{match[1]}.{match[3] or 0}") if match else None


def _unread(text: str) -> MeasureResult:
    if text.strip(" .-–—_/*?") in _MISSING:
        return MeasureResult(None, (RULE_MISSING,))
    return MeasureResult(None, (RULE_FORMAT,))


def _in_range(number: Decimal, low: Decimal, high: Decimal, rules: list[str]) -> MeasureResult:
    if not low <= number <= high:
        return MeasureResult(None, (RULE_RANGE,))
    return MeasureResult(_plain(number), tuple(rules))


@lru_cache(maxsize=65536)
def read_birth_year(value: str, latest_year: int | None) -> MeasureResult:
    """Return the year of birth of an adult from a year, a full date or two digits."""
    text = fold(value).strip(" .'’")
    match = re.fullmatch(r"(?:sn|nam|sinh nam)?\s*([0-9]{4})(?:\.0)?", text)
    if match:
        rules: tuple[str, ...] = () if text == match[1] else (RULE_YEAR_FORM,)
        return _adult_year(int(match[1]), latest_year, rules)
    match = re.fullmatch(r"[0-9]{1,2}\s*[/.\-]\s*[0-9]{1,2}\s*[/.\-]\s*([0-9]{4})", text) or re.fullmatch(
        r"([0-9]{4})-[0-9]{2}-[0-9]{2}(?:[ t].*)?", text
    )
    if match:
        return _adult_year(int(match[1]), latest_year, (RULE_YEAR_FORM,))
    if re.fullmatch(r"[0-9]{2}", text) and latest_year is not None:
        newest = latest_year - 12
        return _adult_year(newest - (newest - int(text)) % 100, latest_year, (RULE_YEAR_FORM,))
    return _unread(text)


def _adult_year(year: int, latest_year: int | None, rules: tuple[str, ...]) -> MeasureResult:
    if not 1900 <= year <= (latest_year or 2100):
        return MeasureResult(None, (RULE_YEAR_RANGE,))
    return MeasureResult(str(year), rules)


@lru_cache(maxsize=262144)
def read_phone(value: str) -> MeasureResult:
    """Return a telephone number with its leading zero and without separators.

    >>> read_phone("912345678").value, read_phone("+84 912 345 678").value
    ('0912345678', '0912345678')
    """
    text = fold(value)
    if text.strip(" .-–—_/*?") in _MISSING:
        return MeasureResult(None, (RULE_MISSING,))
    digits = re.sub(r"[\s.\-()'’]+", "", text).removesuffix(",0")
    rules: tuple[str, ...] = () if digits == value else (RULE_PHONE_FORM,)
    if re.fullmatch(r"(?:\+84|0084|84)[2-9][0-9]{8,9}", digits):
        return MeasureResult("0" + re.sub(r"^(?:\+84|0084|84)", "", digits), (RULE_PHONE_FORM,))
    if re.fullmatch(r"[2-9][0-9]{8}", digits):
        return MeasureResult("0" + digits, (RULE_PHONE_ZERO,))
    if re.fullmatch(r"0[1-9][0-9]{8,9}", digits):
        return MeasureResult(digits, rules)
    return MeasureResult(None, (RULE_PHONE_DOUBT,))
