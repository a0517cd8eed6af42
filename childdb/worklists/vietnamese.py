"""Order of Vietnamese names and texts, the same on every machine: no collation of a server or a locale."""

from __future__ import annotations

import unicodedata
from datetime import date
from functools import lru_cache

_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_RANK = {letter: place for place, letter in enumerate(_LETTERS, start=20)}
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_SHAPES = {"a\u0306": "ă", "a\u0302": "â", "e\u0302": "ê", "o\u0302": "ô", "o\u031b": "ơ", "u\u031b": "ư"}


@lru_cache(maxsize=65536)
def sort_key(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a key that sorts as a Vietnamese dictionary does: letters first, tones between equal letters.

    >>> sorted(["Điện Biên", "Đắk Lắk", "Dũng", "An", "Ấn", "Ân", "Ăn"], key=sort_key)
    ['An', 'Ăn', 'Ân', 'Ấn', 'Dũng', 'Đắk Lắk', 'Điện Biên']
    """
    letters: list[int] = []
    tones: list[int] = []
    base = ""
    for sign in unicodedata.normalize("NFD", text.casefold()):
        if sign in _TONES:
            if tones:
                tones[-1] = _TONES[sign]
        elif base + sign in _SHAPES and letters:
            letters[-1] = _RANK[_SHAPES[base + sign]]
        elif not unicodedata.combining(sign):
            base = sign
            letters.append(_rank(sign))
            tones.append(0)
    return tuple(letters), tuple(tones)


def _rank(sign: str) -> int:
    if sign in _RANK:
        return _RANK[sign]
    if sign.isspace():
        return 0
    return 1 + int(sign) if sign.isascii() and sign.isdigit() else 100 + ord(sign)


def name_sort_key(name: str) -> tuple[object, ...]:
    """Return a key for lists of people: the given name, last in the name, decides first."""
    words = name.split()
    return (sort_key(words[-1]) if words else ((), ()), sort_key(name))


def short_date(day: date) -> str:
    """Return a date as tables write it."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def official_date(day: date) -> str:
    """Return a date as official letters write it: days below 10 and months 1 and 2 with a zero (Decree 30/2020).

    >>> official_date(date(2026, 3, 1)), official_date(date(2026, 2, 14))
    ('ngày 01 tháng 3 năm 2026', 'ngày 14 tháng 02 năm 2026')
    """
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def vietnamese_count(value: int) -> str:
    """Return a whole number as people here write it.

    >>> vietnamese_count(1234567)
    '1.234.567'
    """
    return f"{value:,}".replace(",", ".")
