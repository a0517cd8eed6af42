"""Who seems to have sent a batch, and for which day: known at the gate, before anything is cleaned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

import pyarrow as pa
from psycopg import Connection

from childdb.cleaning.date_columns import split_clock
from childdb.cleaning.facts import FileDays, days_and_units
from childdb.loading.profiles import profile_from
from childdb.places.resolve import Query, resolve

MAJORITY = 0.5


def note_arrivals(connection: Connection, batch_ids: Iterable[str], as_of: date | None) -> None:
    """Write sender and day of lists of children; a sender nobody can tell stays NULL, never a guess."""
    for batch_id in sorted(batch_ids):
        days = _days(connection, batch_id, as_of)
        connection.execute(
            "insert into ops.batch_arrivals (batch_id, sender_commune_id, file_date) values (%s, %s, %s) "
            "on conflict (batch_id) do update set sender_commune_id = excluded.sender_commune_id, "
            "file_date = excluded.file_date",
            [batch_id, _sender(connection, batch_id, days), days.file_date],
        )


def _days(connection: Connection, batch_id: str, as_of: date | None) -> FileDays:
    (document,) = connection.execute(
        "select profile from ops.batches where batch_id = %s", [batch_id]
    ).fetchone() or ({},)
    cells = connection.execute(
        "select ngay_cap_nhat, huyen from raw.treem__children where _batch_id = %s", [batch_id]
    ).fetchall()
    updates, districts = (pa.array([row[place] for row in cells], pa.string()) for place in (0, 1))
    return days_and_units(split_clock(updates)[0], districts, profile_from(document), as_of)


def _sender(connection: Connection, batch_id: str, days: FileDays) -> str | None:
    """Return the commune that more than half of the rows name."""
    rows = connection.execute(
        "select tinh, huyen, xa, count(*) from raw.treem__children where _batch_id = %s group by 1, 2, 3",
        [batch_id],
    )
    found: Counter[str | None] = Counter()
    for province, district, commune, count in rows:
        query = Query(
            province or days.units.get("province"),
            district or days.units.get("district"),
            commune or days.units.get("commune"),
            days.place_day,
        )
        found[resolve(query).commune_id] += int(count)
    named = sorted((key for key in found if key), key=lambda key: (-found[key], key))
    return named[0] if named and found[named[0]] > MAJORITY * found.total() else None
