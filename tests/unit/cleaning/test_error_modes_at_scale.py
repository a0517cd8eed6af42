"""The proofs of bench/: every error mode on generated children and clean rows of every group, small here, large there."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from bench import clean_rows, error_modes
from childdb.reference import SeedFolder, seed_rows

SMALL, LARGE = 60, 100_000
HERE = Path(__file__).parent
PROJECT = HERE.parents[2]


def check(mode: str, cases: int, number: int) -> None:
    score = error_modes.measure(mode, cases, number)
    # Files hold whole lists: they may bring some rows more than asked for, and a refused one counts once.
    assert score.cases >= (cases if mode != "E74" else cases // 2)
    assert score.wrong == 0, score.examples
    assert score.right >= 0.999 * score.cases, score.examples
    assert score.found >= 0.99 * score.cases, score.examples


def test_every_mode_is_generated_and_what_an_export_cannot_show_is_shown_by_a_named_test() -> None:
    listed = {row["id"] for row in seed_rows(SeedFolder.REFERENCE, "error_modes")}
    assert len(listed) == 75
    assert listed == {*error_modes.MODES, *error_modes.ELSEWHERE}
    with (HERE / "error_modes_shown.csv").open(encoding="utf-8", newline="") as file:
        shown = {row["id"]: row["shown_by"] for row in csv.DictReader(file)}
    assert shown.keys() >= error_modes.ELSEWHERE
    for place in shown.values():
        path, name = place.split("::")
        assert re.search(rf"^def {name}\(", (PROJECT / path).read_text(encoding="utf-8"), re.M), place


@pytest.mark.parametrize("mode", error_modes.MODES)
def test_error_mode_on_generated_children(mode: str) -> None:
    check(mode, SMALL, 11)


@pytest.mark.flow
@pytest.mark.parametrize("mode", error_modes.MODES)
def test_error_mode_in_a_hundred_thousand(mode: str) -> None:
    check(mode, LARGE, 12)


def test_clean_rows_of_every_group_stay_as_they_are() -> None:
    answer = clean_rows.measure(2_000, 7)
    assert (answer["changed_cells"], answer["findings"]) == ({}, {})


@pytest.mark.flow
def test_a_million_clean_rows() -> None:
    answer = clean_rows.measure(1_000_000, 8)
    assert answer["changed_per_100000_rows"] < 1
    assert answer["findings_per_100000_rows"] < 1
