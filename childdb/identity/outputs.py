"""Writes links and persons: sorted by key, the same bytes for any order of the input and any number of threads."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from childdb.identity.comparison import rare_comparisons
from childdb.identity.model import Model
from childdb.identity.rules import Rules
from childdb.identity.scoring import weigh_patterns

_ROWS_PER_GROUP = 122_880


def write_links(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, path: Path) -> None:
    """Write one row per register row: decision, person, probability and the weight of each field."""
    connection.execute(
        "create or replace table link_pairs as select d.*, "
        + ", ".join(f"k.t_{item.name}" for item in rare_comparisons(rules))
        + " from decided as d"
        " join (select r, p, "
        + ", ".join(f"t_{item.name}" for item in rare_comparisons(rules))
        + " from settled union all select r, p, "
        + ", ".join(f"t_{item.name}" for item in rare_comparisons(rules))
        + " from scored) as k on k.r = d.r and k.p = d.p"
        if rare_comparisons(rules)
        else "create or replace table link_pairs as select * from decided"
    )
    weigh_patterns(connection, rules, model, "link_pairs")
    _write(connection, _links_sql(rules, model), path)
    connection.execute("drop table link_pairs")


def _links_sql(rules: Rules, model: Model) -> str:
    key, person = rules.register.key, rules.population.key
    accept, review = rules.thresholds.accept, rules.thresholds.review
    decision = f"case when d.chance >= {accept} then 'accepted' when d.chance >= {review} then 'review' else 'none' end"
    names, values = _evidence(rules, model)
    return f"""
        with decided_links as (
            select d.r, d.p, d.rule, {decision} as decision, round(d.chance, 6) as chance, round((d.odds + d.claim) / 1000.0, 3) as weight,
                map([{names}], [{values}]) as evidence
            from link_pairs as d join pattern_weights as w using (pattern))
        select f."{key}" as record_id, case when l.decision <> 'none' then q."{person}" end as person_id,
            coalesce(l.decision, 'none') as decision, coalesce(l.chance, 0.0) as match_probability, l.weight as match_weight,
            case when l.rule is null then 'no_candidate' else l.rule end as rule_id,
            case when l.decision <> 'none' then l.evidence else map([]::varchar[], []::double[]) end as evidence
        from register_file as f
        left join decided_links as l on l.r = f.file_row_number
        left join population_file as q on q.file_row_number = l.p
        order by record_id
    """


def _evidence(rules: Rules, model: Model) -> tuple[str, str]:
    """Return names and SQL of the weights, which add up to the match weight."""
    rare = {item.name for item in rare_comparisons(rules)}
    parts = []
    for group in rules.all_groups():
        rarity = "".join(f" + d.t_{name}" for name in group.of if name in rare)
        parts.append((group.name, f"(w.g_{group.name}{rarity})"))
    prior = str(round(model.prior_stranger * 1000))
    total = " + ".join(sql for _, sql in parts) + f" + {prior}"
    parts += [("prior", prior), ("relatives", f"(d.odds - ({total}))"), ("claims", "d.claim")]
    return ", ".join(f"'{name}'" for name, _ in parts), ", ".join(
        f"round({sql} / 1000.0, 3)" for _, sql in parts
    )


def write_persons(connection: duckdb.DuckDBPyConnection, rules: Rules, path: Path) -> None:
    """Write one row per register row with the smallest key among the rows of its child."""
    key, accept = rules.register.key, rules.thresholds.accept
    child = (
        "case when j.kind = 'person' then {'kind': 1, 'no': j.top} when j.kind = 'row' then {'kind': 0, 'no': j.top}"
        " when d.p is not null then {'kind': 1, 'no': d.p} else {'kind': 0, 'no': f.file_row_number::integer} end"
    )
    sql = (
        f'with placed as (select f."{key}" as record_id, {child} as child from register_file as f'
        f" left join decided as d on d.r = f.file_row_number and d.chance >= {accept} left join joined_rows as j on j.no = f.file_row_number),"
        " smallest as (select child, min(record_id) as child_id from placed group by child)"
        " select record_id, child_id from placed join smallest using (child) order by record_id"
    )
    _write(connection, sql, path)


def _write(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    """Write a query through one writer, in groups of a fixed number of rows."""
    reader = connection.sql(sql).to_arrow_reader(_ROWS_PER_GROUP)
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(partial, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=_ROWS_PER_GROUP)
    partial.replace(path)
