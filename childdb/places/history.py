"""Communes, districts and provinces with the days they were in force, their names and their successors.

The key of a unit is its code with the day it began: codes are reused, so a bare code is none. A new decree is rows
with dates in the seeds; nothing here knows a decree.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from childdb.cleaning.text import folded_key, marked_key
from childdb.reference import SeedFolder, seed_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = TypeVar("Row")
FIRST_DAY = date(2021, 11, 1)
MERGER_DAY = date(2025, 7, 1)
LAST_LEGACY_DAY = date(2025, 6, 30)


class UnitType(StrEnum):
    """Types of units, as the seeds write them."""

    XA = "xa"
    PHUONG = "phuong"
    THI_TRAN = "thi_tran"
    DAC_KHU = "dac_khu"
    HUYEN_DAO = "huyen_dao"
    TINH = "tinh"
    THANH_PHO = "thanh_pho"


TYPE_LABELS = {
    UnitType.XA: "Xã",
    UnitType.PHUONG: "Phường",
    UnitType.THI_TRAN: "Thị trấn",
    UnitType.DAC_KHU: "Đặc khu",
    UnitType.HUYEN_DAO: "Huyện",
    UnitType.TINH: "Tỉnh",
    UnitType.THANH_PHO: "Thành phố",
}


@dataclass(frozen=True, slots=True)
class Commune:
    """A unit of the lowest level: code and first day make its id."""

    commune_id: str
    code: str
    district_code: str
    province_code: str
    valid_from: date
    valid_to: date | None

    def is_in_force(self, day: date) -> bool:
        """Return whether the unit existed on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class UnitName:
    """A name and type a unit carried in a period."""

    unit_id: str
    name: str
    unit_type: UnitType
    valid_from: date
    valid_to: date | None

    @property
    def full(self) -> str:
        """Return the type and name as people write them."""
        return f"{TYPE_LABELS[self.unit_type]} {self.name}"


@dataclass(frozen=True, slots=True)
class Succession:
    """What became of a unit: a successor, the share of people that went there, and whether that is all of them."""

    unit_id: str
    successor_id: str
    changed: date
    share: str
    holds_population: bool
    is_sole_target: bool


@dataclass(frozen=True, slots=True)
class District:
    """A district, a level that ended on 1 July 2025."""

    code: str
    full: str
    province_code: str


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def name_key(name: str) -> str:
    """Return the key of a unit's name: marks kept, their placement, spaces, hyphens and leading zeros not."""
    return marked_key(re.sub(r"\b0+(?=[0-9])", "", name))


def plain_key(name: str) -> str:
    """Return the key of a unit's name typed without marks."""
    return folded_key(re.sub(r"\b0+(?=[0-9])", "", name))


