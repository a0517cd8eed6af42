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
APART_RULE = "kept_apart"
# Of two rows that people keep apart and one person claimed by both, either may be the one.
_APART_CHANCE = 0.5
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
    connection: duckdb.DuckDBPyConnection,
    rules: Rules,
    model: Model,
    decisions: Sequence[Decision],
    *,
    rows: str = "register",
    settled: str = "settled",
) -> int:
    """Create ``settled`` from the pairs people decided and ``barred`` from those they ruled out; return the pins used."""
    _load(connection, rules, decisions)
    must, cannot = (f"kind = '{kind}' and p is not null" for kind in DecisionKind)
    connection.execute(f"create or replace table barred as select distinct r, p from pins where {cannot}")
    connection.execute(
        f"create or replace table pinned_pairs as select r, min(p) as p from pins where {must} group by r"
    )
    compare_pairs(connection, rules, "pinned_pairs", rows, "population", "pinned_compared")
    score(connection, rules, model, "pinned_compared", "pinned_scored", least=_NO_FLOOR)
    connection.execute(f"create or replace table {settled} as select *, '{RULE}' as rule from pinned_scored")
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


def hold_apart(connection: duckdb.DuckDBPyConnection, rules: Rules) -> int:
    """Send to review the weaker of two rows that people keep apart although both were accepted for one person."""
    pairs = connection.execute(
        "select a.r, a.rule = ?, a.odds, x.tie, b.r, b.rule = ?, b.odds, y.tie from pins as d"
        " join decided as a on a.r = d.r join decided as b on b.r = d.other and b.p = a.p"
        " join register as x on x.no = a.r join register as y on y.no = b.r"
        " where d.kind = ? and a.r <> b.r and least(a.chance, b.chance) >= ?",
        [RULE, RULE, str(DecisionKind.CANNOT_LINK), rules.thresholds.accept],
    ).fetchall()
    held: set[int] = set()
    # The strongest claims are looked at first, so that a row held for one reason holds no other.
    sides = sorted(
        (sorted([row[:4], row[4:]], key=_strength) for row in pairs),
        key=lambda both: (_strength(both[0]), _strength(both[1])),
    )
    for stronger, weaker in sides:
        if stronger[0] not in held:
            held.add(weaker[0])
    connection.execute(
        f"update decided set chance = {_APART_CHANCE}, rule = '{APART_RULE}' where list_contains(?::integer[], r)",
        [sorted(held)],
    )
    return len(held)


def _strength(side: tuple[int, bool, int, int]) -> tuple[bool, int, int]:
    """Return what orders two claims, the stronger first: a decision, then the odds, then the key."""
    _, decided, odds, tie = side
    return (not decided, -odds, tie)
