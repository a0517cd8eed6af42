"""The nation's own truth: the children who live in the communes asked for, and the residents of the extract."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from childdb.sandbox.details import details_of, full_years
from childdb.sandbox.geography import Delivery
from childdb.sandbox.hashing import Ints
from childdb.sandbox.people import Nation, People
from childdb.sandbox.population import child_keys
from childdb.sandbox.rows import Rows
from childdb.sandbox.truth_figures import CountedChild, age_group

_GROUP_OF_AGE = [age_group(age) for age in range(16)]
_GROUPS = list(dict.fromkeys(_GROUP_OF_AGE))
_SEXES = ("male", "female")
_ETHNIC = 64


class NationCounter:
    """Counts residents of the whole extract and keeps the true children of the communes asked for, chunk by chunk."""

    def __init__(self, nation: Nation) -> None:
        self.nation = nation
        self._asked = nation.geography.delivery != Delivery.NOTHING
        self._residents = np.zeros(
            len(nation.geography.communes) * 2 * len(_GROUPS) * _ETHNIC, dtype=np.int64
        )
        self.children: dict[str, CountedChild] = {}

    def add(self, people: People, day: int) -> None:
        """Count the residents of one chunk on ``day`` and keep its true children."""
        age = full_years(people.birth, np.full(len(people), day))
        resident = people.listed & (age < 16) & (people.birth <= day)
        group = np.array([_GROUPS.index(name) for name in _GROUP_OF_AGE])[np.clip(age, 0, 15)]
        place = ((people.home * 2 + people.sex) * len(_GROUPS) + group) * _ETHNIC + people.ethnic
        self._residents += np.bincount(place[resident], minlength=len(self._residents))
        living = ~people.died & (age < 16) & (people.birth <= day) & self._asked[people.home]
        if living.any():
            self._keep(people.take(np.flatnonzero(living)), age[living])

    def _keep(self, people: People, age: Ints) -> None:
        geography = self.nation.geography
        rows = Rows(
            people,
            people.commune,
            np.zeros(len(people), dtype=np.int64),
            geography.final_day()[people.commune],
        )
        details = details_of(self.nation, rows)
        keys = child_keys(self.nation, people.index).to_pylist()
        for row, key in enumerate(keys):
            commune = geography.communes[people.home[row]]
            under_5 = bool(age[row] < 5)
            special = bool(details.circumstances[row])
            facts = {
                "children": True,
                "special": special,
                "special_helped": special and bool(details.help[row]),
                "confirmed": bool(people.listed[row]),
                "at_risk": bool(details.at_risk[row]),
                "poor": bool(details.poverty[row] < 2),
                "under_5": under_5,
                "registered_under_5": under_5 and bool(details.birth_registered[row]),
            }
            measures = frozenset(name for name, holds in facts.items() if holds)
            self.children[key] = CountedChild(
                commune["province_code"],
                commune["commune_code"],
                _SEXES[people.sex[row]],
                int(age[row]),
                f"{people.ethnic[row]:02d}",
                measures,
            )

    def write_residents(self, path: Path) -> None:
        """Write residents under 16 by commune, sex, age group and ethnic group."""
        geography = self.nation.geography
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("province", "commune", "sex", "age_group", "ethnic_group", "residents"))
            for place in np.flatnonzero(self._residents):
                rest, ethnic = divmod(int(place), _ETHNIC)
                rest, group = divmod(rest, len(_GROUPS))
                commune, sex = divmod(rest, 2)
                row = geography.communes[commune]
                writer.writerow(
                    (
                        row["province_code"],
                        row["commune_code"],
                        _SEXES[sex],
                        _GROUPS[group],
                        f"{ethnic:02d}",
                        int(self._residents[place]),
                    )
                )
