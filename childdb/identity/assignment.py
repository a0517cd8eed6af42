"""From odds to decisions: a posterior for each row over all its candidates and 'none', told apart by who else claims a person."""

from __future__ import annotations

import duckdb

from childdb.identity.decisions import RULE as DECIDED
from childdb.identity.model import Model
from childdb.identity.rules import Rules

# Odds are summed as whole numbers of this unit (2^-20), so that no order of addition can change a probability.
_UNIT_BITS = 20
_MOST_BITS = 40
# Rows the expectation about duplicates counts for.
_EXPECTED_ROWS = 2000


def _units(odds: str) -> str:
    return f"greatest(1, round(pow(2, least({odds}, {_MOST_BITS * 1000}) / 1000.0 + {_UNIT_BITS})))::hugeint"


def _best_sql(source: str, odds: str) -> str:
    """Return SQL for the best candidate of every row with its chance; equals are told apart by the person's key."""
    return (
        f"select r, arg_max(p, (odds_now, tie)) as p, max(odds_now) as odds_now, max(units)::double / (sum(units) + {2**_UNIT_BITS})::double as chance"
        f" from (select c.*, {odds} as odds_now, {_units(odds)} as units, q.tie from {source} as c join population as q on q.no = c.p) group by r"
    )


def assign(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model) -> dict[str, float]:
    """Create ``decided`` (r, p, odds, claim, chance, rule) from ``settled`` and ``scored``; return what was learnt on the way."""
    connection.execute(f"create or replace table first_choice as {_best_sql('scored', 'odds')}")
    connection.execute(
        "create or replace table claims as select r, p, 1000000 + odds as strength from settled"
        " union all select r, p, odds_now from first_choice where chance >= 0.5"
    )
    duplicate = _duplicate_rate(connection, rules)
    _covered(connection, rules)
    _weigh_claims(connection, rules, duplicate)
    connection.execute(f"create or replace table second_choice as {_best_sql('claimed', 'odds + claim')}")
    connection.execute(
        "create or replace table decided as select s.r, s.p, c.pattern, c.odds, c.claim, s.chance, 'residual' as rule"
        " from second_choice as s join claimed as c on c.r = s.r and c.p = s.p"
        f" union all select r, p, pattern, odds, 0, case when rule = '{DECIDED}' then 1.0 else {_units('odds')}::double / ({_units('odds')} + {2**_UNIT_BITS})::double end, rule from settled"
    )
    for name in ("first_choice", "second_choice", "claims", "covered"):
        connection.execute(f"drop table {name}")
    return {"duplicate": duplicate}


def _duplicate_rate(connection: duckdb.DuckDBPyConnection, rules: Rules) -> float:
    rows, people = connection.execute("select count(*), count(distinct p) from claims").fetchall()[0]
    return float((rows - people + _EXPECTED_ROWS * rules.priors.duplicate) / (rows + _EXPECTED_ROWS))


def _covered(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Make ``covered``: which share of the people around a person the register already holds."""
    near = rules.training.near or "0"
    connection.execute(
        f"create or replace table covered as with counted as (select {near} as near, count(*) as people, count(c.p) as claimed"
        " from population as q left join (select distinct p from claims) as c on c.p = q.no group by all)"
        " select near, (claimed + 10 * (sum(claimed) over () / sum(people) over ())) / (people + 10) as share from counted"
    )


def _weigh_claims(connection: duckdb.DuckDBPyConnection, rules: Rules, duplicate: float) -> None:
    """Make ``claimed``: a person whom another row describes better is rarely this row's too; one nobody claims, more often."""
    near = f"q.{rules.training.near}" if rules.training.near else "0"
    taken = f"round(1000 * log2({duplicate!r} / greatest(v.share, {duplicate!r})))"
    free = f"round(1000 * log2((1 - {duplicate!r}) / greatest(1 - v.share, 0.04)))"
    connection.execute(
        "create or replace table claimed as with strongest as (select p, count(*) as claims, max(strength) as strength, arg_max(r, (strength, t.tie)) as holder"
        " from claims join register as t on t.no = claims.r group by p)"
        f" select c.*, (case when k.p is null or k.holder = c.r then {free} else {taken} end)::integer as claim"
        f" from scored as c join population as q on q.no = c.p left join covered as v on v.near is not distinct from {near} left join strongest as k on k.p = c.p"
    )
