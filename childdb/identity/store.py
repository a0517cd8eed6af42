"""What a full run leaves behind for increments: features, pairs, claims, children, and the keys of the people."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from childdb.identity.rules import Rules

DATABASE = "store.duckdb"
_LEFT_OVER = ("pattern_weights",)


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
