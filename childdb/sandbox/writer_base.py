"""What all who write cells share: the officer, the nation and the draw of single errors."""

from __future__ import annotations

import numpy as np

from childdb.sandbox.habits import Habits
from childdb.sandbox.hamlets import Hamlets
from childdb.sandbox.hashing import Bools, Dice, Ints
from childdb.sandbox.lexicon import NONE, Lexicon
from childdb.sandbox.marks import Marks
from childdb.sandbox.people import Nation
from childdb.sandbox.profiles import Profile
from childdb.sandbox.rows import Rows
from childdb.sandbox.writing import (
    drawn_errors,
)


class CellWriter:
    """Writes cells as the officers of one nation do."""

    def __init__(self, nation: Nation, habits: Habits, hamlets: Hamlets) -> None:
        self.nation, self.habits, self.hamlets = nation, habits, hamlets
        self.dice: Dice = nation.dice
        self.profile: Profile = nation.profile
        self.lexicon: Lexicon = nation.lexicon

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
        place = np.where(
            self.dice.chance("ear where", key[positions], 0.65) | (tokens[positions, 1] == NONE), 3, 1
        )
        tokens[positions, place] = self.lexicon.ear[tokens[positions, place]]
