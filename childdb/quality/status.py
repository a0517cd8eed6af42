"""The state of everything in one answer: runs, gates, deliveries, the ledger equation, requests, reviews."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row

from childdb.quality.reports import GateLine, newest_gates
from childdb.quality.words import OUTCOMES_VI
from childdb.worklists.service import RequestStatus, request_status

MAX_RUNS = 5
EQUATION = ("physical_rows", "header_footer_rows", "accepted", "quarantined", "rejected")


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the command tells."""

    runs: list[dict[str, Any]]
    gates: list[GateLine]
    deliveries: dict[str, int]
    ledger: dict[str, int]
    requests: RequestStatus
    open_reviews: int

    @property
    def ledger_holds(self) -> bool:
        """Whether all files together balance, and none is out of balance by itself."""
        physical, *parts = (self.ledger[name] for name in EQUATION)
        return physical == sum(parts) and self.ledger["unbalanced_files"] == 0

    def as_json(self) -> dict[str, Any]:
        """Return the status for a program."""
        return {
            "runs": self.runs,
            "gates": [
                {"suite": gate.suite, "dataset": gate.dataset, "run_id": gate.run_id, "outcome": gate.outcome,
                 "batches": gate.batch_count, "held_batches": gate.held_batch_count, "message_vi": gate.message_vi,
                 "message_en": gate.message_en}
                for gate in self.gates
            ],
            "deliveries": self.deliveries,
            "ledger": self.ledger | {"holds": self.ledger_holds},
            "requests": self.requests.as_json(),
            "open_reviews": self.open_reviews,
        }  # fmt: skip


def read_status(connection: Connection) -> Status:
    """Return the state of everything."""
    return Status(
        runs=_runs(connection),
        gates=newest_gates(connection),
        deliveries=_deliveries(connection),
        ledger=_ledger(connection),
        requests=request_status(connection),
        open_reviews=_open_reviews(connection),
    )


def _runs(connection: Connection) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "select run_id, status, to_char(opened_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as opened_at, "
            "to_char(closed_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as closed_at, release_id, "
            "message_vi, message_en from ops.runs order by ops.runs.opened_at desc, run_id limit %s",
            [MAX_RUNS],
        )
        return cursor.fetchall()


def _deliveries(connection: Connection) -> dict[str, int]:
    rows = connection.execute("select status, count(*) from ops.batches group by status order by status")
    return {str(status): int(count) for status, count in rows}


def _ledger(connection: Connection) -> dict[str, int]:
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in EQUATION)
    row = connection.execute(
        "select count(*), " + sums + ", count(*) filter (where physical_rows "  # noqa: S608 - names of our own
        "<> header_footer_rows + accepted + quarantined + rejected) from ops.batches"
    ).fetchone()
    return dict(zip(("files", *EQUATION, "unbalanced_files"), map(int, row or (0,) * 7), strict=True))


def _open_reviews(connection: Connection) -> int:
    try:
        with connection.transaction():
            row = connection.execute(
                "select count(*) from identity.record_links where decision = 'review'"
            ).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    return int(row[0]) if row else 0


def status_lines(status: Status) -> Iterator[str]:
    """Yield the state in words, Vietnamese first."""
    yield from _run_lines(status)
    for gate in status.gates:
        held = f", giữ {gate.held_batch_count}/{gate.batch_count} lô" if gate.batch_count else ""
        yield f"Cổng {gate.suite}: {OUTCOMES_VI[gate.outcome].lower()}{held}"
        if gate.message_vi:
            yield f"  {gate.message_vi}"
    states = ", ".join(f"{state} {count}" for state, count in status.deliveries.items()) or "chưa có"
    yield f"Tệp nhận: {states}"
    ledger = status.ledger
    sign = "=" if status.ledger_holds else "≠"
    yield (
        f"Cân đối: {ledger['physical_rows']} dòng {sign} {ledger['accepted']} nhận + {ledger['quarantined']} giữ lại "
        f"+ {ledger['rejected']} trả lại + {ledger['header_footer_rows']} tiêu đề và chân trang"
    )
    waiting = sum(batch.unanswered_count for batch in status.requests.batches[-1:])
    open_items = sum(line.open_count for line in status.requests.balances)
    yield f"Danh sách gửi công an: {len(status.requests.batches)} đợt, {waiting} dòng chưa trả lời; {open_items} việc đang mở"
    yield f"Cặp chờ xem xét: {status.open_reviews}"


def _run_lines(status: Status) -> Iterator[str]:
    if not status.runs:
        yield "Chưa có lượt chạy nào. / No run yet."
    for run in status.runs:
        release = f", bản công bố {run['release_id']}" if run["release_id"] else ""
        yield f"Lượt chạy {run['run_id']}: {run['status']}{release}"
        if run["message_vi"]:
            yield f"  {run['message_vi']}"
