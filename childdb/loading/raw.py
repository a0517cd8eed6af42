"""Rows of children into the raw table with their ledger row, in one transaction; and back for cleaning."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection, sql
from pyarrow import csv as pa_csv

from childdb.contracts import SourceTable, source_table
from childdb.errors import ContractError
from childdb.findings import Finding, findings_table
from childdb.flow.exchange import copy_table
from childdb.loading.ledger import RowCounts, lock_batch, record_reading
from childdb.loading.profiles import profile_document, profile_from
from childdb.reading.model import FileReading, Outcome
from childdb.steps import Step, reach

TABLE = "raw.treem__children"
LINEAGE = {"sheet": "_sheet", "row_no": "_row_no", "row_reason": "_row_reason"}


def load_reading(connection: Connection, batch_id: str, reading: FileReading) -> RowCounts | None:
    """Load one file as read and return its counts, or nothing if another process loaded it meanwhile.

    The rows, the findings and the ledger row are one transaction; loading a batch again replaces it.
    """
    if not lock_batch(connection, batch_id, "landed"):
        return None
    reach(Step.LOAD_LOCKED)
    connection.execute("delete from raw.treem__children where _batch_id = %s", [batch_id])
    reach(Step.LOAD_EMPTIED)
    quarantined = reading.rows.num_rows - reading.rows.column("row_reason").null_count
    counts = RowCounts(
        reading.physical_rows,
        reading.header_footer_rows,
        reading.rows.num_rows - quarantined,
        quarantined,
        reading.rejected_rows,
    )
    if reading.outcome.is_loaded:
        rows = raw_rows(batch_id, reading.rows)
        copy_table(connection, TABLE, rows, meanwhile=lambda: reach(Step.LOAD_COPYING))
    reach(Step.LOAD_COPIED)
    replace_findings(connection, batch_id, "reading", findings_table(reading.findings))
    reach(Step.LOAD_REMARKED)
    profile = profile_document(reading.profile)
    record_reading(
        connection,
        batch_id,
        counts,
        reading.outcome.value,
        reading.reason_code,
        profile,
        content_sha256(reading.rows),
    )
    reach(Step.LOAD_RECORDED)
    return counts


def content_sha256(rows: pa.Table) -> str | None:
    """Return a hash of the children's rows whatever their order and the bytes around them; None for no row."""
    if not rows.num_rows:
        return None
    sink = pa.BufferOutputStream()
    own = rows.drop_columns(["sheet", "row_no", "row_reason", "_kinds"])
    pa_csv.write_csv(own, sink, pa_csv.WriteOptions(include_header=False))
    return hashlib.sha256(b"\n".join(sorted(sink.getvalue().to_pybytes().split(b"\n")))).hexdigest()


def raw_rows(batch_id: str, rows: pa.Table) -> pa.Table:
    """Return rows as read in the shape of the raw table."""
    return shaped_rows(batch_id, rows, source_table("raw_treem", "treem__children"))


def shaped_rows(batch_id: str, rows: pa.Table, table: SourceTable) -> pa.Table:
    """Return rows as read in the shape of a raw table, with their batch and their outcome."""
    renamed = rows.rename_columns([LINEAGE.get(name, name) for name in rows.column_names])
    outcome = pc.if_else(pc.is_null(renamed.column("_row_reason")), "accepted", "quarantined")
    renamed = renamed.append_column("_batch_id", pa.array([batch_id] * rows.num_rows, pa.string()))
    renamed = renamed.append_column("_outcome", outcome)
    missing = [name for name in table.column_names if name not in renamed.column_names]
    if missing:
        raise ContractError(
            f"{table.qualified_name}, batch {batch_id}: the reader gave no column {missing[0]}."
        )
    return renamed.select(list(table.column_names))


