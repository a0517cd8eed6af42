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
# What the pairs of a sample are.
_CANDIDATE, _RELATIVE, _FAR, _NEAR = range(4)
_SCRATCH = ("sample_rows", "block_pairs", "sample_pairs", "sample_compared", "chance_rows", "chance_people")


def draw(connection: duckdb.DuckDBPyConnection, rules: Rules) -> tuple[TrainingData, list[BlockCount]]:
    """Return the samples for training and what the blocks gave for them."""
    rows = _count(connection, "register")
    people = _count(connection, "population")
    wanted = min(rows, rules.training.rows)
    connection.execute(
        "create or replace table sample_rows as select * from register where no in (select no from register order by tie"
        f" limit {wanted})"
    )
    blocks = collect_pairs(connection, rules, "sample_rows", "population", "block_pairs")
    connection.execute(
        f"create or replace table sample_pairs as select {_CANDIDATE}::tinyint as kind, r, p from block_pairs"
    )
    related = _add_relatives(connection, rules)
    _list_chance(connection, rules)
    _add_far(connection, rules)
    share = _add_near(connection, rules)
    samples = _compared(connection, rules)
    chances = {item.name: _mean_chance(connection, f"{item.name}_bits") for item in rules.frequencies}
    for name in _SCRATCH:
        connection.execute(f"drop table {name}")
    data = TrainingData(
        candidates=samples[_CANDIDATE],
        relatives=samples[_RELATIVE],
        far=samples[_FAR],
        near=samples[_NEAR],
        near_share=share,
        chances=chances,
        row_count=wanted,
        people=people,
        relatives_per_row=len(samples[_RELATIVE].rows) / related if related else 0.0,
    )
    return data, blocks


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _compared(connection: duckdb.DuckDBPyConnection, rules: Rules) -> list[Sample]:
    """Return the samples, compared at once, each in an order that only keys decide."""
    connection.execute("create or replace table block_pairs as select distinct r, p from sample_pairs")
    compare_pairs(connection, rules, "block_pairs", "sample_rows", "population", "sample_compared")
    rarity = " + ".join(f"c.t_{item.name}::integer" for item in rare_comparisons(rules)) or "0"
    read = connection.execute(
        f"select s.kind, c.pattern, ({rarity})::bigint as rarity, c.r::bigint as r from sample_pairs as s join sample_compared as c using (r, p)"
        " join sample_rows as r on r.no = c.r join population as p on p.no = c.p order by s.kind, r.tie, p.tie, c.pattern, rarity"
    ).fetchnumpy()
    ends = np.searchsorted(read["kind"], np.arange(_NEAR + 2))
    return [
        make_sample(rules, read["pattern"][part], read["rarity"][part], _in_order(read["r"][part]))
        for part in map(slice, ends[:-1], ends[1:])
    ]


def _in_order(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return rows numbered by first appearance, so that places in the file leave no trace."""
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])


def _add_relatives(connection: duckdb.DuckDBPyConnection, rules: Rules) -> int:
    """Add register rows beside the brothers and sisters of their person, found by the parent's number in the extract.

    Return the number of rows whose family is known.
    """
    if not rules.relatives:
        return 0
    column, cap = rules.relatives.same, rules.relatives.cap
    strong = rules.strong_keys[0]
    match = " and ".join(f"r.{a} = p.{b}" for a, b in zip(strong.register, strong.population, strict=True))
    connection.execute(
        f"create or replace temp table found as select r.no as r, p.no as p, p.{column} as family from sample_rows as r join population as p on {match}"
    )
    connection.execute(
        f"insert into sample_pairs with families as (select {column} as family from population where {column} in (select family from found)"
        f" group by all having count(*) between 2 and {cap})"
        f" select {_RELATIVE}, f.r, q.no from found as f join families using (family) join population as q on q.{column} = f.family and q.no <> f.p"
    )
    rows = _count(connection, "found where family is not null")
    connection.execute("drop table found")
    return rows


def _list_chance(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Make ``chance_rows`` and ``chance_people``, of which chance pairs are made: the least hashes of their key."""
    near = {rules.training.near} - {""}
    for table, source, columns in (
        ("chance_rows", "sample_rows", near | set(rules.training.apart)),
        ("chance_people", "population", near),
    ):
        listed = ", ".join(["no", "tie", *sorted(columns)])
        connection.execute(
            f"create or replace table {table} as select {listed} from {source} order by tie limit {_CHANCE_ROWS}"
        )


def _add_far(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Add chance pairs of the whole nation."""
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
        f"insert into sample_pairs select distinct {_FAR}, a.r, a.p from pairs_in as a join chance_rows as r on r.no = a.r"
        f" join chance_people as p on p.no = a.p{apart}"
    )
    connection.unregister("pairs_in")


def _add_near(connection: duckdb.DuckDBPyConnection, rules: Rules) -> float:
    """Add chance pairs of one commune without families; return how often a chance pair of the nation is of one commune."""
    near = rules.training.near
    if not near:
        return 0.0
    people, places = connection.execute(
        f"select count(*), count(distinct {near}) from population"
    ).fetchall()[0]
    step = max(1, people // max(places, 1) // 25)
    apart = "".join(f" and r.{column} is distinct from p.{column}" for column in rules.training.apart)
    connection.execute(
        f"insert into sample_pairs select {_NEAR}, r.no, p.no from chance_rows as r join population as p on r.{near} = p.{near} where p.tie % {step} = 0{apart}"
    )
    return float(
        connection.execute(
            f"with a as (select {near} as near, count(*) as n from register group by all), b as (select {near} as near, count(*) as n from population group by all)"
            f" select coalesce(sum(a.n::hugeint * b.n), 0)::double / greatest((select count(*) from register)::double * {people}, 1) from a join b using (near)"
        ).fetchall()[0][0]
    )


def _mean_chance(connection: duckdb.DuckDBPyConnection, column: str) -> float:
    """Return the mean chance behind bits of rarity; whole numbers are summed, so no order can change it."""
    total, rows = connection.execute(
        f"select coalesce(sum(round(pow(2, 40 - {column} / 1000.0))::hugeint), 0)::double, count({column}) from population_bits"
    ).fetchall()[0]
    return float(total) / 2**40 / max(int(rows), 1)
