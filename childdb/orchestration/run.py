"""One run of the main job, from the command line: start what is needed, trigger, watch, tell."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from childdb.database import Database, Role, open_database
from childdb.database.access import without_room
from childdb.errors import ChilddbError, EnvironmentFailedError, ExitStatus, GateStoppedError
from childdb.flow.runs import Run, close_run, last_failure, open_run
from childdb.orchestration.airflow_api import AirflowApi
from childdb.orchestration.services import dead_services, scheduler
from childdb.settings import Settings
from childdb.workspace import Workspace

AWAY = (EnvironmentFailedError, psycopg.OperationalError)
"""What a database that is killed shows: the one between two statements, the other within one."""
INGEST_DAGS = ("ingest__treem__children", "ingest__population__persons")
ALL_DAGS = (*INGEST_DAGS, "identity__children", "transform__warehouse", "publish__release")
PATIENCE = 20
"""Looks, half a second apart, that a database or a scheduler may leave unanswered."""
STANDSTILL = 40
"""Looks without a finished step after which a full disk is taken for the reason: a task that cannot write dies unheard."""
STEPS = {
    "land_deliveries": "tiếp nhận tệp · landing",
    "load_raw": "nạp dữ liệu thô · loading",
    "load_reports": "nạp báo cáo, hồ sơ vụ việc · loading of reports and cases",
    "pull_changes": "lấy thay đổi từ phần mềm · changes of the entry software",
    "check_raw:treem__children": "kiểm tra danh sách trẻ em · gate on the children's lists",
    "check_raw:population__persons": "kiểm tra dữ liệu dân cư · gate on the population extract",
    "clean_children": "làm sạch · cleaning",
    "load_persons": "dữ liệu dân cư · population extract",
    "build_staging": "chuẩn bị đối sánh · staging",
    "match_children": "đối sánh định danh · matching",
    "check_identity": "kiểm tra định danh · gate on identity",
    "build_models": "tính chỉ tiêu · core and marts",
    "build_release": "lập bản phát hành · release",
    "check_release": "kiểm tra trước phát hành · gate on publication",
    "needs_approval": "đã có gì mới để phê duyệt? · is there anything to approve?",
    "publish_release": "phát hành · publication",
}


@dataclass(frozen=True)
class Ending:
    """How a run ended: its status in ``ops.runs`` and the release it made or met."""

    run_id: str
    status: str
    release_id: str | None
    error: ChilddbError | None = None

    @property
    def exit_status(self) -> ExitStatus:
        """Exit status of the command that ran it."""
        return ExitStatus.DONE if self.error is None else self.error.exit_status


@contextmanager
def only_one_run(settings: Settings) -> Iterator[None]:
    """Hold the workspace's run lock; a second run leaves with one sentence."""
    path = Workspace(settings.home).prepare().secrets / ".run.lock"
    with open(path, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentFailedError(
                "A run is already going on in this workspace. Wait for its end, then repeat the command.",
                "Đang có một lượt chạy khác trong thư mục làm việc này. Hãy chờ kết thúc rồi chạy lại.",
            ) from None
        yield


def new_run_id() -> str:
    """Return a fresh id of a run; it names attempts only and enters no result."""
    return f"run-{secrets.token_hex(6)}"


@contextmanager
def opened(settings: Settings, *, keep_questions: bool = False) -> Iterator[tuple[Database, AirflowApi]]:
    """Yield the warehouse and a running scheduler; both are left as they were found.

    DAG runs that a killed process left over are failed first, as nobody works on them any more;
    ``keep_questions`` spares them where a person is about to answer one.
    """
    with only_one_run(settings), open_database(settings) as database, scheduler(settings, database) as api:
        for run in () if keep_questions else api.runs(("running", "queued")):
            api.fail_run(run["dag_id"], run["dag_run_id"])
        yield database, api


def run_main_job(settings: Settings, run: Run) -> Ending:
    """Run the main job to a release that awaits approval, an unchanged release, a stop or a failure."""
    with opened(settings) as (database, api):
        return drive(settings, database, api, run)


def drive(settings: Settings, database: Database, api: AirflowApi, run: Run) -> Ending:
    """Open the run, trigger its ingestion and watch it to its end."""
    open_run(settings, run)
    for dag in INGEST_DAGS:
        api.trigger(dag, run.run_id)
    ending = _watch(settings, database, api, run.run_id)
    # A database that died takes the note along; the next run closes what it left open.
    with contextlib.suppress(*AWAY) if ending.status == "failed" else contextlib.nullcontext():
        close_run(settings, run.run_id, ending.status, ending.release_id, ending.error)
    return ending


def _watch(settings: Settings, database: Database, api: AirflowApi, run_id: str) -> Ending:
    told: set[tuple[str, int]] = set()
    patience = still = 0
    while True:
        time.sleep(0.5)
        try:
            known = len(told)
            _tell(database, run_id, told)
            still = still + 1 if len(told) == known else 0
            ending = _ending(settings, database, api, run_id)
            patience = 0
        except AWAY:
            patience += 1
            if patience > PATIENCE:
                return Ending(run_id, "failed", None, without_room(settings) or _without_database())
            ending = None
        if ending:
            _tell(database, run_id, told)
            return ending
        death = _death(settings) or (without_room(settings) if still > STANDSTILL else None)
        if death:
            with contextlib.suppress(ChilddbError, psycopg.OperationalError):
                _tell(database, run_id, told)
            return Ending(run_id, "failed", None, death)


def _death(settings: Settings) -> EnvironmentFailedError | None:
    dead = dead_services(settings)
    if not dead:
        return None
    return without_room(settings) or EnvironmentFailedError(
        f"The scheduler's process '{dead[0]}' died. Repeat the same command; nothing is lost.",
        f"Tiến trình '{dead[0]}' của bộ lập lịch đã dừng. Hãy chạy lại đúng lệnh này; không mất dữ liệu.",
    )


def _tell(database: Database, run_id: str, told: set[tuple[str, int]]) -> None:
    with database.connect(Role.LOADER) as connection:
        rows = connection.execute(
            "select step, attempt, status, extract(epoch from ended_at - started_at) from ops.run_steps "
            "where run_id = %s and ended_at is not null order by ended_at, step",
            [run_id],
        ).fetchall()
    for step, attempt, status, seconds in rows:
        if (step, attempt) not in told:
            told.add((step, attempt))
            mark = {"done": "✓", "stopped": "■", "failed": "✗"}[status]
            print(f"  {mark} {STEPS.get(step, step)} ({seconds:.0f} s)", file=sys.stderr, flush=True)


def _ending(settings: Settings, database: Database, api: AirflowApi, run_id: str) -> Ending | None:
    with database.connect(Role.LOADER) as connection:
        row = connection.execute(
            "select status, release_id from ops.runs where run_id = %s", [run_id]
        ).fetchone()
        steps = dict(
            connection.execute(
                "select step, counts ->> 'outcome' from ops.run_steps where run_id = %s and status = 'done'",
                [run_id],
            ).fetchall()
        )
    release_id = row[1] if row else None
    if steps.get("needs_approval") == "unchanged":
        return Ending(run_id, "unchanged", release_id)
    if steps.get("needs_approval") == "needed" and api.open_questions():
        return Ending(run_id, "awaiting_approval", release_id)
    failed = [run for run in api.runs(("failed",)) if _belongs(database, run_id, run)]
    return failed_ending(settings, run_id) if failed else None


def _belongs(database: Database, run_id: str, dag_run: dict[str, str]) -> bool:
    if dag_run["dag_run_id"] == run_id:
        return True
    with database.connect(Role.LOADER) as connection:
        row = connection.execute(
            "select opened_at <= %s::timestamptz from ops.runs where run_id = %s",
            [dag_run.get("queued_at") or dag_run["run_after"], run_id],
        ).fetchone()
    return bool(row and row[0])


def failed_ending(settings: Settings, run_id: str) -> Ending:
    """Return how a run ended whose DAG run failed, with the sentence of the step that did it."""
    failure = last_failure(settings, run_id)
    if failure and failure["status"] == "stopped":
        return Ending(run_id, "stopped", None, GateStoppedError(failure["message_en"], failure["message_vi"]))
    error = without_room(settings)
    if error is None and failure:
        error = EnvironmentFailedError(failure["message_en"], failure["message_vi"])
    return Ending(
        run_id,
        "failed",
        None,
        error
        or EnvironmentFailedError(
            "A task of the run died before it could say why. Repeat the same command; nothing is lost.",
            "Một bước đã dừng trước khi kịp báo lý do. Hãy chạy lại đúng lệnh này; không mất dữ liệu.",
        ),
    )


def _without_database() -> EnvironmentFailedError:
    return EnvironmentFailedError(
        "The database died in the middle of the run. Repeat the same command; nothing is lost.",
        "Cơ sở dữ liệu dừng giữa chừng. Hãy chạy lại đúng lệnh này; không mất dữ liệu.",
    )
