"""Decisions of people outrank the model."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from childdb.identity import match
from childdb.identity.decisions import Decision, DecisionKind


def test_pinned_and_barred_pairs_and_rows(default_nation, tmp_path: Path) -> None:
    accepted = [row for row in default_nation.links if row["decision"] == "accepted"]
    barred, pinned = accepted[0], accepted[1]
    alone = [row["record_id"] for row in default_nation.links if row["decision"] == "none"][:2]
    decisions = [
        Decision(DecisionKind.CANNOT_LINK, barred["record_id"], person_id=barred["person_id"]),
        Decision(DecisionKind.MUST_LINK, pinned["record_id"], person_id=barred["person_id"]),
        Decision(DecisionKind.MUST_LINK, alone[0], other_record_id=alone[1]),
        Decision(DecisionKind.MUST_LINK, "unknown", person_id="unknown"),
    ]
    model = default_nation.out / "model.json"
    report = match(
        default_nation.register,
        default_nation.population,
        tmp_path,
        threads=2,
        memory="1GB",
        model=model,
        decisions=decisions,
    )
    links = {row["record_id"]: row for row in pq.read_table(tmp_path / "links.parquet").to_pylist()}
    persons = {
        row["record_id"]: row["child_id"] for row in pq.read_table(tmp_path / "persons.parquet").to_pylist()
    }
    assert report.pairs["pinned"] == 3
    assert links[barred["record_id"]]["person_id"] != barred["person_id"]
    assert links[pinned["record_id"]]["person_id"] == barred["person_id"]
    assert (links[pinned["record_id"]]["rule_id"], links[pinned["record_id"]]["match_probability"]) == (
        "decision",
        1.0,
    )
    assert persons[alone[0]] == persons[alone[1]] == min(alone)


def test_two_rows_kept_apart_do_not_stay_one_child_of_one_person(default_nation, tmp_path: Path) -> None:
    by_person: dict[str, list[str]] = {}
    for row in default_nation.links:
        if row["decision"] == "accepted":
            by_person.setdefault(row["person_id"], []).append(row["record_id"])
    first, second = next(rows for rows in by_person.values() if len(rows) == 2)
    match(
        default_nation.register,
        default_nation.population,
        tmp_path,
        threads=2,
        memory="1GB",
        model=default_nation.out / "model.json",
        decisions=[Decision(DecisionKind.CANNOT_LINK, first, other_record_id=second)],
    )
    links = {row["record_id"]: row for row in pq.read_table(tmp_path / "links.parquet").to_pylist()}
    persons = {
        row["record_id"]: row["child_id"] for row in pq.read_table(tmp_path / "persons.parquet").to_pylist()
    }
    assert sorted(links[record]["decision"] for record in (first, second)) == ["accepted", "review"]
    assert "kept_apart" in {links[first]["rule_id"], links[second]["rule_id"]}
    assert persons[first] != persons[second]
