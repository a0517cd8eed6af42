"""Marked children pass through everything, failures included; no mark is found outside the data.

Allowed places (THREATS: data tables and the communes' own lists): landing, drop folder, raw, clean, staging, identity,
vault, request lists, work lists, and scratch files while a step runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from childdb.database.access import attach
from tests.canary.flow import APPROVERS, Flow, admin, failing_table, pages, tables, text_of_table, workspace
from tests.canary.marks import (
    Deliveries,
    child_number,
    record,
    word,
    write_deliveries,
    write_population,
    write_workbook,
)
from tests.canary.sweep import files_with_marks, marks_in

ROOT = Path(__file__).resolve().parents[2]
DATA_FOLDERS = (
    "landing/",
    "drop/",
    "identity/",
    "requests/",
    "outbox/",
    "inbox/",
    "lists/",
    "postgres/",
    "database/",
)
DATA_SCHEMAS = ("raw", "clean", "staging", "identity", "vault")
# Steps are made to fail where they write: each error then quotes a whole child.
FAILING = (("raw", "treem__children"), ("clean", "treem__children"), ("identity", "record_links"))

pytestmark = [pytest.mark.timeout(1500), pytest.mark.flow]


def _later(flow: Flow) -> Deliveries:
    """Return a delivery nobody has seen: other children, so that every step has work again."""
    folder = flow.root / "later"
    (folder / "drop").mkdir(parents=True)
    children = range(200, 215)
    write_workbook(folder / "drop" / "bo_sung.xlsx", [record(child) for child in children])
    write_population(folder / "dan_cu.parquet", children)
    return Deliveries(folder / "drop", folder / "dan_cu.parquet")


def _spoil_clean(flow: Flow) -> None:
    """Put text that no cast can read into typed columns of clean, as a fault in cleaning would."""
    with admin(flow) as connection:
        connection.execute(
            "update clean.treem__children set ngay_cap_nhat = %s, ngay_sinh = %s", [word(60, 3), word(60, 4)]
        )


@dataclass(frozen=True)
class Ran:
    """What was run, and what was seen on the way."""

    flow: Flow
    portal: str
    marked_schemas: frozenset[str]


def _marked_schemas(flow: Flow) -> frozenset[str]:
    with admin(flow) as connection:
        return frozenset(
            schema
            for schema, name in tables(connection)
            if schema in DATA_SCHEMAS and marks_in(text_of_table(connection, schema, name))
        )


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    """Yield a workspace in which every step failed once, then everything ran, up to an approved release."""
    with workspace() as flow:
        first = write_deliveries(flow.root / "deliveries")
        assert flow.childdb("serve", "up", "--json") == 0, flow.printed[-1][1]
        portal = str(flow.answer()["portal"])
        for schema, table in FAILING:
            with failing_table(flow, schema, table):
                assert flow.run(first) == 4, f"{schema}.{table}: the forced failure was not noticed"
        flow.run(first)
        with admin(flow) as connection:
            found = connection.execute(
                "select release_id from ops.runs where release_id is not null"
            ).fetchone()
        assert found, f"the run made no release: {flow.printed[-1][1]}"
        for name in APPROVERS.split(","):
            assert flow.childdb("release", "approve", found[0], "--as", name) == 0, flow.printed[-1][1]
        for command in (
            ["status"],
            ["receipts"],
            ["senders"],
            ["feedback"],
            ["requests", "export"],
            ["doctor"],
        ):
            flow.childdb(*command, "--json")
        marked = _marked_schemas(flow)
        _spoil_clean(flow)
        flow.run(_later(flow))
        flow.childdb("status", "--json")
        flow.childdb("explain", "none", child_number(1), "--json")
        yield Ran(flow, portal, marked)


@pytest.fixture
def flow(ran: Ran) -> Flow:
    """Return the workspace in which everything was run."""
    return ran.flow


def test_marks_reached_the_data(ran: Ran) -> None:
    """The control: if nothing was marked, finding nothing would prove nothing."""
    assert {"raw", "clean", "staging"} <= ran.marked_schemas


def test_commands_print_no_mark(flow: Flow) -> None:
    found = [
        f"childdb {words}: {marks}" for words, text in flow.printed if (marks := marks_in(text.encode()))
    ]
    assert not found, "a command printed a value of a record: " + "; ".join(found)


def test_workspace_files_hold_no_mark(flow: Flow) -> None:
    found = files_with_marks(flow.home, DATA_FOLDERS)
    assert not found, "outside the data folders:\n" + "\n".join(found)


def test_scratch_is_empty_after_the_runs(flow: Flow) -> None:
    left = [str(path.relative_to(flow.home)) for path in (flow.home / "scratch").rglob("*") if path.is_file()]
    assert not left, f"short-lived files with values of children were left: {left}"


def test_landing_is_encrypted(flow: Flow) -> None:
    found = files_with_marks(flow.home / "landing")
    assert not found, "landed bytes can be read without a key:\n" + "\n".join(found)


def test_temporary_folders_hold_no_mark(flow: Flow) -> None:
    found = files_with_marks(flow.root / "tmp")
    assert not found, "left in the temporary folder:\n" + "\n".join(found)


def test_server_log_holds_no_mark(flow: Flow) -> None:
    logs = [path for folder in (flow.home, flow.root / "system") for path in folder.rglob("*.log")]
    found = [str(path) for path in logs if marks_in(path.read_bytes())]
    assert not found, f"the database's log quotes rows: {found}"


def test_tables_outside_the_data_hold_no_mark(flow: Flow) -> None:
    with admin(flow) as connection:
        found = [
            f"{schema}.{name}: {marks}"
            for schema, name in tables(connection, DATA_SCHEMAS)
            if (marks := marks_in(text_of_table(connection, schema, name)))
        ]
    assert not found, "values of children outside the data tables:\n" + "\n".join(found)


def test_vault_holds_no_number_in_clear(flow: Flow) -> None:
    with admin(flow) as connection:
        found = [
            f"{schema}.{name}: {marks}"
            for schema, name in tables(connection)
            if schema == "vault" and (marks := marks_in(text_of_table(connection, schema, name)))
        ]
    assert not found, "the vault can be read without its key:\n" + "\n".join(found)


def test_scheduler_database_holds_no_mark(flow: Flow) -> None:
    """Task parameters, XCom, rendered templates, log lines, import errors, human steps: all of it."""
    url = attach(flow.settings).airflow_url().replace("postgresql+psycopg2://", "postgresql://")
    with psycopg.connect(url) as connection:
        names = tables(connection)
        found = [
            f"{schema}.{name}: {marks}"
            for schema, name in names
            if (marks := marks_in(text_of_table(connection, schema, name)))
        ]
    assert any(name == "xcom" for _, name in names)
    assert not found, "the scheduler's database holds values of children:\n" + "\n".join(found)


def test_pages_hold_no_mark(ran: Ran) -> None:
    seen = dict(pages(ran.portal))
    found = [f"{url}: {marks}" for url, body in seen.items() if (marks := marks_in(body))]
    assert len(seen) >= 10, f"only {len(seen)} pages could be reached from {ran.portal}"
    assert not found, "a page shows values of children:\n" + "\n".join(found)


def test_repository_holds_no_mark(flow: Flow) -> None:
    folders = [ROOT / "dbt_project", ROOT / "expectations", ROOT / "logs", ROOT / "dags", ROOT / "childdb"]
    found = [
        f"{folder.name}/{name}" for folder in folders if folder.exists() for name in files_with_marks(folder)
    ]
    assert not found, "a run wrote into the checkout:\n" + "\n".join(found)


def test_failures_were_told_without_values(flow: Flow) -> None:
    """Every forced failure left a sentence in the run's record, so that someone can act on it."""
    with admin(flow) as connection:
        rows = connection.execute(
            "select step, message_en from ops.run_steps where status = 'failed' order by step"
        ).fetchall()
    assert len({step for step, _ in rows}) >= 2, f"only these steps failed: {rows}"
    assert all(message for _, message in rows)
    assert not marks_in(json.dumps(rows).encode())
