"""Opens the two input files and refuses, in one sentence each, what cannot be matched."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from childdb.errors import ContractError, InputRefusedError
from childdb.identity.features import SideTable
from childdb.identity.rules import ColumnType, Side

_CHUNK = 1 << 22


@dataclass(frozen=True)
class InputFile:
    """What is told of an input in the report."""

    rows: int
    sha256: str
    columns_ignored: tuple[str, ...]


def open_input(connection: duckdb.DuckDBPyConnection, path: Path, side: Side, table: SideTable) -> InputFile:
    """Make a view on a Parquet file after checking columns, types and key."""
    schema, rows = _schema(path, table)
    _check_columns(schema, side, table)
    if rows == 0:
        raise InputRefusedError(
            f"The {table.name} is empty: 0 rows, at least 1 expected. Check that the export ran to its end.",
            f"Tệp {table.name} không có dòng nào. Hãy kiểm tra việc kết xuất dữ liệu.",
        )
    quoted = str(path).replace("'", "''")
    listed = ", ".join(_column(name, schema.field(name).type) for name in side.columns)
    connection.execute(
        f"create or replace view {table.source} as select {listed}, file_row_number from read_parquet('{quoted}', file_row_number = true)"
    )
    _check_key(connection, side, table)
    ignored = tuple(sorted(set(schema.names) - set(side.columns)))
    return InputFile(rows, _sha256(path), ignored)


def _schema(path: Path, table: SideTable) -> tuple[pa.Schema, int]:
    if not path.is_file():
        raise InputRefusedError(
            f"The {table.name} file does not exist. Name an existing Parquet file.",
            f"Không tìm thấy tệp {table.name}.",
        )
    try:
        metadata = pq.ParquetFile(path)
        return metadata.schema_arrow, int(metadata.metadata.num_rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputRefusedError(
            f"The {table.name} is not a whole Parquet file. Write it again as Parquet, or copy it again in full.",
            f"Tệp {table.name} không phải là tệp Parquet hoàn chỉnh.",
        ) from None


def _check_columns(schema: pa.Schema, side: Side, table: SideTable) -> None:
    missing = [name for name in side.columns if name not in schema.names]
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    wrong = [
        f"{name} is {schema.field(name).type}, {kind} expected"
        for name, kind in side.columns.items()
        if schema.names.count(name) == 1 and not _fits(schema.field(name).type, kind)
    ]
    problems = [f"missing columns: {', '.join(missing)}"] * bool(missing) + [
        f"columns given twice: {', '.join(twice)}"
    ] * bool(twice)
    problems += [f"wrong types: {'; '.join(wrong)}"] * bool(wrong)
    if problems:
        raise ContractError(
            f"The {table.name} does not have the agreed columns ({len(side.columns)} expected): {'. '.join(problems)}. Correct the file and repeat.",
            f"Tệp {table.name} không đúng các cột đã thống nhất: {'. '.join(problems)}.",
        )


def _fits(found: pa.DataType, wanted: ColumnType) -> bool:
    if isinstance(found, pa.DictionaryType):
        found = found.value_type
    text = pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)
    if pa.types.is_null(found):
        return True
    fits: dict[ColumnType, bool] = {
        ColumnType.TEXT: text,
        ColumnType.INTEGER: pa.types.is_integer(found),
        ColumnType.DATE: pa.types.is_date(found),
        ColumnType.CODE: text or pa.types.is_integer(found),
    }
    return fits[wanted]


def _column(name: str, found: pa.DataType) -> str:
    return f'"{name}"::varchar as "{name}"' if pa.types.is_null(found) else f'"{name}"'


def _check_key(connection: duckdb.DuckDBPyConnection, side: Side, table: SideTable) -> None:
    empty, repeated = connection.execute(
        f'with counted as (select "{side.key}" as key, count(*) as rows from {table.source} group by all)'
        " select coalesce(sum(rows) filter (where key is null or key = ''), 0), coalesce(sum(rows - 1) filter (where key is not null and key <> ''), 0) from counted"
    ).fetchall()[0]
    if empty or repeated:
        raise ContractError(
            f"The {table.name} has {empty} rows without {side.key} and {repeated} rows that repeat one; every row needs its own. Correct the file and repeat.",
            f"Tệp {table.name} có {empty} dòng thiếu {side.key} và {repeated} dòng trùng {side.key}; mỗi dòng phải có một mã riêng.",
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
