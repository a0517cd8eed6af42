"""What a full run leaves behind for increments: features, pairs, claims, children, and the keys of the people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from childdb.errors import ConfigurationError
from childdb.identity.rules import Rules

# The number grows with the tables: a store kept by another release is refused, not misread.
DATABASE = "store-2.duckdb"
_LEFT_OVER = ("pattern_weights",)


def database_of(folder: Path) -> Path:
    """Return the database of a store; refused if it is not there, not whole or of another release."""
    database = folder / DATABASE
    if not database.is_file():
        raise ConfigurationError(
            "The store is not there, not whole, or of another release. Make it by a full run with --keep.",
            "Không có kho dữ liệu ghép đầy đủ của phiên bản này. Hãy chạy ghép toàn bộ với --keep trước.",
        )
    return database


def keep_names(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Put the keys of rows and people into the database: the files they came from may be gone tomorrow."""
    for table, key in (("register", rules.register.key), ("population", rules.population.key)):
        connection.execute(
            f'create or replace table {table}_names as select "{key}"::varchar as "{key}", file_row_number::integer as file_row_number from {table}_file'
        )
        connection.execute(f"drop view {table}_file")
        connection.execute(f"create view {table}_file as select * from {table}_names")
    for name in _LEFT_OVER:
        connection.execute(f"drop table if exists {name}")


def keep_inputs(connection: duckdb.DuckDBPyConnection, hashes: Mapping[str, str]) -> None:
    """Note the hashes of the files the store was made of."""
    connection.execute("create or replace table store_inputs (name varchar, sha256 varchar)")
    connection.executemany("insert into store_inputs values (?, ?)", sorted(hashes.items()))
