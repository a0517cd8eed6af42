"""Tie each child of the register to the right personal number, or honestly to none."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, dag, task
from common import CHILDREN, DEFAULT_ARGS, IDENTITY, MAX_RUNS, PERSONS, START


@dag(
    dag_id="identity__children",
    start_date=START,
    schedule=[CHILDREN, PERSONS],
    catchup=False,
    max_active_runs=MAX_RUNS,
    tags=["identity", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def identify() -> None:
    """Wire staging, matching and the check of its result."""

    @task
    def build_staging() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.build_staging()

    @task
    def match_children() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.match_children()

    @task(outlets=[IDENTITY])
    def check_identity() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.check_identity()

    build_staging() >> match_children() >> check_identity()


DAGS: list[DAG] = [identify()]
