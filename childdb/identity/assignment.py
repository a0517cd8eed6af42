"""From odds to decisions: a posterior for each row over all its candidates and 'none', told apart by who else claims a person."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pyarrow as pa

from childdb.identity.comparison import rare_comparisons
from childdb.identity.decisions import RULE as DECIDED
from childdb.identity.model import Model, freeze
from childdb.identity.rules import Rules

# Odds are summed as whole numbers of this unit (2^-20), so that no order of addition can change a probability.
_UNIT_BITS = 20
_MOST_BITS = 40
# Rows the expectation about duplicates counts for.
_EXPECTED_ROWS = 2000
# People of the nation that stand behind each place's own share.
_NEAR_PEOPLE = 10


def _units(odds: str) -> str:
    return f"greatest(1, round(pow(2, least({odds}, {_MOST_BITS * 1000}) / 1000.0 + {_UNIT_BITS})))::hugeint"


def _best_sql(source: str, odds: str) -> str:
    """Return SQL for the best candidate of every row with its chance; equals are told apart by the person's key."""
    return (
        f"select r, arg_max(p, (odds_now, tie)) as p, max(odds_now) as odds_now, max(units)::double / (sum(units) + {2**_UNIT_BITS})::double as chance"
        f" from (select c.*, {odds} as odds_now, {_units(odds)} as units, q.tie from {source} as c join population as q on q.no = c.p) group by r"
    )


def assign(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model) -> Model:
    """Create ``claims`` and ``decided`` out of ``settled`` and ``scored``; return the model with what was learnt on the way."""
    make_claims(connection, "scored", "settled", "claims")
    if not model.is_settled:
        model = _settled_model(connection, rules, model)
    decide(connection, rules, model, "scored", "settled", "decided")
    return model


def make_claims(connection: duckdb.DuckDBPyConnection, scored: str, settled: str, target: str) -> None:
    """Create ``target`` (r, p, strength): which person each row describes best, whoever else does."""
    connection.execute(
        f"create or replace table {target} as select r, p, 1000000 + odds as strength from {settled}"
        f" union all select r, p, odds_now from ({_best_sql(scored, 'odds')}) where chance >= 0.5"
    )


def decide(
    connection: duckdb.DuckDBPyConnection,
    rules: Rules,
    model: Model,
    scored: str,
    settled: str,
    target: str,
    *,
    keep_claimed: str = "",
) -> None:
    """Create ``target`` (r, p, pattern, rarity, odds, claim, chance, rule) for the rows of two tables of pairs."""
    _lay_out_covered(connection, model)
    _weigh_claims(connection, rules, model, scored)
    connection.execute(f"create or replace table second_choice as {_best_sql('claimed', 'odds + claim')}")
    units = _units("odds")
    connection.execute(
        f"create or replace table {target} as select s.r, s.p, c.pattern{_rarity(rules, 'c')}, c.odds, c.claim, s.chance, 'residual' as rule"
        " from second_choice as s join claimed as c on c.r = s.r and c.p = s.p"
        f" union all select r, p, pattern{_rarity(rules)}, odds, 0, case when rule = '{DECIDED}' then 1.0 else {units}::double / ({units} + {2**_UNIT_BITS})::double end, rule from {settled}"
    )
    if keep_claimed:
        connection.execute(f"create or replace table {keep_claimed} as select * from claimed")
    for name in ("second_choice", "claimed", "covered"):
        connection.execute(f"drop table {name}")


def _rarity(rules: Rules, letter: str = "") -> str:
    """Return the columns of rarity behind a comma."""
    dot = f"{letter}." if letter else ""
    return "".join(f", {dot}t_{item.name}" for item in rare_comparisons(rules))


def _settled_model(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model) -> Model:
    """Return the model with how many rows share a person, and which share of the people of each place the register holds."""
    claims, people = connection.execute("select count(*), count(distinct p) from claims").fetchall()[0]
    rows = int(connection.execute("select count(*) from register").fetchall()[0][0])
    duplicate = float((claims - people + _EXPECTED_ROWS * rules.priors.duplicate) / (claims + _EXPECTED_ROWS))
    near = rules.training.near or "0"
    places = connection.execute(
        f"select coalesce(({near})::varchar, ''), count(*), count(c.p) from population as q"
        " left join (select distinct p from claims) as c on c.p = q.no group by all order by 1"
    ).fetchall()
    whole = sum(claimed for _, _, claimed in places) / max(sum(count for _, count, _ in places), 1)
    covered = {
        place: round((claimed + _NEAR_PEOPLE * whole) / (count + _NEAR_PEOPLE), 6)
        for place, count, claimed in places
    }
    return freeze(
        replace(model, duplicate=round(duplicate, 6), rows=rows, held=round(whole, 6), covered=covered)
    )


def _lay_out_covered(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    table = pa.table(
        {
            "near": pa.array(list(model.covered), pa.string()),
            "share": pa.array(list(model.covered.values()), pa.float64()),
        }
    )
    connection.register("covered_in", table)
    connection.execute("create or replace table covered as select * from covered_in")
    connection.unregister("covered_in")


def _weigh_claims(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, scored: str) -> None:
    """Make ``claimed``: a person whom another row describes better is rarely this row's too; one nobody claims, more often."""
    near = f"q.{rules.training.near}" if rules.training.near else "0"
    # Of two rows of one child it is the poorer that comes here, so each row beyond a child's first stands for two.
    again, share = repr(min(2 * model.duplicate, 0.5)), f"coalesce(v.share, {model.held!r})"
    taken = f"round(1000 * log2({again} / greatest({share}, {again})))"
    free = f"round(1000 * log2((1 - {again}) / greatest(1 - {share}, 0.04)))"
    connection.execute(
        "create or replace table claimed as with strongest as (select p, arg_max(r, (strength, t.tie)) as holder"
        f" from claims join register as t on t.no = claims.r where p in (select p from {scored}) group by p)"
        f" select c.*, (case when k.p is null or k.holder = c.r then {free} else {taken} end)::integer as claim"
        f" from {scored} as c join population as q on q.no = c.p"
        f" left join covered as v on v.near = coalesce(({near})::varchar, '') left join strongest as k on k.p = c.p"
    )
