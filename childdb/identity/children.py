"""Which rows are one child: rows of one person, rows joined without one, and the record that names them."""

from __future__ import annotations

import duckdb

from childdb.identity.rules import Rules

# Two kinds of number name a child: a person of the extract, or a row no person was found for.
_PERSON = 1 << 32


def label(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Create ``labels`` (no, child_id) for the rows of children with several rows; any other row is a child of its own."""
    accept = rules.thresholds.accept
    connection.execute(
        f"create or replace table labels as with codes as (select r as no, {_PERSON} + p as child from decided where chance >= {accept}"
        f" union all select no, case kind when 'person' then {_PERSON} + top else top end from joined_rows),"
        " many as (select no, child from codes where child in (select child from codes group by child having count(*) > 1)),"
        f' named as (select m.no, m.child, f."{rules.register.key}"::varchar as record_id from many as m join register_file as f on f.file_row_number = m.no)'
        " select no, min(record_id) over (partition by child) as child_id from named"
    )
