"""Items of every kind: opened, sent, closed by evidence and opened again, as one step in SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from psycopg import Connection

FIX_LIST, HELD_FILE = "fix_list", "held_file"
BY_DATA = "HEALED-IN-DATA"
AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing to mend: a number or fact of a child, a cell of a list, or a file that waits."""

    item_id: str
    commune_id: str
    reasons: tuple[str, ...]
    item_class: str
    child_id: str | None = None
    batch_id: str | None = None


def fix_item_id(child_id: str, column: str | None, rule_id: str) -> str:
    """Return the id of a defect of a child's cell; the same in every export of the child."""
    return hashlib.sha256(f"fix|{child_id}|{column or ''}|{rule_id}".encode()).hexdigest()[:24]


def held_files(connection: Connection) -> list[Defect]:
    """Return the files that wait for their sender or for a person."""
    rows = connection.execute(
        "select b.batch_id, coalesce(b.sender_commune_id, a.sender_commune_id, ''), coalesce(b.reason_code, 'HELD') "
        "from ops.batches as b left join ops.batch_arrivals as a on b.batch_id = a.batch_id "
        "where b.status = 'held' and not b.gate_passed order by b.batch_id"
    )
    return [
        Defect(
            hashlib.sha256(f"file|{batch}".encode()).hexdigest()[:24],
            commune,
            (reason,),
            HELD_FILE,
            batch_id=batch,
        )
        for batch, commune, reason in rows
    ]


Counted = Callable[[Collection[str]], tuple[set[str], set[str]]]
"""Tells of children which are still counted, and which of these have no addressee: the items of the latter wait."""


def follow_defects(
    connection: Connection,
    classes: Sequence[str],
    defects: Iterable[Defect],
    day: date,
    actor: str,
    *,
    counted: Counted | None = None,
) -> dict[str, int]:
    """Open what is new, open again what came back, close what is gone and withdraw what nobody can mend any more.

    What was seen stays in the temporary table `seen_defects` until the transaction ends or a new survey begins.
    """
    _lay_out(connection, defects)
    back = (
        "inner join seen_defects as s on w.item_id = s.item_id "
        "where w.item_class = any(%s) and w.state in ('closed', 'withdrawn')"
    )
    reopened = _items(connection, back, classes)
    _refresh(connection)
    opened = _open(connection, day)
    counts = {
        "opened": _write_events(connection, opened, "opened", "DEFECT-SEEN", day, actor),
        "reopened": _write_events(
            connection, [item for item, _ in reopened], "reopened", "DEFECT-BACK", day, actor
        ),
    }
    gone = _items(
        connection,
        "where w.item_class = any(%s) and w.state not in ('closed', 'withdrawn') "
        "and not exists (select 1 from seen_defects as s where s.item_id = w.item_id)",
        classes,
    )
    healed, left = _ends(connection, gone, counted)
    counts["closed"] = _write_events(connection, healed, "closed", BY_DATA, day, actor)
    counts["withdrawn"] = _write_events(connection, left, "withdrawn", "CHILD-NOT-COUNTED", day, actor)
    return counts


def _ends(
    connection: Connection, gone: Sequence[tuple[str, str | None]], counted: Counted | None
) -> tuple[list[str], list[str]]:
    """Return which items healed and which have nobody left to mend them; the rest waits."""
    children = {child for _, child in gone if child is not None}
    if counted is None:
        rows = connection.execute(
            "select distinct l.child_id from identity.record_links as l where l.child_id = any(%s)",
            [sorted(children)],
        )
        there, waiting = {str(row[0]) for row in rows}, set[str]()
    else:
        there, waiting = counted(children)
    healed = [item for item, child in gone if child is None or (child in there and child not in waiting)]
    left = [item for item, child in gone if child is not None and child not in there]
    return healed, left


