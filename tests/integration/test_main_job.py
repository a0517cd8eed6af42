"""The main job through the real scheduler: once, again, changed, killed, and with bad input."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from childdb.database import Database, Role
from childdb.database.access import attach, open_database
from childdb.database.server import server_folder
from childdb.sandbox.evolve import evolve
from childdb.settings import Settings
from tests.job_support import APPROVERS, Job, open_job

pytestmark = pytest.mark.flow
STATE = {
    "batches": "select batch_id, status, outcome, physical_rows, header_footer_rows, accepted, quarantined, rejected "
    "from ops.batches order by batch_id",
    "raw": "select _batch_id, count(*) from raw.treem__children group by _batch_id order by _batch_id",
    "links": "select record_id, person_id, decision from identity.record_links order by record_id",
    "keys": "select count(distinct child_id) from identity.record_links",
    "figures": "select cell_id, numerator, denominator, value, status from publication.pub_figures_v1 order by cell_id",
}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with open_job(tmp_path_factory.mktemp("job"), children=1_500, seed=41, communes=12) as opened:
        yield opened


def state(job: Job) -> dict[str, Any]:
    """Return what the warehouse holds, without times and keys that may differ."""
    with open_database(job.settings) as database, database.connect(Role.CHECKER) as connection:
        return {name: connection.execute(query).fetchall() for name, query in STATE.items()}


def rows_of(path: Path) -> int:
    """Return the physical rows of a file, counted apart from childdb: rows with a value on a visible sheet."""
    if path.suffix != ".xlsx":
        return -1
    book = load_workbook(path)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    return sum(
        any(cell is not None and str(cell).strip() for cell in row) for s in sheets for row in s.values
    )


def test_a_run_ends_at_two_approvals_and_every_row_is_accounted_for(job: Job) -> None:
    status, answer = job.run(job.nation / "exports")
    assert status == 0, answer
    assert answer["status"] == "awaiting_approval"
    totals = answer["totals"]
    parts = ("header_footer_rows", "accepted", "quarantined", "rejected")
    assert totals["physical_rows"] == sum(totals[part] for part in parts)
    with open(job.nation / "truth" / "files.csv", encoding="utf-8", newline="") as file:
        truth = {entry["sha256"]: entry for entry in csv.DictReader(file)}
    assert totals["physical_rows"] == sum(int(entry["physical_rows"]) for entry in truth.values())
    assert totals["quarantined"] == sum(int(entry["held_rows"]) for entry in truth.values())
    counted = [rows_of(path) for path in sorted((job.nation / "exports").iterdir())]
    workbooks = [int(e["physical_rows"]) for e in truth.values() if e["file_name"].endswith(".xlsx")]
    assert sum(n for n in counted if n >= 0) == sum(workbooks)


def test_two_different_people_publish_the_release(job: Job) -> None:
    release = json.loads(job.command("release", "list", "--json").stdout)["releases"][0]["release_id"]
    stranger = job.command("release", "approve", release, "--as", "ai đó")
    assert stranger.returncode == 2, stranger.stderr
    first = json.loads(job.command("release", "approve", release, "--as", APPROVERS[0], "--json").stdout)
    assert first["status"] == "one_more"
    second = json.loads(job.command("release", "approve", release, "--as", APPROVERS[1], "--json").stdout)
    assert second["status"] == "published"
    assert job.command("release", "verify").returncode == 0
    approvals = json.loads(
        (job.settings.home / "releases" / release / "approvals.json").read_text(encoding="utf-8")
    )
    assert len(json.dumps(approvals)) > 0
    assert (job.settings.home / "portal" / "vi" / "index.html").exists()
    assert (job.settings.home / "quality" / "index.html").exists()
    lists = list((job.settings.home / "requests").rglob("*.xlsx"))
    assert lists
    assert all(path.stat().st_mode & 0o077 == 0 for path in lists)


def test_the_same_input_again_changes_nothing(job: Job) -> None:
    before = state(job)
    manifests = {path: path.read_bytes() for path in (job.settings.home / "releases").rglob("manifest.json")}
    status, answer = job.run(job.nation / "exports")
    assert (status, answer["status"]) == (0, "unchanged")
    assert state(job) == before
    assert {path: path.read_bytes() for path in manifests} == manifests


def test_a_killed_scheduler_and_a_killed_database_lead_to_the_same_state(job: Job, tmp_path: Path) -> None:
    before = state(job)
    # A server that is not childdb's own is its operator's to start again.
    for victim in ("scheduler",) if job.settings.database_url else ("scheduler", "postgres"):
        with open_database(job.settings) as database:
            _forget_results(database)
        killer = threading.Thread(target=_kill_in_the_middle, args=(job.settings, victim))
        killer.start()
        status, answer = job.run(job.nation / "exports")
        killer.join()
        assert status in {0, 4}, answer
        if status == 4:
            assert "repeat" in answer["error"]["message_en"].lower()
        status, answer = job.run(job.nation / "exports")
        assert status == 0, answer
        assert state(job) == before, victim


def _forget_results(database: Database) -> None:
    """Put batches back to landed, so that the next run has to load, clean and match again."""
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(f"set role {database.name}_owner")
        connection.execute("alter table ops.batches disable trigger user")
        connection.execute(
            "update ops.batches set status = 'landed', gate_passed = false where dataset = 'treem__children'"
        )
        connection.execute("alter table ops.batches enable trigger user")


def _kill_in_the_middle(settings: Settings, victim: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        time.sleep(0.2)
        with contextlib.suppress(Exception), attach(settings).connect(Role.CHECKER) as connection:
            row = connection.execute(
                "select 1 from ops.run_steps as s inner join ops.runs as r on s.run_id = r.run_id "
                "where r.status = 'running' and s.step = 'load_raw'"
            ).fetchone()
            if row:
                break
    name = "scheduler.session" if victim == "scheduler" else None
    if name:
        pid = int((settings.home / "airflow" / name).read_text().split()[0])
    else:
        pid = int((server_folder(settings) / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


def test_changed_exports_make_a_release_whose_differences_are_explained(job: Job, tmp_path: Path) -> None:
    later = tmp_path / "later"
    evolve(job.nation, 0.05, 7, later, lambda done, total: None)
    old = json.loads(job.command("release", "list", "--json").stdout)["releases"]
    job.nation = later if (later / "population" / "population.parquet").exists() else job.nation
    status, answer = job.run(later / "exports")
    assert status == 0, answer
    assert answer["status"] == "awaiting_approval"
    for name in APPROVERS:
        assert job.command("release", "approve", answer["release_id"], "--as", name).returncode == 0
    done = job.command("diff", old[0]["release_id"], answer["release_id"], "--exact", "--json")
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)["changes"]
    assert any(change["before"] != change["after"] for change in changes)
    for change in changes:
        assert change["after"] - change["before"] == sum(change["causes"].values()), change
        # Only the lists changed: neither a definition nor the map may be given as a reason.
        assert not {"definition", "map"} & {cause for cause, net in change["causes"].items() if net}, change


def test_an_unreadable_file_is_refused_and_the_others_go_on(job: Job, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "hỏng.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    (drop / "trống.csv").write_bytes(b"")
    shutil.copy(next((job.nation / "exports").glob("*.xlsx")), drop)
    status, answer = job.run(drop)
    assert status == 3, answer
    assert answer["totals"]["files_rejected"] >= 2
    assert answer["totals"]["accepted"] > 0


def test_a_port_in_use_and_a_missing_key_are_one_sentence_each(job: Job) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        blocked = Job(job.settings, job.nation, job.environment | {"CHILDDB_SCHEDULER_PORT": port})
        done = blocked.command("run", "--drop", str(job.nation / "exports"))
    assert done.returncode == 4
    assert f"Port {port}" in done.stderr
    key = job.settings.home / "secrets" / "keys.json"
    aside = key.with_suffix(".aside")
    key.rename(aside)
    try:
        done = job.command("run", "--drop", str(job.nation / "exports"))
        assert done.returncode in {2, 4}
        assert "key file" in done.stderr
        assert not key.exists()
    finally:
        aside.rename(key)
