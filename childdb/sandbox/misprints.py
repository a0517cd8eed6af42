"""What officers write into the fields that matching reads: the true values, with the errors of officer, household and hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from childdb.sandbox.dates import DateForm, can_swap, date_texts, lunar_days
from childdb.sandbox.habits import SEX_CODINGS, Habits
from childdb.sandbox.hamlets import Hamlets
from childdb.sandbox.hashing import Bools, Dice, Ints
from childdb.sandbox.lexicon import NONE, Lexicon
from childdb.sandbox.marks import Marks
from childdb.sandbox.people import FEMALE, MALE, Nation, years_of
from childdb.sandbox.population import certificates, ethnic_names
from childdb.sandbox.profiles import Profile
from childdb.sandbox.reference_tables import ethnic_aliases, rows_of
from childdb.sandbox.rows import RowKind, Rows
from childdb.sandbox.spelling import Style
from childdb.sandbox.writing import NUMBER_ERRORS, drawn_errors, odd_spaces, old_card, padded, plain, put, rewrite, switch, without

_EMPTY_NUMBER = ("-", "Chưa có", "0", "chưa cấp")
_UNKNOWN_FATHER = ("Không rõ", "-", "Không có", "không")
_DATE_FORMS = {
    "E35": DateForm.SWAPPED, "E36": DateForm.YEAR, "E37": DateForm.MONTH, "E38": DateForm.TWO_DIGITS, "E39": DateForm.IMPOSSIBLE,
    "E40": DateForm.OUT_OF_RANGE, "B-ngay_sinh": DateForm.NONE,
}  # fmt: skip
_LETTERS = {"E18": Style.OTHER_TONE, "E19": Style.MISPLACED, "E20": Style.FOLDED, "E24": Style.QUESTION, "E25": Style.LOOKALIKE}
# Damage done by fonts and code pages hits every cell of a list; habits of typing leave some rows out.
_WHOLE_FILE = (Style.DECOMPOSED, Style.TCVN3, Style.VNI, Style.MOJIBAKE, Style.QUESTION, Style.LOOKALIKE)


@dataclass(frozen=True)
class Written:
    """The cells that matching reads, with the codes from which the truth says what a cell still tells."""

    number: pa.Array
    name: pa.Array
    style: Ints
    birth: pa.Array
    birth_day: Ints
    birth_form: Ints
    sex: pa.Array
    sex_code: Ints
    ethnic: pa.Array
    ethnic_code: Ints
    hamlet: pa.Array
    household_no: pa.Array
    mother: pa.Array
    mother_number: pa.Array
    father: pa.Array
    father_number: pa.Array
    phone: pa.Array
    certificate: pa.Array
    entered_year: Ints
    marks: Marks
    tokens: Ints
    space_form: Ints


class Misprinter:
    """Writes rows as the officers of one nation do."""

    def __init__(self, nation: Nation, habits: Habits, hamlets: Hamlets) -> None:
        self.nation, self.habits, self.hamlets = nation, habits, hamlets
        self.dice: Dice = nation.dice
        self.profile: Profile = nation.profile
        self.lexicon: Lexicon = nation.lexicon

    def write(self, rows: Rows) -> Written:
        """Return the cells of these rows."""
        marks = Marks(len(rows))
        self._record_marks(rows, marks)
        sex_text, sex_code = self._sex(rows, marks)
        number = self._number(rows, marks, sex_code)
        name, style, tokens, spaces = self._name(rows, marks)
        birth, day, form = self._birth(rows, marks)
        ethnic, ethnic_code = self._ethnic(rows, marks)
        mother, father, mother_number, father_number = self._parents(rows, style, marks)
        return Written(
            number, name, style, birth, day, form, sex_text, sex_code, ethnic, ethnic_code,
            self._hamlet(rows, marks), self._household_no(rows, marks), mother, mother_number, father, father_number,
            self._phone(rows, marks), self._certificate(rows, marks), self._entered(rows), marks, tokens, spaces,
        )  # fmt: skip

    def _errors(self, field: str, index: Ints, marks: Marks, allowed: Bools | None = None) -> dict[str, Ints]:
        """Return the rows hit by each error of a field, at most one per cell, and mark them."""
        which, ids = drawn_errors(self.dice.uniform(f"cell {field}", index), self.profile.rates(field))
        if allowed is not None:
            which = np.where(allowed, which, -1)
        found = {name: np.flatnonzero(which == place) for place, name in enumerate(ids)}
        for name, positions in found.items():
            marks.set(name, positions)
        return found

    def _follows(self, rows: Rows, habit: str) -> Bools:
        """Return which rows the officer wrote by habit."""
        return self.dice.chance(f"by habit {habit}", rows.draw, self.profile.strength)

    def _record_marks(self, rows: Rows, marks: Marks) -> None:
        for error, kind in (("E57", RowKind.REPEAT), ("E59", RowKind.SPELT_OTHERWISE), ("E58", RowKind.LEFT_BEHIND)):
            marks.set(error, rows.kind == kind)
        marks.set("P-unlisted", ~rows.people.listed)
        marks.set("P-moved", (rows.people.home != rows.people.commune) & ~rows.people.left)
        marks.set("P-left", rows.people.left)
        marks.set("E60", rows.people.twin)

    def _number(self, rows: Rows, marks: Marks, sex_code: Ints) -> pa.Array:
        people, key = rows.people, rows.draw
        share = np.where(people.listed, self.habits.id_missing[rows.commune], 1.0 if self.profile.clean else 0.7)
        missing = self.dice.chance("id missing", key, share)
        texts = without(missing, padded(people.number, 12))
        marks.set("E01", missing)
        lost = ~missing & self.habits.lost_zeros[rows.commune] & self._follows(rows, "E02")
        hits = self._errors("so_dinh_danh", key, marks, ~missing)
        texts = pc.if_else(pa.array(lost), plain(people.number), texts)
        marks.set("E02", lost)
        form = switch(self.dice, "number form", key)
        for error, change in NUMBER_ERRORS.items():
            if error in hits:
                full = padded(people.number, 12)
                texts = put(texts, hits[error], rewrite(full, hits[error], lambda text, row, make=change: make(text, int(form[row]))).take(pa.array(hits[error])).to_pylist())
        texts = self._borrowed(rows, hits, form, texts, marks)
        for positions in hits.values():
            marks.clear("E02", positions)
        marks.set("E11", (sex_code >= 0) & (sex_code != people.sex) & ~missing)
        if not self.profile.clean:
            filled = np.flatnonzero(missing & self.dice.chance("number words", key, 0.08))
            texts = put(texts, filled, [_EMPTY_NUMBER[int(form[row]) % 4] for row in filled])
        return texts

    def _borrowed(self, rows: Rows, hits: dict[str, Ints], form: Ints, texts: pa.Array, marks: Marks) -> pa.Array:
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

    def _name(self, rows: Rows, marks: Marks) -> tuple[pa.Array, Ints, Ints, Ints]:
        tokens = np.concatenate([rows.people.name, np.full((len(rows), 1), NONE)], axis=1)
        hits = self._errors("name_structure", rows.draw, marks)
        self._shorten(tokens, hits.get("E28"), rows.draw, marks)
        self._by_ear(tokens, hits.get("E30"), rows.draw)
        for positions in (hits.get("E32"),):
            if positions is not None:
                tokens[positions, 5] = self.lexicon.notes[self.dice.below("note", rows.draw[positions], len(self.lexicon.notes))]
        self._rename(tokens, hits.get("E33"), rows)
        self._minority_ear(tokens, rows, marks)
        self._spell_otherwise(tokens, rows)
        self._placeholder(tokens, rows, marks)
        style = self._style(rows, tokens, marks)
        texts = self.lexicon.text(tokens, style)
        texts, spaces = self._spaces(self._joined(texts, rows, tokens, marks), rows, marks)
        return texts, style, tokens, spaces

    def _shorten(self, tokens: Ints, positions: Ints | None, key: Ints, marks: Marks) -> None:
        """Drop or abbreviate the middle name; without one there is nothing to shorten."""
        if positions is None or not len(positions):
            return
        second = tokens[positions, 2] != NONE
        tokens[positions[second], 2] = NONE
        first = positions[~second & (tokens[positions, 1] != NONE)]
        marks.clear("E28", positions[~second & (tokens[positions, 1] == NONE)])
        initial = self.dice.chance("initial", key[first], 0.5)
        tokens[first, 1] = np.where(initial, self.lexicon.initial[tokens[first, 1]], NONE)

    def _by_ear(self, tokens: Ints, positions: Ints | None, key: Ints) -> None:
        if positions is None or not len(positions):
            return
        place = np.where(self.dice.chance("ear where", key[positions], 0.65) | (tokens[positions, 1] == NONE), 3, 1)
        tokens[positions, place] = self.lexicon.ear[tokens[positions, place]]

    def _rename(self, tokens: Ints, positions: Ints | None, rows: Rows) -> None:
        if positions is None:
            return
        for sex in (MALE, FEMALE):
            at = positions[rows.people.sex[positions] == sex]
            names = self.lexicon.kinh[sex]
            tokens[at, 1] = names.middle.at(self.dice.uniform("former middle", rows.draw[at]))
            tokens[at, 2] = NONE
            tokens[at, 3] = names.given.at(self.dice.uniform("former given", rows.draw[at]))

    def _minority_ear(self, tokens: Ints, rows: Rows, marks: Marks) -> None:
        hits = self._errors("name_minority", rows.draw, marks, rows.people.ethnic > 1)
        self._by_ear(tokens, hits.get("E30"), rows.draw + 1)

    def _spell_otherwise(self, tokens: Ints, rows: Rows) -> None:
        """A second row of the same child in one list always differs in a letter."""
        at = np.flatnonzero(rows.kind == RowKind.SPELT_OTHERWISE)
        tokens[at, 3] = self.lexicon.ear[rows.people.name[at, 3]]

    def _placeholder(self, tokens: Ints, rows: Rows, marks: Marks) -> None:
        newborn = rows.day - rows.people.birth < 120
        hits = self._errors("newborn_placeholder", rows.draw, marks, newborn).get("E29")
        if hits is None:
            return
        choice = self.dice.below("placeholder", rows.draw[hits], 4)
        table = np.array([[0, 2, 4, 5], [1, 3, 4, 6]])
        tokens[hits] = NONE
        tokens[hits, 0] = self.lexicon.placeholders[table[rows.people.sex[hits], choice]]
        for other in ("E28", "E30", "E32", "E33"):
            marks.clear(other, hits)

    def _style(self, rows: Rows, tokens: Ints, marks: Marks) -> Ints:
        """Return each row's style: the officer's, else a single slip."""
        officer = self.habits.style[rows.commune]
        whole = np.isin(officer, _WHOLE_FILE)
        style = np.where(whole | self._follows(rows, "style"), officer, int(Style.PLAIN))
        tones = self.habits.tone_moved[rows.commune] & (style == Style.PLAIN)
        style = np.where(tones, int(Style.OTHER_TONE), style)
        marks.set("E18", tones & self.lexicon.changed_by(tokens, style))
        self._mark_habits(rows, style, tokens, marks)
        free = style == Style.PLAIN
        slips = self._errors("name_letters", rows.draw, Marks(len(rows)), free)
        for error, slip in _LETTERS.items():
            if error in slips:
                style[slips[error]] = slip
                marks.set(error, slips[error][self.lexicon.changed_by(tokens[slips[error]], style[slips[error]])])
        if "E26" in slips:
            cases = np.array([Style.UPPER, Style.LOWER, Style.ODD_CASE])
            style[slips["E26"]] = cases[self.dice.below("case slip", rows.draw[slips["E26"]], 3)]
            marks.set("E26", slips["E26"])
        return style

    def _mark_habits(self, rows: Rows, style: Ints, tokens: Ints, marks: Marks) -> None:
        changed = self.lexicon.changed_by(tokens, style)
        by_habit = changed & (style == self.habits.style[rows.commune]) & (style != Style.PLAIN)
        for error in ("E17", "E20", "E21", "E22", "E23", "E24", "E25", "E26"):
            officers = np.array([error in ids for ids in self.habits.style_ids])
            marks.set(error, by_habit & officers[rows.commune])

    def _joined(self, texts: pa.Array, rows: Rows, tokens: Ints, marks: Marks) -> pa.Array:
        """Write minority names together or with another apostrophe, by the officer's habit or a slip (E31)."""
        wanted = marks.has("E31") | (self.habits.joined[rows.commune] & (rows.people.ethnic > 1) & self._follows(rows, "E31"))
        at = np.flatnonzero(wanted)
        form = self.dice.below("joined form", rows.commune, 4)
        changed = rewrite(texts, at, lambda text, row: minority_form(text, int(form[row])))
        differs = pc.fill_null(pc.not_equal(changed, texts), False).to_numpy(zero_copy_only=False)
        marks.clear("E31", at)
        marks.set("E31", differs)
        return changed

    def _spaces(self, texts: pa.Array, rows: Rows, marks: Marks) -> tuple[pa.Array, Ints]:
        """Return names with odd blanks in some, and the form of each (−1: none)."""
        hits = self._errors("name_spaces", rows.draw, marks).get("E27", np.empty(0, dtype=np.int64))
        form = switch(self.dice, "space form", rows.draw)
        used = np.full(len(rows), -1)
        used[hits] = form[hits] % 5
        return rewrite(texts, hits, lambda text, row: odd_spaces(text, int(form[row]))), used

    def _birth(self, rows: Rows, marks: Marks) -> tuple[pa.Array, Ints, Ints]:
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

    def _sex(self, rows: Rows, marks: Marks) -> tuple[pa.Array, Ints]:
        hits = self._errors("gioi_tinh", rows.draw, marks)
        code = rows.people.sex.copy()
        if "E46" in hits:
            code[hits["E46"]] = 1 - code[hits["E46"]]
        if "E45" in hits:
            code[hits["E45"]] = -1
        coding = self.habits.sex_coding[rows.commune]
        marks.set("E44", (coding > 0) & (code >= 0))
        pool = pa.array([text for pair in SEX_CODINGS for text in pair])
        return pool.take(pa.array(coding * 2 + code, mask=code < 0)), code

    def _ethnic(self, rows: Rows, marks: Marks) -> tuple[pa.Array, Ints]:
        code = rows.people.ethnic.copy()
        hits = self._errors("dan_toc", rows.draw, marks)
        if "E49" in hits:
            minority = hits["E49"][code[hits["E49"]] > 1]
            marks.clear("E49", np.setdiff1d(hits["E49"], minority))
            code[minority] = 1
        missing = np.zeros(len(rows), dtype=bool)
        missing[hits.get("B-dan_toc", np.empty(0, dtype=np.int64))] = True
        texts = ethnic_names().take(pa.array(code))
        texts = self._other_names(texts, rows, code, marks, ~missing)
        return without(missing, texts), np.where(missing, -1, code)

    def _other_names(self, texts: pa.Array, rows: Rows, code: Ints, marks: Marks, present: Bools) -> pa.Array:
        alias, count = _alias_pool()
        wanted = self.habits.ethnic_alias[rows.commune] & self._follows(rows, "E47") & (count[code] > 0) & present
        place = self.dice.below("alias", rows.commune * 64 + code, np.maximum(count[code], 1))
        texts = pc.if_else(pa.array(wanted), alias.take(pa.array(code * _MOST_ALIASES + place)), texts)
        marks.set("E47", wanted)
        codes = _census_codes()
        other = self.habits.other_ethnic_list[rows.commune] & pc.is_valid(codes.take(pa.array(code))).to_numpy(zero_copy_only=False) & present
        marks.set("E48", other)
        return pc.if_else(pa.array(other), codes.take(pa.array(code)), texts)

    def _parents(self, rows: Rows, style: Ints, marks: Marks) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
        people, key = rows.people, rows.household
        mother, father = people.mother.copy(), people.father.copy()
        for stream, tokens in (("mother", mother), ("father", father)):
            index = key * 2 + (stream == "father")
            slips = self._errors("parent_names", index, Marks(len(rows)))
            self._shorten(tokens, slips.get("E28"), index, Marks(len(rows)))
            self._by_ear(tokens, slips.get("E30"), index)
        hits = self._errors("parents", key, marks)
        elder = hits.get("E66", np.empty(0, dtype=np.int64))
        mother[elder, 3] = self.lexicon.kinh[FEMALE].given.at(self.dice.uniform("grandmother", key[elder]))
        swap = hits.get("E68", np.empty(0, dtype=np.int64))
        mother[swap], father[swap] = father[swap], mother[swap].copy()
        absent = hits.get("B-ho_ten_me", np.empty(0, dtype=np.int64))
        mother[absent] = NONE
        names = [self.lexicon.text(tokens, style) for tokens in (mother, father)]
        names[1] = self._unknown_father(rows, hits.get("E65", np.empty(0, dtype=np.int64)), names)
        numbers = [people.mother_number.copy(), people.father_number.copy()]
        numbers[0][swap], numbers[1][swap] = numbers[1][swap], numbers[0][swap].copy()
        for positions in (elder, absent):
            numbers[0][positions] = -1
        numbers[1][hits.get("E65", np.empty(0, dtype=np.int64))] = -1
        texts = [self._parent_number(rows, which, number, marks) for which, number in enumerate(numbers)]
        return names[0], names[1], texts[0], texts[1]

    def _unknown_father(self, rows: Rows, positions: Ints, names: list[pa.Array]) -> pa.Array:
        form = self.dice.below("unknown father", rows.household[positions], 6)
        mothers = names[0].take(pa.array(positions)).to_pylist()
        values = [mother if which == 5 else None if which == 4 else _UNKNOWN_FATHER[which] for which, mother in zip(form, mothers, strict=True)]
        return put(names[1], positions, values)

    def _parent_number(self, rows: Rows, which: int, number: Ints, marks: Marks) -> pa.Array:
        hits = self._errors("parent_numbers", rows.household * 2 + which, marks, number >= 0)
        cards = hits.get("E67", np.empty(0, dtype=np.int64))
        missing = hits.get("B-so_dinh_danh_me", np.empty(0, dtype=np.int64))
        written = number.copy()
        written[missing] = -1
        lost = self.habits.lost_zeros[rows.commune]
        texts = pc.if_else(pa.array(lost), plain(written), padded(written, 12))
        return put(texts, cards, [old_card(int(value)) for value in number[cards]])

    def _phone(self, rows: Rows, marks: Marks) -> pa.Array:
        key, people = rows.household, rows.people
        hits = self._errors("phone", key, marks)
        phone = people.mother_phone.copy()
        if not self.profile.clean:
            phone = np.where(self.dice.chance("father's phone", key, 0.3), people.father_phone, phone)
        changed = hits.get("P-changed", np.empty(0, dtype=np.int64))
        phone[changed] = self.nation.phones(people.household[changed] * 2 + (1 << 40))
        phone[hits.get("B-phone", np.empty(0, dtype=np.int64))] = -1
        lost = self.habits.phone_zero_lost[rows.commune] & (phone >= 0)
        marks.set("P-zero", lost)
        return pc.if_else(pa.array(lost), plain(phone), padded(phone, 10))

    def _hamlet(self, rows: Rows, marks: Marks) -> pa.Array:
        behind = rows.kind == RowKind.LEFT_BEHIND
        hamlet = np.where(behind, self.dice.below("old hamlet", rows.household, 3), rows.people.hamlet)
        short = self.habits.short_places[rows.commune] & self._follows(rows, "E54")
        return self.hamlets.text(rows.commune, hamlet, short.astype(np.int64))

    def _household_no(self, rows: Rows, marks: Marks) -> pa.Array:
        hits = self._errors("household", rows.household, marks)
        number = rows.people.household_no.copy()
        changed = np.concatenate([hits.get("P-household", np.empty(0, dtype=np.int64)), np.flatnonzero(rows.kind == RowKind.LEFT_BEHIND)])
        number[changed] = 1 + self.dice.below("other household", rows.household[changed], 2000)
        number[hits.get("B-household", np.empty(0, dtype=np.int64))] = -1
        return padded(number, 4)

    def _certificate(self, rows: Rows, marks: Marks) -> pa.Array:
        hits = self._errors("birth_registration", rows.draw, marks)
        missing = np.zeros(len(rows), dtype=bool)
        missing[hits.get("B-birth_registration", np.empty(0, dtype=np.int64))] = True
        return without(missing, certificates(rows.people))

    def _entered(self, rows: Rows) -> Ints:
        year = rows.people.year + self.dice.below("entered", rows.draw, 2)
        return np.clip(year, 2018, np.maximum(years_of(rows.day), rows.people.year))


