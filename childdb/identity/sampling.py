"""Draws the pairs the weights are learnt from, by the hash of the key: the same ones whatever the order of the input."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from childdb.identity.blocking import BlockCount, collect_pairs
from childdb.identity.comparison import compare_pairs, rare_comparisons
from childdb.identity.rules import Rules
from childdb.identity.training import Sample, TrainingData, make_sample

_STEP = 7919
_CHANCE_ROWS = 20000
_ROUNDS = 25


def draw(connection: duckdb.DuckDBPyConnection, rules: Rules) -> tuple[TrainingData, list[BlockCount]]:
    """Return the samples for training and what the blocks gave for them."""
    rows = _count(connection, "register")
    people = _count(connection, "population")
    wanted = min(rows, rules.training.rows)
    _first_rows(connection, "register", wanted, "sample_rows")
    blocks = collect_pairs(connection, rules, "sample_rows", "population", "sample_pairs")
    candidates = _compared(connection, rules, "sample_pairs", "sample_rows")
    relatives, per_row = _relatives(connection, rules)
    far = _far(connection, rules)
    near, share = _near(connection, rules)
    chances = {item.name: _mean_chance(connection, f"{item.name}_bits") for item in rules.frequencies}
    for name in (
        "sample_rows",
        "sample_pairs",
        "sample_compared",
        "chance_rows",
        "chance_people",
        "chance_pairs",
        "relative_pairs",
    ):
        connection.execute(f"drop table if exists {name}")
    data = TrainingData(candidates, relatives, far, near, share, chances, wanted, people, per_row)
    return data, blocks


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _first_rows(connection: duckdb.DuckDBPyConnection, source: str, count: int, target: str) -> None:
    """Create ``target``: the rows with the least hashes of their key. Places are sorted first, wide rows never."""
    connection.execute(
        f"create or replace table {target} as select * from {source}"
        f" where no in (select no from {source} order by tie limit {count})"
    )


def _compared(connection: duckdb.DuckDBPyConnection, rules: Rules, pairs: str, rows: str) -> Sample:
    """Return the compared pairs in an order that only keys decide."""
    compare_pairs(connection, rules, pairs, rows, "population", "sample_compared")
    rarity = " + ".join(f"c.t_{item.name}::integer" for item in rare_comparisons(rules)) or "0"
    read = connection.execute(
        f"select c.pattern, ({rarity})::bigint as rarity, c.r::bigint as r from sample_compared as c join {rows} as r on r.no = c.r"
        " join population as p on p.no = c.p order by r.tie, p.tie, c.pattern, rarity"
    ).fetchnumpy()
    return make_sample(rules, read["pattern"], read["rarity"], _in_order(read["r"]))


def _in_order(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return rows numbered by first appearance, so that places in the file leave no trace."""
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])


def _relatives(connection: duckdb.DuckDBPyConnection, rules: Rules) -> tuple[Sample, float]:
    """Return register rows beside the brothers and sisters of their person, found by the parent's number in the extract."""
    connection.execute("create or replace table relative_pairs (r integer, p integer)")
    rows = 0
    if rules.relatives:
        column, cap = rules.relatives.same, rules.relatives.cap
        strong = rules.strong_keys[0]
        match = " and ".join(
            f"r.{a} = p.{b}" for a, b in zip(strong.register, strong.population, strict=True)
        )
        connection.execute(
            f"create or replace temp table found as select r.no as r, p.no as p, p.{column} as family, p.tie from sample_rows as r join population as p on {match}"
        )
        connection.execute(
            f"insert into relative_pairs with families as (select {column} as family from population where {column} in (select family from found)"
            f" group by all having count(*) between 2 and {cap})"
            f" select f.r, q.no from found as f join families using (family) join population as q on q.{column} = f.family and q.no <> f.p"
        )
        rows = _count(connection, "found where family is not null")
        connection.execute("drop table found")
    sample = _compared(connection, rules, "relative_pairs", "sample_rows")
    return sample, (len(sample.rows) / rows if rows else 0.0)


def _far(connection: duckdb.DuckDBPyConnection, rules: Rules) -> Sample:
    """Return chance pairs of the whole nation."""
    for table, source in (("chance_rows", "register"), ("chance_people", "population")):
        _first_rows(connection, source, _CHANCE_ROWS, table)
    rows, people = (
        connection.execute(f"select no from {table} order by tie").fetchnumpy()["no"]
        for table in ("chance_rows", "chance_people")
    )
    rounds = min(max(1, rules.training.random_pairs // len(rows)), _ROUNDS, len(people))
    places = (np.arange(len(rows))[:, None] + (np.arange(rounds) + 1)[None, :] * _STEP) % len(people)
    pairs = pa.table({"r": pa.array(np.repeat(rows, rounds)), "p": pa.array(people[places.ravel()])})
    near = rules.training.near
    apart = f" where r.{near} is distinct from p.{near}" if near else ""
    connection.register("pairs_in", pairs)
    connection.execute(
        "create or replace table chance_pairs as select distinct a.r, a.p from pairs_in as a join chance_rows as r on r.no = a.r"
        f" join chance_people as p on p.no = a.p{apart}"
    )
    connection.unregister("pairs_in")
    return _compared(connection, rules, "chance_pairs", "chance_rows")


def _near(connection: duckdb.DuckDBPyConnection, rules: Rules) -> tuple[Sample, float]:
    """Return chance pairs of one commune without families, and how often a chance pair of the nation is of one commune."""
    near = rules.training.near
    connection.execute("create or replace table chance_pairs (r integer, p integer)")
    share = 0.0
    if near:
        people, places = connection.execute(
            f"select count(*), count(distinct {near}) from population"
        ).fetchall()[0]
        step = max(1, people // max(places, 1) // 25)
        apart = "".join(f" and r.{column} is distinct from p.{column}" for column in rules.training.apart)
        connection.execute(
            f"insert into chance_pairs select r.no, p.no from chance_rows as r join population as p on r.{near} = p.{near} where p.tie % {step} = 0{apart}"
        )
        share = float(
            connection.execute(
                f"with a as (select {near} as near, count(*) as n from register group by all), b as (select {near} as near, count(*) as n from population group by all)"
                f" select coalesce(sum(a.n::hugeint * b.n), 0)::double / greatest((select count(*) from register)::double * {people}, 1) from a join b using (near)"
            ).fetchall()[0][0]
        )
    return _compared(connection, rules, "chance_pairs", "chance_rows"), share


def _mean_chance(connection: duckdb.DuckDBPyConnection, column: str) -> float:
    """Return the mean chance behind bits of rarity; whole numbers are summed, so no order can change it."""
    total, rows = connection.execute(
        f"select coalesce(sum(round(pow(2, 40 - {column} / 1000.0))::hugeint), 0)::double, count({column}) from population"
    ).fetchall()[0]
    return float(total) / 2**40 / max(int(rows), 1)
