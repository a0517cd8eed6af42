"""Decisions of people about rows and persons: stored for ever, undone by date, read by every matching."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from childdb.errors import UsageError
from childdb.identity.decisions import Decision, DecisionKind


@dataclass(frozen=True, slots=True)
class OpenPair:
    """A row and the best candidate the matching found for it, waiting for a person; no name, no number."""

    record_id: str
    person_id: str
    match_probability: float
    batch_id: str
    row_no: int
    commune_id: str | None


def open_pairs(connection: Connection, limit: int) -> list[OpenPair]:
    """Return pairs under review that nobody has decided on, the most doubtful first."""
    rows = connection.execute(
        "select links.record_id, links.person_id, links.match_probability, rows._batch_id, rows.row_no, rows.commune_id "
        "from identity.record_links as links inner join clean.treem__children as rows on links.record_id = rows.record_id "
        "where links.decision = 'review' and links.person_id is not null and not exists ("
        "select 1 from identity.decisions as d where d.record_id = links.record_id and d.undone_on is null) "
        "order by abs(links.match_probability - 0.5), links.record_id limit %s",
        [limit],
    ).fetchall()
    return [OpenPair(*row) for row in rows]


def decide(
    connection: Connection, record_id: str, kind: DecisionKind, *, actor: str, reason: str, on: date
) -> str:
    """Record what a person decided about a row and its candidate and return the decision's id.

    Raises:
        UsageError: the row is not under review, or actor or reason is missing.
    """
    if not actor.strip() or len(reason.strip()) < 10:
        raise UsageError(
            "A decision needs the name of the person (--actor) and a reason of at least ten characters (--reason).",
            "Quyết định cần tên người quyết định (--actor) và lý do ít nhất mười ký tự (--reason).",
        )
    row = connection.execute(
        "select person_id from identity.record_links where record_id = %s and person_id is not null",
        [record_id],
    ).fetchone()
    if row is None:
        raise UsageError(f"Row {record_id} has no candidate to decide on. See 'childdb review list'.")
    mark = hashlib.sha256("|".join((record_id, str(row[0]), kind.value, on.isoformat(), actor)).encode())
    decision_id = mark.hexdigest()[:16]
    connection.execute(
        "insert into identity.decisions (decision_id, kind, record_id, person_id, decided_on, actor, reason) "
        "values (%s, %s, %s, %s, %s, %s, %s) on conflict (decision_id) do nothing",
        [decision_id, kind.value, record_id, row[0], on, actor.strip(), reason.strip()],
    )
    return decision_id


def undo(connection: Connection, decision_id: str, *, actor: str, on: date) -> None:
    """Undo a decision; it stays on record with the day and the person who undid it.

    Raises:
        UsageError: there is no such decision in force.
    """
    cursor = connection.execute(
        "update identity.decisions set undone_on = %s, undone_by = %s where decision_id = %s and undone_on is null",
        [on, actor, decision_id],
    )
    if cursor.rowcount == 0:
        raise UsageError(
            f"No decision {decision_id} is in force.", f"Không có quyết định {decision_id} đang hiệu lực."
        )


def decisions_in_force(connection: Connection) -> list[Decision]:
    """Return the decisions that every matching has to keep to, in a fixed order."""
    rows = connection.execute(
        "select kind, record_id, person_id, other_record_id from identity.decisions where undone_on is null "
        "order by decision_id"
    ).fetchall()
    return [Decision(DecisionKind(kind), record, person, other) for kind, record, person, other in rows]
