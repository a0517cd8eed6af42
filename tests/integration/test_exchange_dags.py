"""Lists, answers and gates through the real scheduler: nothing leaves without a person's word, answers are taken in once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from childdb.database import Database, Role
from childdb.orchestration.airflow_api import AirflowApi
from childdb.orchestration.airflow_home import account_passwords
from childdb.orchestration.approval import Settling
from childdb.orchestration.run import opened
from childdb.worklists.model import LIST_COLUMNS, Result
from childdb.worklists.workbook import FIRST_DATA_ROW, SHEET
from childdb.workspace import Workspace
from tests.integration.requests_support import last_row
from tests.job_support import APPROVERS, Job, open_job

pytestmark = pytest.mark.flow
RESULT = LIST_COLUMNS.index(LIST_COLUMNS[-2]) + 1
LISTS, ANSWERS, GATES = "exchange__police_lists", "exchange__answers", "quality__gates"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with open_job(tmp_path_factory.mktemp("exchange"), children=900, seed=43, communes=8) as opened_job:
        status, answer = opened_job.run(opened_job.nation / "exports")
        assert status == 0, answer
        yield opened_job


def wait_for(found: Callable[[], Any], what: str, seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what} was not seen in {seconds:.0f} s")


def run_dag(api: AirflowApi, dag: str, run_id: str) -> None:
    api.trigger(dag, run_id)
    ended = wait_for(
        lambda: [run for run in api.runs(("success", "failed")) if run["dag_run_id"] == run_id], run_id
    )
    assert ended[0]["state"] == "success"


def sent(database: Database) -> list[tuple[str, str]]:
    with database.connect(Role.STEWARD) as connection:
        return connection.execute(
            "select batch_id, approved_by from quality.request_dispatches order by 1"
        ).fetchall()


def answered_rows(database: Database) -> dict[str, int]:
    with database.connect(Role.STEWARD) as connection:
        return dict(
            connection.execute("select outcome, count(*) from quality.request_answers group by 1").fetchall()
        )


def fill(path: Path, target: Path) -> int:
    """Answer every row of a list with "not found" and return how many there are."""
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    rows = range(FIRST_DATA_ROW + 1, last_row(sheet) + 1)
    for row in rows:
        sheet.cell(row, RESULT).value = Result.NOT_FOUND.value
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return len(rows)


def test_lists_wait_for_a_person_and_answers_are_taken_in_once(job: Job) -> None:
    workspace = Workspace(job.settings.home)
    with opened(job.settings, keep_questions=True) as (database, api):
        api.trigger(LISTS, "lists-1")
        settled = Settling()
        question = wait_for(
            lambda: [
                q
                for q in api.open_questions()
                if q["task_instance"]["dag_id"] == LISTS and settled.is_quiet(q)
            ],
            "the question about the lists",
        )[0]
        assert sent(database) == []
        assert not list(workspace.outbox.rglob("*.xlsx"))

        person = AirflowApi(api.base, APPROVERS[0], account_passwords(job.settings)[APPROVERS[0]])
        person.answer(question, "Approve")
        wait_for(lambda: [r for r in api.runs(("success",)) if r["dag_run_id"] == "lists-1"], "lists-1")
        (batch, who) = sent(database)[0]
        assert who == APPROVERS[0]
        lists = sorted(workspace.outbox.rglob("*_no_number.xlsx"))
        assert lists and batch in question["subject"]

        rows = fill(lists[0], workspace.inbox / "police" / lists[0].name)
        run_dag(api, ANSWERS, "answers-1")
        first = answered_rows(database)
        assert first == {"applied": rows}
        run_dag(api, ANSWERS, "answers-2")
        assert answered_rows(database) == first

        run_dag(api, GATES, "gates-1")
        assert (workspace.quality / "index.html").exists()
