"""Each rule carries an example; the whole step runs it, so that a rule cannot say one thing and do another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from childdb.cleaning.rules import cleaning_rules
from tests.unit.cleaning.readings import FILE_DATE, clean_rows

RULES = cleaning_rules().rules
TESTED_ELSEWHERE = {"ENC-003"}


def profile_of(example: dict[str, Any]) -> dict[str, Any]:
    profile = {"stated_date": FILE_DATE.isoformat(), **example.get("file", {})}
    stated = profile["stated_date"]
    return {**profile, "stated_date": date.fromisoformat(stated) if stated else None}


def rows_of(example: dict[str, Any]) -> list[dict[str, Any]]:
    rows = example.get("rows") or [example["row"]]
    units = {"tinh", "huyen", "xa"}
    blank = {"huyen": None} if any(units & set(row) for row in rows) else {}
    undated = {"ngay_cap_nhat": None} if example.get("file") else {}
    return [{**blank, **undated, **row} for row in rows]


@pytest.mark.parametrize("rule_id", sorted(set(RULES) - TESTED_ELSEWHERE))
def test_example_of_rule_is_what_the_step_does(rule_id: str) -> None:
    example = dict(RULES[rule_id].example)
    cleaned = clean_rows(*rows_of(example), kinds=example.get("kinds"), **profile_of(example))
    assert rule_id in cleaned.findings["rule_id"].to_pylist()
    record = cleaned.records.to_pylist()[-1]
    assert {name: record[name] for name in example["gives"]} == example["gives"]


def test_each_finding_points_to_file_sheet_row_and_column() -> None:
    cleaned = clean_rows({"ho_ten_tre": "NGUYỄN THỊ HÒA"})
    finding = cleaned.findings.to_pylist()[0]
    assert (finding["sheet"], finding["row_no"], finding["column"]) == ("Danh sách", 2, "ho_ten_tre")


def test_clean_row_has_no_finding_and_is_accepted() -> None:
    cleaned = clean_rows({})
    assert cleaned.findings.num_rows == 0
    assert cleaned.ledger.outcome == "accept"


def test_messages_hold_no_value_of_a_row() -> None:
    cleaned = clean_rows({"ho_ten_tre": "XYZZY QWERTZ", "so_dinh_danh": "9988776655443", "xa": "Xã Plugh"})
    text = " ".join(
        cleaned.findings["message_vi"].to_pylist() + cleaned.findings["message_en"].to_pylist()
    ).lower()
    assert not any(value in text for value in ("xyzzy", "9988776655443", "plugh"))
