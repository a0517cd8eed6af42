"""Counts per batch and lists of failing rows, by SQL of our own, whole and without values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import Connection, sql

from childdb.quality.model import WHOLE, Counts, Rule, Source
from childdb.quality.predicates import BATCHES, Composable, Predicate, bind_query, row_predicate

Numbered = Sequence[tuple[Rule, Predicate]]

PORTION_ROWS = 250_000
"""Rows looked at together: what repeats among them is counted in memory."""


def row_rules(rules: Sequence[Rule]) -> Numbered:
    """Return the rules that are about rows, each with its SQL."""
    numbered = ((rule, row_predicate(rule, position)) for position, rule in enumerate(rules))
    return [(rule, predicate) for rule, predicate in numbered if predicate is not None]


@dataclass(frozen=True, slots=True)
class RowsOfSource:
    """What a source's rows are looked at with: its query, the batches asked for, and the rules about rows."""

    source: Source
    batches: Sequence[str]
    release_id: str | None
    rules: Numbered

    def query(self, batches: Sequence[str] | None = None) -> Composable:
        """Return the query of the rows of all batches, or of some."""
        return bind_query(self.source.query, self.batches if batches is None else batches, self.release_id)

    @property
    def can_be_portioned(self) -> bool:
        """Whether some batches can be looked at without the others: rows chosen by batch, none compared across."""
        batch = self.source.batch_column
        if batch is None or self.source.query.count(BATCHES) != 1:
            return False
        compared = [predicate.repeats.columns for _, predicate in self.rules if predicate.repeats is not None]
        return all(sql.Identifier(batch) in columns for columns in compared)

    @property
    def failing(self) -> sql.Identifier:
        """Name of the temporary table of failing rows; it goes with the transaction."""
        return sql.Identifier("pg_temp", f"failing_{self.source.name}")

    @property
    def flags(self) -> Mapping[str, Composable]:
        """Column of each condition, by its SQL: rules that differ only in their limit share one."""
        texts = {c.as_string() for _, p in self.rules for c in (p.evaluated, p.failed)}
        return {text: sql.Identifier(f"is_{n}") for n, text in enumerate(sorted(texts))}


@dataclass(slots=True)
class RowCounts:
    """Rows per batch, and rows looked at and failed per rule and batch; without batches one scope, the whole."""

    totals: dict[str, int] = field(default_factory=dict)
    by_rule: dict[tuple[str, str], Counts] = field(default_factory=dict)


def count_rows(connection: Connection, rows: RowsOfSource) -> RowCounts:
    """Evaluate every condition once per row; return the counts, and keep which rows fail until the transaction ends.

    Batches are taken a portion at a time where none is compared with another, so that no step outgrows its memory.
    """
    connection.execute(_EMPTY_FAILING.format(rows.failing))
    counts = RowCounts()
    if not rows.can_be_portioned:
        _count_portion(connection, rows, rows.query(), counts)
        return counts
    start, size = 0, 1
    while start < len(rows.batches):
        portion = rows.batches[start : start + size]
        _count_portion(connection, rows, rows.query(portion), counts)
        start += len(portion)
        fitting = PORTION_ROWS * start // max(1, sum(counts.totals.values()))
        size = max(1, min(2 * size, fitting))
    return counts


def _count_portion(connection: Connection, rows: RowsOfSource, query: Composable, counts: RowCounts) -> None:
    flags = rows.flags
    answers = list(flags.values())
    statement = sql.SQL(
        "with looked_at as materialized (select {columns} from ({query}) as rows_of_source), "
        "flagged as materialized (select at_scope, at_sheet, at_row_no, at_row_key{flags} from ({counted}) as counted){kept} "
        "select at_scope, count(*){counts} from flagged group by at_scope"
    ).format(
        columns=sql.SQL(", ").join(_columns(rows)),
        query=query,
        flags=sql.SQL("").join(
            sql.SQL(", {} as {}").format(sql.SQL(text), name) for text, name in flags.items()
        ),
        counted=_with_repeats(rows.rules),
        kept=_keep_failing(rows) if rows.rules else sql.SQL(""),
        counts=sql.SQL("").join(sql.SQL(", count(*) filter (where {})").format(name) for name in answers),
    )
    for scope, total, *found in connection.execute(statement, prepare=False):
        counts.totals[str(scope)] = int(total)
        by_condition = dict(zip(flags, map(int, found), strict=True))
        for rule, predicate in rows.rules:
            evaluated, failed = predicate.evaluated.as_string(), predicate.failed.as_string()
            counts.by_rule[rule.rule_id, str(scope)] = Counts(by_condition[evaluated], by_condition[failed])