class History:
    """All units of the seeds with indexes; built once, never changed."""

    def __init__(self) -> None:
        self.communes: Mapping[str, Commune] = {unit.commune_id: unit for unit in _communes()}
        self.by_code = _grouped(self.communes.values(), "code")
        self.names = _names("commune_names", "commune_id")
        self.province_names = _names("province_names", "province_id")
        self.provinces = {row["province_id"]: row for row in seed_rows(SeedFolder.REFERENCE, "provinces")}
        self.districts = {district.code: district for district in _districts()}
        self.successions = _successions()
        self.predecessors = _grouped(
            (link for links in self.successions.values() for link in links), "successor_id"
        )
        self.province_successors = {
            row["province_id"]: row["successor_province_id"]
            for row in seed_rows(SeedFolder.REFERENCE, "province_successions")
        }
        self._add_aliases()
        self.by_name = self._name_index()

    def _add_aliases(self) -> None:
        codes = defaultdict(list, {code: list(units) for code, units in self.by_code.items()})
        for row in seed_rows(SeedFolder.REFERENCE, "commune_aliases"):
            unit = self.communes[row["commune_id"]]
            if row["kind"] == "code":
                codes[row["alias"]].append(unit)
            else:
                known = self.names[unit.commune_id]
                other = UnitName(
                    unit.commune_id,
                    row["alias"],
                    known[-1].unit_type,
                    known[0].valid_from,
                    known[-1].valid_to,
                )
                self.names[unit.commune_id] = [other, *known]
        self.by_code = dict(codes)

    def _name_index(self) -> Mapping[str, list[UnitName]]:
        index: defaultdict[str, list[UnitName]] = defaultdict(list)
        for names in self.names.values():
            for name in names:
                index["=" + name_key(name.name)].append(name)
                index["~" + plain_key(name.name)].append(name)
        return dict(index)

    def name_on(self, unit_id: str, day: date) -> UnitName:
        """Return the name of a unit on a day, or the nearest one where the day is outside its life."""
        names = self.names.get(unit_id) or self.province_names[unit_id]
        for name in reversed(names):
            if name.valid_from <= day and (name.valid_to is None or day < name.valid_to):
                return name
        return names[-1] if day >= names[-1].valid_from else names[0]

    def province_id_on(self, code: str, day: date) -> str | None:
        """Return the id of the province that carried a code on a day."""
        for province_id, row in self.provinces.items():
            start, end = date.fromisoformat(row["valid_from_date"]), _day(row["valid_to_date"])
            if row["province_code"] == code and start <= day and (end is None or day < end):
                return province_id
        return None

    def units_with_code(self, code: str, day: date) -> list[Commune]:
        """Return the communes that carried a code on a day (one, or none)."""
        return [unit for unit in self.by_code.get(code, []) if unit.is_in_force(day)]

    def successors_on(self, unit_id: str, day: date) -> list[str] | None:
        """Return the units in force on a day that hold the people of an earlier unit; None where that is unknown.

        One unit means that all people are there; several mean that they are divided.
        """
        unit = self.communes[unit_id]
        if unit.is_in_force(day):
            return [unit_id]
        links = [link for link in self.successions.get(unit_id, []) if link.changed <= day]
        if not links:
            return None
        sole = [link.successor_id for link in links if link.is_sole_target]
        targets = sole or [link.successor_id for link in links if link.holds_population]
        return self._follow(targets, day)

    def _follow(self, targets: Iterable[str], day: date) -> list[str] | None:
        found: set[str] = set()
        for target in targets:
            later = self.successors_on(target, day)
            if later is None:
                return None
            found.update(later)
        return sorted(found)


def _communes() -> Iterable[Commune]:
    for row in seed_rows(SeedFolder.REFERENCE, "communes"):
        yield Commune(
            row["commune_id"], row["commune_code"], row["district_code"], row["province_code"],
            date.fromisoformat(row["valid_from_date"]), _day(row["valid_to_date"]),
        )  # fmt: skip


def _districts() -> Iterable[District]:
    for row in seed_rows(SeedFolder.REFERENCE, "districts"):
        yield District(row["district_code"], row["name_vi"], row["province_code"])


def _names(seed: str, key: str) -> dict[str, list[UnitName]]:
    names: defaultdict[str, list[UnitName]] = defaultdict(list)
    for row in seed_rows(SeedFolder.REFERENCE, seed):
        start = date.fromisoformat(row["valid_from_date"])
        name = UnitName(
            row[key], row["name_vi"], UnitType(row["unit_type"]), start, _day(row["valid_to_date"])
        )
        names[row[key]].append(name)
    return {unit_id: sorted(rows, key=lambda name: name.valid_from) for unit_id, rows in names.items()}


def _successions() -> dict[str, list[Succession]]:
    links: defaultdict[str, list[Succession]] = defaultdict(list)
    for row in seed_rows(SeedFolder.REFERENCE, "commune_successions"):
        links[row["commune_id"]].append(
            Succession(
                row["commune_id"],
                row["successor_commune_id"],
                date.fromisoformat(row["changed_date"]),
                row["population_share"],
                row["holds_population"] == "1",
                row["is_sole_population_target"] == "1",
            )
        )
    return dict(links)


def _grouped(rows: Iterable[Row], attribute: str) -> dict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, attribute)].append(row)
    return dict(groups)


@lru_cache(maxsize=1)
def history() -> History:
    """Return the one history of the seeds."""
    return History()
