"""The indicator catalogue as the seeds hold it, checked before anything is built from it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from childdb.contracts import DBT_PROJECT
from childdb.errors import ContractError

SEEDS = DBT_PROJECT / "seeds" / "indicators"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One definition: the circular's own fields, the measures it is made of, and its limits."""

    indicator_set: str
    indicator_code: str
    definition_version: str
    valid_from: date
    valid_to: date | None
    fields: Mapping[str, str]

    def holds_on(self, day: date) -> bool:
        """Return whether the definition is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def read_catalogue(folder: Path = SEEDS) -> tuple[Indicator, ...]:
    """Return every definition of the catalogue in the order of the seed.

    Raises:
        ContractError: an indicator refers to a measure that does not exist, or two definitions overlap.
    """
    measures = {row["measure_code"] for row in _rows(folder / "measures.csv")}
    indicators = tuple(_indicator(row) for row in _rows(folder / "indicators.csv"))
    for indicator in indicators:
        _check_measures(indicator, measures)
    _check_versions(indicators)
    return indicators


@cache
def catalogue() -> tuple[Indicator, ...]:
    """Return the catalogue of this code base, read once."""
    return read_catalogue()


@cache
def measure_rules() -> Mapping[str, str]:
    """Return what each measure counts, in words."""
    return {row["measure_code"]: row["rule"] for row in _rows(SEEDS / "measures.csv")}


def definition(indicator_set: str, code: str, version: str) -> Indicator | None:
    """Return one version of a definition, or nothing where the catalogue has none."""
    keys = (indicator_set, code, version)
    for i in catalogue():
        if (i.indicator_set, i.indicator_code, i.definition_version) == keys:
            return i
    return None


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _indicator(row: dict[str, str]) -> Indicator:
    return Indicator(
        row["indicator_set"],
        row["indicator_code"],
        row["definition_version"],
        date.fromisoformat(row["valid_from_date"]),
        date.fromisoformat(row["valid_to_date"]) if row["valid_to_date"] else None,
        row,
    )


def _check_measures(indicator: Indicator, measures: set[str]) -> None:
    for column in ("numerator_measure_code", "denominator_measure_code"):
        code = indicator.fields[column]
        if code and code not in measures:
            raise ContractError(
                f"Indicator {indicator.indicator_set}/{indicator.indicator_code} refers to the measure {code}, which "
                "measures.csv does not have: add the measure, or correct the indicator.",
                f"Chỉ tiêu {indicator.indicator_set}/{indicator.indicator_code} dùng đại lượng {code} không có trong "
                "measures.csv: hãy thêm đại lượng hoặc sửa chỉ tiêu.",
            )


def _check_versions(indicators: tuple[Indicator, ...]) -> None:
    """Stop where two versions of one indicator hold on the same day."""
    by_key: dict[tuple[str, str], list[Indicator]] = {}
    for indicator in indicators:
        by_key.setdefault((indicator.indicator_set, indicator.indicator_code), []).append(indicator)
    for (indicator_set, code), versions in sorted(by_key.items()):
        versions.sort(key=lambda version: version.valid_from)
        for earlier, later in itertools.pairwise(versions):
            if earlier.holds_on(later.valid_from):
                raise ContractError(
                    f"Two definitions of {indicator_set}/{code} hold on {later.valid_from}: end version "
                    f"{earlier.definition_version} there with valid_to_date.",
                )
