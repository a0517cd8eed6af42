"""Lists leave by a person's word only; answers are fetched from the inbox; late lists are reminded of, not too often."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from childdb.errors import GateStoppedError, UsageError
from childdb.flow import requests
from childdb.settings import Settings
from childdb.worklists.dispatch import MOST_REMINDERS
from childdb.worklists.service import export_lists, import_lists
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


KILLED = """
import os, signal, sys
from pathlib import Path
from childdb.settings import load_settings
from childdb.worklists import answer_store, export, service, store

module, name, calls = {"answer": (answer_store, "_write_rows", 2), "file": (answer_store, "record_file", 1),
                       "list": (export, "_write_private", 2), "rows": (store, "record_rows", 1)}[sys.argv[1]]
real, count = getattr(module, name), 0

def dying(*words, **named):
    global count
    count += 1
    if count == calls:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*words, **named)

setattr(module, name, dying)
settings = load_settings()
if sys.argv[2:]:
    service.import_lists(settings, [Path(sys.argv[2])])
else:
    service.export_lists(settings)
"""


def killed(settings: Settings, *words: str) -> None:
    environment = {**os.environ, **settings.as_environment()}
    done = subprocess.run([sys.executable, "-c", KILLED, *words], env=environment, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL


def state(warehouse: Warehouse) -> list[list[tuple[object, ...]]]:
    return [
        warehouse.rows(f"select {columns} from {table} order by 1, 2")
        for table, columns in (
            ("quality.work_items", "item_id, state, opened_count, closed_count"),
            ("quality.work_item_events", "item_id, event, reason_code"),
            ("quality.request_rows", "row_key, batch_id"),
            ("quality.request_answers", "answer_id, outcome, reason_code"),
            ("quality.request_files", "file_sha256, outcome"),
            ("vault.provided_numbers", "answer_id, child_id"),
        )
    ]


@pytest.mark.parametrize("place", ["answer", "file"])
def test_killed_import_leaves_nothing_and_its_repeat_everything(
    warehouse: Warehouse, settings: Settings, tmp_path: Path, place: str
) -> None:
    children = [child(2 * n) for n in range(4)]
    fill(warehouse, children)
    (entry,) = export_lists(settings).lists
    path = tmp_path / "a.xlsx"
    path.write_bytes(answer_workbook(entry.path.read_bytes(), provide(children)))
    before = state(warehouse)
    killed(settings, place, str(path))
    assert state(warehouse) == before
    (report,) = import_lists(settings, [path])
    assert [row.reason_code for row in report.rows] == ["NUMBER-RECORDED"] * 4
    after = state(warehouse)
    assert import_lists(settings, [path])[0].is_repeat
    assert state(warehouse) == after


@pytest.mark.parametrize("place", ["list", "rows"])
def test_killed_export_leaves_no_half_batch_and_its_repeat_the_same_batch(
    warehouse: Warehouse, settings: Settings, place: str
) -> None:
    children = [child(n) for n in range(4)]
    fill(warehouse, children)
    whole = export_lists(settings)
    undisturbed = state(warehouse)
    fill(warehouse, children)
    shutil.rmtree(whole.folder)
    before = state(warehouse)
    killed(settings, place)
    assert state(warehouse) == before
    assert not whole.folder.exists()
    assert export_lists(settings).batch_id == whole.batch_id
    assert state(warehouse) == undisturbed
    assert len(list(whole.folder.iterdir())) == len(whole.lists) + 2
