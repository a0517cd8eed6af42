"""Which lists the communes send: one per present commune, or one per former commune before July 2025, each with its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from childdb.sandbox.geography import Delivery, Geography
from childdb.sandbox.hashing import Bools, Ints
from childdb.sandbox.people import Nation
from childdb.sandbox.rows import RowKind, Rows


@dataclass(frozen=True)
class UnitList:
    """One list: the unit that sends it, the day it was written and the positions of its rows."""

    commune_id: str
    code: str
    is_former: bool
    officer: int
    day: int
    positions: Ints
    divided: bool


class Collector:
    """Keeps, while the nation streams by, the rows that some list of an asked commune holds."""

    def __init__(self, nation: Nation) -> None:
        self.nation = nation
        geography = nation.geography
        self._sends_new = np.isin(geography.delivery, (Delivery.NEW, Delivery.BOTH))
        self._sends_old = np.isin(geography.delivery, (Delivery.OLD, Delivery.BOTH))
        self._former_of = _former_lists(geography)
        old_ids = set(self._former_of)
        self.touched = np.array(
            [any(unit.commune_id in old_ids for unit in units) for units in geography.former], dtype=bool
        )
        self._parts: list[Rows] = []

    def add(self, rows: Rows) -> None:
        """Keep what is needed of one chunk's rows."""
        wanted = self._sends_new[rows.commune] | self.touched[rows.commune]
        if wanted.any():
            self._parts.append(rows.take(np.flatnonzero(wanted)))

    def lists(self) -> tuple[list[UnitList], Rows | None]:
        """Return all lists in the order of their units, and the rows that their positions point into."""
        if not self._parts:
            return [], None
        rows = joined_rows(self._parts)
        found = [self._new_list(rows, int(place)) for place in np.flatnonzero(self._sends_new)]
        unit_of = former_of_rows(self.nation, rows)
        found += [
            self._old_list(rows, unit_of, name, officer) for name, officer in sorted(self._former_of.items())
        ]
        return [each for each in found if len(each.positions)], rows

    def _new_list(self, rows: Rows, place: int) -> UnitList:
        geography = self.nation.geography
        row = geography.communes[place]
        positions = np.flatnonzero(rows.commune == place)
        return UnitList(
            row["commune_id"],
            row["commune_code"],
            False,
            place,
            int(geography.list_day[place]),
            positions,
            False,
        )

    def _old_list(self, rows: Rows, unit_of: Ints, name: str, officer: int) -> UnitList:
        geography = self.nation.geography
        day = int(geography.old_list_day[officer])
        ids = former_ids(geography)
        inside = (unit_of == ids.index(name)) & (rows.people.birth <= day) & self._known_then(rows)
        divided = any(unit.divided for units in geography.former for unit in units if unit.commune_id == name)
        return UnitList(name, name.split("@")[0], True, officer, day, np.flatnonzero(inside), divided)

    def _known_then(self, rows: Rows) -> Bools:
        """Return which rows an earlier list of the same place held too: some were entered only later."""
        current = self.nation.geography.delivery[rows.commune] == Delivery.OLD
        earlier: Bools = self.nation.dice.chance("in earlier list", rows.people.household, 0.97) & (
            rows.kind == RowKind.OWN
        )
        known: Bools = current | earlier
        return known


def former_ids(geography: Geography) -> list[str]:
    """Return ids of all former communes that have a part in a commune with children, sorted."""
    return sorted({unit.commune_id for units in geography.former for unit in units})


def former_of_rows(nation: Nation, rows: Rows) -> Ints:
    """Return for each row the former commune (position in ``former_ids``) where its place lay; −1 if there was none."""
    geography = nation.geography
    ids = {name: place for place, name in enumerate(former_ids(geography))}
    counts = np.array([max(1, len(units)) for units in geography.former])
    start = np.cumsum(counts) - counts
    flat = np.array(
        [place for units in geography.former for place in ([ids[unit.commune_id] for unit in units] or [-1])]
    )
    guest = nation.dice.below("guest's former", rows.people.household, counts[rows.commune])
    inside = np.where(rows.commune == rows.people.commune, rows.people.former, guest)
    found: Ints = flat[start[rows.commune] + inside]
    return found


def _former_lists(geography: Geography) -> dict[str, int]:
    """Return the former communes that send a list and the commune whose officer wrote it."""
    found: dict[str, int] = {}
    for place in np.flatnonzero(np.isin(geography.delivery, (Delivery.OLD, Delivery.BOTH))):
        for unit in geography.former[place]:
            found.setdefault(unit.commune_id, int(place))
    return found


def joined_rows(parts: list[Rows]) -> Rows:
    """Return the rows of all parts in one."""
    from dataclasses import fields

    from childdb.sandbox.people import People

    people = People(
        **{
            item.name: np.concatenate([getattr(part.people, item.name) for part in parts])
            for item in fields(People)
        }
    )
    return Rows(
        people,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("commune", "kind", "day")),
    )
