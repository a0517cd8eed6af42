"""Take in what senders deliver: land it, load it with its ledger, check it, clean it."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, dag, task
from common import CHILDREN, DEFAULT_ARGS, MAX_RUNS, PERSONS, START, timetable_of


@dag(
    dag_id="ingest__treem__children",
    start_date=START,
    schedule=timetable_of("treem__children"),
    catchup=False,
    max_active_runs=MAX_RUNS,
    tags=["ingest", "source:treem", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def ingest_children() -> None:
    """Wire the intake of the communes' exports."""

    @task
    def land_deliveries(**context: Any) -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.land_deliveries(context["run_id"])

    @task
    def load_raw() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.load_raw()

    @task
    def load_reports() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.load_reports()

    @task
    def pull_changes() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.pull_changes()

    @task
    def check_raw() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.check_raw("treem__children")

    @task(outlets=[CHILDREN])
    def clean_children() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.clean_children()

    landed = land_deliveries()
    landed >> load_raw() >> check_raw() >> clean_children()
    landed >> load_reports() >> pull_changes()


@dag(
    dag_id="ingest__population__persons",
    start_date=START,
    schedule=timetable_of("population__persons"),
    catchup=False,
    max_active_runs=MAX_RUNS,
    tags=["ingest", "source:population", "impact:high"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
)
def ingest_persons() -> None:
    """Wire the intake of the population extract."""

    @task
    def load_persons() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.load_persons()

    @task(outlets=[PERSONS])
    def check_persons() -> dict[str, Any]:
        from childdb.flow import tasks

        return tasks.check_raw("population__persons")

    load_persons() >> check_persons()


DAGS: list[DAG] = [ingest_children(), ingest_persons()]
