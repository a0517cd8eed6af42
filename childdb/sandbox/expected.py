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
from childdb.sandbox.lexicon import Lexicon
from childdb.sandbox.misprints import Written
from childdb.sandbox.people import years_of
from childdb.sandbox.reference_tables import rows_of
from childdb.sandbox.rows import Rows
from childdb.sandbox.spelling import Style
from childdb.sandbox.writing_names import minority_form

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
_EMPTIED = ("E01", "E03", "E05", "E08", "E15", "E16")
_NEEDS_PROOF = ("E02", "E06")
# From so many numbers on, their sex digits say what 0 and 1 mean in the column of sexes.
_ENOUGH_NUMBERS = 20


@dataclass(frozen=True)
class BirthDate:
    """A birth date as far as it is known: ISO day, precision, year, month."""

    iso: str | None
    precision: str
    year: int | None
    month: int | None


def _shown_style(style: Ints) -> Ints:
    table = np.arange(len(Style))
    for seen, shown in _SHOWN_AS.items():
        table[seen] = shown
    result: Ints = table[style]
    return result


def shown_names(lexicon: Lexicon, written: Written) -> list[str | None]:
    """Return the display form of each name: composed, in title case, without notes; letters that are lost stay lost."""
    texts = lexicon.text(written.tokens[:, :5], _shown_style(written.style)).to_pylist()
    cased = np.isin(written.style, (Style.UPPER, Style.LOWER, Style.ODD_CASE, Style.FOLDED_UPPER))
    spaces, joined = written.name_forms.T
    found: list[str | None] = []
    absent_names = written.marks.has("E29") & (written.style != Style.QUESTION)
    for text, space, join, case, absent in zip(texts, spaces, joined, cased, absent_names, strict=True):
        shown = None if absent else text
        if shown is not None and join >= 0:
            shown = minority_form(shown, int(join))
        if shown is not None and space == _RUN_TOGETHER:
            first, _, rest = shown.partition(" ")
            shown = first + (rest[:1].lower() + rest[1:] if case else rest)
        found.append(shown)
    return found


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
    """Return male, female or None; bare 0 and 1 have two readings, told apart only by numbers in the same list."""
    two_readings = np.array(["0" in pair for pair in SEX_CODINGS])[habits.sex_coding[rows.commune]]
    if int((~written.marks.has("E01")).sum()) >= _ENOUGH_NUMBERS:
        two_readings[:] = False
    return [
        None if code < 0 or unclear else ("male", "female")[code]
        for code, unclear in zip(written.sex_code, two_readings, strict=True)
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


def numbers(written: Written, rows: Rows, sex: list[str | None]) -> list[str | None]:
    """Return the number each row still gives, or None; a repair needs sex and year to agree."""
    known_year = ~np.isin(written.birth_form, (DateForm.NONE, DateForm.OUT_OF_RANGE))
    agrees = (
        known_year & (years_of(written.birth_day) == rows.people.year) & (written.sex_code == rows.people.sex)
    )
    agrees &= np.array([each is not None for each in sex], dtype=bool)
    unproven = _any(written, _NEEDS_PROOF) & ~agrees
    emptied = _any(written, _EMPTIED) | unproven
    typed = _any(written, _AS_TYPED)
    parents = written.marks.has("E07")
    beside = zip(written.mother_number.to_pylist(), written.father_number.to_pylist(), strict=True)
    own = [{text.zfill(12) for text in pair if text} for pair in beside]
    sibling = written.marks.has("E09")
    seen = written.number.to_pylist()
    found: list[str | None] = []
    for row, text in enumerate(seen):
        full = f"{rows.people.number[row]:012d}"
        if parents[row]:
            # Only a number of the last century, or one that stands in a parent's column too, gives itself away.
            found.append(None if text[3] in "01" or text in own[row] else text)
        else:
            found.append(None if emptied[row] else text if typed[row] or sibling[row] else full)
    return found


def _any(written: Written, errors: tuple[str, ...]) -> Ints:
    hits = np.zeros(len(written.style), dtype=bool)
    for error in errors:
        hits |= written.marks.has(error)
    return hits


def parent_names(
    lexicon: Lexicon, tokens: Ints, texts: Column, written: Written, *, father: bool
) -> list[str | None]:
    """Return parents' names in display form; NULL for a father who is blank, unknown or the mother again."""
    shown = lexicon.text(tokens, _shown_style(written.style)).to_pylist()
    unknown = written.marks.has("E65") & father
    return [
        None if text is None or gone else name
        for name, text, gone in zip(shown, texts.to_pylist(), unknown, strict=True)
    ]
