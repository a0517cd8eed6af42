"""Units of both maps with what became of them, read plainly from the seeds: the truth behind E50 to E56."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bench.invented import FILE_DATE, seed

MERGER = "2025-07-01"
TYPES = {"xa": "Xã", "phuong": "Phường", "thi_tran": "Thị trấn"}
PROVINCE_TYPES = {"tinh": "Tỉnh", "thanh_pho": "Thành phố"}


@dataclass(frozen=True)
class Unit:
    """A commune of the former or the present map as its catalogue words it; `homes` hold its people since the merger."""

    unit_id: str
    text: str
    district: str | None
    province: str
    province_code: str
    homes: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.unit_id.split("@")[0]


def _in_force(rows: list[dict[str, str]], key: str, day: str) -> dict[str, dict[str, str]]:
    """Return the last row of each unit that was in force on a day or had ended before it."""
    found: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: row["valid_from_date"]):
        if row["valid_from_date"] <= day:
            found[row[key]] = row
    return found


@lru_cache(maxsize=4)
def units_on(day: str) -> tuple[Unit, ...]:
    """Return the units in force on a day, in the words of that day; island districts without communes are left out."""
    names = _in_force(seed("reference", "commune_names"), "commune_id", day)
    provinces = _in_force(seed("reference", "province_names"), "province_id", day)
    labels = {key.split("@")[0]: f"{PROVINCE_TYPES[row['unit_type']]} {row['name_vi']}"
              for key, row in sorted(provinces.items()) if not row["valid_to_date"] or day < row["valid_to_date"]}  # fmt: skip
    districts = {row["district_code"]: row["name_vi"] for row in seed("reference", "districts")}
    homes = _homes()
    found = []
    for row in seed("reference", "communes"):
        is_now = row["valid_from_date"] <= day and (not row["valid_to_date"] or day < row["valid_to_date"])
        name = names.get(row["commune_id"])
        if is_now and name and name["unit_type"] in TYPES:
            found.append(Unit(
                row["commune_id"], f"{TYPES[name['unit_type']]} {name['name_vi']}", districts.get(row["district_code"]),
                labels[row["province_code"]], row["province_code"], homes.get(row["commune_id"], ()),
            ))  # fmt: skip
    return tuple(found)


@lru_cache(maxsize=1)
def _homes() -> Mapping[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in seed("reference", "commune_successions"):
        if row["changed_date"] == MERGER and row["holds_population"] == "1":
            found[row["commune_id"]].append(row["successor_commune_id"])
    return {unit: tuple(sorted(homes)) for unit, homes in found.items()}


@lru_cache(maxsize=1)
def whole_units() -> tuple[Unit, ...]:
    """Return the former units whose people all went to one."""
    return tuple(unit for unit in units_on("2025-06-30") if len(unit.homes) == 1)


@lru_cache(maxsize=1)
def divided_units() -> tuple[Unit, ...]:
    """Return the former units whose people were divided."""
    return tuple(unit for unit in units_on("2025-06-30") if len(unit.homes) > 1)


@lru_cache(maxsize=1)
def present_by_id() -> Mapping[str, Unit]:
    """Return the present units by id."""
    return {unit.unit_id: unit for unit in units_on("2025-09-10")}


@lru_cache(maxsize=1)
def twins() -> tuple[Unit, ...]:
    """Return former units of which another in the same former province bears the type and name."""
    all_units = units_on("2025-06-30")
    counts = Counter((unit.province_code, unit.text) for unit in all_units)
    return tuple(unit for unit in all_units if counts[unit.province_code, unit.text] > 1)


@lru_cache(maxsize=1)
def former_wordings() -> frozenset[tuple[str, str]]:
    """Return former province and type with name, whatever its spaces, of every unit that was before the merger."""
    province = {row["commune_id"]: row["province_code"] for row in seed("reference", "communes")}
    return frozenset(
        (province[row["commune_id"]], wording_key(f"{TYPES[row['unit_type']]} {row['name_vi']}"))
        for row in seed("reference", "commune_names")
        if row["valid_from_date"] < MERGER and row["unit_type"] in TYPES
    )


def wording_key(text: str) -> str:
    """Return a wording without spaces and case."""
    return text.replace(" ", "").lower()


@lru_cache(maxsize=1)
def merged_earlier() -> tuple[tuple[Unit, str], ...]:
    """Return units that ended before the file's day with the one unit that took their place, if no other bears their name."""
    day = FILE_DATE.isoformat()
    later: defaultdict[str, set[str]] = defaultdict(set)
    for row in seed("reference", "commune_successions"):
        if row["changed_date"] <= day:
            later[row["commune_id"]].add(row["successor_commune_id"])
    now = {unit.unit_id: unit for unit in units_on(day)}
    taken = {(unit.district, unit.text) for unit in now.values()}
    found = []
    for row in seed("reference", "communes"):
        if not row["valid_to_date"] or row["valid_to_date"] > day:
            continue
        ends = _ends(row["commune_id"], later)
        before = [
            unit for unit in units_on(_day_before(row["valid_to_date"])) if unit.unit_id == row["commune_id"]
        ]
        if (
            len(ends) == 1
            and ends <= now.keys()
            and before
            and (before[0].district, before[0].text) not in taken
        ):
            found.append((before[0], next(iter(ends))))
    return tuple(found)


def _ends(unit: str, later: Mapping[str, set[str]]) -> set[str]:
    if not later.get(unit):
        return {unit}
    return set().union(*(_ends(following, later) for following in later[unit]))


def _day_before(day: str) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
