"""Parents, telephone, household and hamlet as officers write them; what a household shares is drawn once for it."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from childdb.sandbox.columns import Column, column
from childdb.sandbox.hashing import Ints
from childdb.sandbox.lexicon import NONE
from childdb.sandbox.marks import Marks
from childdb.sandbox.naming import FEMALE
from childdb.sandbox.people import years_of
from childdb.sandbox.population import certificates
from childdb.sandbox.rows import RowKind, Rows
from childdb.sandbox.spelling import STYLES, Style
from childdb.sandbox.writer_base import CellWriter
from childdb.sandbox.writing import (
    old_card,
    padded,
    plain,
    put,
    without,
)
from childdb.sandbox.writing_names import WHOLE_FILE

_UNKNOWN_FATHER = ("Không rõ", "-", "Không có", "không")


class FamilyWriter(CellWriter):
    """Writes what a child shares with its household."""

    def _parents(
        self, rows: Rows, style: Ints, marks: Marks
    ) -> tuple[Column, Column, Column, Column, tuple[Ints, Ints]]:
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
        names[1] = self._unknown_father(rows, style, hits.get("E65", np.empty(0, dtype=np.int64)), names)
        numbers = [people.mother_number.copy(), people.father_number.copy()]
        numbers[0][swap], numbers[1][swap] = numbers[1][swap], numbers[0][swap].copy()
        for positions in (elder, absent):
            numbers[0][positions] = -1
        numbers[1][hits.get("E65", np.empty(0, dtype=np.int64))] = -1
        texts = [self._parent_number(rows, which, number, marks) for which, number in enumerate(numbers)]
        return names[0], names[1], texts[0], texts[1], (mother, father)

    def _unknown_father(self, rows: Rows, style: Ints, positions: Ints, names: list[Column]) -> Column:
        form = self.dice.below("unknown father", rows.household[positions], 6)
        mothers = names[0].take(column(positions)).to_pylist()
        # A font or code page that damages names damages these words too.
        words = {each: STYLES[each] for each in WHOLE_FILE}
        values = [
            mother
            if which == 5
            else None
            if which == 4
            else words.get(Style(shown), str)(_UNKNOWN_FATHER[which])
            for which, mother, shown in zip(form, mothers, style[positions], strict=True)
        ]
        return put(names[1], positions, values)

    def _parent_number(self, rows: Rows, which: int, number: Ints, marks: Marks) -> Column:
        hits = self._errors("parent_numbers", rows.household * 2 + which, marks, number >= 0)
        cards = hits.get("E67", np.empty(0, dtype=np.int64))
        missing = hits.get("B-so_dinh_danh_me", np.empty(0, dtype=np.int64))
        written = number.copy()
        written[missing] = -1
        lost = self.habits.lost_zeros[rows.commune]
        texts = pc.if_else(column(lost), plain(written), padded(written, 12))
        return put(texts, cards, [old_card(int(value)) for value in number[cards]])

    def _phone(self, rows: Rows, marks: Marks) -> Column:
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
        return pc.if_else(column(lost), plain(phone), padded(phone, 10))

    def _hamlet(self, rows: Rows, marks: Marks) -> Column:
        behind = rows.kind == RowKind.LEFT_BEHIND
        hamlet = np.where(behind, self.dice.below("old hamlet", rows.household, 3), rows.people.hamlet)
        short = self.habits.short_places[rows.commune] & self._follows(rows, "E54")
        return self.hamlets.text(rows.commune, hamlet, short.astype(np.int64))

    def _household_no(self, rows: Rows, marks: Marks) -> Column:
        hits = self._errors("household", rows.household, marks)
        number = rows.people.household_no.copy()
        changed = np.concatenate(
            [
                hits.get("P-household", np.empty(0, dtype=np.int64)),
                np.flatnonzero(rows.kind == RowKind.LEFT_BEHIND),
            ]
        )
        number[changed] = 1 + self.dice.below("other household", rows.household[changed], 2000)
        number[hits.get("B-household", np.empty(0, dtype=np.int64))] = -1
        return padded(number, 4)

    def _certificate(self, rows: Rows, marks: Marks) -> Column:
        hits = self._errors("birth_registration", rows.draw, marks)
        missing = np.zeros(len(rows), dtype=bool)
        missing[hits.get("B-birth_registration", np.empty(0, dtype=np.int64))] = True
        return without(missing, certificates(rows.people))

    def _entered(self, rows: Rows) -> Ints:
        year = rows.people.year + self.dice.below("entered", rows.draw, 2)
        entered: Ints = np.clip(year, 2018, np.maximum(years_of(rows.day), rows.people.year))
        return entered
