"""Names of children as officers write them."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from childdb.sandbox.columns import Column
from childdb.sandbox.hashing import Bools, Ints
from childdb.sandbox.lexicon import NONE
from childdb.sandbox.marks import Marks
from childdb.sandbox.naming import FEMALE, MALE
from childdb.sandbox.rows import RowKind, Rows
from childdb.sandbox.spelling import Style
from childdb.sandbox.writer_base import CellWriter
from childdb.sandbox.writing import (
    odd_spaces,
    rewrite,
    switch,
)

_LETTERS = {
    "E18": Style.OTHER_TONE,
    "E19": Style.MISPLACED,
    "E20": Style.FOLDED,
    "E24": Style.QUESTION,
    "E25": Style.LOOKALIKE,
}
# Damage done by fonts and code pages hits every cell of a list; habits of typing leave some rows out.
WHOLE_FILE = (Style.DECOMPOSED, Style.TCVN3, Style.VNI, Style.MOJIBAKE, Style.QUESTION, Style.LOOKALIKE)


class NameWriter(CellWriter):
    """Writes the child's name."""

    def _name(self, rows: Rows, marks: Marks) -> tuple[Column, Ints, Ints, Ints]:
        tokens = np.concatenate([rows.people.name, np.full((len(rows), 1), NONE)], axis=1)
        hits = self._errors("name_structure", rows.draw, marks)
        self._shorten(tokens, hits.get("E28"), rows.draw, marks)
        self._by_ear(tokens, hits.get("E30"), rows.draw)
        for positions in (hits.get("E32"),):
            if positions is not None:
                tokens[positions, 5] = self.lexicon.notes[
                    self.dice.below("note", rows.draw[positions], len(self.lexicon.notes))
                ]
        self._rename(tokens, hits.get("E33"), rows)
        self._minority_ear(tokens, rows, marks)
        self._spell_otherwise(tokens, rows)
        self._placeholder(tokens, rows, marks)
        style = self._style(rows, tokens, marks)
        texts = self.lexicon.text(tokens, style)
        texts, joined = self._joined(texts, rows, marks)
        texts, spaces = self._spaces(texts, rows, tokens, style, marks)
        return texts, style, tokens, np.stack([spaces, joined], axis=1)

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
        whole = np.isin(officer, WHOLE_FILE)
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
                marks.set(
                    error, slips[error][self.lexicon.changed_by(tokens[slips[error]], style[slips[error]])]
                )
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

    def _joined(self, texts: Column, rows: Rows, marks: Marks) -> tuple[Column, Ints]:
        """Write minority names together or with another apostrophe, by the officer's habit or a slip (E31)."""
        wanted = marks.has("E31") | (
            self.habits.joined[rows.commune] & (rows.people.ethnic > 1) & self._follows(rows, "E31")
        )
        at = np.flatnonzero(wanted)
        form = self.dice.below("joined form", rows.commune, 4)
        changed = rewrite(texts, at, lambda text, row: minority_form(text, int(form[row])))
        differs = _differs(changed, texts)
        marks.clear("E31", at)
        marks.set("E31", differs)
        return changed, np.where(differs, form, -1)

    def _spaces(
        self, texts: Column, rows: Rows, tokens: Ints, style: Ints, marks: Marks
    ) -> tuple[Column, Ints]:
        """Return names with odd blanks in some, and the form of each (−1: none)."""
        named = ~np.isin(tokens[:, 0], self.lexicon.placeholders) & ~np.isin(style, WHOLE_FILE)
        hits = self._errors("name_spaces", rows.draw, marks, named).get("E27", np.empty(0, dtype=np.int64))
        form = switch(self.dice, "space form", rows.draw)
        used = np.full(len(rows), -1)
        used[hits] = form[hits] % 5
        return rewrite(texts, hits, lambda text, row: odd_spaces(text, int(form[row]))), used


def _differs(first: Column, second: Column) -> Bools:
    """Return where two columns hold other texts."""
    unequal: Column = pc.not_equal(first, second)
    filled: Column = pc.fill_null(unequal, False)
    found: Bools = filled.to_numpy(zero_copy_only=False)
    return found


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
