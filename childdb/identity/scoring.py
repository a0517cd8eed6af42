"""Odds of every compared pair, in thousandths of a bit, against 'this row has nobody in the extract'."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from childdb.identity.comparison import rare_comparisons
from childdb.identity.model import Model
from childdb.identity.rules import Rules

# Pairs below these odds cannot change any decision and are not kept.
LEAST_ODDS = -14000


def weigh_patterns(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, compared: str) -> None:
    """Create ``pattern_weights``: each distinct pattern weighed once, outside the database."""
    patterns = connection.execute(f"select distinct pattern from {compared} order by pattern").fetchnumpy()[
        "pattern"
    ]
    groups, against_relative = model.weights(rules, np.asarray(patterns, np.int64))
    columns = {
        "pattern": np.asarray(patterns, np.int64),
        "stranger": sum(groups.values(), np.zeros(len(patterns), np.int64)),
        "relative": against_relative,
    }
    columns |= {f"g_{name}": bits for name, bits in groups.items()}
    connection.register(
        "weights_in", pa.table({name: pa.array(values, pa.int64()) for name, values in columns.items()})
    )
    connection.execute("create or replace table pattern_weights as select * from weights_in")
    connection.unregister("weights_in")


def odds_sql(rules: Rules, model: Model) -> str:
    """Return SQL for the odds of a pair ``c`` with pattern weights ``w``."""
    rarity = "".join(f" + c.t_{item.name}" for item in rare_comparisons(rules))
    stranger = f"pow(2, -(w.stranger{rarity}) / 1000.0 - {model.prior_stranger!r})"
    relative = f" + pow(2, -w.relative / 1000.0 - {model.prior_relative!r})" if model.relatives > 0 else ""
    return f"round(-1000 * log2({stranger}{relative}))::integer"


def score(
    connection: duckdb.DuckDBPyConnection,
    rules: Rules,
    model: Model,
    compared: str,
    target: str,
    *,
    least: int = LEAST_ODDS,
) -> None:
    """Create ``target``: the compared pairs worth keeping, with ``odds``."""
    weigh_patterns(connection, rules, model, compared)
    connection.execute(
        f"create or replace table {target} as select * from (select c.*, {odds_sql(rules, model)} as odds"
        f" from {compared} as c join pattern_weights as w using (pattern)) where odds >= {least}"
    )


def in_levels_sql(rules: Rules, only: dict[str, tuple[str, ...]]) -> str:
    """Return SQL that holds when each named comparison reached one of the levels named for it."""
    from childdb.identity.comparison import layout

    conditions = []
    for place in layout(rules):
        wanted = only.get(place.comparison.name)
        if wanted:
            size = len(place.comparison.levels)
            codes = [
                1 + c * size + i
                for c in range(len(place.comparison.contexts))
                for i, level in enumerate(place.comparison.levels)
                if level.name in wanted
            ]
            conditions.append(
                f"((c.pattern >> {place.shift}) & {place.mask}) in ({', '.join(map(str, codes))})"
            )
    return " and ".join(conditions) or "true"
