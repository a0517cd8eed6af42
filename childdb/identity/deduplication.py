"""Register rows of one child that no person joins: compared with the rest of the register by a pass of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from childdb.identity.blocking import BlockCount, collect_pairs
from childdb.identity.comparison import compare_pairs
from childdb.identity.decisions import row_pins
from childdb.identity.frequency import weigh_values
from childdb.identity.model import Model
from childdb.identity.rules import Rules
from childdb.identity.scoring import score

SCRATCH = (
    *("open_rows", "twice_pairs", "own_pairs", "own_placed", "own_beside", "own_people", "own_people_bits"),
    *("register_bits", "own_compared", "own_weighed", "beside_weighed"),
)


@dataclass(frozen=True)
class Joined:
    """Rows joined without a person, and joins refused because a child would grow too large or be two persons."""

    joined: int
    refused: int
    blocks: list[BlockCount]


def join_duplicates(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model) -> Joined:
    """Fill ``joined_rows``: every row that no person joins, with what stands for its child."""
    list_open(connection, rules)
    connection.execute(
        "create or replace table open_rows as select * from register where no in (select no from open_numbers)"
    )
    blocks = collect_pairs(connection, rules, "open_rows", "register", "twice_pairs")
    weigh_pairs(connection, rules, model, "own_scored")
    joined, refused = join_pairs(connection, rules)
    return Joined(joined, refused, blocks)


def list_open(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Make ``open_numbers``: the rows no person was accepted for."""
    connection.execute(
        "create or replace table open_numbers as select g.no from register as g"
        f" where g.no not in (select r from decided where chance >= {rules.thresholds.accept})"
    )


def weigh_pairs(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, target: str) -> None:
    """Create ``target`` (r, p, odds) out of ``twice_pairs``, whose first rows are ``open_rows``; both are used up.

    A row beside one that has a person is compared twice, with what the other row itself says (two lists of one officer share
    their slips) and with the person, if the row was weighed against this person and not dropped; the better likeness counts.
    """
    connection.execute(
        "create or replace table own_pairs as select t.r, t.p from twice_pairs as t join register as a on a.no = t.r join register as b on b.no = t.p"
        " where t.r <> t.p and (a.tie < b.tie or t.p not in (select no from open_numbers))"
    )
    connection.execute(
        "create or replace table own_placed as select r as no, p as person from decided"
        f" where chance >= {rules.thresholds.accept} and r in (select p from own_pairs)"
    )
    duplicates = replace(model, people=model.rows, counterpart=min(max(model.duplicate, 1e-4), 0.5))
    weigh_values(connection, rules, "register", "select p from own_pairs")
    compare_pairs(connection, rules, "own_pairs", "open_rows", "register", "own_compared")
    score(connection, rules, duplicates, "own_compared", "own_weighed")
    connection.execute(
        "create or replace table own_beside as select o.r, o.p from own_pairs as o join own_placed as d on d.no = o.p"
        " where (o.r, d.person) in (select (r, p) from scored union all select (r, p) from settled)"
    )
    connection.execute(f"create or replace table own_people as {_persons_first(connection)}")
    weigh_values(connection, rules, "own_people")
    compare_pairs(connection, rules, "own_beside", "open_rows", "own_people", "own_compared")
    score(connection, rules, duplicates, "own_compared", "beside_weighed")
    connection.execute(
        f"create or replace table {target} as select r, p, max(odds) as odds from"
        " (select r, p, odds from own_weighed union all select r, p, odds from beside_weighed) group by r, p"
    )
    for name in SCRATCH:
        connection.execute(f"drop table {name}")


def _persons_first(connection: duckdb.DuckDBPyConnection) -> str:
    """Return SQL for the rows that have a person, told by the person and by the row where the person says nothing."""
    own = [row[0] for row in connection.execute("describe register").fetchall()]
    people = {row[0] for row in connection.execute("describe population").fetchall()}
    listed = ", ".join(
        f"coalesce(q.{name}, g.{name}) as {name}"
        if name in people and name not in ("no", "tie")
        else f"g.{name}"
        for name in own
    )
    return (
        f"select {listed} from own_placed as d join register as g using (no) join population as q on q.no = d.person"
        " where d.no in (select p from own_beside)"
    )