def _columns(rows: RowsOfSource) -> list[Composable]:
    """Where a row stands, and what the rules name: computed columns of a source are computed once."""
    source = rows.source
    named = sorted({column for rule, _ in rows.rules for column in rule.columns})
    return [
        sql.SQL("{} as at_scope").format(_scope(source)),
        sql.SQL("{} as at_sheet").format(_optional(source.sheet_column, "text")),
        sql.SQL("{} as at_row_no").format(_optional(source.row_no_column, "bigint")),
        sql.SQL("{} as at_row_key").format(_optional(source.row_key_column, "text")),
        *map(sql.Identifier, named),
    ]


def _with_repeats(rules: Numbered) -> Composable:
    repeats = [predicate.repeats for _, predicate in rules if predicate.repeats is not None]
    return sql.SQL("select {} from looked_at {}").format(
        sql.SQL(", ").join([sql.SQL("looked_at.*"), *(each.column for each in repeats)]),
        sql.SQL(" ").join(each.join for each in repeats),
    )


_EMPTY_FAILING = sql.SQL(
    "create temporary table {} (rule_id text, scope_key text, sheet text, row_nos int8multirange, row_keys text[]) "
    "on commit drop"
)


_FAILING_KEYS = (
    "coalesce(array_agg(f.at_row_key order by f.at_row_key) filter (where f.at_row_key is not null), '{}')"
)


def _keep_failing(rows: RowsOfSource) -> Composable:
    """Return the part of a statement that keeps the ranges of failing rows by rule, batch and sheet."""
    failed = [(rule, rows.flags[predicate.failed.as_string()]) for rule, predicate in rows.rules]
    return sql.SQL(
        ", kept as (insert into {failing} select broken.rule_id, f.at_scope, f.at_sheet, "
        "coalesce(range_agg(int8range(f.at_row_no, f.at_row_no + 1)) filter (where f.at_row_no is not null), '{{}}'), "
        "{keys} from (select * from flagged where {any_failed}) as f "
        "cross join lateral (values {cases}) as broken (rule_id, is_failed) "
        "where broken.is_failed group by broken.rule_id, f.at_scope, f.at_sheet)"
    ).format(
        failing=rows.failing,
        keys=sql.SQL("'{}'::text[]" if rows.source.row_key_column is None else _FAILING_KEYS),
        any_failed=sql.SQL(" or ").join(flag for _, flag in failed),
        cases=sql.SQL(", ").join(
            sql.SQL("({}, {})").format(sql.Literal(rule.rule_id), sql.SQL("f.{}").format(flag))
            for rule, flag in failed
        ),
    )


def store_failures(connection: Connection, gate_id: str, rows: RowsOfSource) -> int:
    """Write the ranges of failing rows by rule, batch and sheet; return how many lines."""
    return connection.execute(
        sql.SQL(
            "insert into quality.gate_failing_rows (gate_id, rule_id, scope_key, sheet, row_nos, row_keys) "
            "select {}, rule_id, scope_key, sheet, row_nos, row_keys from {}"
        ).format(sql.Literal(gate_id), rows.failing)
    ).rowcount


def totals_over_scopes(counts: Mapping[tuple[str, str], Counts], rule_id: str) -> Counts:
    """Return the sum of a rule's counts over all scopes."""
    found = [value for (key, _), value in counts.items() if key == rule_id]
    return Counts(sum(value.evaluated for value in found), sum(value.failed for value in found))


def _scope(source: Source) -> Composable:
    return sql.Literal(WHOLE) if source.batch_column is None else sql.Identifier(source.batch_column)


def _optional(column: str | None, kind: str) -> Composable:
    value = sql.SQL("null") if column is None else sql.Identifier(column)
    return sql.SQL("{}::{}").format(value, sql.SQL(kind))
