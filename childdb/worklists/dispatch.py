"""Lists on their way: nothing leaves without a person's word, answers are fetched, unanswered lists are reminded of."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from psycopg import Connection

from childdb.errors import GateStoppedError, UsageError

REMIND_DAYS = 14
"""Days between two reminders of the same list."""
MOST_REMINDERS = 3


@dataclass(frozen=True, slots=True)
class Reminder:
    """One list that is late."""

    batch_id: str
    commune_id: str
    item_class: str
    round_no: int
    unanswered_count: int
    days_late: int


def dispatch_batch(
    connection: Connection,
    prepared: Path,
    outbox: Path,
    batch_id: str,
    approved_by: str,
    approved_at: datetime,
) -> int:
    """Copy a prepared batch into the folder that leaves the house and return how many lists it has; once only.

    Raises:
        GateStoppedError: nobody approved it.
        UsageError: there is no such batch.
    """
    if not approved_by.strip():
        raise GateStoppedError(
            f"Batch {batch_id} of lists was approved by nobody: it stays here.",
            f"Đợt danh sách {batch_id} chưa có người duyệt nên chưa được gửi đi.",
        )
    rows = connection.execute(
        "select count(distinct (r.commune_id, r.item_class)) from quality.request_rows as r where r.batch_id = %s",
        [batch_id],
    ).fetchone()
    lists = int(rows[0]) if rows else 0
    folder = prepared / batch_id
    if not lists or not folder.is_dir():
        raise UsageError(f"There is no prepared batch {batch_id}; 'childdb requests export' prepares one.")
    target = outbox / batch_id
    fresh = outbox / f".{batch_id}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    _copy_by_commune(folder, fresh)
    connection.execute(
        "insert into quality.request_dispatches (batch_id, approved_by, approved_at, list_count) values (%s, %s, %s, %s) "
        "on conflict (batch_id) do nothing",
        [batch_id, approved_by.strip(), approved_at, lists],
    )
    shutil.rmtree(target, ignore_errors=True)
    os.replace(fresh, target)
    return lists


def _copy_by_commune(folder: Path, target: Path) -> None:
    """One folder per commune: whoever carries them takes nobody else's children along."""
    target.mkdir(mode=0o700)
    for path in sorted(folder.iterdir()):
        own = target / path.name.split("_", 1)[0]
        own.mkdir(exist_ok=True, mode=0o700)
        shutil.copy2(path, own / path.name)


def remind(connection: Connection, day: date) -> list[Reminder]:
    """Record and return the reminders due on a day; the same day twice gives the same ones once."""
    rows = connection.execute(
        "select l.batch_id, l.commune_id, l.item_class, coalesce(max(r.round_no), 0), l.unanswered_count, %(day)s - l.due_date "
        "from quality.open_lists as l left join quality.request_reminders as r "
        "on l.batch_id = r.batch_id and l.commune_id = r.commune_id and l.item_class = r.item_class "
        "where l.unanswered_count > 0 and l.due_date < %(day)s "
        "group by l.batch_id, l.commune_id, l.item_class, l.unanswered_count, l.due_date "
        "having coalesce(max(r.reminded_on), l.due_date - %(wait)s) <= %(day)s - %(wait)s "
        "and coalesce(max(r.round_no), 0) < %(most)s order by l.batch_id, l.commune_id, l.item_class",
        {"day": day, "wait": REMIND_DAYS, "most": MOST_REMINDERS},
    ).fetchall()
    found = [
        Reminder(batch, unit, kind, int(last) + 1, int(open_), int(late))
        for batch, unit, kind, last, open_, late in rows
    ]
    for entry in found:
        connection.execute(
            "insert into quality.request_reminders (batch_id, commune_id, item_class, round_no, unanswered_count, reminded_on) "
            "values (%s, %s, %s, %s, %s, %s)",
            [entry.batch_id, entry.commune_id, entry.item_class, entry.round_no, entry.unanswered_count, day],
        )  # fmt: skip
    return found
