"""Reference data of the seeds: code lists, mappings and units, read once and never changed at run time."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from childdb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SEEDS = Path(__file__).resolve().parent.parent / "dbt_project" / "seeds"


class SeedFolder(StrEnum):
    """The three folders of seeds that the code reads."""

    CODES = "codes"
    MAPPINGS = "mappings"
    REFERENCE = "reference"


@cache
def seed_rows(folder: SeedFolder, name: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of one seed, every value as text, in the order of the file."""
    path = SEEDS / folder.value / f"{name}.csv"
    if not path.is_file():
        raise ConfigurationError(
            f"Seed {folder.value}/{name}.csv is missing: restore dbt_project/seeds from the repository."
        )
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def export_columns() -> tuple[str, ...]:
    """Return the 58 columns of the commune export in their order."""
    return tuple(row["column"] for row in seed_rows(SeedFolder.REFERENCE, "export_columns"))


@cache
def listed_reasons() -> frozenset[str]:
    """Return the reason codes of the list of bad inputs, which senders know."""
    return frozenset(row["reason_code"] for row in seed_rows(SeedFolder.REFERENCE, "bad_inputs"))


@cache
def column_labels() -> Mapping[str, str]:
    """Return the Vietnamese caption of each export column, as people see it in a sheet."""
    rows = seed_rows(SeedFolder.REFERENCE, "export_columns")
    return {row["column"]: row["header_seen_or_expected"] for row in rows}


@cache
def required_columns() -> tuple[str, ...]:
    """Return the columns a child row should not leave blank."""
    rows = seed_rows(SeedFolder.REFERENCE, "export_columns")
    return tuple(row["column"] for row in rows if row["required"] == "yes")


@cache
def number_province_codes() -> frozenset[str]:
    """Return the 63 known values of digits 1-3 of a personal number; valid for ever, whatever merges later."""
    rows = seed_rows(SeedFolder.REFERENCE, "number_province_codes")
    return frozenset(row["id_digits_1_3"] for row in rows)


_tried_mappings: dict[str, tuple[Mapping[str, str], ...]] = {}


def mapping_rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the spellings seen for one list of the commune export, or those on trial."""
    return _tried_mappings.get(name) or seed_rows(SeedFolder.MAPPINGS, f"map_treem__{name}")


@contextmanager
def trying_mappings(changed: Mapping[str, tuple[Mapping[str, str], ...]]) -> Iterator[None]:
    """Let `mapping_rows` answer with changed lists for a while; caches made from them are the caller's to clear."""
    _tried_mappings.update(changed)
    try:
        yield
    finally:
        for name in changed:
            _tried_mappings.pop(name, None)
