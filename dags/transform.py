"""Build facts, indicators and the tables that readers get."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, dag, task
from common import DEFAULT_ARGS, IDENTITY, INDICATORS, MAX_RUNS, START


@dag(
    dag_id="transform__warehouse",
    start_date=START,
    schedule=[IDENTITY],
    catchup=False,
    max_active_runs=MAX_RUNS,
    tags=["transform", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def transform() -> None:
    """Wire one build of core, marts and publication."""

    @task(outlets=[INDICATORS])
    def build_models() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.build_models()

    build_models()


DAGS: list[DAG] = [transform()]
