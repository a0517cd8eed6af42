"""Items, events, batches and answers in the database. Events are only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from childdb.worklists.model import Item, ItemClass, ItemState, ListedChild, ListRow

CLOSED = (ItemState.CLOSED, ItemState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch of lists as a whole; counts are (children kept apart, children without addressee)."""

    batch_id: str
    as_of: date
    due_date: date
    counts: tuple[int, int]


def item_states(connection: Connection) -> dict[str, ItemState]:
    """Return the state of every item there is."""
    rows = connection.execute("select item_id, state from quality.work_items")
    return {item: ItemState(state) for item, state in rows}


def follow_survey(
    connection: Connection,
    items: Mapping[str, tuple[Item, ListedChild]],
    seen: tuple[set[str], set[str]],
    known: Mapping[str, ItemState],
    day: date,
    actor: str,
) -> dict[str, int]:
    """Open new items, open healed ones again that broke again, close or withdraw what the data no longer show.

    `seen` are the counted children, and those of them without an addressee: the items of these just wait.
    """
    counted, waiting = seen
    new = [items[key][0] for key in sorted(items) if key not in known]
    back = [key for key in sorted(items) if known.get(key) in CLOSED]
    _insert_items(connection, new, day)
    _refresh_items(connection, [items[key][0] for key in sorted(items) if key in known])
    _add_events(connection, [item.item_id for item in new], "opened", day, actor, "DEFECT-SEEN")
    _add_events(connection, back, "reopened", day, actor, "DEFECT-BACK")
    gone = [key for key, state in sorted(known.items()) if key not in items and state not in CLOSED]
    children = _children_of(connection, gone)
    gone = [key for key in gone if children[key] not in waiting]
    healed = [key for key in gone if children[key] in counted]
    left = [key for key in gone if children[key] not in counted]
    _add_events(connection, healed, "closed", day, actor, "HEALED-IN-DATA")
    _add_events(connection, left, "withdrawn", day, actor, "CHILD-NOT-COUNTED")
    return {"opened": len(new), "reopened": len(back), "closed": len(healed), "withdrawn": len(left)}


def _insert_items(connection: Connection, items: Iterable[Item], day: date) -> None:
    statement = (
        "copy quality.work_items (item_id, child_id, commune_id, item_class, reasons, state, opened_count, "
        "first_opened_date, last_event_date) from stdin"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for item in items:
            reasons = [reason.value for reason in item.reasons]
            copy.write_row(
                (
                    item.item_id,
                    item.child_id,
                    item.commune_id,
                    item.item_class.value,
                    reasons,
                    "open",
                    1,
                    day,
                    day,
                )
            )


def _refresh_items(connection: Connection, items: Iterable[Item]) -> None:
    """A child may have moved, or a second field may be missing now: the item follows, its history stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table seen_items (item_id text, commune_id text, reasons text[]) on commit drop"
        )
        with cursor.copy("copy seen_items (item_id, commune_id, reasons) from stdin") as copy:
            for item in items:
                copy.write_row((item.item_id, item.commune_id, [reason.value for reason in item.reasons]))
        cursor.execute(
            "update quality.work_items as w set commune_id = s.commune_id, reasons = s.reasons from seen_items as s "
            "where s.item_id = w.item_id and (w.commune_id, w.reasons) is distinct from (s.commune_id, s.reasons)"
        )
        cursor.execute("drop table seen_items")


def _children_of(connection: Connection, items: list[str]) -> dict[str, str]:
    rows = connection.execute(
        "select item_id, child_id from quality.work_items where item_id = any(%s)", [items]
    )
    return {str(item): str(child) for item, child in rows}


def _add_events(
    connection: Connection, items: Iterable[str], event: str, day: date, actor: str, reason: str
) -> None:
    statement = "copy quality.work_item_events (item_id, event, reason_code, event_date, actor) from stdin"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for item in items:
            copy.write_row((item, event, reason, day, actor))


def record_batch(
    connection: Connection,
    batch: BatchRecord,
    lists: Mapping[tuple[str, ItemClass], list[ListRow]],
    actor: str,
) -> bool:
    """Record a batch and that its items were sent; False if the very same batch is known already."""
    rows = [row for found in lists.values() for row in found]
    fresh = connection.execute(
        "insert into quality.request_batches "
        "(batch_id, as_of_date, due_date, row_count, newborn_count, without_addressee_count) "
        "values (%s, %s, %s, %s, %s, %s) on conflict do nothing returning 1",
        [batch.batch_id, batch.as_of, batch.due_date, len(rows), *batch.counts],
    ).fetchone()
    if fresh is None:
        return False
    statement = (
        "copy quality.request_rows (row_key, row_hash, batch_id, item_id, commune_id, item_class) from stdin"
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
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
        cursor.execute(
            "insert into quality.work_item_events (item_id, event, batch_id, reason_code, event_date, actor) "
            "select item_id, 'sent', batch_id, 'LISTED', %s, %s from quality.request_rows where batch_id = %s "
            "order by item_id",
            [batch.as_of, actor, batch.batch_id],
        )
    return True
