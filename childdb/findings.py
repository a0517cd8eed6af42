"""Findings: what was seen, repaired or refused, and where. They never carry a value of a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Severity(StrEnum):
    """How much a finding weighs, from a plain remark to a field or row that cannot be used."""

    INFO = "info"
    REPAIRED = "repaired"
    WARNING = "warning"
    ERROR = "error"


FINDINGS_SCHEMA = pa.schema(
    [
        pa.field("file_sha256", pa.string(), nullable=False),
        pa.field("sheet", pa.string()),
        pa.field("row_no", pa.int32()),
        pa.field("column", pa.string()),
        pa.field("rule_id", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("reason_code", pa.string(), nullable=False),
        pa.field("message_vi", pa.string(), nullable=False),
        pa.field("message_en", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a file, row or field. Messages are templates: counts and columns, never values.

    `row_no` is counted as a person counts in the sheet, from 1; None means the whole file or column.
    """

    file_sha256: str
    sheet: str | None
    row_no: int | None
    column: str | None
    rule_id: str
    severity: Severity
    reason_code: str
    message_vi: str
    message_en: str


def findings_table(findings: Iterable[Finding]) -> pa.Table:
    """Return findings as an Arrow table with `FINDINGS_SCHEMA`, in the order given."""
    rows = list(findings)
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in FINDINGS_SCHEMA]
    return pa.Table.from_arrays(columns, schema=FINDINGS_SCHEMA)
