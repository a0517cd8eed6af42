"""Batches of lists in the database: what is listed, which rows went out. Events are only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from childdb.worklists.model import Item, ItemClass, ListRow, Reason

_FETCHED = 20_000
_LISTED = "state not in ('applied', 'closed', 'withdrawn')"


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch of lists as a whole; counts are (children kept apart, children without addressee)."""

    batch_id: str
    as_of: date
    due_date: date
    counts: tuple[int, int]


def listed_items(connection: Connection) -> list[str]:
    """Return the ids of the items that a list of today asks about: seen in the data and not answered with a number."""
    rows = connection.execute(
        "select w.item_id from quality.work_items as w inner join seen_defects as s on w.item_id = s.item_id "  # noqa: S608
        f"where w.{_LISTED}"
    )
    return [str(row[0]) for row in rows]


def listed_rows(connection: Connection) -> Iterator[Item]:
    """Yield the listed items, by commune and class; streamed, so that memory does not grow with their number."""
    last = ("", "")
    while True:
        rows = connection.execute(
            "select w.item_id, w.child_id, w.commune_id, w.item_class, w.reasons from quality.work_items as w "  # noqa: S608
            "inner join seen_defects as s on w.item_id = s.item_id "
            f"where w.{_LISTED} and (w.commune_id, w.item_id) > (%s, %s) order by w.commune_id, w.item_id limit %s",
            [*last, _FETCHED],
        ).fetchall()
        for item_id, child_id, commune_id, item_class, reasons in rows:
            yield Item(
                item_id, child_id, commune_id, ItemClass(item_class), tuple(Reason(text) for text in reasons)
            )
        if len(rows) < _FETCHED:
            return
        last = (rows[-1][2], rows[-1][0])


def open_batch(connection: Connection, batch: BatchRecord) -> bool:
    """Record a batch before its rows; False if the very same batch is known already."""
    fresh = connection.execute(
        "insert into quality.request_batches "
        "(batch_id, as_of_date, due_date, row_count, newborn_count, without_addressee_count) "
        "values (%s, %s, %s, 0, %s, %s) on conflict do nothing returning 1",
        [batch.batch_id, batch.as_of, batch.due_date, *batch.counts],
    ).fetchone()
    return fresh is not None


def record_rows(connection: Connection, batch: BatchRecord, rows: Iterable[ListRow]) -> None:
    """Record rows that stand in the lists of a batch."""
    statement = (
        "copy quality.request_rows (row_key, row_hash, batch_id, item_id, commune_id, item_class) from stdin"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            item = row.item
            copy.write_row(
                (
                    row.row_key,
                    row.row_hash,
                    batch.batch_id,
                    item.item_id,
                    item.commune_id,
                    item.item_class.value,
                )
            )


def close_batch(connection: Connection, batch: BatchRecord, actor: str, *, is_new: bool) -> int:
    """Note that the items of a new batch were sent; return how many rows the batch has."""
    if is_new:
        connection.execute(
            "update quality.request_batches set row_count = "
            "(select count(*) from quality.request_rows as r where r.batch_id = %(batch)s) where batch_id = %(batch)s",
            {"batch": batch.batch_id},
        )
        connection.execute(
            "insert into quality.work_item_events (item_id, event, batch_id, reason_code, event_date, actor) "
            "select item_id, 'sent', batch_id, 'LISTED', %s, %s from quality.request_rows where batch_id = %s "
            "order by item_id",
            [batch.as_of, actor, batch.batch_id],
        )
    connection.execute("drop table if exists pg_temp.seen_defects")
    row = connection.execute(
        "select row_count from quality.request_batches where batch_id = %s", [batch.batch_id]
    ).fetchone()
    return int(row[0]) if row else 0
