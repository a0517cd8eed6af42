"""Places on the day the figures refer to, and the former units they were made of; from the reference seeds."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from childdb.forms.words import unit_name
from childdb.portal.words import Language

NEW_MAP = "2025-07-01"
KINDS_EN = {
    "tinh": "Province",
    "thanh_pho": "City",
    "xa": "Commune",
    "phuong": "Ward",
    "dac_khu": "Special zone",
    "thi_tran": "Township",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A province or commune of the map in force since 1 July 2025."""

    code: str
    name: str
    kind: str
    province_code: str
    formed_from: tuple[str, ...] = ()
    """Former units whose people live here, with their kind, in code order."""

    def title(self, language: Language = Language.VI) -> str:
        """Return the name with its kind: ``Tỉnh Cao Bằng``, in English ``Cao Bằng Province``."""
        if language is Language.EN:
            return f"{self.name} {KINDS_EN.get(self.kind, '')}".strip()
        title = unit_name(self.kind, self.name)
        return title[:1].upper() + title[1:]


@dataclass(frozen=True, slots=True)
class Places:
    """All provinces and communes in official code order."""

    provinces: Mapping[str, Place]
    communes: Mapping[str, Place]
    by_province: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)

    def communes_of(self, province_code: str) -> tuple[Place, ...]:
        """Return the communes of a province in official code order."""
        return self.by_province.get(province_code, ())


def make_places(provinces: Mapping[str, Place], communes: Mapping[str, Place]) -> Places:
    """Return places with the communes grouped by province."""
    groups: dict[str, list[Place]] = {code: [] for code in provinces}
    for _, commune in sorted(communes.items()):
        groups.setdefault(commune.province_code, []).append(commune)
    return Places(
        dict(sorted(provinces.items())),
        dict(sorted(communes.items())),
        {code: tuple(members) for code, members in groups.items()},
    )


def load_places(folder: Path, day: date) -> Places:
    """Return the places as they are called on ``day``, from the seeds in ``folder``.

    The map is the one in force since 1 July 2025; a day before that gives its first names.
    """
    day = max(day, date.fromisoformat(NEW_MAP))
    province_names = _names(folder / "province_names.csv", day)
    commune_names = _names(folder / "commune_names.csv", day)
    provinces = {
        row["province_code"]: Place(
            row["province_code"], *province_names[row["province_id"]], row["province_code"]
        )
        for row in _in_force(folder / "provinces.csv", day)
    }
    former = _former_units(folder)
    communes = {
        row["commune_code"]: Place(
            row["commune_code"],
            *commune_names[row["commune_id"]],
            row["province_code"],
            former.get(row["commune_id"], ()),
        )
        for row in _in_force(folder / "communes.csv", day)
        if row["province_code"] in provinces
    }
    return make_places(provinces, communes)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _in_force(path: Path, day: date) -> Iterator[dict[str, str]]:
    today = day.isoformat()
    for row in _rows(path):
        if row["valid_from_date"] <= today and (not row["valid_to_date"] or today < row["valid_to_date"]):
            yield row


def _names(path: Path, day: date) -> dict[str, tuple[str, str]]:
    key = "province_id" if path.name.startswith("province") else "commune_id"
    return {row[key]: (row["name_vi"], row["unit_type"]) for row in _in_force(path, day)}


def _former_units(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return, per commune since 2025-07-01, the former communes whose people it holds, as last called."""
    last: dict[str, str] = {}
    for row in sorted(_rows(folder / "commune_names.csv"), key=lambda row: row["valid_from_date"]):
        last[row["commune_id"]] = unit_name(row["unit_type"], row["name_vi"])
    found: dict[str, list[str]] = {}
    for row in _rows(folder / "commune_successions.csv"):
        if row["changed_date"] == NEW_MAP and row["holds_population"] == "1" and row["commune_id"] in last:
            found.setdefault(row["successor_commune_id"], []).append(row["commune_id"])
    return {new: tuple(last[old] for old in sorted(olds)) for new, olds in found.items()}