_MOST_ALIASES = 6


@cache
def _alias_pool() -> tuple[pa.Array, Ints]:
    aliases = ethnic_aliases()
    names: list[str | None] = []
    counts = np.zeros(64, dtype=np.int64)
    for code in range(64):
        found = list(aliases.get(code, ()))[:_MOST_ALIASES] if code > 1 else []
        counts[code] = len(found)
        names += found + [None] * (_MOST_ALIASES - len(found))
    return pa.array(names, pa.string()), counts


@cache
def _census_codes() -> pa.Array:
    codes = {int(row["ethnic_group_code"]): row["census_list_2009_code"] or None for row in rows_of("codes_ethnic_groups")}
    return pa.array([codes.get(code) for code in range(64)], pa.string())


def minority_form(text: str, which: int) -> str:
    """Return a minority name with its particle and clan joined, apart, or with another apostrophe.

    >>> minority_form("H' Linh Niê", 1)
    'H’Linh Niê'
    """
    for particle in ("H'", "K'", "h'", "k'"):
        if text.startswith(particle + " ") or f" {particle} " in text:
            shown = (particle, particle[0] + "\u2019", particle[0], particle[0] + " ")[which]
            return text.replace(particle + " ", shown, 1)
    for clan in ("Rơ ", "Pi ", "Zơ ", "Pơ ", "A ", "Rah ", "RƠ ", "PI ", "ZƠ ", "PƠ "):
        if text.startswith(clan) and text.count(" ") > 2:
            return clan.strip() + text[len(clan) :]
    return text
