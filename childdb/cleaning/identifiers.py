"""Personal identification numbers: what a cell holds, with findings instead of a yes or no.

Twelve digits, the first three the province of birth registration (never compared with residence), the fourth
century and sex, the next two the year of birth, six at random; no check digit exists. Since 1 July 2024 no law fixes
this structure, so disagreement with it is a warning and the number is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from childdb.cleaning.text import INVISIBLE, fold
from childdb.reference import number_province_codes

RULE_MISSING = "ID-001"
RULE_SPACE = "ID-002"
RULE_SEPARATOR = "ID-003"
RULE_ZEROS = "ID-004"
RULE_ZEROS_DOUBT = "ID-005"
RULE_SCIENTIFIC = "ID-006"
RULE_PRECISION = "ID-007"
RULE_DIGITS = "ID-008"
RULE_LETTER = "ID-009"
RULE_LETTER_DOUBT = "ID-010"
RULE_OLD_CARD = "ID-011"
RULE_INSURANCE = "ID-012"
RULE_PHONE = "ID-013"
RULE_PROVISIONAL = "ID-014"
RULE_DUMMY = "ID-015"
RULE_PARENT = "ID-016"
RULE_LENGTH = "ID-017"
RULE_DUPLICATE = "ID-018"
RULE_PREFIX = "ID-019"
RULE_SEX = "ID-020"
RULE_YEAR = "ID-021"
RULE_CENTURY = "ID-022"
RULE_FORMAT = "ID-023"
RULE_OLD_CARD_KEPT = "ID-024"
RULE_MOVED = "ID-025"


class NumberKind(StrEnum):
    """What a cell for a personal number holds."""

    PERSONAL = "personal"
    OLD_CARD = "old_card"
    INSURANCE = "insurance"
    PHONE = "phone"
    PROVISIONAL = "provisional"
    DUMMY = "dummy"
    UNREADABLE = "unreadable"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Holder:
    """What else the row says of the person whose number it is; None where it says nothing sure."""

    sex: str | None = None
    birth_year: int | None = None


@dataclass(frozen=True, slots=True)
class NumberResult:
    """The number (None if there is none to use), what the cell held, its digits as text, and the rules."""

    value: str | None
    kind: NumberKind
    held: str | None = None
    rules: tuple[str, ...] = ()


_TWELVE = re.compile(r"[0-9]{12}")
_MISSING = frozenset(
    ["", "0", "x", "khong", "khong co", "chua", "chua co", "chua cap", "chua duoc cap", "ko", "ko co", "k", "k co",
     "null", "none", "nan", "na", "n/a", "chua ro", "khong ro", "dang cho", "dang cho cap", "cho cap", "chua lam",
     "khong nho", "chua xac dinh", "chua dang ky", "trong", "chua co ma", "chua co so", "chua nhap"]
)  # fmt: skip
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?\s*[eE]\s*\+?\s*[0-9]{1,3}")
_INSURANCE = re.compile(r"[A-Z]{2}[0-9]{13}")
_PROVISIONAL = re.compile(r"[A-Z]{1,6}[-/]?[0-9][0-9A-Z\-/]*")
_LETTERS_FOR_DIGITS = str.maketrans(
    {"O": "0", "o": "0", "l": "1", "I": "1", "i": "1", "S": "5", "s": "5", "|": "1"}
)
_WITH_LETTERS = re.compile(r"[0-9OolIiSs|]{12}")
_PHONE = re.compile(r"0[35789][0-9]{8}")
SEQUENCES = frozenset(
    ["012345678901", "012345678910", "123456789012", "123456789123", "098765432109", "987654321098", "987654321012", "123456789",
     "987654321", "1234567890", "9876543210", "12345678901", "01234567891"]
)  # fmt: skip


@lru_cache(maxsize=4096)
def _is_dummy(digits: str) -> bool:
    return len(set(digits)) == 1 or digits in SEQUENCES


def century_sex(digit: str) -> tuple[int, str]:
    """Return the century's first year and the sex that digit 4 states."""
    place = int(digit)
    return 1900 + 100 * (place // 2), "female" if place % 2 else "male"


def stated_year(number: str) -> int:
    """Return the year of birth that digits 4 to 6 state."""
    return century_sex(number[3])[0] + int(number[4:6])


def agrees(number: str, holder: Holder) -> bool:
    """Return whether a number has a known code and states the sex and year the row states; both must be known."""
    return (
        number[:3] in number_province_codes()
        and century_sex(number[3])[1] == holder.sex
        and stated_year(number) == holder.birth_year
    )


def read_number(cell: str, holder: Holder) -> NumberResult:
    """Return what the cell of a personal number holds, before it is compared with the rest of the row.

    >>> read_number("1319000001", Holder("female", 2019)).value
    '001319000001'
    >>> read_number("1319000001", Holder("male", 2019)).value is None
    True
    """
    text = INVISIBLE.sub("", cell)
    stripped = text.strip()
    if _TWELVE.fullmatch(stripped):
        rules = (RULE_SPACE,) if stripped != cell else ()
        return _judge_twelve(stripped, rules)
    if fold(stripped).strip(" .-–—_/*?'’") in _MISSING:
        return NumberResult(None, NumberKind.MISSING, rules=(RULE_MISSING,))
    return _read_unusual(stripped, holder)


def _judge_twelve(digits: str, rules: tuple[str, ...]) -> NumberResult:
    if _is_dummy(digits):
        return NumberResult(None, NumberKind.DUMMY, digits, (*rules, RULE_DUMMY))
    return NumberResult(digits, NumberKind.PERSONAL, digits, rules)


def _read_unusual(text: str, holder: Holder) -> NumberResult:
    if any(letter.isdigit() and not letter.isascii() for letter in text):
        return NumberResult(None, NumberKind.UNREADABLE, rules=(RULE_DIGITS,))
    if _SCIENTIFIC.fullmatch(text):
        return NumberResult(None, NumberKind.UNREADABLE, rules=(RULE_SCIENTIFIC,))
    compact = re.sub(r"\.0$", "", text)
    compact = re.sub(r"[\s.\-–,'’‘`´/_]+", "", _without_label(compact))
    if compact.isascii() and compact.isdigit():
        rules = () if compact in (text, text.removesuffix(".0")) else (RULE_SEPARATOR,)
        return _read_digits(compact, holder, rules)
    return _read_lettered(compact, holder)


def _without_label(text: str) -> str:
    """Return the text behind a label such as CCCD: or Số định danh; only letters in front of digits are a label."""
    match = re.match(r"^([^0-9]*?)[\s:.’'‘`]*([0-9].*)$", text, re.DOTALL)
    if not match or not match[1]:
        return text
    label = re.sub(r"[\W_]+", "", fold(match[1]))
    return match[2] if label in _LABELS else text


_LABELS = frozenset(
    ["", "cccd", "cmnd", "cmt", "cc", "so", "socccd", "socmnd", "cccdso", "dinhdanh", "madinhdanh", "sodinhdanh",
     "mdd", "mddcn", "sddcn", "ddcn", "dd", "madinhdanhcanhan", "sodinhdanhcanhan", "cancuoc", "thecancuoc", "socancuoc",
     "cancuoccongdan", "sothecancuoc", "ma", "maso", "maddcn", "soddcn", "madd", "sodd", "cccdcmnd", "socccdcmnd"]
)  # fmt: skip


def _read_digits(digits: str, holder: Holder, rules: tuple[str, ...]) -> NumberResult:
    if len(digits) == 12:
        return _judge_twelve(digits, rules)
    if len(digits) >= 15:
        return NumberResult(None, NumberKind.UNREADABLE, digits, (RULE_PRECISION,))
    if len(digits) in (10, 11) and digits[0] != "0":
        padded = digits.zfill(12)
        if agrees(padded, holder):
            return NumberResult(padded, NumberKind.PERSONAL, padded, (*rules, RULE_ZEROS))
    if _PHONE.fullmatch(digits):
        return NumberResult(None, NumberKind.PHONE, digits, (RULE_PHONE,))
    if len(digits) == 10 and not _states_a_child(digits.zfill(12)):
        return NumberResult(None, NumberKind.INSURANCE, digits, (RULE_INSURANCE,))
    if _is_dummy(digits):
        return NumberResult(None, NumberKind.DUMMY, digits, (RULE_DUMMY,))
    if len(digits) == 9:
        return NumberResult(None, NumberKind.OLD_CARD, digits, (RULE_OLD_CARD,))
    doubtful = (
        len(digits) in (10, 11) and digits[0] != "0" and digits.zfill(12)[:3] in number_province_codes()
    )
    rule = RULE_ZEROS_DOUBT if doubtful else RULE_LENGTH
    return NumberResult(None, NumberKind.UNREADABLE, digits, (rule,))


def _states_a_child(padded: str) -> bool:
    """Return whether ten digits, padded, look like a child's number whose zeros were lost: then it is no insurance."""
    return padded[2] != "0" and padded[:3] in number_province_codes() and padded[3] in "23"


def _read_lettered(compact: str, holder: Holder) -> NumberResult:
    upper = compact.upper()
    if _INSURANCE.fullmatch(upper):
        return NumberResult(None, NumberKind.INSURANCE, upper, (RULE_INSURANCE,))
    if _WITH_LETTERS.fullmatch(compact):
        digits = compact.translate(_LETTERS_FOR_DIGITS)
        if agrees(digits, holder) and not _is_dummy(digits):
            return NumberResult(digits, NumberKind.PERSONAL, digits, (RULE_LETTER,))
        return NumberResult(None, NumberKind.UNREADABLE, None, (RULE_LETTER_DOUBT,))
    if _PROVISIONAL.fullmatch(upper):
        return NumberResult(None, NumberKind.PROVISIONAL, upper, (RULE_PROVISIONAL,))
    return NumberResult(None, NumberKind.UNREADABLE, None, (RULE_FORMAT,))


def judge_child_number(result: NumberResult, holder: Holder, parents: tuple[str | None, ...]) -> NumberResult:
    """Return the number of a child after comparison with its row: a parent's is taken away, the rest is warned of."""
    number = result.value
    if number is None:
        return result
    if number in parents or _is_parents(number, holder):
        return NumberResult(None, NumberKind.PERSONAL, number, (*result.rules, RULE_PARENT))
    return NumberResult(number, result.kind, number, (*result.rules, *structure_rules(number, holder)))


def _is_parents(number: str, holder: Holder) -> bool:
    return number[3] in "01" and (holder.birth_year is None or holder.birth_year >= 2000)


def structure_rules(number: str, holder: Holder) -> tuple[str, ...]:
    """Return the rules that a number's structure breaks; none of them takes the number away."""
    rules = []
    if number[:3] not in number_province_codes():
        rules.append(RULE_PREFIX)
    if number[3] in "456789":
        rules.append(RULE_CENTURY)
    if holder.sex is not None and century_sex(number[3])[1] != holder.sex:
        rules.append(RULE_SEX)
    if holder.birth_year is not None and number[3] in "0123" and stated_year(number) != holder.birth_year:
        rules.append(RULE_YEAR)
    return tuple(rules)


def read_adult_number(cell: str, holder: Holder) -> NumberResult:
    """Return the number of a parent or guardian: twelve digits, or the nine of the old card, which is kept."""
    result = read_number(cell, holder)
    if result.kind is NumberKind.OLD_CARD:
        return NumberResult(result.held, NumberKind.OLD_CARD, result.held, (RULE_OLD_CARD_KEPT,))
    return result