def _lay_out(connection: Connection, defects: Iterable[Defect]) -> None:
    connection.execute("drop table if exists pg_temp.seen_defects")
    connection.execute(
        "create temporary table seen_defects (item_id text, commune_id text, reasons text[], item_class text, "
        "child_id text, batch_id text) on commit drop"
    )
    rows = iter(defects)
    with connection.cursor() as cursor:
        # In parts: the children themselves may stream over the same connection between two of them.
        while part := list(islice(rows, AT_ONCE)):
            with cursor.copy("copy seen_defects from stdin") as copy:
                for entry in part:
                    copy.write_row(
                        (
                            entry.item_id,
                            entry.commune_id,
                            list(entry.reasons),
                            entry.item_class,
                            entry.child_id,
                            entry.batch_id,
                        )
                    )
    # A cell named twice is one defect.
    connection.execute(
        "delete from seen_defects as s using (select min(ctid) as kept, item_id from seen_defects group by item_id "
        "having count(*) > 1) as d where s.item_id = d.item_id and s.ctid <> d.kept"
    )
    connection.execute("create unique index on seen_defects (item_id)")
    connection.execute("analyze seen_defects")


def _refresh(connection: Connection) -> None:
    """A child may have moved, or a second field may be missing now: the item follows, its history stays."""
    connection.execute(
        "update quality.work_items as w set commune_id = s.commune_id, reasons = s.reasons from seen_defects as s "
        "where s.item_id = w.item_id and (w.commune_id, w.reasons) is distinct from (s.commune_id, s.reasons)"
    )


def _open(connection: Connection, day: date) -> list[str]:
    rows = connection.execute(
        "insert into quality.work_items (item_id, child_id, batch_id, commune_id, item_class, reasons, state, "
        "opened_count, first_opened_date, last_event_date) "
        "select s.item_id, s.child_id, s.batch_id, s.commune_id, s.item_class, s.reasons, 'open', 1, %s, %s "
        "from seen_defects as s where not exists (select 1 from quality.work_items as w where w.item_id = s.item_id) "
        "order by s.item_id returning item_id",
        [day, day],
    )
    return sorted(str(row[0]) for row in rows)


def _items(connection: Connection, which: str, classes: Sequence[str]) -> list[tuple[str, str | None]]:
    return connection.execute(
        "select w.item_id, w.child_id from quality.work_items as w " + which + " order by w.item_id",  # noqa: S608
        [list(classes)],
    ).fetchall()


def _write_events(
    connection: Connection, items: Sequence[str], event: str, reason: str, day: date, actor: str
) -> int:
    statement = "copy quality.work_item_events (item_id, event, reason_code, event_date, actor) from stdin"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for item in items:
            copy.write_row((item, event, reason, day, actor))
    return len(items)


def mark_sent(connection: Connection, items: Iterable[str], list_id: str, day: date, actor: str) -> None:
    """Note that items went out in a list, once per list."""
    connection.execute(
        "insert into quality.work_item_events (item_id, event, batch_id, reason_code, event_date, actor) "
        "select w.item_id, 'sent', %(list)s, 'LISTED', %(day)s, %(actor)s from quality.work_items as w "
        "where w.item_id = any(%(items)s) and w.state in ('open', 'sent', 'answered') and not exists ("
        "select 1 from quality.work_item_events as e where e.item_id = w.item_id and e.batch_id = %(list)s and e.event = 'sent') "
        "order by w.item_id",
        {"list": list_id, "day": day, "actor": actor, "items": sorted(set(items))},
    )


def close_mended(connection: Connection, items: Iterable[str], list_id: str, day: date, actor: str) -> int:
    """Close items that a returned list mends; the next export opens them again if it still shows the defect."""
    cursor = connection.execute(
        "insert into quality.work_item_events (item_id, event, batch_id, reason_code, event_date, actor) "
        "select w.item_id, 'closed', %s, 'MENDED-IN-LIST', greatest(%s, w.last_event_date), %s from quality.work_items as w "
        "where w.item_id = any(%s) and w.state not in ('closed', 'withdrawn') order by w.item_id",
        [list_id, day, actor, sorted(set(items))],
    )
    return cursor.rowcount
