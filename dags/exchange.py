"""Lists that leave and answers that come back: prepared, approved by a person, sent, answered, reminded of; gates judged again."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, dag, task
from common import DEFAULT_ARGS, MAX_RUNS, START, timetable_at

from childdb.flow.schedule import approvers

SUBJECT = (
    "Gửi đợt danh sách {{ ti.xcom_pull(task_ids='prepare_lists')['batch_id'] }} cho công an xã · "
    "Send the lists to the commune police"
)
BODY = (
    "Đợt có {{ ti.xcom_pull(task_ids='prepare_lists')['rows'] }} dòng trong "
    "{{ ti.xcom_pull(task_ids='prepare_lists')['lists'] }} danh sách, hạn trả lời "
    "{{ ti.xcom_pull(task_ids='prepare_lists')['due_date'] }}. Xem công văn và một vài danh sách trước khi duyệt.\n\n"
    "Look at the letter and at some lists before you approve: nothing leaves without your word."
)


@dag(
    dag_id="exchange__police_lists",
    start_date=START,
    schedule=timetable_at("0 7 1 * *"),
    catchup=False,
    max_active_runs=MAX_RUNS,
    tags=["exchange", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def send() -> None:
    """Wire the preparation, the human step and the sending."""

    @task
    def prepare_lists() -> dict[str, Any]:
        from childdb.flow import requests
        from childdb.settings import load_settings

        return requests.prepare_lists(load_settings())

    approve = ApprovalOperator(
        task_id="approve_lists", subject=SUBJECT, body=BODY, assigned_users=approvers(), retries=0
    )

    @task
    def send_lists(**context: Any) -> dict[str, Any]:
        from childdb.flow import requests
        from childdb.settings import load_settings

        batch = context["ti"].xcom_pull(task_ids="prepare_lists")["batch_id"]
        return requests.send_lists(load_settings(), batch, context["ti"].xcom_pull(task_ids="approve_lists"))

    prepare_lists() >> approve >> send_lists()


@dag(
    dag_id="exchange__answers",
    start_date=START,
    schedule=timetable_at("30 5 * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["exchange", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def answers() -> None:
    """Wire the answers of a day and the reminders that are due."""

    @task
    def take_in_answers() -> dict[str, Any]:
        from childdb.flow import requests
        from childdb.settings import load_settings

        return requests.take_in_answers(load_settings())

    @task
    def remind_of_lists(**context: Any) -> dict[str, Any]:
        from childdb.flow import requests
        from childdb.settings import load_settings

        end = context.get("data_interval_end") or context["dag_run"].run_after
        return requests.remind_of_lists(load_settings(), end.date())

    take_in_answers() >> remind_of_lists()


@dag(
    dag_id="quality__gates",
    start_date=START,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["quality", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def gates() -> None:
    """Wire the judging of what waits at the gates, after a person decided."""

    @task
    def judge_again(**context: Any) -> dict[str, Any]:
        from childdb.flow import requests
        from childdb.settings import load_settings

        return requests.judge_again(load_settings(), context["run_id"])

    judge_again()


DAGS: list[DAG] = [send(), answers(), gates()]
