"""The human step of a release: two different people answer the scheduler's question."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from childdb.database import Database, Role
from childdb.errors import EnvironmentFailedError, UsageError
from childdb.orchestration.airflow_api import AirflowApi
from childdb.orchestration.airflow_home import account_passwords
from childdb.orchestration.run import failed_ending, opened
from childdb.settings import Settings

APPROVE = "Approve"
WAIT_SECONDS = 600.0
QUIET_SECONDS = 3.0


def approve(settings: Settings, release_id: str, name: str, password: str | None = None) -> str:
    """Answer the open question about a release as ``name`` and return the release's state afterwards.

    Raises:
        UsageError: nobody asks about this release, or the person may not answer.
    """
    if name not in settings.approver_names:
        raise UsageError(
            f"'{name}' is not one of the approvers. Name the people in CHILDDB_APPROVERS.",
            f"'{name}' không có trong danh sách người phê duyệt (CHILDDB_APPROVERS).",
        )
    with opened(settings, keep_questions=True) as (database, api):
        return answer(settings, database, api, release_id, name, password)


def answer(
    settings: Settings,
    database: Database,
    api: AirflowApi,
    release_id: str,
    name: str,
    password: str | None = None,
) -> str:
    """Answer as ``name`` on a scheduler that runs; return ``one_more`` or ``published``."""
    questions = _questions(api, release_id)
    if not questions:
        raise UsageError(
            f"No approval of release {release_id} is open. 'childdb status' shows what waits.",
            f"Không có yêu cầu phê duyệt nào cho bản phát hành {release_id}. Xem 'childdb status'.",
        )
    person = AirflowApi(api.base, name, password or account_passwords(settings)[name])
    task = questions[0]["task_instance"]
    settled = Settling()
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        asked = {q["task_instance"]["task_id"]: q for q in _questions(api, release_id)}
        if task["task_id"] in asked and settled.is_quiet(asked[task["task_id"]]):
            person.answer(asked[task["task_id"]], APPROVE)
        elif task["task_id"] == "approve_first" and "approve_second" in asked:
            return "one_more"
        elif _is_published(settings, database, release_id):
            return "published"
        _raise_if_failed(api, task)
        time.sleep(0.5)
    raise EnvironmentFailedError("The scheduler did not go on after the approval. Repeat the command.")


class Settling:
    """Tells when a question has stood long enough to be answered by a program.

    The scheduler takes an answer for the death of its task while the process that asked has not ended and been
    noted; people are slower than that, a program has to look.
    """

    def __init__(self) -> None:
        self._quiet_since: dict[str, float] = {}

    def is_quiet(self, question: dict[str, Any]) -> bool:
        """Whether the process that asked this question ended some seconds ago."""
        asked_by = str(question["task_instance"]["id"])
        if _is_at_work(asked_by):
            self._quiet_since.pop(asked_by, None)
            return False
        since = self._quiet_since.setdefault(asked_by, time.monotonic())
        return time.monotonic() - since >= QUIET_SECONDS


def _is_at_work(task_instance: str) -> bool:
    """Return whether a worker process of the scheduler bears the id of a task instance."""
    mark = task_instance.encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "cmdline").read_bytes():
                    return True
    return False


def _questions(api: AirflowApi, release_id: str) -> list[dict[str, Any]]:
    return [question for question in api.open_questions() if release_id in question["subject"]]


def _is_published(settings: Settings, database: Database, release_id: str) -> bool:
    with database.connect(Role.LOADER) as connection:
        row = connection.execute(
            "select s.status, s.run_id from ops.run_steps as s inner join ops.runs as r on s.run_id = r.run_id "
            "where r.release_id = %s and s.step = 'publish_release' order by s.started_at desc limit 1",
            [release_id],
        ).fetchone()
    if row and row[0] in {"failed", "stopped"}:
        error = failed_ending(settings, str(row[1])).error
        raise error or EnvironmentFailedError("The publication failed.")
    return bool(row and row[0] == "done")


def _raise_if_failed(api: AirflowApi, task: dict[str, Any]) -> None:
    if any(run["dag_run_id"] == task["dag_run_id"] for run in api.runs(("failed",))):
        raise EnvironmentFailedError(
            "The scheduler's run failed at the approval. Repeat 'childdb run' with the same input, then approve again.",
        )