def replace_findings(connection: Connection, batch_id: str, stage: str, findings: pa.Table) -> None:
    """Replace what one stage remarked on a batch; sentences stay with findings on the whole file."""
    connection.execute("delete from quality.findings where batch_id = %s and stage = %s", [batch_id, stage])
    if findings.num_rows == 0:
        return
    on_row = pc.is_valid(findings.column("row_no"))
    nothing = pa.scalar(None, pa.string())
    table = pa.table(
        {
            "batch_id": pa.array([batch_id] * findings.num_rows, pa.string()),
            "stage": pa.array([stage] * findings.num_rows, pa.string()),
            "sheet": findings.column("sheet"),
            "row_no": findings.column("row_no"),
            "column_name": findings.column("column"),
            "rule_id": findings.column("rule_id"),
            "severity": findings.column("severity"),
            "reason_code": findings.column("reason_code"),
            "message_vi": pc.if_else(on_row, nothing, findings.column("message_vi")),
            "message_en": pc.if_else(on_row, nothing, findings.column("message_en")),
        }
    )
    copy_table(connection, "quality.findings", table)


def reading_from_raw(connection: Connection, batch_id: str) -> FileReading:
    """Return a loaded batch as its reader gave it, from the raw table; its findings are stored already."""
    row = connection.execute(
        "select file_name_text, file_sha256, outcome, reason_code, physical_rows, header_footer_rows, profile "
        "from ops.batches where batch_id = %s",
        [batch_id],
    ).fetchone()
    if row is None:
        raise ContractError(f"Batch {batch_id} is not in the ledger.")
    profile = profile_from(row[6])
    rows = _let_go(
        _fetch_rows(connection, batch_id, profile.read_sheets), released_rows(connection, batch_id)
    )
    return FileReading(row[0], row[1], Outcome(row[2]), row[3], row[4], row[5], rows, [], profile)


def released_rows(connection: Connection, batch_id: str) -> frozenset[tuple[str | None, int]]:
    """Return (sheet, row number) of the rows of a batch that a person let go."""
    rows = connection.execute(
        "select sheet, row_no from ops.quarantine_decisions where batch_id = %s and decision = 'release' "
        "and row_no is not null",
        [batch_id],
    )
    return frozenset((row[0], int(row[1])) for row in rows)


def _let_go(rows: pa.Table, released: frozenset[tuple[str | None, int]]) -> pa.Table:
    """Return rows without the reason of those a person released."""
    if not released:
        return rows
    places = zip(
        rows["sheet"].to_pylist(), rows["row_no"].to_pylist(), rows["row_reason"].to_pylist(), strict=True
    )
    reasons = [None if (sheet or None, row_no) in released else reason for sheet, row_no, reason in places]
    place = rows.schema.get_field_index("row_reason")
    return rows.set_column(place, "row_reason", pa.array(reasons, pa.string()))


def _fetch_rows(connection: Connection, batch_id: str, sheets: Sequence[str]) -> pa.Table:
    inverse = {stored: name for name, stored in LINEAGE.items()}
    columns = [
        c
        for c in source_table("raw_treem", "treem__children").column_names
        if c not in {"_batch_id", "_outcome"}
    ]
    query = sql.SQL(
        "copy (select {columns} from raw.treem__children where _batch_id = {batch} "
        "order by coalesce(array_position({sheets}::text[], _sheet), 0), _sheet, _row_no) "
        "to stdout (format csv, null '')"
    ).format(
        columns=sql.SQL(", ").join(sql.Identifier(c) for c in columns),
        batch=sql.Literal(batch_id),
        sheets=sql.Literal(list(sheets)),
    )
    buffer = io.BytesIO()
    with connection.cursor().copy(query) as copy:
        for block in copy:
            buffer.write(block)
    names = [inverse.get(c, c) for c in columns]
    if buffer.tell() == 0:
        return pa.table(
            {name: pa.array([], pa.int32() if name == "row_no" else pa.string()) for name in names}
        )
    buffer.seek(0)
    return pa_csv.read_csv(
        buffer,
        read_options=pa_csv.ReadOptions(column_names=names, block_size=64 << 20),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.int32() if name == "row_no" else pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def findings_of(connection: Connection, batch_id: str) -> list[Finding]:
    """Return what reading remarked on a batch as a whole, for its receipt."""
    rows = connection.execute(
        "select b.file_sha256, f.sheet, f.row_no, f.column_name, f.rule_id, f.severity, f.reason_code, "
        "coalesce(f.message_vi, ''), coalesce(f.message_en, '') from quality.findings as f "
        "inner join ops.batches as b on f.batch_id = b.batch_id where f.batch_id = %s and f.stage = 'reading'",
        [batch_id],
    ).fetchall()
    return [Finding(*row) for row in rows]
