"""Floors of accuracy on small nations nobody tuned to, both profiles."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest


def _measure(nation) -> dict[str, float]:
    accepted = [row for row in nation.links if row["decision"] == "accepted"]
    right = sum(row["person_id"] == nation.truth[row["record_id"]]["person_id"] for row in accepted)
    findable = sum(row["person_id"] is not None for row in nation.truth.values())
    review = sum(row["decision"] == "review" for row in nation.links)
    return {
        "precision": right / len(accepted),
        "recall": right / findable,
        "review": review / len(nation.links),
        "false_without_counterpart": sum(
            nation.truth[row["record_id"]]["person_id"] is None for row in accepted
        ),
    }


def _pairs(groups: dict[str, str]) -> set[tuple[str, str]]:
    members: dict[str, list[str]] = {}
    for record, group in sorted(groups.items()):
        members.setdefault(group, []).append(record)
    return {pair for rows in members.values() for pair in combinations(rows, 2)}


@pytest.mark.parametrize(
    ("name", "precision", "recall", "review"),
    [("default_nation", 0.9995, 0.994, 0.008), ("hard_nation", 0.998, 0.98, 0.03)],
)
def test_links_hold_the_floors(
    name: str, precision: float, recall: float, review: float, request: pytest.FixtureRequest
) -> None:
    measured = _measure(request.getfixturevalue(name))
    assert measured["precision"] >= precision, measured
    assert measured["recall"] >= recall, measured
    assert measured["review"] <= review, measured


@pytest.mark.parametrize("name", ["default_nation", "hard_nation"])
def test_children_without_counterpart_are_left_alone(name: str, request: pytest.FixtureRequest) -> None:
    nation = request.getfixturevalue(name)
    alone = sum(row["person_id"] is None for row in nation.truth.values())
    assert alone > 50
    assert _measure(nation)["false_without_counterpart"] <= 0.008 * alone + 1


@pytest.mark.parametrize(
    ("name", "precision", "recall"), [("default_nation", 0.99, 0.95), ("hard_nation", 0.98, 0.9)]
)
def test_duplicates_become_one_child(
    name: str, precision: float, recall: float, request: pytest.FixtureRequest
) -> None:
    nation = request.getfixturevalue(name)
    true = _pairs({record: row["child_key"] for record, row in nation.truth.items()})
    found = _pairs(nation.persons)
    assert len(true) > 50
    assert len(true & found) / len(found) >= precision
    assert len(true & found) / len(true) >= recall


@pytest.mark.parametrize("name", ["default_nation", "hard_nation"])
def test_weights_of_the_fields_add_up_to_the_weight_of_the_link(
    name: str, request: pytest.FixtureRequest
) -> None:
    for row in request.getfixturevalue(name).links:
        if row["decision"] != "none":
            assert abs(sum(weight for _, weight in row["evidence"]) - row["match_weight"]) < 0.01


def test_one_row_for_each_record_sorted_by_key(default_nation) -> None:
    keys = [row["record_id"] for row in default_nation.links]
    assert keys == sorted(keys)
    assert set(keys) == set(default_nation.truth) == set(default_nation.persons)
    counted = Counter(row["decision"] for row in default_nation.links)
    assert {name: counted[name] for name in ("accepted", "review", "none")} == default_nation.report.decisions


def test_child_is_named_by_its_smallest_record(hard_nation) -> None:
    members: dict[str, list[str]] = {}
    for record, child in hard_nation.persons.items():
        members.setdefault(child, []).append(record)
    assert all(child == min(rows) for child, rows in members.items())


def test_rows_of_one_person_are_one_child(hard_nation) -> None:
    children: dict[str, set[str]] = {}
    for row in hard_nation.links:
        if row["decision"] == "accepted":
            children.setdefault(row["person_id"], set()).add(hard_nation.persons[row["record_id"]])
    assert all(len(found) == 1 for found in children.values())
