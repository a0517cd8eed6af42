"""Scores per commune and month: recomputed by a script of its own, and equal through a merger to joint rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from childdb.database import Role, connect
from childdb.quality.scores import Score, count_scores, joined, read_scores
from childdb.quality.suites import load_suite
from tests.integration.gates_support import Warehouse, open_warehouse

SUITE = "raw/treem__children"
OLD_A, OLD_B, NEW = "00001@2021-11-01", "00004@2021-11-01", "00004@2025-07-01"
DIVIDED = "00008@2021-11-01"
NAMES = ("Nguyễn Thử", None, "Số 12", "Trần Thử")
DATES = ("05/03/2019", None, "Kinh", "2019", "05/03/2019")
SEXES = ("Nam", "Nữ", None, "Thôn 3", "x", "nữ")
NUMBERS = (None, "001319000001", "12345")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse() as opened:
        yield opened


def rows(start: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "ho_ten_tre": NAMES[n % 4],
            "ngay_sinh": DATES[n % 5],
            "gioi_tinh": SEXES[n % 6],
            "dan_toc": None if n % 7 == 0 else "Kinh",
            "so_dinh_danh": NUMBERS[n % 3],
        }
        for n in range(start, start + count)
    ]


def load(
    warehouse: Warehouse, name: str, day: str, lists: dict[str, list[dict[str, Any]]], now: str | None
) -> None:
    batch_id = f"treem__children@{name}"
    total = sum(map(len, lists.values()))
    entry = {
        "batch_id": batch_id, "dataset": "treem__children", "file_sha256": name, "size_bytes": 1,
        "file_name_text": "x", "file_date": day, "status": "judged", "outcome": "accept", "physical_rows": total,
        "header_footer_rows": 0, "accepted": total, "quarantined": 0, "rejected": 0,
    }  # fmt: skip
    places = [(commune, row) for commune, found in lists.items() for row in found]
    key = {"_batch_id": batch_id, "_sheet": "DS", "_outcome": "accepted"}
    warehouse.insert(
        "raw.treem__children", [{**key, "_row_no": n, **row} for n, (_, row) in enumerate(places, 1)]
    )
    warehouse.insert("ops.batches", [entry])
    warehouse.insert(
        "clean.treem__children",
        [
            {"record_id": f"{name}-{n}", "_batch_id": batch_id, "sheet": "DS", "row_no": n, "outcome": "accepted",
             "commune_id": commune, "commune_id_2025": now}
            for n, (commune, _) in enumerate(places, 1)
        ],
    )  # fmt: skip


def scores(warehouse: Warehouse) -> dict[tuple[str, str], Score]:
    with connect(Role.CHECKER, warehouse.settings) as connection:
        count_scores(connection)
        assert count_scores(connection) == 0
        return {(entry.commune_id, entry.month.isoformat()[:7]): entry for entry in read_scores(connection)}


def by_hand(found: list[dict[str, Any]]) -> tuple[int, int]:
    """Apply the scored rules without the gate's SQL and without its engine."""
    suite = load_suite(SUITE)
    evaluated = failed = 0
    for rule in suite.rules:
        if rule.rule_id not in suite.scored:
            continue
        pattern = re.compile(_python_regex(str(rule.kwargs.get("regex", ""))))
        for row in found:
            value = row[rule.kwargs["column"]]
            if rule.type.endswith("not_be_null"):
                evaluated, failed = evaluated + 1, failed + (value is None)
            elif value is not None:
                is_match = bool(pattern.search(value))
                evaluated, failed = evaluated + 1, failed + (is_match == ("not_match" in rule.type))
    return evaluated, failed


def _python_regex(text: str) -> str:
    for name, signs in (("[:alnum:]", r"\w"), ("[:space:]", r"\s")):
        text = text.replace(name, signs)
    return text


def test_scores_equal_those_of_an_independent_script(warehouse: Warehouse) -> None:
    warehouse.empty("ops.batches", "raw.treem__children", "clean.treem__children")
    before = {OLD_A: rows(0, 37), OLD_B: rows(5, 23)}
    load(warehouse, "a", "2025-05-20", {OLD_A: before[OLD_A]}, NEW)
    load(warehouse, "b", "2025-05-03", {OLD_B: before[OLD_B]}, NEW)
    load(warehouse, "older", "2025-05-01", {OLD_A: rows(100, 90)}, NEW)
    load(warehouse, "d", "2025-05-09", {DIVIDED: rows(3, 11)}, None)
    load(warehouse, "c", "2026-01-09", {NEW: rows(9, 41)}, NEW)
    found = scores(warehouse)
    assert {key: (entry.evaluated, entry.failed) for key, entry in found.items()} == {
        (NEW, "2025-05"): by_hand(before[OLD_A] + before[OLD_B]),
        (NEW, "2026-01"): by_hand(rows(9, 41)),
        (DIVIDED, "2025-05"): by_hand(rows(3, 11)),
    }
    (stored,) = warehouse.rows(
        "select score::float8 from quality.commune_month_scores where commune_id = %s and list_count = 2", NEW
    )
    evaluated, failed = by_hand(before[OLD_A] + before[OLD_B])
    assert stored[0] == pytest.approx(1 - failed / evaluated, abs=1e-6)


def test_score_through_the_merger_is_that_of_the_joint_rows(warehouse: Warehouse) -> None:
    warehouse.empty("ops.batches", "raw.treem__children", "clean.treem__children")
    load(warehouse, "a", "2025-06-20", {OLD_A: rows(0, 37)}, NEW)
    load(warehouse, "b", "2025-06-21", {OLD_B: rows(50, 64)}, NEW)
    apart = scores(warehouse)[NEW, "2025-06"]
    warehouse.empty("ops.batches", "raw.treem__children", "clean.treem__children")
    load(warehouse, "ab", "2025-07-20", {NEW: rows(0, 37) + rows(50, 64)}, NEW)
    together = scores(warehouse)[NEW, "2025-07"]
    assert (apart.evaluated, apart.failed) == (together.evaluated, together.failed)
    assert apart.share == together.share
    assert joined([apart, together], "01")[0].share == apart.share
