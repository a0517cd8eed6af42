"""Repeats and shared numbers are the same however few rows are looked at together."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from childdb.cleaning.repeats import RepeatWatch, sight_of
from childdb.reference import export_columns


def _rows(count: int, seed: int) -> pa.Table:
    """Return rows of which some repeat an earlier one and some share a number with another child."""
    rng = random.Random(seed)
    rows: list[dict[str, str]] = []
    for place in range(count):
        row = {
            "ho_ten_tre": f"Bé {place}",
            "ngay_sinh": "01/02/2019",
            "so_dinh_danh": f"0012192{place:05d}",
            "ngay_sinh_raw": "01/02/2019",
        }
        if rows and rng.random() < 0.1:
            row = dict(rng.choice(rows))
        elif rows and rng.random() < 0.1:
            row["so_dinh_danh"] = rng.choice(rows).get("so_dinh_danh", row["so_dinh_danh"])
        elif rng.random() < 0.1:
            row.pop("so_dinh_danh")
        rows.append(row | {"stt": str(place)})
    names = (*export_columns(), "ngay_sinh_raw")
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def _told(table: pa.Table, part: int, rows_at_once: int) -> dict[str, list[int]]:
    watch = RepeatWatch(rows_at_once=rows_at_once)
    for start in range(0, table.num_rows, part):
        rows = table.slice(start, part)
        watch.remember(sight_of(rows, rows))
    return {mark.rule_id: mark.rows.tolist() for mark in watch.marks(table)}


def _as_defined(table: pa.Table) -> dict[str, list[int]]:
    """Return the same by the words of the rules, row by row."""
    rows = table.drop_columns(["stt"]).to_pylist()
    seen: set[tuple[str | None, ...]] = set()
    repeats = []
    for place, row in enumerate(rows):
        values = tuple(row.values())
        if values in seen:
            repeats.append(place)
        seen.add(values)
    holders: dict[str, list[tuple[int, str]]] = {}
    for place, row in enumerate(rows):
        if place not in repeats and row["so_dinh_danh"]:
            holders.setdefault(row["so_dinh_danh"], []).append((place, row["ho_ten_tre"]))
    shared = [held for held in holders.values() if len({name for _, name in held}) > 1]
    return {"ROW-002": repeats, "ID-018": sorted(place for held in shared for place, _ in held)}


@pytest.mark.parametrize("rows_at_once", [10_000, 300, 7])
@pytest.mark.parametrize("seed", range(3))
def test_shares_change_nothing(seed: int, rows_at_once: int) -> None:
    table = _rows(900, seed)
    expected = _as_defined(table)
    assert all(len(found) > 20 for found in expected.values())
    assert _told(table, 100, rows_at_once) == expected


def test_nothing_seen_is_nothing_marked() -> None:
    table = _rows(0, 1)
    assert RepeatWatch().marks(table) == []
