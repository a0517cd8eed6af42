"""Counts per batch and lists of failing rows, by SQL of our own, whole and without values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from childdb.quality.model import WHOLE, Counts, Rule, Source
from childdb.quality.predicates import Composable, Predicate, row_predicate

Numbered = Sequence[tuple[Rule, Predicate]]


def row_rules(rules: Sequence[Rule]) -> Numbered:
    """Return the rules that are about rows, each with its SQL."""
    numbered = ((rule, row_predicate(rule, position)) for position, rule in enumerate(rules))
    return [(rule, predicate) for rule, predicate in numbered if predicate is not None]


@dataclass(frozen=True, slots=True)
class FlaggedRows:
    """A temporary table with one row per row looked at: where it stands, and one flag per different condition."""

    source: Source
    flags: Mapping[str, str]
    """Column of each condition, by its SQL: rules that differ only in their limit share one."""
    rules: Numbered

    @property
    def table(self) -> sql.Identifier:
        """Name of the table; it goes with the transaction."""
        return sql.Identifier("pg_temp", f"flagged_{self.source.name}")

    def flag(self, condition: Composable) -> Composable:
        """Return the column that answers a condition."""
        return sql.Identifier(self.flags[condition.as_string()])


def flag_rows(connection: Connection, source: Source, query: Composable, rules: Numbered) -> FlaggedRows:
    """Evaluate every condition once per row and keep the answers, without a value, until the transaction ends."""
    conditions = {c.as_string(): c for _, p in rules for c in (p.evaluated, p.failed)}
    flagged = FlaggedRows(source, {text: f"is_{n}" for n, text in enumerate(conditions)}, rules)
    columns = [
        sql.SQL("{} as scope_key").format(_scope(source)),
        sql.SQL("{} as sheet").format(_optional(source.sheet_column, "text")),
        sql.SQL("{} as row_no").format(_optional(source.row_no_column, "bigint")),
        sql.SQL("{} as row_key").format(_optional(source.row_key_column, "text")),
        *(sql.SQL("{} as {}").format(c, flagged.flag(c)) for c in conditions.values()),
    ]
    statement = sql.SQL("create temporary table {} on commit drop as select {} from ({}) as counted")
    name = sql.Identifier(f"flagged_{source.name}")
    connection.execute(statement.format(name, sql.SQL(", ").join(columns), _rows(query, rules)))
    return flagged


def count_rows(
    connection: Connection, flagged: FlaggedRows
) -> tuple[dict[str, int], dict[tuple[str, str], Counts]]:
    """Return rows per batch, and rows looked at and failed per rule and batch.

    A source without batches has one scope, the whole.
    """
    names = list(flagged.flags.values())
    statement = sql.SQL("select scope_key, count(*), {counts} from {table} group by scope_key").format(
        counts=sql.SQL(", ").join(
            sql.SQL("count(*) filter (where {})").format(sql.Identifier(n)) for n in names
        )
        if names
        else sql.SQL("null"),
        table=flagged.table,
    )
    totals: dict[str, int] = {}
    counts: dict[tuple[str, str], Counts] = {}
    for scope, total, *found in connection.execute(statement):
        totals[str(scope)] = int(total)
        by_condition = dict(zip(flagged.flags, found, strict=False))
        for rule, predicate in flagged.rules:
            counts[rule.rule_id, str(scope)] = Counts(
                int(by_condition[predicate.evaluated.as_string()]),
                int(by_condition[predicate.failed.as_string()]),
            )
    return totals, counts


def store_failures(
    connection: Connection, gate_id: str, flagged: FlaggedRows, broken: Collection[str]
) -> int:
    """Write the ranges of rows that fail each of the rules ``broken``, by batch and sheet; return how many lines."""
    cases = [
        sql.SQL("({}::text, {})").format(sql.Literal(rule.rule_id), flagged.flag(predicate.failed))
        for rule, predicate in flagged.rules
        if rule.rule_id in broken
    ]
    if not cases:
        return 0
    statement = sql.SQL(
        "insert into quality.gate_failing_rows (gate_id, rule_id, scope_key, sheet, row_nos, row_keys) "
        "select {gate}, broken.rule_id, f.scope_key, f.sheet, "
        "coalesce(range_agg(int8range(f.row_no, f.row_no + 1)) filter (where f.row_no is not null), '{{}}'), "
        "coalesce(array_agg(f.row_key order by f.row_key) filter (where f.row_key is not null), '{{}}') "
        "from {table} as f cross join lateral (values {cases}) as broken (rule_id, is_failed) "
        "where broken.is_failed group by broken.rule_id, f.scope_key, f.sheet"
    ).format(gate=sql.Literal(gate_id), table=flagged.table, cases=sql.SQL(", ").join(cases))
    return connection.execute(statement).rowcount


def totals_over_scopes(counts: Mapping[tuple[str, str], Counts], rule_id: str) -> Counts:
    """Return the sum of a rule's counts over all scopes."""
    found = [value for (key, _), value in counts.items() if key == rule_id]
    return Counts(sum(value.evaluated for value in found), sum(value.failed for value in found))


def _rows(query: Composable, rules: Numbered) -> Composable:
    repeats = [predicate.repeats for _, predicate in rules if predicate.repeats is not None]
    columns = sql.SQL(", ").join([sql.SQL("looked_at.*"), *(each.column for each in repeats)])
    joins = sql.SQL(" ").join(each.join(query) for each in repeats)
    return sql.SQL("select {} from ({}) as looked_at {}").format(columns, query, joins)


def _scope(source: Source) -> Composable:
    return sql.Literal(WHOLE) if source.batch_column is None else sql.Identifier(source.batch_column)


def _optional(column: str | None, kind: str) -> Composable:
    value = sql.SQL("null") if column is None else sql.Identifier(column)
    return sql.SQL("{}::{}").format(value, sql.SQL(kind))
