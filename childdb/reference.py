"""Reference data of the seeds: code lists, mappings and units, read once and never changed at run time."""

from __future__ import annotations

import csv
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from childdb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

SEEDS = Path(__file__).resolve().parent.parent / "dbt_project" / "seeds"


class SeedFolder(StrEnum):
    """The three folders of seeds that the code reads."""

    CODES = "codes"
    MAPPINGS = "mappings"
    REFERENCE = "reference"


@lru_cache(maxsize=None)
def seed_rows(folder: SeedFolder, name: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of one seed, every value as text, in the order of the file."""
    path = SEEDS / folder.value / f"{name}.csv"
    if not path.is_file():
        raise ConfigurationError(
            f"Seed {folder.value}/{name}.csv is missing: restore dbt_project/seeds from the repository."
        )
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@lru_cache(maxsize=None)
def export_columns() -> tuple[str, ...]:
    """Return the 58 columns of the commune export in their order."""
    return tuple(row["column"] for row in seed_rows(SeedFolder.REFERENCE, "export_columns"))


@lru_cache(maxsize=None)
def column_labels() -> Mapping[str, str]:
    """Return the Vietnamese caption of each export column, as people see it in a sheet."""
    rows = seed_rows(SeedFolder.REFERENCE, "export_columns")
    return {row["column"]: row["header_seen_or_expected"] for row in rows}


@lru_cache(maxsize=None)
def required_columns() -> tuple[str, ...]:
    """Return the columns a child row should not leave blank."""
    rows = seed_rows(SeedFolder.REFERENCE, "export_columns")
    return tuple(row["column"] for row in rows if row["required"] == "yes")


@lru_cache(maxsize=None)
def number_province_codes() -> frozenset[str]:
    """Return the 63 known values of digits 1-3 of a personal number; valid for ever, whatever merges later."""
    rows = seed_rows(SeedFolder.REFERENCE, "number_province_codes")
    return frozenset(row["id_digits_1_3"] for row in rows)


@lru_cache(maxsize=None)
def mapping_rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the spellings seen for one list of the commune export."""
    return seed_rows(SeedFolder.MAPPINGS, f"map_treem__{name}")
