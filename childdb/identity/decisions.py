"""Decisions of people: they outrank the model, pair by pair, and are told as such in the links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import duckdb
import pyarrow as pa

from childdb.identity.comparison import compare_pairs
from childdb.identity.model import Model
from childdb.identity.rules import Rules
from childdb.identity.scoring import score

RULE = "decision"
_NO_FLOOR = -1_000_000


class DecisionKind(StrEnum):
    """What a person decided about a row."""

    MUST_LINK = "must_link"
    CANNOT_LINK = "cannot_link"


@dataclass(frozen=True)
class Decision:
    """A row and a person, or two rows, that are or are not one child."""

    kind: DecisionKind
    record_id: str
    person_id: str | None = None
    other_record_id: str | None = None

    def __post_init__(self) -> None:
        if (self.person_id is None) == (self.other_record_id is None):
            raise ValueError("a decision names either a person or another row")


def pin(
    connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, decisions: Sequence[Decision]
) -> int:
    """Create ``settled`` from the pairs people decided and ``barred`` from those they ruled out; return the pins used."""
    _load(connection, rules, decisions)
    must, cannot = (f"kind = '{kind}' and p is not null" for kind in DecisionKind)
    connection.execute(f"create or replace table barred as select distinct r, p from pins where {cannot}")
    connection.execute(
        f"create or replace table pinned_pairs as select r, min(p) as p from pins where {must} group by r"
    )
    compare_pairs(connection, rules, "pinned_pairs", "register", "population", "pinned_compared")
    score(connection, rules, model, "pinned_compared", "pinned_scored", least=_NO_FLOOR)
    connection.execute(f"create or replace table settled as select *, '{RULE}' as rule from pinned_scored")
    for name in ("pinned_pairs", "pinned_compared", "pinned_scored"):
        connection.execute(f"drop table {name}")
    return int(connection.execute("select count(*) from pins").fetchall()[0][0])


def _load(connection: duckdb.DuckDBPyConnection, rules: Rules, decisions: Sequence[Decision]) -> None:
    """Make ``pins``: decisions about rows and people that are in these inputs."""
    table = pa.table(
        {
            "kind": pa.array([str(item.kind) for item in decisions], pa.string()),
            "record_id": pa.array([item.record_id for item in decisions], pa.string()),
            "person_id": pa.array([item.person_id for item in decisions], pa.string()),
            "other_record_id": pa.array([item.other_record_id for item in decisions], pa.string()),
        }
    )
    connection.register("decisions_in", table)
    key, person = rules.register.key, rules.population.key
    connection.execute(
        "create or replace table pins as select d.kind, a.file_row_number::integer as r, q.file_row_number::integer as p,"
        " b.file_row_number::integer as other from decisions_in as d"
        f' join register_file as a on a."{key}" = d.record_id'
        f' left join population_file as q on q."{person}" = d.person_id'
        f' left join register_file as b on b."{key}" = d.other_record_id'
        " where q.file_row_number is not null or b.file_row_number is not null"
    )
    connection.unregister("decisions_in")


def bar(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Take the pairs people ruled out from a table of pairs."""
    connection.execute(f"delete from {table} as t using barred as b where b.r = t.r and b.p = t.p")


def row_pins(connection: duckdb.DuckDBPyConnection) -> tuple[list[tuple[int, int]], set[frozenset[int]]]:
    """Return the rows that people joined, and those they keep apart."""
    rows = connection.execute(
        "select kind, r, other from pins where other is not null order by kind, r, other"
    ).fetchall()
    joined = [(r, other) for kind, r, other in rows if kind == DecisionKind.MUST_LINK]
    apart = {frozenset((r, other)) for kind, r, other in rows if kind == DecisionKind.CANNOT_LINK}
    return joined, apart
