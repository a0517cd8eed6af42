"""The human step of a release: two different people answer the scheduler's question."""

from __future__ import annotations

import time

from childdb.database import Database, Role
from childdb.errors import EnvironmentFailedError, UsageError
from childdb.orchestration.airflow_api import AirflowApi
from childdb.orchestration.airflow_home import account_passwords
from childdb.orchestration.run import _failed, opened
from childdb.settings import Settings

APPROVE = "Approve"
WAIT_SECONDS = 300.0


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
    questions = [q for q in api.open_questions() if release_id in q["subject"]]
    if not questions:
        raise UsageError(
            f"No approval of release {release_id} is open. 'childdb status' shows what waits.",
            f"Không có yêu cầu phê duyệt nào cho bản phát hành {release_id}. Xem 'childdb status'.",
        )
    person = AirflowApi(api.base, name, password or account_passwords(settings)[name])
    person.answer(questions[0], APPROVE)
    task = questions[0]["task_instance"]["task_id"]
    return _await_next(settings, database, api, release_id, was_first=task == "approve_first")


def _await_next(
    settings: Settings, database: Database, api: AirflowApi, release_id: str, was_first: bool
) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        open_tasks = {
            q["task_instance"]["task_id"] for q in api.open_questions() if release_id in q["subject"]
        }
        if was_first and "approve_second" in open_tasks:
            return "one_more"
        with database.connect(Role.LOADER) as connection:
            row = connection.execute(
                "select s.status, s.run_id from ops.run_steps as s inner join ops.runs as r on s.run_id = r.run_id "
                "where r.release_id = %s and s.step = 'publish_release' order by s.started_at desc limit 1",
                [release_id],
            ).fetchone()
        if row and row[0] == "done":
            return "published"
        if row and row[0] in {"failed", "stopped"}:
            error = _failed(settings, row[1]).error
            raise error or EnvironmentFailedError("The publication failed.")
        time.sleep(0.5)
    raise EnvironmentFailedError("The scheduler did not go on after the approval. Repeat the command.")
