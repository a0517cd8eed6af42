"""Indicators and measures are data, and both ends agree."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from tests.architecture.repository import ROOT, files, report, text_of

FOLDER = ROOT / "dbt_project" / "seeds" / "indicators"


SITUATIONS = {"special_circumstance_children", "at_risk_children", "poor_or_near_poor_children"}
"""Measures whose share tells what a child lives in; a share of good service (numbers, assistance) may be all."""


@cache
def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a seed of indicators."""
    with open(FOLDER / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def used_measures() -> set[str]:
    """Return the measures that indicators name."""
    columns = ("numerator_measure_code", "denominator_measure_code")
    return {row[column] for row in rows("indicators") for column in columns if row[column]}


def test_indicators_name_known_measures() -> None:
    found = sorted(used_measures() - {row["measure_code"] for row in rows("measures")})
    assert not found, report(found, "an indicator without its measure has no value", "add it to measures.csv")


def test_every_measure_serves_an_indicator() -> None:
    found = sorted({row["measure_code"] for row in rows("measures")} - used_measures())
    assert not found, report(
        found, "what nothing uses is not kept", "remove the measure or name it in indicators.csv"
    )


def test_every_measure_is_computed_and_nothing_else() -> None:
    macro = "\n".join(text_of(path) for path in files() if path.parts[:2] == ("dbt_project", "macros"))
    computed = set(re.findall(r'"([a-z0-9_]+)":\s*"', macro))
    named = {row["measure_code"] for row in rows("measures")}
    found = [f"{name}: in measures.csv, not computed" for name in sorted(named - computed)]
    found += [f"{name}: computed, not in measures.csv" for name in sorted(computed - named)]
    assert not found, report(
        found, "a count without a definition cannot be explained", "keep macro and seed together"
    )


def test_indicator_keys_are_unique_and_versions_follow() -> None:
    keys = [
        (row["indicator_set"], row["indicator_code"], row["definition_version"]) for row in rows("indicators")
    ]
    found = [str(key) for key in sorted({key for key in keys if keys.count(key) > 1})]
    assert not found, report(
        found, "a code is no key: set, code and version are", "give the new definition a version"
    )


def test_indicators_are_protected_as_decided() -> None:
    found = [
        f"{row['indicator_set']} {row['indicator_code']}"
        for row in rows("indicators")
        if int(row["small_cell_minimum"]) < 10 or int(row["rounding_base"]) < 5
    ]
    assert not found, report(
        found, "docs/decisions/0006: under 10 hidden, else rounded to 5", "raise the limits"
    )
    told = [
        f"{row['indicator_set']} {row['indicator_code']}"
        for row in rows("indicators")
        if row["numerator_measure_code"] in SITUATIONS
        and row["denominator_measure_code"]
        and row["all_of_them_code"] != "hide"
    ]
    assert not told, report(
        told, "THREATS 6.4: a share of all of them tells of each child", "set all_of_them_code to hide"
    )


def test_indicators_say_law_in_force_and_source() -> None:
    needed = ("name_vi", "name_en", "legal_basis", "valid_from_date", "unit")
    found = [
        f"{row['indicator_set']} {row['indicator_code']}: {column}"
        for row in rows("indicators")
        for column in needed
        if not row[column]
    ]
    assert not found, report(
        found, "a figure of the ministry stands on a law", f"fill it in, {Path('indicators.csv')}"
    )
