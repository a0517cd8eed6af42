"""Lists leave by a person's word only; answers are fetched from the inbox; late lists are reminded of, not too often."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from childdb.errors import GateStoppedError, UsageError
from childdb.flow import requests
from childdb.settings import Settings
from childdb.worklists.dispatch import MOST_REMINDERS
from childdb.worklists.service import export_lists
from childdb.workspace import Workspace
from tests.integration.gates_support import Warehouse
from tests.integration.requests_support import answer_workbook, child, fill, open_lists, provide

ANSWER = {"responded_by_user": {"name": "Trưởng phòng"}, "responded_at": "2026-03-02T08:00:00+07:00"}
DUE = date(2026, 3, 31)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_lists() as opened:
        yield opened


@pytest.fixture
def settings(warehouse: Warehouse) -> Settings:
    workspace = Workspace(warehouse.settings.home)
    for folder in (workspace.outbox, workspace.inbox):
        shutil.rmtree(folder, ignore_errors=True)
    return replace(warehouse.settings)


def test_nothing_leaves_without_a_person_and_once_it_does_by_commune(
    warehouse: Warehouse, settings: Settings
) -> None:
    fill(warehouse, [child(n) for n in range(6)])
    batch = export_lists(settings).batch_id
    outbox = Workspace(settings.home).outbox
    with pytest.raises(GateStoppedError):
        requests.send_lists(settings, batch, None)
    assert not outbox.is_dir() or not list(outbox.iterdir())
    assert requests.send_lists(settings, batch, ANSWER)["lists"] == 2
    assert requests.send_lists(settings, batch, ANSWER)["lists"] == 2
    sent = sorted(path.relative_to(outbox / batch).as_posix() for path in (outbox / batch).rglob("*.*"))
    assert sent == [
        "00004/00004_cong_van.docx",
        "00004/00004_no_number.xlsx",
        "00008/00008_cong_van.docx",
        "00008/00008_no_number.xlsx",
    ]
    assert warehouse.rows("select approved_by, list_count from quality.request_dispatches") == [
        ("Trưởng phòng", 2)
    ]
    with pytest.raises(UsageError):
        requests.send_lists(settings, "20260301-khongco", ANSWER)


def test_late_lists_are_reminded_of_in_rounds_and_answered_ones_are_not(
    warehouse: Warehouse, settings: Settings
) -> None:
    children = [child(n) for n in range(6)]
    fill(warehouse, children)
    report = export_lists(settings)
    assert requests.remind_of_lists(settings, DUE + timedelta(days=60))["reminders"] == 0
    requests.send_lists(settings, report.batch_id, ANSWER)
    assert requests.remind_of_lists(settings, DUE)["reminders"] == 0
    inbox = Workspace(settings.home).prepare().inbox / "police"
    inbox.mkdir(parents=True)
    answered = next(entry.path for entry in report.lists if entry.commune_code == "00004")
    (inbox / "tra_loi.xlsx").write_bytes(answer_workbook(answered.read_bytes(), provide(children)))
    assert requests.take_in_answers(settings)["applied"] == 3
    assert requests.take_in_answers(settings)["files"] == 0
    late = DUE + timedelta(days=14)
    assert requests.remind_of_lists(settings, late)["communes"] == ["00008@2025-07-01"]
    assert requests.remind_of_lists(settings, late)["reminders"] == 0
    rounds = [
        requests.remind_of_lists(settings, late + timedelta(days=14 * n))["reminders"] for n in range(1, 6)
    ]
    assert sum(rounds) == MOST_REMINDERS - 1
