"""Tables between the warehouse and Parquet: by COPY, without a row in Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import Connection, sql
from pyarrow import csv as pa_csv

NULL = "\\N"
CHUNK_ROWS = 100_000


def export_parquet(connection: Connection, query: str, columns: Sequence[str], path: Path) -> int:
    """Write the answer of ``query`` (all columns as text but ``*_date`` and ``*_year``) and return its rows.

    The intermediate file lies beside ``path`` in a private folder and is removed.
    """
    text = path.with_suffix(".csv")
    with open(os.open(text, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        statement = sql.SQL("copy ({}) to stdout (format csv, force_quote *, null '')").format(sql.SQL(query))
        with connection.cursor().copy(statement) as copy:
            for block in copy:
                file.write(block)
    try:
        return _to_parquet(text, columns, path)
    finally:
        text.unlink(missing_ok=True)


def _to_parquet(text: Path, columns: Sequence[str], path: Path) -> int:
    with duckdb.connect() as engine:
        rows = engine.read_csv(
            str(text),
            header=False,
            auto_detect=False,
            sep=",",
            quotechar='"',
            escapechar='"',
            na_values="",
            allow_quoted_nulls=False,
            max_line_size=10_000_000,
            columns=dict.fromkeys(columns, "VARCHAR"),
        )
        rows.project(", ".join(_cast(name) for name in columns)).write_parquet(str(path), compression="zstd")
    os.chmod(path, 0o600)
    return int(pq.read_metadata(path).num_rows)


def _cast(name: str) -> str:
    if name.endswith("_date"):
        return f"try_cast({name} as date) as {name}"
    return f"try_cast({name} as integer) as {name}" if name in {"entered_year", "sex"} else name


def copy_table(
    connection: Connection, table: str, rows: pa.Table, *, meanwhile: Callable[[], None] | None = None
) -> int:
    """Append an Arrow table to ``table`` by COPY and return its rows; column names are those of the table.

    ``meanwhile`` is called after every block that was sent, while the COPY is open.
    """
    names = sql.SQL(", ").join(sql.Identifier(name) for name in rows.column_names)
    schema, _, name = table.partition(".")
    target = sql.Identifier(schema, name)
    statement = sql.SQL("copy {} ({}) from stdin (format csv, null '')").format(target, names)
    options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
    flat = pa.Table.from_arrays([_as_text(column) for column in rows.columns], names=rows.column_names)
    with connection.cursor().copy(statement) as copy:
        for offset in range(0, flat.num_rows, CHUNK_ROWS):
            sink = pa.BufferOutputStream()
            pa_csv.write_csv(flat.slice(offset, CHUNK_ROWS), sink, options)
            copy.write(memoryview(sink.getvalue()))
            if meanwhile is not None:
                meanwhile()
    return int(rows.num_rows)


def _as_text(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Return a column in the text form COPY reads; lists become array literals."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        literals = [None if value is None else _array_literal(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(literals, pa.string())])
    if (
        pa.types.is_boolean(column.type)
        or pa.types.is_temporal(column.type)
        or pa.types.is_floating(column.type)
    ):
        return column.cast(pa.string())
    return column


def _array_literal(values: Sequence[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"