def join_pairs(connection: duckdb.DuckDBPyConnection, rules: Rules) -> tuple[int, int]:
    """Create ``joined_rows`` out of ``own_scored``, strongest evidence first; return joins made and refused."""
    accept = rules.duplicates.accept
    edges = connection.execute(
        "select s.r, s.p, d.p as person_r, e.p as person_p from own_scored as s join register as a on a.no = s.r join register as b on b.no = s.p"
        f" left join decided as d on d.r = s.r and d.chance >= {rules.thresholds.accept} left join decided as e on e.r = s.p and e.chance >= {rules.thresholds.accept}"
        f" where pow(2, s.odds / 1000.0) / (1 + pow(2, s.odds / 1000.0)) >= {accept} order by s.odds desc, a.tie, b.tie"
    ).fetchall()
    sizes = dict(
        connection.execute(
            f"select p, count(*) from decided where chance >= {rules.thresholds.accept} group by p having count(*) > 1"
        ).fetchall()
    )
    joined, apart = row_pins(connection)
    watched = sorted({no for pair in joined for no in pair} | {no for pair in apart for no in pair})
    people = dict(_people_of(connection, rules, watched))
    nodes = {no: ("person", people[no]) if no in people else ("row", no) for no in watched}
    union = _Union(
        rules.duplicates.largest_child, sizes, [(nodes[a], nodes[b]) for a, b in map(sorted, apart)]
    )
    pinned = [(r, other, people.get(r), people.get(other)) for r, other in joined]
    for r, p, person_r, person_p in [*pinned, *edges]:
        union.join(
            ("row", r) if person_r is None else ("person", person_r),
            ("row", p) if person_p is None else ("person", person_p),
        )
    pairs = [(no, top) for (kind, no), top in union.tops() if kind == "row"]
    connection.execute("create or replace table joined_rows (no integer, kind varchar, top integer)")
    table = pa.table(
        {
            "no": pa.array([no for no, _ in pairs], pa.int32()),
            "kind": pa.array([top[0] for _, top in pairs], pa.string()),
            "top": pa.array([top[1] for _, top in pairs], pa.int32()),
        }
    )
    connection.register("joined_in", table)
    connection.execute("insert into joined_rows select * from joined_in")
    connection.unregister("joined_in")
    return union.joined, union.refused


def _people_of(connection: duckdb.DuckDBPyConnection, rules: Rules, rows: list[int]) -> list[tuple[int, int]]:
    """Return row and person of those rows that have one."""
    found: list[tuple[int, int]] = connection.execute(
        f"select r, p from decided where chance >= {rules.thresholds.accept} and list_contains(?, r)", [rows]
    ).fetchall()
    return found


Node = tuple[str, int]


class _Union:
    """Joins rows into children, strongest evidence first; two persons never become one."""

    def __init__(self, largest: int, sizes: dict[int, int], apart: list[tuple[Node, Node]]) -> None:
        self._apart: dict[Node, set[Node]] = {}
        for first, second in apart:
            self._apart.setdefault(first, set()).add(second)
            self._apart.setdefault(second, set()).add(first)
        self._parent: dict[Node, Node] = {}
        self._rows: dict[Node, int] = {}
        self._largest = largest
        self._sizes = sizes
        self.joined = 0
        self.refused = 0

    def _top(self, node: Node) -> Node:
        if node not in self._parent:
            self._parent[node] = node
            self._rows[node] = 1 if node[0] == "row" else self._sizes.get(node[1], 1)
        while self._parent[node] != node:
            node = self._parent[node]
        return node

    def join(self, first: Node, second: Node) -> None:
        a, b = self._top(first), self._top(second)
        if a == b:
            return
        too_large = self._rows[a] + self._rows[b] > self._largest
        if (a[0] == "person" and b[0] == "person") or too_large or self._kept_apart(a, b):
            self.refused += 1
            return
        top, under = (b, a) if b[0] == "person" else (a, b)
        self._parent[under] = top
        self._rows[top] += self._rows[under]
        if under in self._apart:
            self._apart.setdefault(top, set()).update(self._apart.pop(under))
        self.joined += 1

    def _kept_apart(self, a: Node, b: Node) -> bool:
        """Return whether people keep a row of one side from a row of the other."""
        return any(self._top(node) == b for node in self._apart.get(a, ())) or any(
            self._top(node) == a for node in self._apart.get(b, ())
        )

    def tops(self) -> list[tuple[Node, Node]]:
        """Return every row or person met, with what stands for its child."""
        return sorted((node, self._top(node)) for node in self._parent)
