"""Places on the day the figures refer to, and the former units they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from childdb.forms.model import FormProvince, FormUnit
from childdb.forms.words import Language, unit_name
from childdb.places.history import MERGER_DAY, Commune, History, history
from childdb.reference import SeedFolder, seed_rows

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


def load_places(day: date) -> Places:
    """Return the places as they are called on ``day``.

    The map is the one in force since 1 July 2025; a day before that gives its first names.
    """
    known, day = history(), max(day, MERGER_DAY)
    communes = {
        unit.code: Place(
            unit.code, *_called(known, unit.commune_id, day), unit.province_code, _former_units(known, unit)
        )
        for unit in known.communes.values()
        if unit.is_in_force(day)
    }
    provinces: dict[str, Place] = {}
    for code in {commune.province_code for commune in communes.values()}:
        province_id = known.province_id_on(code, day)
        if province_id is not None:
            provinces[code] = Place(code, *_called(known, province_id, day), code)
    return make_places(provinces, communes)


def _called(known: History, unit_id: str, day: date) -> tuple[str, str]:
    name = known.name_on(unit_id, day)
    return name.name, name.unit_type.value


def _former_units(known: History, unit: Commune) -> tuple[str, ...]:
    """Return the former communes whose people a commune holds, as last called."""
    links = [link for link in known.predecessors.get(unit.commune_id, []) if link.holds_population]
    names = [
        known.name_on(link.unit_id, link.changed) for link in sorted(links, key=lambda link: link.unit_id)
    ]
    return tuple(unit_name(name.unit_type.value, name.name) for name in names)


def form_provinces(day: date) -> list[FormProvince]:
    """Return what the forms list on a day: every province with its communes and all ethnic groups."""
    places = load_places(day)
    groups = tuple(
        FormUnit(row["ethnic_group_code"], row["name_vi"])
        for row in sorted(
            seed_rows(SeedFolder.CODES, "codes_ethnic_groups"), key=lambda row: row["ethnic_group_code"]
        )
    )
    return [
        FormProvince(
            code=code,
            name=unit_name(province.kind, province.name),
            communes=[FormUnit(commune.code, commune.title()) for commune in places.communes_of(code)],
            ethnic_groups=groups,
            unknown_area_codes=(f"{code}_U",),
        )
        for code, province in places.provinces.items()
    ]
