"""Changed records of the entry software: every version kept, the newest of each child cleaned, deletes noticed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from psycopg import Connection

from childdb.contracts import source_table
from childdb.findings import findings_table
from childdb.flow.exchange import copy_table
from childdb.loading.ledger import RowCounts, lock_batch, record_judgement, record_reading
from childdb.loading.raw import replace_findings
from childdb.places.history import history
from childdb.places.resolve import Query, resolve
from childdb.reading.reasons import make_finding

DATASET = "treem__changes"
_COMMUNE_FIELDS = ("ma_xa", "commune_code", "xa")
"""Where a record may say its commune, the surest first."""


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one child as the source gave it."""

    row_no: int
    child_code: str
    version: int
    is_deleted: bool
    changed_at: str
    document: str
    place: Query


def read_changes(path: Path) -> list[Change]:
    """Return the changes of a pull's file, one a line."""
    changes = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            record: Mapping[str, Any] = json.loads(line)
            changes.append(
                Change(
                    number, str(record["ma_tre"]), int(record["version"]), record.get("deleted") is True,
                    str(record.get("changed_at", "")), line.rstrip("\n"), _place(record),
                )
            )  # fmt: skip
    return changes


def _place(record: Mapping[str, Any]) -> Query:
    """Return what a record says of its commune, on the day it was changed."""
    texts = {name: str(record[name]) for name in ("tinh", "huyen", *_COMMUNE_FIELDS) if record.get(name)}
    commune = next((texts[name] for name in _COMMUNE_FIELDS if name in texts), None)
    try:
        day = date.fromisoformat(str(record.get("changed_at", ""))[:10])
    except ValueError:
        day = None
    return Query(texts.get("tinh"), texts.get("huyen"), commune, day)


def units_of(codes: Iterable[str]) -> frozenset[str]:
    """Return the units that carry or carried these codes, and those that hold their people today."""
    known = history()
    units = {unit.commune_id for code in codes for unit in known.by_code.get(code, [])}
    later = (known.successors_on(unit, date.max) or [] for unit in sorted(units))
    return frozenset(units.union(*later))


def _is_outside(place: Query, covered: frozenset[str]) -> bool:
    """Return whether a place is surely none of the units covered; what is not understood is not outside."""
    if place.commune is None:
        return False
    answer = resolve(place)
    units = {answer.commune_id, answer.current_id, *answer.candidates, *answer.current_candidates} - {None}
    return bool(units) and not units & covered


def row_reasons(changes: Iterable[Change], covered: frozenset[str] | None) -> dict[int, str]:
    """Return the rows that go no further: two contents of one version, and children the account does not cover.

    ``covered`` holds the units of the communes offered to us (:func:`units_of`); None where the source states no scope.
    """
    found: dict[int, str] = {}
    versions: dict[tuple[str, int], list[Change]] = defaultdict(list)
    for change in changes:
        versions[change.child_code, change.version].append(change)
        if covered is not None and _is_outside(change.place, covered):
            found[change.row_no] = "API-SCOPE"
    for same in versions.values():
        if len({change.document for change in same}) > 1:
            found.update({change.row_no: "API-CONFLICT" for change in same})
    return found


def load_changes(
    connection: Connection, batch_id: str, changes: list[Change], covered: frozenset[str] | None
) -> RowCounts | None:
    """Load a pull in one transaction with its ledger row and its judgement; return its counts."""
    if not lock_batch(connection, batch_id, "landed"):
        return None
    reasons = row_reasons(changes, covered)
    connection.execute("delete from raw.treem__changes where _batch_id = %s", [batch_id])
    _copy_raw(connection, batch_id, changes, reasons)
    counts = RowCounts(len(changes), 0, len(changes) - len(reasons), len(reasons), 0)
    outcome = ("accept_flagged", min(reasons.values())) if reasons else ("accept", None)
    findings = [make_finding(reason, row_no=row_no) for row_no, reason in sorted(reasons.items())]
    deleted = sum(change.is_deleted for change in changes)
    if deleted:
        findings.append(make_finding("API-DELETE", count=deleted))
        outcome = ("accept_flagged", outcome[1] or "API-DELETE")
    replace_findings(connection, batch_id, "reading", findings_table(findings))
    record_reading(connection, batch_id, counts, outcome[0], outcome[1], {})
    return counts


def _copy_raw(
    connection: Connection, batch_id: str, changes: list[Change], reasons: Mapping[int, str]
) -> None:
    names = source_table("raw_treem", DATASET).column_names
    rows = [
        {
            "_batch_id": batch_id, "_row_no": change.row_no,
            "_outcome": "quarantined" if change.row_no in reasons else "accepted",
            "_row_reason": reasons.get(change.row_no), "ma_tre": change.child_code, "source_version": change.version,
            "is_deleted": str(change.is_deleted).lower(), "changed_at": change.changed_at,
            # What lies outside the account's scope is reported, never kept.
            "document": None if reasons.get(change.row_no) == "API-SCOPE" else change.document,
        }
        for change in changes
    ]  # fmt: skip
    columns = {name: pa.array([row[name] for row in rows]) for name in names}
    if rows:
        copy_table(connection, f"raw.{DATASET}", pa.table(columns))


def clean_changes(connection: Connection, batch_id: str) -> int:
    """Keep the newest version of each child of a pull, judge the batch, and return the children."""
    connection.execute("delete from clean.treem__changes where _batch_id = %s", [batch_id])
    cursor = connection.execute(
        "insert into clean.treem__changes (record_id, _batch_id, ma_tre, source_version, is_deleted, changed_at, document) "
        "select distinct on (ma_tre) _batch_id || '#1:' || _row_no, _batch_id, ma_tre, source_version, is_deleted, "
        "changed_at, document from raw.treem__changes where _batch_id = %s and _outcome = 'accepted' "
        "order by ma_tre, source_version desc, _row_no",
        [batch_id],
    )
    row = connection.execute(
        "select outcome, reason_code, accepted, quarantined from ops.batches where batch_id = %s", [batch_id]
    ).fetchone()
    if row is not None:
        record_judgement(
            connection, batch_id, outcome=row[0], reason_code=row[1], accepted=row[2], quarantined=row[3],
            file_date=None, sender_commune_id=None,
        )  # fmt: skip
    return cursor.rowcount
