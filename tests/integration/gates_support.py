"""A small warehouse of invented rows for the tests of gates, lists and answers."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from childdb.contracts import source_table
from childdb.database import Database, open_database
from childdb.settings import Settings
from tests.workspaces import disposable_workspace

TABLES = (
    ("raw_treem", "treem__children"),
    ("raw_population", "population__persons"),
    ("clean_treem", "treem__children"),
    ("identity", "record_links"),
    ("identity", "children"),
)
FIGURE_COLUMNS = {
    **dict.fromkeys(
        (
            *("release_id", "cell_id", "indicator_set", "indicator_code", "definition_version", "period"),
            *("geography", "area_level", "area_code", "sex", "age_group", "ethnic_group", "breakdown"),
        ),
        "text",
    ),
    "numerator": "bigint",
    "denominator": "bigint",
    "value": "numeric(14, 1)",
    "unit": "text",
    "status": "text",
    "coverage": "numeric(6, 4)",
}


@dataclass(frozen=True)
class Warehouse:
    """An opened warehouse with every table a gate looks at."""

    settings: Settings
    database: Database

    def admin(self) -> psycopg.Connection:
        """Return a connection that may fill every table."""
        return psycopg.connect(self.database.admin_url, autocommit=True)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self.admin() as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]

    def insert(self, table: str, records: list[Mapping[str, Any]]) -> None:
        """Add rows to a table; the columns are those of the first row."""
        columns = list(records[0])
        marks = ", ".join(["%s"] * len(columns))
        with self.admin() as connection, connection.cursor() as cursor:
            cursor.executemany(
                f"insert into {table} ({', '.join(columns)}) values ({marks})",  # type: ignore[arg-type]
                [[record[column] for column in columns] for record in records],
            )

    def empty(self, *tables: str) -> None:
        """Remove all rows of tables, with what depends on them."""
        guarded = ("ops.column_decisions", "ops.quarantine_decisions")
        with self.admin() as connection:
            # Decisions on batches go with them: only a test may step over "append-only".
            for table in guarded:
                connection.execute(f"alter table {table} disable trigger user")  # type: ignore[call-overload]
            connection.execute(f"truncate {', '.join(tables)} cascade")  # type: ignore[call-overload]
            for table in guarded:
                connection.execute(f"alter table {table} enable trigger user")  # type: ignore[call-overload]


@contextmanager
def open_warehouse(*, embedded: bool = False) -> Iterator[Warehouse]:
    """Yield a warehouse of its own, removed afterwards; on the ``embedded`` server where a test needs that one."""
    base = Path(tempfile.mkdtemp(prefix="childdb-test-"))
    os.chmod(base, 0o755)
    try:
        with (
            disposable_workspace(
                base / "var", {"CHILDDB_SYSTEM_DIR": str(base / "system")}, embedded=embedded
            ) as settings,
            open_database(settings) as database,
        ):
            warehouse = Warehouse(settings, database)
            _make_tables(warehouse)
            yield warehouse
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _make_tables(warehouse: Warehouse) -> None:
    figures = ", ".join(f"{name} {kind}" for name, kind in FIGURE_COLUMNS.items())
    with warehouse.admin() as connection:
        for source, name in TABLES:
            for statement in source_table(source, name).create_statements():
                connection.execute(statement)  # type: ignore[call-overload]
        connection.execute(f"create table if not exists marts.agg_release_figures ({figures})")  # type: ignore[call-overload]
        for schema in ("raw", "clean", "identity", "marts"):
            for role in ("checker", "steward"):
                name = f"{warehouse.database.name}_{role}"
                connection.execute(f"grant usage on schema {schema} to {name}")  # type: ignore[call-overload]
                connection.execute(f"grant select on all tables in schema {schema} to {name}")  # type: ignore[call-overload]
