"""Which rows the register holds: each registered child's own row, repeats, and rows in a commune the child has left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import pyarrow.compute as pc

from childdb.sandbox.columns import Column
from childdb.sandbox.hashing import Bools, Ints
from childdb.sandbox.people import Nation, People
from childdb.sandbox.writing import padded


class RowKind(IntEnum):
    """Why a row exists."""

    OWN = 0
    REPEAT = 1
    SPELT_OTHERWISE = 2
    LEFT_BEHIND = 3


@dataclass(frozen=True)
class Rows:
    """Rows of the register: the child of each, the commune that lists it, its kind and the list's day."""

    people: People
    commune: Ints
    kind: Ints
    day: Ints

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def draw(self) -> Ints:
        """Return the index to draw errors for: an exact repeat shares all errors with the row it repeats."""
        kind = np.where(self.kind == RowKind.REPEAT, RowKind.OWN, self.kind)
        return self.people.index + (kind << 36)

    @property
    def household(self) -> Ints:
        """Return the index to draw what a household's rows in one list share."""
        behind: Ints = (self.kind == RowKind.LEFT_BEHIND).astype(np.int64) << 36
        return self.people.household + behind

    def take(self, positions: Ints) -> Rows:
        """Return the rows at these positions."""
        return Rows(
            self.people.take(positions), self.commune[positions], self.kind[positions], self.day[positions]
        )

    def on(self, day: Ints) -> Rows:
        """Return the same rows as lists of another day hold them."""
        return replace(self, day=day)


def register_rows(nation: Nation, people: People) -> Rows:
    """Return the rows that the current lists of all communes hold about these children."""
    rates = nation.profile.records
    dice, registered = nation.dice, people.registered
    alone = ~people.left & ~people.died

    def chosen(error: str, index: Ints) -> Ints:
        hit: Bools = registered & alone & dice.chance(f"record {error}", index, rates.get(error, 0.0))
        return np.flatnonzero(hit)

    repeats, spelt = chosen("E57", people.index), chosen("E59", people.index)
    guests = chosen("E58", people.household)
    old_home = nation.other_commune(
        "left behind", people.household[guests], people.commune[guests], outside=False
    )
    # A commune can only hold a child it knew: one born well before its list.
    known = people.birth[guests] + 60 < nation.geography.final_day()[old_home]
    guests, old_home = guests[known], old_home[known]
    own = np.flatnonzero(registered)
    positions = np.concatenate([own, repeats, spelt, guests])
    commune = np.concatenate([people.commune[own], people.commune[repeats], people.commune[spelt], old_home])
    sizes = (len(own), len(repeats), len(spelt), len(guests))
    kind = np.repeat(np.array(list(RowKind)), sizes)
    return Rows(people.take(positions), commune, kind, nation.geography.final_day()[commune])


def record_ids(nation: Nation, rows: Rows) -> Column:
    """Return record ids: nine digits that say nothing about child or order."""
    number = ((rows.people.index * 4 + rows.kind) * 73_939_133 + nation.seed * 611_953) % 10**9
    return pc.binary_join_element_wise("R", padded(number, 9), "")
