"""What a perfect reader could still say about each delivered cell, field by field, from the codes of what was written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from childdb.sandbox.columns import Column
from childdb.sandbox.dates import DateForm
from childdb.sandbox.geography import date_of
from childdb.sandbox.habits import SEX_CODINGS, Habits
from childdb.sandbox.hashing import Ints
from childdb.sandbox.lexicon import PLACEHOLDERS, Lexicon
from childdb.sandbox.misprints import Written
from childdb.sandbox.people import years_of
from childdb.sandbox.reference_tables import rows_of
from childdb.sandbox.rows import Rows
from childdb.sandbox.spelling import Style

_SHOWN_AS = {
    Style.UPPER: Style.PLAIN,
    Style.LOWER: Style.PLAIN,
    Style.ODD_CASE: Style.PLAIN,
    Style.DECOMPOSED: Style.PLAIN,
    Style.TCVN3: Style.PLAIN,
    Style.VNI: Style.PLAIN,
    Style.MOJIBAKE: Style.PLAIN,
    Style.LOOKALIKE: Style.PLAIN,
    Style.MISPLACED: Style.PLAIN,
    Style.FOLDED_UPPER: Style.FOLDED,
}
_RUN_TOGETHER = 4
_AS_TYPED = ("E10", "E12", "E13")
_EMPTIED = ("E01", "E03", "E05", "E07", "E08", "E15", "E16")
_NEEDS_PROOF = ("E02", "E06")


@dataclass(frozen=True)
class BirthDate:
    """A birth date as far as it is known: ISO day, precision, year, month."""

    iso: str | None
    precision: str
    year: int | None
    month: int | None


def shown_names(lexicon: Lexicon, written: Written) -> list[str | None]:
    """Return the display form of each name: composed, in title case, without notes; letters that are lost stay lost."""
    table = np.arange(len(Style))
    for seen, shown in _SHOWN_AS.items():
        table[seen] = shown
    texts = lexicon.text(written.tokens[:, :5], table[written.style]).to_pylist()
    typed = written.name.to_pylist()
    joined = written.marks.has("E31") | (written.space_form == _RUN_TOGETHER)
    return [
        None if text in PLACEHOLDERS else old if apart else text
        for text, old, apart in zip(texts, typed, joined, strict=True)
    ]


def birth_dates(written: Written, file_day: int) -> list[BirthDate]:
    """Return what each written birth date still tells on the day of the list."""
    return [
        _birth(int(day), DateForm(form), file_day)
        for day, form in zip(written.birth_day, written.birth_form, strict=True)
    ]


def _birth(day: int, form: DateForm, file_day: int) -> BirthDate:
    date = date_of(day)
    if form == DateForm.NONE:
        return BirthDate(None, "unknown", None, None)
    if form in (DateForm.YEAR, DateForm.IMPOSSIBLE):
        return BirthDate(None, "year", date.year, None)
    if form == DateForm.MONTH:
        return BirthDate(None, "month", date.year, date.month)
    if form == DateForm.NEW_YEAR:
        date = dt.date(date.year, 1, 1)
    elif form == DateForm.SWAPPED:
        date = dt.date(date.year, date.day, date.month)
    elif form == DateForm.OUT_OF_RANGE:
        if day_is_future(date):
            return BirthDate(None, "unknown", None, None)
        date = _century_ago(date)
    if date > date_of(file_day):
        return BirthDate(None, "unknown", None, None)
    return BirthDate(date.isoformat(), "day", date.year, date.month)


def day_is_future(date: dt.date) -> bool:
    """Return whether the out-of-range form of this date is the one in the future (see ``dates``)."""
    return date.toordinal() % 2 == 0


def _century_ago(date: dt.date) -> dt.date:
    try:
        return date.replace(year=1900 + date.year % 100)
    except ValueError:
        return dt.date(1900 + date.year % 100, 3, 1)


def sexes(written: Written, habits: Habits, rows: Rows) -> list[str | None]:
    """Return male, female or None; bare digits without a key stay undecided."""
    bare = np.array([pair[0].isdigit() for pair in SEX_CODINGS])[habits.sex_coding[rows.commune]]
    return [
        None if code < 0 or digit else ("male", "female")[code]
        for code, digit in zip(written.sex_code, bare, strict=True)
    ]


def ethnic_codes(written: Written) -> list[str | None]:
    """Return 1979 codes; a bare code on which the two lists disagree stays undecided."""
    undecided = _lists_disagree()
    other = written.marks.has("E48")
    return [
        None if code < 0 or (bare and undecided[code]) else f"{code:02d}"
        for code, bare in zip(written.ethnic_code, other, strict=True)
    ]


def _lists_disagree() -> dict[int, bool]:
    """Return for each group whether its census code means another group in the list of 1979."""
    rows = rows_of("codes_ethnic_groups")
    return {
        int(row["ethnic_group_code"]): row["census_list_2009_code"] != row["ethnic_group_code"]
        for row in rows
    }


def numbers(written: Written, rows: Rows) -> list[str | None]:
    """Return the number each row still gives, or None; a repair needs sex and year to agree."""
    known_year = ~np.isin(written.birth_form, (DateForm.NONE, DateForm.OUT_OF_RANGE))
    agrees = (
        known_year & (years_of(written.birth_day) == rows.people.year) & (written.sex_code == rows.people.sex)
    )
    unproven = _any(written, _NEEDS_PROOF) & ~agrees
    emptied = _any(written, _EMPTIED) | unproven
    typed = _any(written, _AS_TYPED)
    sibling = written.marks.has("E09")
    seen = written.number.to_pylist()
    found: list[str | None] = []
    for row, text in enumerate(seen):
        full = f"{rows.people.number[row]:012d}"
        found.append(None if emptied[row] else text if typed[row] or sibling[row] else full)
    return found


def _any(written: Written, errors: tuple[str, ...]) -> Ints:
    hits = np.zeros(len(written.style), dtype=bool)
    for error in errors:
        hits |= written.marks.has(error)
    return hits


def parent_names(lexicon: Lexicon, texts: Column, written: Written) -> list[str | None]:
    """Return parents' names as typed, without the words that stand for none."""
    none = {"không rõ", "-", "không có", "không"}
    return [None if text is None or text.casefold() in none else text for text in texts.to_pylist()]
