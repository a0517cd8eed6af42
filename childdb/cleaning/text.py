"""Plain text made fit for comparison and display, and the keys by which names are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from childdb.cleaning.syllables import tone_form

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
SPACES = re.compile(r"[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_TONE_FIRST = re.compile("([\u0300\u0301\u0303\u0309])([\u0302\u0306])")
STACKED = re.compile("[\u0300-\u036f]{3,}")
LOST = re.compile(r"\ufffd|(?<=[^\W\d_])\?|\?(?=[^\W\d_])")

D_FORMS = str.maketrans({"Ð": "Đ", "Ɖ": "Đ", "ð": "đ", "ɖ": "đ"})
# Letters of other scripts that look like Latin ones; everything else of those scripts stays and is refused in names.
_LOOK_ALIKES = "АAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXаaеeіiјjоoрpсcуyхxѕsһhԁdԛqԝwΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv"
LOOK_ALIKES = {ord(pair): other for pair, other in zip(_LOOK_ALIKES[::2], _LOOK_ALIKES[1::2], strict=True)}
LOOK_ALIKES |= {0xFF21 + place: chr(65 + place) for place in range(26)}
LOOK_ALIKES |= {0xFF41 + place: chr(97 + place) for place in range(26)}
APOSTROPHES = re.compile("['’‘ʼ`´′]")

VIETNAMESE_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯŎŬĔĬɃČÑ" + "".join(
    chr(code) for code in range(0x1EA0, 0x1EFA, 2)
)
VIETNAMESE_LOWER = "a-zàáâãèéêìíòóôõùúýăđĩũơưŏŭĕĭƀčñ" + "".join(
    chr(code) for code in range(0x1EA1, 0x1EFA, 2)
)
_PLAIN_SIGN = VIETNAMESE_UPPER + VIETNAMESE_LOWER + r"0-9,./():;'’\-+"
# A text that matches needs no work at all: composed letters, single spaces, no doubtful sign.
PLAIN_TEXT = rf"^[{VIETNAMESE_UPPER}{VIETNAMESE_LOWER}0-9(][{_PLAIN_SIGN}]*(?: [{_PLAIN_SIGN}]+)*$"

RULE_NFC = "TEXT-001"
RULE_LOOK_ALIKE = "TEXT-002"
RULE_INVISIBLE = "TEXT-003"
RULE_SPACES = "TEXT-004"
RULE_CONTROL = "TEXT-005"
RULE_BIDI = "TEXT-006"
RULE_STACKED = "TEXT-007"
RULE_SCRIPT = "TEXT-008"
RULE_LOST = "TEXT-009"
RULE_D_FORMS = "TEXT-010"
RULE_FORMULA = "TEXT-011"
RULE_CODE_LIKE = "TEXT-012"
RULE_TEMPLATE = "TEXT-013"
RULE_MARKUP = "TEXT-014"

FORMULA = re.compile(r"^[\s\u200b-\u200f\ufeff\x00-\x1f]*(?:[=@|%＝＠]|[+＋\-－](?=[^\s\d]))")
SQL = re.compile(r"(?i);\s*--|'\s*;|\bdrop\s+table\b|\$\$|\\copy\b")
TEMPLATE = re.compile(r"\{\{|\{%|\$\{|%\(\w{1,40}\)s")
MARKUP = re.compile(r"<[A-Za-z/!]")

SUSPICIONS = frozenset([RULE_FORMULA, RULE_CODE_LIKE, RULE_TEMPLATE, RULE_MARKUP])

TextResult = tuple[str | None, tuple[str, ...]]


@lru_cache(maxsize=262144)
def clean_text(value: str) -> TextResult:
    """Return a text in NFC with single spaces and the ids of the rules that applied; None if it cannot be read.

    >>> clean_text(" Tổ  5 ")
    ('Tổ 5', ('TEXT-004',))
    """
    refused = _refusal(value)
    if refused:
        return None, (refused,)
    rules: list[str] = []
    text = _step(INVISIBLE.sub("", value), value, RULE_INVISIBLE, rules)
    text = _step(composed(text), text, RULE_NFC, rules)
    text = _step(text.translate(D_FORMS), text, RULE_D_FORMS, rules)
    text = _step(SPACES.sub(" ", text).strip(), text, RULE_SPACES, rules)
    rules += _suspicions(value)
    return text or None, tuple(rules)


def composed(text: str) -> str:
    """Return text in NFC; a tone typed before the circumflex, breve or horn of its letter is put behind it."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", _TONE_FIRST.sub(r"\2\1", decomposed))


def _refusal(value: str) -> str | None:
    if CONTROL.search(value) or any("\ud800" <= letter <= "\udfff" for letter in value):
        return RULE_CONTROL
    if BIDI.search(value):
        return RULE_BIDI
    return RULE_STACKED if STACKED.search(unicodedata.normalize("NFD", INVISIBLE.sub("", value))) else None


def _step(after: str, before: str, rule: str, rules: list[str]) -> str:
    if after != before:
        rules.append(rule)
    return after


def _suspicions(value: str) -> list[str]:
    """Return the rules for text that a spreadsheet, a database or a page could take for an instruction."""
    tests = ((RULE_FORMULA, FORMULA), (RULE_CODE_LIKE, SQL), (RULE_TEMPLATE, TEMPLATE), (RULE_MARKUP, MARKUP),
             (RULE_LOST, LOST))  # fmt: skip
    return [rule for rule, pattern in tests if pattern.search(value)]


@lru_cache(maxsize=262144)
def fold(text: str) -> str:
    """Return text in lower case without any mark: what is left when a keyboard has no Vietnamese.

    >>> fold("Nguyễn Thị Đào")
    'nguyen thi dao'
    """
    plain = text.translate(D_FORMS).casefold().replace("đ", "d").replace("ƀ", "b")
    plain = unicodedata.normalize("NFD", plain)
    return SPACES.sub(" ", "".join(letter for letter in plain if not unicodedata.combining(letter))).strip()


@lru_cache(maxsize=262144)
def marked_key(text: str) -> str:
    """Return letters and digits of a text in lower case, with marks but without the style of their placement.

    Spaces, hyphens and apostrophes go too, so that "Ê-đê", "Ê Đê" and "Êđê" are one.
    """
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text.translate(D_FORMS)).casefold())
    return "".join(tone_form(word) for word in words)


@lru_cache(maxsize=262144)
def folded_key(text: str) -> str:
    """Return letters and digits of a text in lower case without marks and spaces."""
    return re.sub(r"[\W_]+", "", fold(text))
