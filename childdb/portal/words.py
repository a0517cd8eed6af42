"""Numbers, dates, marks and sorting as readers of each language expect them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from childdb.forms.words import MARKS, PERIOD, Language, date_text, period_text

VIETNAM = timezone(timedelta(hours=7))
TONES = {"": 0, "\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
ENGLISH_PARTS = {
    "S1": "First half of {year}",
    "S2": "Second half of {year}",
    **{f"Q{n}": f"Quarter {n}, {{year}}" for n in range(1, 5)},
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in a cell: a number, or a mark with the status it stands for."""

    text: str
    status: str = "published"

    @property
    def is_number(self) -> bool:
        """Whether the cell holds a number."""
        return self.status == "published"


def number_text(value: float, language: Language = Language.VI, decimals: int = 0) -> str:
    """Return a number as the language writes it.

    >>> number_text(1234567.8, Language.VI, 1), number_text(1234567.8, Language.EN, 1)
    ('1.234.567,8', '1,234,567.8')
    """
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return text if language is Language.EN else text.translate(str.maketrans(",.", ".,"))


def show(
    number: float | None, status: str, *, percent: bool = False, language: Language = Language.VI
) -> Shown:
    """Return what stands for a number or for its absence."""
    if number is not None:
        return Shown(number_text(number, language, 1 if percent else 0))
    if status == "published":
        status = "not_applicable"
    return Shown(MARKS[status].value, status)


def period_words(period: str, language: Language) -> str:
    """Return a period in words.

    >>> period_words("2026-S1", Language.EN), period_words("2026", Language.VI)
    ('First half of 2026', 'Năm 2026')
    """
    match = PERIOD.fullmatch(period)
    if language is Language.VI or match is None:
        return period_text(period)
    return (
        ENGLISH_PARTS[match["part"]].format(year=match["year"]) if match["part"] else f"Year {match['year']}"
    )


def day_text(text: str) -> str:
    """Return an ISO date or time as dd/mm/yyyy (and hh:mm in Viet Nam); other text comes back unchanged.

    >>> day_text("2026-12-31"), day_text("2026-12-31T20:30:00+00:00"), day_text("soon")
    ('31/12/2026', '01/01/2027 03:30', 'soon')
    """
    try:
        if len(text) == 10:
            return date_text(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(VIETNAM)
    return f"{date_text(moment.date())} {moment:%H:%M}"


def sort_key(text: str) -> tuple[tuple[tuple[int, int, str], ...], tuple[int, ...], str]:
    """Return the key that sorts names as Vietnamese dictionaries do: by letter, then by tone.

    >>> sorted(["Đắk Lắk", "Điện Biên", "Đà Nẵng", "Cần Thơ", "Cà Mau", "Ea", "Dầu"], key=sort_key)
    ['Cà Mau', 'Cần Thơ', 'Dầu', 'Đà Nẵng', 'Đắk Lắk', 'Điện Biên', 'Ea']
    """
    letters: list[tuple[int, int, str]] = []
    tones: list[int] = []
    for character in unicodedata.normalize("NFC", text.casefold()):
        marks = unicodedata.normalize("NFD", character)
        tone = next((TONES[mark] for mark in marks[1:] if mark in TONES), 0)
        base = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES or not mark))
        letters.append((1, LETTERS[base], "") if base in LETTERS else (0, 0, base))
        tones.append(tone)
    return tuple(letters), tuple(tones), text
