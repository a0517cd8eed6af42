"""Reports read as figures into their raw and clean tables; a batch and its ledger row are one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from psycopg import Connection

from childdb.contracts import source_table
from childdb.findings import findings_table
from childdb.flow.exchange import copy_table
from childdb.loading.ledger import RowCounts, lock_batch, record_judgement, record_reading
from childdb.loading.profiles import profile_document
from childdb.loading.raw import content_sha256, replace_findings, shaped_rows
from childdb.places.history import MERGER_DAY
from childdb.places.scope import province_scope

if TYPE_CHECKING:
    from datetime import date

    from childdb.reading.model import FileReading
    from connectors.reports import ReportFigure


@dataclass(frozen=True, slots=True)
class Stated:
    """What the title and signature of a report say of all its figures."""

    day: date | None = None
    units: Mapping[str, str] = field(default_factory=dict)


def load_figures(
    connection: Connection, dataset: str, batch_id: str, reading: FileReading
) -> RowCounts | None:
    """Load one report as read and return its counts, or nothing if another process loaded it meanwhile."""
    if not lock_batch(connection, batch_id, "landed"):
        return None
    table = source_table(f"raw_{dataset.partition('__')[0]}", dataset)
    connection.execute(f"delete from {table.qualified_name} where _batch_id = %s", [batch_id])  # noqa: S608 - our own name
    quarantined = reading.rows.num_rows - reading.rows.column("row_reason").null_count
    counts = RowCounts(
        reading.physical_rows, reading.header_footer_rows, reading.rows.num_rows - quarantined, quarantined,
        reading.rejected_rows,
    )  # fmt: skip
    if reading.outcome.is_loaded:
        copy_table(connection, table.qualified_name, shaped_rows(batch_id, reading.rows, table))
    replace_findings(connection, batch_id, "reading", findings_table(reading.findings))
    profile = profile_document(reading.profile)
    content = content_sha256(reading.rows)
    record_reading(connection, batch_id, counts, reading.outcome.value, reading.reason_code, profile, content)
    return counts


def clean_figures(
    connection: Connection, dataset: str, batch_id: str, figures: list[ReportFigure], stated: Stated
) -> None:
    """Type the figures of a loaded report and judge its batch; loading it again replaces them."""
    table = source_table(f"clean_{dataset.partition('__')[0]}", dataset)
    connection.execute(f"delete from {table.qualified_name} where _batch_id = %s", [batch_id])  # noqa: S608 - our own name
    rows = [_clean_row(batch_id, figure, stated) for figure in figures]
    columns = {name: [row[name] for row in rows] for name in table.column_names}
    arrays = [pa.array(columns[name], _TYPES.get(name, pa.string())) for name in table.column_names]
    copy_table(connection, table.qualified_name, pa.table(arrays, names=list(table.column_names)))
    row = connection.execute(
        "select case when outcome = 'quarantine_file' then 'accept_flagged' else outcome end, "
        "nullif(reason_code, 'GATE'), physical_rows - header_footer_rows from ops.batches where batch_id = %s",
        [batch_id],
    ).fetchone()
    outcome, reason_code, data_rows = row or ("accept", None, len(rows))
    record_judgement(
        connection, batch_id, outcome=outcome, reason_code=reason_code, accepted=len(rows),
        quarantined=data_rows - len(rows), file_date=stated.day, sender_commune_id=None,
    )  # fmt: skip


_TYPES: Mapping[str, pa.DataType] = {
    "reported_value": pa.decimal128(18, 2), "earlier_value": pa.decimal128(18, 2), "reported_date": pa.date32(),
}  # fmt: skip


def _clean_row(batch_id: str, figure: ReportFigure, stated: Stated) -> dict[str, Any]:
    province = figure.province_text or stated.units.get("province")
    return {
        "record_id": f"{batch_id}#{figure.sheet_no}:{figure.row_no}",
        "_batch_id": batch_id,
        "topic_vi": figure.topic,
        "unit_vi": figure.unit_text or None,
        "counted_unit_code": figure.counted_unit_code,
        "reported_value": _decimal(figure.value),
        "earlier_value": _decimal(figure.earlier_value),
        "province_code": _province_code(province, stated.day),
        "province_vi": province,
        "commune_vi": figure.commune_text or stated.units.get("commune"),
        "period_vi": figure.period_text,
        "reported_date": stated.day,
        "note_vi": figure.note,
    }


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def _province_code(text: str | None, day: date | None) -> str | None:
    """Return the code of a province named for certain on a day; the present map where no day is stated."""
    if not text:
        return None
    scope = province_scope(text, day or MERGER_DAY)
    codes = scope.legacy_codes if day is not None and day < MERGER_DAY else scope.present_codes
    return next(iter(codes)) if len(codes) == 1 else None
