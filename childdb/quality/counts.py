"""Counts per batch and lists of failing rows, by SQL of our own, whole and without values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Connection, sql

from childdb.quality.model import WHOLE, Counts, Rule, Source
from childdb.quality.predicates import Composable, Predicate, row_predicate

Numbered = Sequence[tuple[Rule, Predicate]]


def row_rules(rules: Sequence[Rule]) -> Numbered:
    """Return the rules that are about rows, each with its SQL."""
    numbered = ((rule, row_predicate(rule, position)) for position, rule in enumerate(rules))
    return [(rule, predicate) for rule, predicate in numbered if predicate is not None]


def count_rows(
    connection: Connection, source: Source, query: Composable, rules: Numbered
) -> tuple[dict[str, int], dict[tuple[str, str], Counts]]:
    """Return rows per batch, and rows looked at and failed per rule and batch.

    A source without batches has one scope, the whole.
    """
    pairs: list[Composable] = [
        sql.SQL("count(*) filter (where {}), count(*) filter (where {})").format(p.evaluated, p.failed)
        for _, p in rules
    ]
    statement = sql.SQL("select {scope}, {counts} from ({rows}) as counted group by 1").format(
        scope=_scope(source),
        counts=sql.SQL(", ").join([sql.SQL("count(*)"), *pairs]),
        rows=_rows(query, rules),
    )
    totals: dict[str, int] = {}
    counts: dict[tuple[str, str], Counts] = {}
    for record in connection.execute(statement):
        scope = str(record[0])
        totals[scope] = int(record[1])
        for index, (rule, _) in enumerate(rules):
            counts[rule.rule_id, scope] = Counts(int(record[2 + 2 * index]), int(record[3 + 2 * index]))
    return totals, counts


def store_failures(
    connection: Connection, gate_id: str, source: Source, query: Composable, rules: Numbered
) -> int:
    """Write batch, sheet and row number of every failing row, all rules in one scan; return how many."""
    if not rules:
        return 0
    cases = sql.SQL(", ").join(
        sql.SQL("({}::text, {})").format(sql.Literal(rule.rule_id), predicate.failed)
        for rule, predicate in rules
    )
    statement = sql.SQL(
        "insert into quality.gate_failures (gate_id, rule_id, scope_key, sheet, row_no, row_key) "
        "select {gate}, broken.rule_id, {scope}, {sheet}, {row_no}, {row_key} "
        "from ({rows}) as counted cross join lateral (values {cases}) as broken (rule_id, is_failed) "
        "where broken.is_failed"
    ).format(
        gate=sql.Literal(gate_id),
        scope=_scope(source),
        sheet=_optional(source.sheet_column, "text"),
        row_no=_optional(source.row_no_column, "bigint"),
        row_key=_optional(source.row_key_column, "text"),
        rows=_rows(query, rules),
        cases=cases,
    )
    return connection.execute(statement).rowcount


def totals_over_scopes(counts: Mapping[tuple[str, str], Counts], rule_id: str) -> Counts:
    """Return the sum of a rule's counts over all scopes."""
    found = [value for (key, _), value in counts.items() if key == rule_id]
    return Counts(sum(value.evaluated for value in found), sum(value.failed for value in found))


def _rows(query: Composable, rules: Numbered) -> Composable:
    windows = [predicate.window for _, predicate in rules if predicate.window is not None]
    columns = sql.SQL(", ").join([sql.SQL("looked_at.*"), *windows])
    return sql.SQL("select {} from ({}) as looked_at").format(columns, query)


def _scope(source: Source) -> Composable:
    return sql.Literal(WHOLE) if source.batch_column is None else sql.Identifier(source.batch_column)


def _optional(column: str | None, kind: str) -> Composable:
    value = sql.SQL("null") if column is None else sql.Identifier(column)
    return sql.SQL("{}::{}").format(value, sql.SQL(kind))
