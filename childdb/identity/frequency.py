"""How rare an agreement is, in thousandths of a bit: counted near the person first, smoothed by the nation."""

from __future__ import annotations

import duckdb

from childdb.identity.rules import Frequency, Rules

# How many records of the nation stand behind a commune's own count.
_NEAR_SMOOTHING = 1000
# Share of the probability kept for values seen as a whole; the rest comes from their parts (surname times other names).
_WHOLE_SHARE = 0.7


def count_values(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Count every value the rules ask for in ``population``: tables ``often_<column>`` and ``near_<column>``."""
    for column in _columns(rules):
        connection.execute(
            f"create table often_{column} as select {column} as value, count(*)::integer as count from population where {column} is not null group by all"
        )
    for item in rules.frequencies:
        if item.near:
            connection.execute(
                f"create table near_{item.name} as select {item.near} as near, {item.of} as value, count(*)::integer as count"
                f" from population where {item.of} is not null and {item.near} is not null group by all having count(*) > 1"
            )
            connection.execute(
                f"create table if not exists size_{item.near} as select {item.near} as near, count(*)::integer as count from population group by all"
            )


def _columns(rules: Rules) -> list[str]:
    """Return every column that is counted in the nation, once."""
    wanted = {item.of for item in rules.frequencies} | {
        part for item in rules.frequencies for part in item.parts
    }
    return sorted(wanted)


def weigh_values(
    connection: duckdb.DuckDBPyConnection, rules: Rules, people: str, chosen: str | None = None
) -> None:
    """Create ``<people>_bits``: for each row of a feature table its place and ``<frequency>_bits``.

    The person himself is left out of every count. The wide features are not copied for it. ``chosen`` selects the places wanted.
    """
    columns, joins = [], []
    joined: set[str] = set()
    for item in rules.frequencies:
        for column in (item.of, *item.parts):
            if column not in joined:
                joined.add(column)
                joins.append(f"left join often_{column} as o_{column} on o_{column}.value = s.{column}")
        if item.near:
            joins.append(
                f"left join near_{item.name} as n_{item.name} on n_{item.name}.near = s.{item.near} and n_{item.name}.value = s.{item.of}"
            )
            if item.near not in joined:
                joined.add(item.near)
                joins.append(
                    f"left join size_{item.near} as z_{item.near} on z_{item.near}.near = s.{item.near}"
                )
        columns.append(
            f"case when s.{item.of} is not null then round(-1000 * log2({_probability(item)}))::integer end as {item.name}_bits"
        )
    total = "(select count(*) as rows from population) as whole"
    listed = ", ".join(["s.no", *columns])
    where = f" where s.no in ({chosen})" if chosen else ""
    connection.execute(
        f"create or replace table {people}_bits as select {listed} from {people} as s cross join {total} {' '.join(joins)}{where}"
    )


def _probability(item: Frequency) -> str:
    """Return SQL for the chance that somebody else near the person has this value."""
    nation = _nation(item)
    if not item.near:
        return nation
    return f"((coalesce(n_{item.name}.count, 1) - 1) + {_NEAR_SMOOTHING} * {nation}) / (coalesce(z_{item.near}.count, 0) + {_NEAR_SMOOTHING})"


def _nation(item: Frequency) -> str:
    def share(column: str, least: float) -> str:
        return f"greatest(coalesce(o_{column}.count, 1) - 1, {least}) / whole.rows"

    if not item.parts:
        return f"({share(item.of, 0.5)})"
    product = " * ".join(f"({share(part, 0.5)})" for part in item.parts)
    known = " and ".join(f"s.{part} is not null" for part in item.parts)
    mixed = f"{_WHOLE_SHARE} * {share(item.of, 0.0)} + {1 - _WHOLE_SHARE:.2f} * {product}"
    return f"(case when {known} then {mixed} else {share(item.of, 0.5)} end)"
