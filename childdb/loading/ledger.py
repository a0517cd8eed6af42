"""The ledger of batches: every statement that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from childdb.landing import Landed


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrival of some bytes: how they came and what their sender called them."""

    dataset: str
    channel: str
    file_name_text: str
    run_id: str | None
    sender_code: str | None = None
    """The commune whose account or folder it came through, where the channel knows it."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What became of the physical rows of a file."""

    physical_rows: int
    header_footer_rows: int
    accepted: int
    quarantined: int
    rejected: int


def batch_id_of(dataset: str, sha256: str) -> str:
    """Return the id of a batch: its dataset and the head of its content's hash."""
    return f"{dataset}@{sha256[:20]}"


def record_delivery(connection: Connection, delivery: Delivery, landed: Landed) -> bool:
    """Record an arrival and return whether its content is new to the dataset."""
    batch_id = batch_id_of(delivery.dataset, landed.sha256)
    cursor = connection.execute(
        "insert into ops.batches (batch_id, dataset, file_sha256, size_bytes, file_name_text, received_run_id, "
        "sender_code) values (%s, %s, %s, %s, %s, %s, %s) on conflict (dataset, file_sha256) do nothing",
        [
            batch_id,
            delivery.dataset,
            landed.sha256,
            landed.size_bytes,
            delivery.file_name_text,
            delivery.run_id,
            delivery.sender_code,
        ],
    )
    is_new = cursor.rowcount == 1
    _delivery(
        connection,
        delivery,
        batch_id,
        "landed" if is_new else "duplicate",
        None if is_new else "DEL-DUPLICATE",
    )
    return is_new


def record_not_taken(connection: Connection, delivery: Delivery, reason_code: str) -> None:
    """Record an arrival whose bytes were not taken."""
    _delivery(connection, delivery, None, "not_taken", reason_code)


def _delivery(
    connection: Connection, delivery: Delivery, batch_id: str | None, outcome: str, reason_code: str | None
) -> None:
    connection.execute(
        "insert into ops.deliveries (batch_id, dataset, channel, file_name_text, run_id, outcome, reason_code, "
        "sender_code) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            batch_id,
            delivery.dataset,
            delivery.channel,
            delivery.file_name_text,
            delivery.run_id,
            outcome,
            reason_code,
            delivery.sender_code,
        ],
    )


def known_contents(connection: Connection, dataset: str) -> frozenset[str]:
    """Return the hashes of every content of a dataset that was landed before."""
    rows = connection.execute("select file_sha256 from ops.batches where dataset = %s", [dataset])
    return frozenset(str(row[0]) for row in rows)


def batches_with_status(connection: Connection, dataset: str, status: str) -> list[tuple[str, str, str]]:
    """Return (batch_id, file_sha256, file_name_text) of the batches of a dataset in one status, by id."""
    rows = connection.execute(
        "select batch_id, file_sha256, file_name_text from ops.batches where dataset = %s and status = %s "
        "order by batch_id",
        [dataset, status],
    ).fetchall()
    return [(str(a), str(b), str(c)) for a, b, c in rows]


def lock_batch(connection: Connection, batch_id: str, status: str) -> bool:
    """Lock a batch for this transaction and return whether it still has the status expected."""
    row = connection.execute(
        "select status = %s from ops.batches where batch_id = %s for update", [status, batch_id]
    ).fetchone()
    return bool(row and row[0])


def record_reading(
    connection: Connection,
    batch_id: str,
    counts: RowCounts,
    outcome: str,
    reason_code: str | None,
    profile: Mapping[str, Any],
    content_sha256: str | None = None,
) -> None:
    """Write what reading a file gave; the database checks the equation when the transaction ends."""
    status = {"reject_file": "refused", "quarantine_file": "held", "retry": "held"}.get(outcome, "loaded")
    connection.execute(
        "update ops.batches set status = %s, outcome = %s, reason_code = %s, physical_rows = %s, "
        "header_footer_rows = %s, accepted = %s, quarantined = %s, rejected = %s, profile = %s, "
        "content_sha256 = %s, reader_version = %s where batch_id = %s",
        [
            status,
            outcome,
            reason_code,
            counts.physical_rows,
            counts.header_footer_rows,
            counts.accepted,
            counts.quarantined,
            counts.rejected,
            Jsonb(dict(profile)),
            content_sha256,
            profile.get("column_map_version"),
            batch_id,
        ],
    )


def record_judgement(
    connection: Connection,
    batch_id: str,
    *,
    outcome: str,
    reason_code: str | None,
    accepted: int,
    quarantined: int,
    rejected: int = 0,
    file_date: object,
    sender_commune_id: str | None,
    rules_version: str | None = None,
) -> None:
    """Write what cleaning made of a loaded batch."""
    connection.execute(
        "update ops.batches set status = 'judged', outcome = %s, reason_code = %s, accepted = %s, quarantined = %s, "
        "rejected = %s, file_date = %s, sender_commune_id = %s, rules_version = %s where batch_id = %s",
        [
            outcome,
            reason_code,
            accepted,
            quarantined,
            rejected,
            file_date,
            sender_commune_id,
            rules_version,
            batch_id,
        ],
    )
