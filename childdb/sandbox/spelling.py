"""One token of a name as people, fonts and programs write it otherwise; applied to distinct tokens, never to rows."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable
from enum import IntEnum

from childdb.sandbox.old_encodings import as_mojibake, as_question_marks, as_tcvn3, as_vni

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_SWAPS = (
    ("x", "s"),
    ("s", "x"),
    ("tr", "ch"),
    ("ch", "tr"),
    ("gi", "d"),
    ("d", "gi"),
    ("r", "d"),
    ("l", "n"),
    ("v", "d"),
    ("qu", "w"),
)
_ENDS = (
    ("ng", "n"),
    ("n", "ng"),
    ("c", "t"),
    ("t", "c"),
    ("nh", "n"),
    ("ch", "t"),
    ("k", "c"),
    ("i", "y"),
    ("y", "i"),
)


class Style(IntEnum):
    """How a whole name is written; the order is the order of the variants in the pool."""

    PLAIN = 0
    UPPER = 1
    LOWER = 2
    FOLDED = 3
    FOLDED_UPPER = 4
    OTHER_TONE = 5
    DECOMPOSED = 6
    TCVN3 = 7
    VNI = 8
    MOJIBAKE = 9
    QUESTION = 10
    LOOKALIKE = 11
    ODD_CASE = 12
    MISPLACED = 13
    JOINED = 14
    CURLY = 15


def folded(text: str) -> str:
    """Return text without any mark: ``Đặng`` becomes ``Dang``."""
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter) and letter not in "'’")


def other_tone(text: str) -> str:
    """Return text with the tone mark of open oa, oe, uy at its other place: ``Hòa`` ↔ ``Hoà``."""
    parts = unicodedata.normalize("NFD", text)
    moved = re.sub(rf"(?i)(?<!q)([ou])([{_TONES}])([aey])(?![a-z\u0302\u0306])", _later, parts)
    if moved == parts:
        moved = re.sub(rf"(?i)(?<!q)([ou])([aey])([{_TONES}])(?![a-z])", r"\1\3\2", parts)
    return unicodedata.normalize("NFC", moved)


def _later(found: re.Match[str]) -> str:
    pair = (found[1] + found[3]).lower()
    return found[1] + found[3] + found[2] if pair in {"oa", "oe", "uy"} else found[0]


def misplaced(text: str) -> str:
    """Return text with the tone on the u of qu or the i of gi: ``Quý`` becomes ``Qúy``."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", re.sub(rf"(?i)\b(qu|gi)([aeyo])([{_TONES}])", r"\1\3\2", parts))


def odd_case(text: str) -> str:
    """Return text with a capital at its end: ``Nguyễn`` becomes ``NguyễN``."""
    return text[:-1] + text[-1:].upper() if len(text) > 2 else text.swapcase()


def joined(text: str) -> str:
    """Return a minority token written together: ``Rơ Châm`` becomes ``RơChâm``."""
    return text.replace(" ", "")


def curly(text: str) -> str:
    """Return a token with the typographic apostrophe that word processors put in."""
    return text.replace("'", "\u2019")


def by_ear(text: str) -> str:
    """Return a token spelt as it sounds, or with another tone; always different from the token."""
    choices = [*_initial_swaps(text), *_final_swaps(text), *_tone_swaps(text)]
    usable = sorted({choice for choice in choices if choice != text and choice})
    return usable[zlib.crc32(text.encode()) % len(usable)] if usable else text + "h"


def _initial_swaps(text: str) -> list[str]:
    lower = text.lower()
    swapped = [
        new + text[len(old) :] for old, new in _SWAPS if lower.startswith(old) and len(text) > len(old) + 1
    ]
    return [word[:1].upper() + word[1:] for word in swapped]


def _final_swaps(text: str) -> list[str]:
    return [text[: -len(old)] + new for old, new in _ENDS if text.endswith(old) and len(text) > len(old) + 1]


def _tone_swaps(text: str) -> list[str]:
    parts = unicodedata.normalize("NFD", text)
    pairs = {"\u0309": "\u0303", "\u0303": "\u0309", "\u0300": "", "\u0301": "\u0323", "\u0323": "\u0301"}
    for old, new in pairs.items():
        if old in parts:
            return [unicodedata.normalize("NFC", parts.replace(old, new, 1))]
    return []


STYLES: dict[Style, Callable[[str], str]] = {
    Style.PLAIN: lambda text: text,
    Style.UPPER: str.upper,
    Style.LOWER: str.lower,
    Style.FOLDED: folded,
    Style.FOLDED_UPPER: lambda text: folded(text).upper(),
    Style.OTHER_TONE: other_tone,
    Style.DECOMPOSED: lambda text: unicodedata.normalize("NFD", text),
    Style.TCVN3: as_tcvn3,
    Style.VNI: as_vni,
    Style.MOJIBAKE: as_mojibake,
    Style.QUESTION: as_question_marks,
    Style.LOOKALIKE: lambda text: text.replace("Đ", "\u00d0"),
    Style.ODD_CASE: odd_case,
    Style.MISPLACED: misplaced,
    Style.JOINED: joined,
    Style.CURLY: curly,
}
