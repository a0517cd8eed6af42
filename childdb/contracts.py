"""Shapes of raw, clean and identity tables, read from dbt's source files: their one home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from childdb.errors import ContractError

DBT_PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
SOURCE_FILES = "models/staging/*/_*__sources.yml"


@dataclass(frozen=True)
class Column:
    """One column of a table that dbt reads and Python fills."""

    name: str
    data_type: str
    is_nullable: bool
    sensitivity: str


@dataclass(frozen=True)
class SourceTable:
    """One table of a source: schema, name and columns in their order."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def qualified_name(self) -> str:
        """Schema and name with a point between them."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in their order."""
        return tuple(column.name for column in self.columns)

    def create_statements(self) -> tuple[str, ...]:
        """Return the statements that make the table, and its index by batch, where they are missing.

        Each step asks for the rows of one batch: without the index a national run would read the whole table
        thousands of times. Names come from our own file.
        """
        lines = (
            f"    {column.name} {column.data_type}{'' if column.is_nullable else ' not null'}"
            for column in self.columns
        )
        made = f"create table if not exists {self.qualified_name} (\n" + ",\n".join(lines) + "\n)"
        if "_batch_id" not in self.column_names:
            return (made,)
        index = f"{self.name}_by_batch"
        return made, f"create index if not exists {index} on {self.qualified_name} (_batch_id)"


def source_table(source: str, name: str) -> SourceTable:
    """Return the shape of table ``name`` of ``source``, such as ``("raw_treem", "treem__children")``.

    Raises:
        ContractError: when no source file describes the table.
    """
    tables = source_tables()
    if (source, name) not in tables:
        known = ", ".join(sorted(f"{key[0]}.{key[1]}" for key in tables))
        raise ContractError(
            f"Table {name} of source {source} is not described; known are {known}. "
            "Add it to the _<source>__sources.yml of its staging folder.",
        )
    return tables[source, name]


@cache
def source_tables() -> Mapping[tuple[str, str], SourceTable]:
    """Return every described source table by (source, table)."""
    tables: dict[tuple[str, str], SourceTable] = {}
    for path in sorted(DBT_PROJECT.glob(SOURCE_FILES)):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for source in document.get("sources", []):
            for table in source["tables"]:
                tables[source["name"], table["name"]] = _table(source, table, path.name)
    return tables


def _table(source: Mapping[str, Any], table: Mapping[str, Any], file_name: str) -> SourceTable:
    columns = tuple(_column(column, table["name"], file_name) for column in table["columns"])
    return SourceTable(source.get("schema", source["name"]), table["name"], columns)


def _column(column: Mapping[str, Any], table: str, file_name: str) -> Column:
    if "data_type" not in column:
        raise ContractError(f"{file_name}: column {column['name']} of {table} has no data_type; give it one.")
    constraints = {constraint["type"] for constraint in column.get("constraints", [])}
    sensitivity = column.get("config", {}).get("meta", {}).get("sensitivity", "")
    return Column(column["name"], column["data_type"], "not_null" not in constraints, sensitivity)
