"""Answers taken in while the database server dies: what was reported is on disk, what was not comes by the repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from childdb.database.access import attach, start_server
from childdb.errors import ChilddbError
from childdb.worklists import answer_store
from childdb.worklists.imported import FileReport
from childdb.worklists.service import export_lists, import_lists
from tests.integration.gates_support import Warehouse
from tests.integration.requests_support import answer_workbook, child, fill, open_lists, provide
from tests.integration.server_faults import kill_postgres

ENDS = "select file_sha256, row_no, outcome, reason_code from quality.request_answers order by 1, 2"


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_lists(embedded=True) as opened:
        yield opened


@pytest.fixture
def answers(warehouse: Warehouse, tmp_path: Path) -> list[Path]:
    """Answered lists of two communes."""
    children = [child(n) for n in range(8)]
    fill(warehouse, children)
    paths = []
    for entry in export_lists(warehouse.settings).lists:
        paths.append(tmp_path / entry.path.name)
        paths[-1].write_bytes(answer_workbook(entry.path.read_bytes(), provide(children)))
    assert len(paths) == 2
    return paths


def restarted(warehouse: Warehouse) -> Warehouse:
    """Kill the server and everything it started, as a power cut would, and start it again."""
    kill_postgres(warehouse.settings)
    start_server(warehouse.settings)
    return replace(warehouse, database=attach(warehouse.settings))


def test_what_an_import_reported_survives_the_server(warehouse: Warehouse, answers: list[Path]) -> None:
    reports = import_lists(warehouse.settings, answers)
    # Killed at once: what is not on disk yet is lost.
    after = restarted(warehouse)
    assert [row.reason_code for report in reports for row in report.rows] == ["NUMBER-RECORDED"] * 8
    assert after.rows("select count(*) from quality.request_answers where outcome = 'applied'") == [(8,)]
    assert after.rows("select count(*) from quality.work_items where state = 'applied'") == [(8,)]
    assert after.rows("select count(*) from vault.provided_numbers") == [(8,)]


def test_an_import_cut_off_is_made_whole_by_its_repeat(
    warehouse: Warehouse, answers: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, files = answer_store.record_file, 0

    def dying(connection: psycopg.Connection, report: FileReport) -> None:
        nonlocal files
        files += 1
        real(connection, report)
        if files == 2:
            kill_postgres(warehouse.settings)

    with monkeypatch.context() as patched:
        patched.setattr(answer_store, "record_file", dying)
        with pytest.raises((psycopg.Error, ChilddbError)):
            import_lists(warehouse.settings, answers)
    start_server(warehouse.settings)
    after = replace(warehouse, database=attach(warehouse.settings))
    # Nothing, or the first file whole: never a part of one.
    assert after.rows("select count(*) from quality.request_answers") in ([(0,)], [(4,)])
    assert all(report.outcome == "read" for report in import_lists(warehouse.settings, answers))
    ends = after.rows(ENDS)
    assert [end[2:] for end in ends] == [("applied", "NUMBER-RECORDED")] * 8
    assert after.rows("select count(*) from quality.work_items where state = 'applied'") == [(8,)]
    assert all(report.is_repeat for report in import_lists(warehouse.settings, answers))
    assert after.rows(ENDS) == ends
