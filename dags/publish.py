"""Make a release: build it, check it, have two people approve it, then publish it."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, dag, task
from common import DEFAULT_ARGS, INDICATORS, MAX_RUNS, RELEASE, START

from childdb.flow.schedule import approvers

SUBJECT = (
    "Phê duyệt bản phát hành {{ ti.xcom_pull(task_ids='build_release')['release_id'] }} · Approve the release"
)
BODY = (
    "Kiểm tra số liệu và báo cáo chất lượng trước khi phê duyệt. Hai người khác nhau phải phê duyệt.\n\n"
    "Look at the figures and the quality pages first. Two different people have to approve."
)


@dag(
    dag_id="publish__release",
    start_date=START,
    schedule=[INDICATORS],
    catchup=False,
    max_active_runs=MAX_RUNS,
    tags=["publish", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def publish() -> None:
    """Wire the candidate, its gate, two human steps and the publication."""

    @task
    def build_release() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.build_release()

    @task
    def check_release() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.check_release()

    @task.short_circuit
    def needs_approval() -> bool:
        from childdb.flow import tasks

        return tasks.needs_approval()

    first, second = (
        ApprovalOperator(
            task_id=f"approve_{order}",
            subject=SUBJECT,
            body=BODY,
            assigned_users=approvers(),
            retries=0,
        )
        for order in ("first", "second")
    )

    @task(outlets=[RELEASE])
    def publish_release(**context: Any) -> dict[str, Any]:
        from childdb.flow import tasks

        answers = context["ti"].xcom_pull(task_ids=["approve_first", "approve_second"])
        return tasks.publish_release(answers)

    built = build_release()
    built >> check_release() >> needs_approval() >> first >> second >> publish_release()


DAGS: list[DAG] = [publish()]
