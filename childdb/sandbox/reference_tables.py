"""The project's own reference seeds, read as plain rows; the sandbox shares no code with the cleaning it is to test."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import yaml

from childdb.errors import EnvironmentFailedError

Row = dict[str, str]
_HERE = Path(__file__).resolve().parent
_SEEDS = _HERE.parents[1] / "dbt_project" / "seeds"


@cache
def rows_of(name: str) -> tuple[Row, ...]:
    """Return all rows of the seed ``name`` (without folder and ending), every value as text."""
    for path in sorted(_SEEDS.rglob(f"{name}.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    raise EnvironmentFailedError(
        f"The seed {name}.csv is not under dbt_project/seeds; the checkout is not complete."
    )


@cache
def document(name: str) -> dict[str, object]:
    """Return one of the sandbox's own YAML documents."""
    with (_HERE / f"{name}.yml").open(encoding="utf-8") as file:
        loaded: dict[str, object] = yaml.safe_load(file)
    return loaded


MERGER_DAY = "2025-07-01"


@cache
def present_communes() -> tuple[Row, ...]:
    """Return the communes since July 2025 in code order: id, code, province, name and type on their first day."""
    names = {
        row["commune_id"]: row for row in rows_of("commune_names") if row["valid_from_date"] == MERGER_DAY
    }
    found = []
    for row in rows_of("communes"):
        if row["valid_from_date"] == MERGER_DAY:
            name = names[row["commune_id"]]
            found.append({**row, "name": name["name_vi"], "type": name["unit_type"]})
    return tuple(sorted(found, key=lambda row: row["commune_code"]))


@cache
def former_communes() -> dict[str, Row]:
    """Return the communes of the last day of June 2025 by id: code, district and province with names, type and name."""
    districts = {
        row["district_code"]: row["name_vi"]
        for row in rows_of("districts")
        if row["valid_to_date"] == MERGER_DAY
    }
    names = {row["commune_id"]: row for row in rows_of("commune_names") if row["valid_to_date"] == MERGER_DAY}
    found = {}
    for row in rows_of("communes"):
        if row["valid_to_date"] == MERGER_DAY:
            name = names[row["commune_id"]]
            district = districts.get(row["district_code"], "")
            found[row["commune_id"]] = {
                **row,
                "name": name["name_vi"],
                "type": name["unit_type"],
                "district": district,
            }
    return found


@cache
def merger_links() -> tuple[Row, ...]:
    """Return which former commune (id) became part of which present one, where people live in the part."""
    rows = rows_of("commune_successions")
    return tuple(row for row in rows if row["changed_date"] == MERGER_DAY and row["holds_population"] == "1")


@cache
def province_names(present: bool) -> dict[str, Row]:
    """Return names and types of the provinces by code, since July 2025 or before."""
    rows = rows_of("province_names")
    start = MERGER_DAY
    chosen = [row for row in rows if (row["valid_from_date"] >= start) == present]
    return {row["province_id"].split("@")[0]: row for row in reversed(chosen)}


@cache
def ethnic_aliases() -> dict[int, tuple[str, ...]]:
    """Return other names of each ethnic group (1979 code) that belong to no other group."""
    found: dict[int, list[str]] = {}
    for row in rows_of("map_treem__ethnic_groups"):
        if row["provenance"].startswith("other name") and row["is_ambiguous"] == "0":
            found.setdefault(int(row["code"]), []).append(row["spelling"])
    return {code: tuple(names) for code, names in found.items()}
