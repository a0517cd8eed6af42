"""What officers write into the fields that matching reads: the true values, with the errors of officer, household and hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from childdb.sandbox.columns import Column, column
from childdb.sandbox.dates import DateForm, can_swap, date_texts, lunar_days
from childdb.sandbox.habits import SEX_CODINGS
from childdb.sandbox.hashing import Bools, Ints
from childdb.sandbox.marks import Marks
from childdb.sandbox.population import ethnic_names
from childdb.sandbox.reference_tables import ethnic_aliases, rows_of
from childdb.sandbox.rows import RowKind, Rows
from childdb.sandbox.writing import (
    NUMBER_ERRORS,
    padded,
    plain,
    put,
    switch,
    without,
)
from childdb.sandbox.writing_family import FamilyWriter
from childdb.sandbox.writing_names import NameWriter

_EMPTY_NUMBER = ("-", "Chưa có", "0", "chưa cấp")
_DATE_FORMS = {
    "E35": DateForm.SWAPPED,
    "E36": DateForm.YEAR,
    "E37": DateForm.MONTH,
    "E38": DateForm.TWO_DIGITS,
    "E39": DateForm.IMPOSSIBLE,
    "E40": DateForm.OUT_OF_RANGE,
    "B-ngay_sinh": DateForm.NONE,
}


@dataclass(frozen=True)
class Written:
    """The cells that matching reads, with the codes from which the truth says what a cell still tells."""

    number: Column
    name: Column
    style: Ints
    birth: Column
    birth_day: Ints
    birth_form: Ints
    sex: Column
    sex_code: Ints
    ethnic: Column
    ethnic_code: Ints
    hamlet: Column
    household_no: Column
    mother: Column
    mother_number: Column
    father: Column
    father_number: Column
    phone: Column
    certificate: Column
    entered_year: Ints
    marks: Marks
    tokens: Ints
    name_forms: Ints
    mother_tokens: Ints
    father_tokens: Ints


class Misprinter(NameWriter, FamilyWriter):
    """Writes rows as the officers of one nation do."""

    def write(self, rows: Rows) -> Written:
        """Return the cells of these rows."""
        marks = Marks(len(rows))
        self._record_marks(rows, marks)
        sex_text, sex_code = self._sex(rows, marks)
        number = self._number(rows, marks, sex_code)
        name, style, tokens, spaces = self._name(rows, marks)
        birth, day, form = self._birth(rows, marks)
        ethnic, ethnic_code = self._ethnic(rows, marks)
        mother, father, mother_number, father_number, parents = self._parents(rows, style, marks)
        return Written(
            number,
            name,
            style,
            birth,
            day,
            form,
            sex_text,
            sex_code,
            ethnic,
            ethnic_code,
            self._hamlet(rows, marks),
            self._household_no(rows, marks),
            mother,
            mother_number,
            father,
            father_number,
            self._phone(rows, marks),
            self._certificate(rows, marks),
            self._entered(rows),
            marks,
            tokens,
            spaces,
            *parents,
        )

    def _record_marks(self, rows: Rows, marks: Marks) -> None:
        for error, kind in (
            ("E57", RowKind.REPEAT),
            ("E59", RowKind.SPELT_OTHERWISE),
            ("E58", RowKind.LEFT_BEHIND),
        ):
            marks.set(error, rows.kind == kind)
        marks.set("P-unlisted", ~rows.people.listed)
        marks.set("P-moved", (rows.people.home != rows.people.commune) & ~rows.people.left)
        marks.set("P-left", rows.people.left)
        marks.set("E60", rows.people.twin)

    def _number(self, rows: Rows, marks: Marks, sex_code: Ints) -> Column:
        people, key = rows.people, rows.draw
        share = np.where(
            people.listed, self.habits.id_missing[rows.commune], 1.0 if self.profile.clean else 0.7
        )
        missing = self.dice.chance("id missing", key, share)
        texts = without(missing, padded(people.number, 12))
        marks.set("E01", missing)
        lost = ~missing & self.habits.lost_zeros[rows.commune] & self._follows(rows, "E02")
        hits = self._errors("so_dinh_danh", key, marks, ~missing)
        texts = pc.if_else(column(lost), plain(people.number), texts)
        marks.set("E02", lost)
        form = switch(self.dice, "number form", key)
        full = padded(people.number, 12)
        for error, change in NUMBER_ERRORS.items():
            at = hits.get(error, np.empty(0, dtype=np.int64))
            olds = full.take(column(at)).to_pylist()
            texts = put(
                texts, at, [change(old, int(which)) for old, which in zip(olds, form[at], strict=True)]
            )
        texts = self._borrowed(rows, hits, form, texts, marks)
        for positions in hits.values():
            marks.clear("E02", positions)
        marks.set("E11", (sex_code >= 0) & (sex_code != people.sex) & ~missing)
        if not self.profile.clean:
            filled = np.flatnonzero(missing & self.dice.chance("number words", key, 0.08))
            texts = put(texts, filled, [_EMPTY_NUMBER[int(form[row]) % 4] for row in filled])
        return texts

    def _borrowed(self, rows: Rows, hits: dict[str, Ints], form: Ints, texts: Column, marks: Marks) -> Column:
        """Return the texts with a parent's (E07) or a sibling's (E09) number in the child's column."""
        people = rows.people
        parent = hits.get("E07", np.empty(0, dtype=np.int64))
        values = np.where(form[parent] % 5 < 3, people.mother_number[parent], people.father_number[parent])
        texts = put(texts, parent, [f"{number:012d}" for number in values])
        sibling = hits.get("E09", np.empty(0, dtype=np.int64))
        only = people.sibling_number[sibling] < 0
        marks.clear("E09", sibling[only])
        sibling = sibling[~only]
        hits["E09"] = sibling
        return put(texts, sibling, [f"{number:012d}" for number in people.sibling_number[sibling]])

    def _birth(self, rows: Rows, marks: Marks) -> tuple[Column, Ints, Ints]:
        key, day = rows.draw, rows.people.birth.copy()
        form = np.where(self._follows(rows, "date"), self.habits.date_form[rows.commune], int(DateForm.PLAIN))
        hits = self._errors("ngay_sinh", key, marks)
        self._shifted_days(rows, hits, day, marks)
        for error, written in _DATE_FORMS.items():
            positions = hits.get(error, np.empty(0, dtype=np.int64))
            if error == "E35":
                marks.clear("E35", positions[~can_swap(day[positions])])
                positions = positions[can_swap(day[positions])]
            form[positions] = written
        years = hits.get("E36", np.empty(0, dtype=np.int64))
        form[years[self.dice.chance("new year", key[years], 0.5)]] = DateForm.NEW_YEAR
        odd = hits.get("E42", np.empty(0, dtype=np.int64))
        form[odd] = 2 + self.dice.below("odd date", key[odd], 4)
        typed = (form == DateForm.ISO) | (form == DateForm.SERIAL)
        marks.set("E34", typed)
        marks.set("E42", (form >= DateForm.SHORT) & (form <= DateForm.SPACED))
        return date_texts(day, form), day, form

    def _shifted_days(self, rows: Rows, hits: dict[str, Ints], day: Ints, marks: Marks) -> None:
        """Write the lunar birthday (E41) or the day of registration (E43)."""
        moon = hits.get("E41", np.empty(0, dtype=np.int64))
        lunar = lunar_days(day[moon])
        marks.clear("E41", moon[lunar < 0])
        day[moon] = np.where(lunar < 0, day[moon], lunar)
        late = hits.get("E43", np.empty(0, dtype=np.int64))
        possible = np.maximum(np.minimum(60, rows.day[late] - day[late]), 1)
        day[late] += 1 + self.dice.below("late", rows.draw[late], possible)

    def _sex(self, rows: Rows, marks: Marks) -> tuple[Column, Ints]:
        hits = self._errors("gioi_tinh", rows.draw, marks)
        code = rows.people.sex.copy()
        if "E46" in hits:
            code[hits["E46"]] = 1 - code[hits["E46"]]
        if "E45" in hits:
            code[hits["E45"]] = -1
        coding = self.habits.sex_coding[rows.commune]
        marks.set("E44", (coding > 0) & (code >= 0))
        pool = column([text for pair in SEX_CODINGS for text in pair])
        return pool.take(column(coding * 2 + code, mask=code < 0)), code

    def _ethnic(self, rows: Rows, marks: Marks) -> tuple[Column, Ints]:
        code = rows.people.ethnic.copy()
        hits = self._errors("dan_toc", rows.draw, marks)
        if "E49" in hits:
            minority = hits["E49"][code[hits["E49"]] > 1]
            marks.clear("E49", np.setdiff1d(hits["E49"], minority))
            code[minority] = 1
        missing = np.zeros(len(rows), dtype=bool)
        missing[hits.get("B-dan_toc", np.empty(0, dtype=np.int64))] = True
        texts = ethnic_names().take(column(code))
        texts = self._other_names(texts, rows, code, marks, ~missing)
        return without(missing, texts), np.where(missing, -1, code)

    def _other_names(self, texts: Column, rows: Rows, code: Ints, marks: Marks, present: Bools) -> Column:
        alias, count = _alias_pool()
        wanted = (
            self.habits.ethnic_alias[rows.commune] & self._follows(rows, "E47") & (count[code] > 0) & present
        )
        place = self.dice.below("alias", rows.commune * 64 + code, np.maximum(count[code], 1))
        texts = pc.if_else(column(wanted), alias.take(column(code * _MOST_ALIASES + place)), texts)
        marks.set("E47", wanted)
        codes = _census_codes()
        other = (
            self.habits.other_ethnic_list[rows.commune]
            & pc.is_valid(codes.take(column(code))).to_numpy(zero_copy_only=False)
            & present
        )
        marks.set("E48", other)
        return pc.if_else(column(other), codes.take(column(code)), texts)


_MOST_ALIASES = 6


@cache
def _alias_pool() -> tuple[Column, Ints]:
    aliases = ethnic_aliases()
    names: list[str | None] = []
    counts = np.zeros(64, dtype=np.int64)
    for code in range(64):
        found = list(aliases.get(code, ()))[:_MOST_ALIASES] if code > 1 else []
        counts[code] = len(found)
        names += found + [None] * (_MOST_ALIASES - len(found))
    return column(names, pa.string()), counts


@cache
def _census_codes() -> Column:
    codes = {
        int(row["ethnic_group_code"]): row["census_list_2009_code"] or None
        for row in rows_of("codes_ethnic_groups")
    }
    return column([codes.get(code) for code in range(64)], pa.string())
