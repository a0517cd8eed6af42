"""The keys of children in the warehouse: read as a state, changed by a matching, written back with their events."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from psycopg import Connection

from childdb.identity.keys import ChildKey, Cluster, KeyChange, KeyState, assign_keys


def give_keys(
    connection: Connection,
    clusters: Mapping[str, Sequence[str]],
    persons: Mapping[str, str],
    *,
    on: date,
    run_id: str,
) -> Mapping[str, str]:
    """Return the child key of every record after a matching and store every change as a dated event.

    ``clusters`` maps a label to its records, ``persons`` a label to the person accepted for it.
    """
    found = (Cluster(tuple(records), persons.get(label)) for label, records in clusters.items())
    before = _read(connection)
    change = assign_keys(before, found, on=on, reason="matching", new_key=lambda: str(uuid.uuid4()))
    _write(connection, before, change, run_id)
    return change.state.record_keys


def _read(connection: Connection) -> KeyState:
    keys = connection.execute(
        "select child_id, given_on, person_id, merged_into, retired_on from identity.child_keys"
    ).fetchall()
    records = connection.execute(
        "select record_id, child_id, first_child_id from identity.record_keys"
    ).fetchall()
    return KeyState(
        {row[0]: ChildKey(*row) for row in keys},
        {row[0]: row[1] for row in records},
        {row[0]: row[2] for row in records},
    )


def _write(connection: Connection, before: KeyState, change: KeyChange, run_id: str) -> None:
    changed = [key for key in change.state.keys.values() if before.keys.get(key.child_id) != key]
    # A key may point to one that is new itself: the new ones come first.
    changed.sort(key=lambda key: (key.merged_into is not None, key.child_id))
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into identity.child_keys (child_id, given_on, person_id, merged_into, retired_on) "
            "values (%s, %s, %s, %s, %s) on conflict (child_id) do update set person_id = excluded.person_id, "
            "merged_into = excluded.merged_into, retired_on = excluded.retired_on",
            [(k.child_id, k.given_on, k.person_id, k.merged_into, k.retired_on) for k in changed],
        )
        cursor.executemany(
            "insert into identity.record_keys (record_id, child_id, first_child_id) values (%s, %s, %s) "
            "on conflict (record_id) do update set child_id = excluded.child_id",
            [
                (record, child_id, change.state.first_keys[record])
                for record, child_id in change.state.record_keys.items()
                if before.record_keys.get(record) != child_id
            ],
        )
        cursor.executemany(
            "insert into identity.key_events (happened_on, kind, child_id, other_child_id, person_id, record_ids, "
            "reason, run_id) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    e.happened_on,
                    e.kind.value,
                    e.child_id,
                    e.other_child_id,
                    e.person_id,
                    list(e.records),
                    e.reason,
                    run_id,
                )
                for e in change.events
            ],
        )


def clusters_of(records: Sequence[str], labels: Sequence[str]) -> dict[str, list[str]]:
    """Return the records of each label."""
    found: dict[str, list[str]] = defaultdict(list)
    for record, label in zip(records, labels, strict=True):
        found[label].append(record)
    return found
