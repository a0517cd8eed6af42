"""Where the register's children are missed more often: shares by group as data, so that indicators can say what they lean on."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb

from childdb.identity.intervals import wilson
from childdb.identity.macros import create_macros

# What rows are split by, out of the register's own columns.
_GROUPS = {
    "all": "''",
    "province": "coalesce(r.province_code::varchar, '_U')",
    "ethnic_group": "coalesce(folded_text(r.ethnic_group_text::varchar), '_U')",
    "sex": "case sex_key(r.sex_text::varchar) when 1 then 'male' when 2 then 'female' else '_U' end",
    "birth_year": "coalesce(nullif(regexp_extract(r.birth_date_text, '(?:19|20)[0-9]{2}'), ''), '_U')",
    "number": "case when r.personal_id_no is null then 'without' else 'with' end",
}


@dataclass(frozen=True)
class BiasRow:
    """One group: how many of its rows found a person, with the interval, and beside all rows."""

    group_by: str
    group: str
    rows: int
    accepted: int
    review: int
    none: int
    expected_false: float
    accepted_share: float
    accepted_low: float
    accepted_high: float
    ratio_to_all: float


def measure_bias(links: Path, register: Path) -> tuple[BiasRow, ...]:
    """Return every group with its share of accepted links, the groups most often missed first within each split."""
    connection = duckdb.connect()
    create_macros(connection)
    counted = {
        name: connection.execute(
            f"select {sql} as value, count(*), count(*) filter (where l.decision = 'accepted'), count(*) filter (where l.decision = 'review'),"
            " count(*) filter (where l.decision = 'none'), coalesce(sum(1 - l.match_probability) filter (where l.decision = 'accepted'), 0)"
            " from read_parquet(?) as l join read_parquet(?) as r using (record_id) group by value order by value",
            [str(links), str(register)],
        ).fetchall()
        for name, sql in _GROUPS.items()
    }
    _, rows, accepted, *_ = counted["all"][0] if counted["all"] else ("", 1, 0)
    whole = accepted / max(rows, 1)
    found = [_row(name, whole, *item) for name, items in counted.items() for item in items]
    return tuple(
        sorted(found, key=lambda item: (list(_GROUPS).index(item.group_by), item.accepted_share, item.group))
    )


def _row(
    name: str, whole: float, value: str, rows: int, accepted: int, review: int, none: int, false: float
) -> BiasRow:
    share = wilson(accepted, rows)
    ratio = share.share / whole if whole else 0.0
    numbers = (round(float(x), 6) for x in (false, share.share, share.low, share.high, ratio))
    return BiasRow(name, value, rows, accepted, review, none, *numbers)


def write_bias(rows: tuple[BiasRow, ...], path: Path) -> None:
    """Write the groups as CSV."""
    names = [item.name for item in fields(BiasRow)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)
