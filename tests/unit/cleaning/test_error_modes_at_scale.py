"""The proofs of bench/: every error mode on generated children and clean rows of every group, small here, large there."""

from __future__ import annotations

import pytest

from bench import clean_rows, error_modes

SMALL, LARGE = 60, 100_000


def check(mode: str, cases: int, number: int) -> None:
    score = error_modes.measure(mode, cases, number)
    assert score.cases == cases
    if mode in error_modes.AUTO:
        assert score.right >= 0.999 * cases, score.examples
        assert score.wrong == 0, score.examples
    assert score.right == cases, score.examples
    assert score.found >= 0.99 * cases, score.examples


@pytest.mark.parametrize("mode", sorted(error_modes.MAKERS))
def test_error_mode_on_generated_children(mode: str) -> None:
    check(mode, SMALL, 11)


@pytest.mark.flow
@pytest.mark.parametrize("mode", sorted(error_modes.MAKERS))
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
