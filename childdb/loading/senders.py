"""Who has not sent: by deadline, and through the change of communes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from psycopg import Connection

from childdb.places.history import history

if TYPE_CHECKING:
    from connectors.registry import Dataset


@dataclass(frozen=True, slots=True)
class SenderState:
    """One commune due to send: what came of it by the deadline."""

    commune_id: str
    commune_name: str
    province_code: str
    state: str
    """``sent``, ``partly`` (only some of the communes it was made of), ``held`` or ``missing``."""
    file_date: date | None
    batch_id: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """The newest list a commune sent."""

    commune_id: str
    file_date: date
    batch_id: str
    status: str


def last_deadline(dataset: Dataset, as_of: date) -> tuple[date, date] | None:
    """Return (first day whose lists count, deadline) of the newest deadline not after a day."""
    found: list[tuple[date, date]] = []
    for year in (as_of.year - 1, as_of.year):
        for deadline in dataset.deadlines:
            month, day = map(int, deadline.month_day.split("-"))
            due = date(year, month, day)
            if due <= as_of:
                found.append((due - timedelta(days=deadline.valid_days), due))
    return max(found, key=lambda pair: pair[1], default=None)


def sent_lists(connection: Connection, dataset: str) -> list[Sent]:
    """Return the newest list of each sending commune, held ones too."""
    rows = connection.execute(
        "select distinct on (sender_commune_id) sender_commune_id, file_date, batch_id, status from ops.batches "
        "where dataset = %s and sender_commune_id is not null and file_date is not null "
        "order by sender_commune_id, file_date desc, batch_id",
        [dataset],
    ).fetchall()
    return [Sent(*row) for row in rows]


def judge_senders(sent: Iterable[Sent], first_day: date, as_of: date) -> list[SenderState]:
    """Return every commune in force on a day with what it sent since the first day that counts.

    A list of a former commune counts in part for the communes that hold its people now.
    """
    units = history()
    own: dict[str, Sent] = {}
    partly: dict[str, Sent] = {}
    for entry in sent:
        if entry.file_date < first_day or entry.file_date > as_of:
            continue
        successors = units.successors_on(entry.commune_id, as_of) or []
        for target in successors or [entry.commune_id]:
            place = own if target == entry.commune_id else partly
            known = place.get(target)
            if known is None or entry.file_date > known.file_date:
                place[target] = entry
    return [_state(commune_id, own, partly, as_of) for commune_id in _in_force(as_of)]


def _in_force(day: date) -> list[str]:
    return sorted(commune.commune_id for commune in history().communes.values() if commune.is_in_force(day))


def _state(commune_id: str, own: Mapping[str, Sent], partly: Mapping[str, Sent], day: date) -> SenderState:
    units = history()
    commune = units.communes[commune_id]
    found = own.get(commune_id)
    state = "missing"
    if found is not None:
        state = "held" if found.status == "held" else "sent"
    elif commune_id in partly:
        found, state = partly[commune_id], "partly"
    name = units.name_on(commune_id, day).full
    return SenderState(
        commune_id, name, commune.province_code, state, found.file_date if found else None,
        found.batch_id if found else None,
    )  # fmt: skip


def record_states(
    connection: Connection,
    dataset: str,
    window: tuple[date, date],
    as_of: date,
    states: Sequence[SenderState],
) -> None:
    """Keep what is known of a deadline in place of what was known before; other deadlines stay as they were."""
    first_day, deadline = window
    connection.execute(
        "delete from ops.sender_states where dataset = %s and deadline = %s", [dataset, deadline]
    )
    statement = (
        "copy ops.sender_states (dataset, deadline, first_day, as_of, commune_id, commune_name, province_code, state, "
        "file_date, batch_id) from stdin"
    )
    with connection.cursor().copy(statement) as copy:
        for s in states:
            copy.write_row(
                (dataset, deadline, first_day, as_of, s.commune_id, s.commune_name, s.province_code, s.state,
                 s.file_date, s.batch_id)
            )  # fmt: skip


def settle_senders(connection: Connection, dataset: Dataset, as_of: date | None) -> int:
    """Judge and keep who has sent by the newest deadline of a dataset; return how many have not."""
    sent = sent_lists(connection, dataset.key)
    day = as_of or max((entry.file_date for entry in sent), default=None)
    window = last_deadline(dataset, day) if day is not None else None
    if day is None or window is None:
        return 0
    states = judge_senders(sent, window[0], day)
    record_states(connection, dataset.key, window, day, states)
    return sum(state.state != "sent" for state in states)
