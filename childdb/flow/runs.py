"""Runs and their steps, kept in the database so that every process sees the same state."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import Connection

from childdb.database import Role, connect
from childdb.errors import ChilddbError, EnvironmentFailedError, GateStoppedError, disk_full, machine_error
from childdb.landing import sweep
from childdb.settings import Settings
from childdb.workspace import Workspace

Counts = Mapping[str, int | str | None]


@dataclass(frozen=True)
class Run:
    """One run of the main job and what it was asked to do."""

    run_id: str
    drop_folder: str | None
    population_path: str | None
    pull: bool
    period: str | None
    as_of: date | None


def open_run(settings: Settings, run: Run) -> None:
    """Record a new run; what a killed process left open or half done is marked abandoned and swept away."""
    workspace = Workspace(settings.home)
    sweep(workspace.landing, workspace.scratch)
    with connect(Role.LOADER, settings) as connection:
        connection.execute(
            "update ops.runs set status = 'abandoned', closed_at = now() "
            "where status in ('running', 'awaiting_approval')"
        )
        connection.execute(
            "insert into ops.runs (run_id, drop_folder, population_path, pull, period, as_of) "
            "values (%s, %s, %s, %s, %s, %s)",
            [run.run_id, run.drop_folder, run.population_path, run.pull, run.period, run.as_of],
        )


def current_run(settings: Settings) -> Run:
    """Return the run at work, or the one that waits for its approvals.

    Raises:
        EnvironmentFailedError: no run is open (a task was started by hand).
    """
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select run_id, drop_folder, population_path, pull, period, as_of from ops.runs where status in ('running', 'awaiting_approval') order by status desc limit 1"
        ).fetchone()
    if row is None:
        raise EnvironmentFailedError(
            "No run is open. Start one with 'childdb run' or trigger the ingest DAG."
        )
    return Run(*row)


def ensure_run(settings: Settings, run_id: str) -> Run:
    """Return the open run, opened with the pull as its only source where the schedule started the DAG."""
    try:
        return current_run(settings)
    except EnvironmentFailedError:
        open_run(settings, Run(run_id, None, None, settings.treem_url is not None, None, None))
        return current_run(settings)


def close_run(
    settings: Settings, run_id: str, status: str, release_id: str | None, error: ChilddbError | None
) -> None:
    """Record how a run ended."""
    with connect(Role.LOADER, settings) as connection:
        connection.execute(
            "update ops.runs set status = %s, closed_at = now(), release_id = coalesce(%s, release_id), "
            "message_en = %s, message_vi = %s where run_id = %s",
            [status, release_id, error and error.message_en, error and error.message_vi, run_id],
        )


def run_step(settings: Settings, step: str, work: Callable[[Run], Counts]) -> Counts:
    """Run one step of the open run, record its counts or its failure, and return the counts.

    An unexpected exception becomes a ``ChilddbError`` that names the place in the code only: what the
    exception itself says may quote a record. A machine that has no room left is told in its own sentence.
    """
    run = current_run(settings)
    with connect(Role.LOADER, settings) as connection:
        attempt = _begin(connection, run.run_id, step)
    try:
        counts = work(run)
    except ChilddbError as error:
        _end(settings, run.run_id, step, attempt, error)
        raise _same(error) from None
    except Exception as error:  # noqa: BLE001 - the border: what crosses it must not quote a record
        shielded = _shield(step, error)
        _end(settings, run.run_id, step, attempt, shielded)
        raise shielded from None
    _end(settings, run.run_id, step, attempt, None, counts)
    return counts


def _same(error: ChilddbError) -> ChilddbError:
    error.__context__ = None
    error.__cause__ = None
    return error


def _shield(step: str, error: Exception) -> ChilddbError:
    if isinstance(error, OSError) and error.errno:
        return machine_error(error)
    if isinstance(error, psycopg.errors.DiskFull):
        return disk_full()
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if "childdb" in f.filename or "connectors" in f.filename
    ]
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "a library"
    kind = type(error).__name__
    return EnvironmentFailedError(
        f"Step '{step}' failed in {place} with {kind}. Repeat the command; if it fails again, report this sentence.",
        f"Bước '{step}' bị lỗi ({kind}). Hãy chạy lại lệnh; nếu vẫn lỗi, hãy báo lại nguyên câu này.",
    )


def _begin(connection: Connection, run_id: str, step: str) -> int:
    row = connection.execute(
        "insert into ops.run_steps (run_id, step, attempt) select %s, %s, coalesce(max(attempt), 0) + 1 "
        "from ops.run_steps where run_id = %s and step = %s returning attempt",
        [run_id, step, run_id, step],
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert with returning always answers
    return int(row[0])


def _end(
    settings: Settings,
    run_id: str,
    step: str,
    attempt: int,
    error: ChilddbError | None,
    counts: Counts | None = None,
) -> None:
    status = "done" if error is None else "stopped" if isinstance(error, GateStoppedError) else "failed"
    with connect(Role.LOADER, settings) as connection:
        connection.execute(
            "update ops.run_steps set ended_at = now(), status = %s, counts = %s, message_en = %s, message_vi = %s "
            "where run_id = %s and step = %s and attempt = %s",
            [
                status,
                json.dumps(dict(counts or {})),
                error and error.message_en,
                error and error.message_vi,
                run_id,
                step,
                attempt,
            ],
        )


def last_failure(settings: Settings, run_id: str) -> dict[str, Any] | None:
    """Return the newest step of a run that failed or was stopped, with its sentences."""
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select step, status, message_en, message_vi from ops.run_steps where run_id = %s "
            "and status in ('failed', 'stopped') order by ended_at desc limit 1",
            [run_id],
        ).fetchone()
    return (
        None if row is None else dict(zip(("step", "status", "message_en", "message_vi"), row, strict=True))
    )
