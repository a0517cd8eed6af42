"""A part of the fuzzing that ``make fuzz`` does in full; and no row of any corpus can vanish unnoticed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzz import csv_records, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sheet_factory import PLAIN_HEADER, children, csv_text, write_workbook

from childdb.reading import read_file
from childdb.reading.child import read_bytes_of
from childdb.reading.model import ReadOptions


@pytest.mark.timeout(280)
def test_mutated_files_end_in_one_of_five_outcomes_and_lose_no_row() -> None:
    told: list[str] = []
    ends = run(150, 20261121, told.append)
    assert not told
    assert sum(count for name, count in ends.items() if not name.startswith("broken")) == 150
    assert len(ends) > 8


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 30),
    seed=st.integers(0, 10**6),
    gone=st.integers(0, 29),
    kind=st.sampled_from(["csv", "xlsx"]),
)
def test_deleting_any_one_row_changes_the_count(
    tmp_path: Path, count: int, seed: int, gone: int, kind: str
) -> None:
    rows = children(count, seed)
    shorter = [row for number, row in enumerate(rows) if number != gone % count]
    counts = []
    for place, kept in enumerate((rows, shorter)):
        path = tmp_path / f"{place}.{kind}"
        table = [list(PLAIN_HEADER), *kept]
        if kind == "csv":
            path.write_text(csv_text(table), encoding="utf-8")
            assert csv_records(path) == len(table)
        else:
            write_workbook(path, table)
        reading = read_bytes_of(path, ReadOptions())
        assert reading.physical_rows == len(table)
        counts.append((reading.physical_rows, reading.rows.num_rows))
    assert counts[0] == (counts[1][0] + 1, counts[1][1] + 1)


def test_both_ways_of_reading_a_sheet_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from childdb.reading import sheet_xml

    rows = children(40, seed=3)
    rnd = random.Random(4)
    for row in rows:
        if rnd.random() < 0.3:
            row[rnd.randrange(1, 11)] = None
        row[11] = rnd.choice([None, 1.5, True, "a < b & c", "=1+1", "  ", 1e-7, "dòng\nhai", "_x0041_"])
    path = write_workbook(tmp_path / "a.xlsx", [list(PLAIN_HEADER), *rows])
    fast = read_bytes_of(path, ReadOptions())

    def step_aside(*_: object) -> None:
        raise sheet_xml.NotPlainError

    monkeypatch.setattr(sheet_xml, "_split_sheet", step_aside)
    slow = read_bytes_of(path, ReadOptions())
    assert fast.rows.equals(slow.rows)
    assert (fast.physical_rows, fast.findings) == (slow.physical_rows, slow.findings)


def test_the_same_file_reads_the_same_twice(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [list(PLAIN_HEADER), *children(30)])
    first, second = read_file(path), read_file(path)
    assert first.rows.equals(second.rows)
    assert first.findings == second.findings
