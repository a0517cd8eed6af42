"""SQL of our own for each row rule: which rows it looks at, and which of them break it.

The expectations engine gives counts over all rows of a gate. Counts per batch, and the whole list of failing
row numbers (the engine's lists are cut, and hold values), come from here. Both must agree; the gate checks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from childdb.quality.model import Rule

Composable = sql.Composable

BATCHES = ":batches"
"""Stands for the batches of a gate in a suite's query."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """Two boolean SQL expressions over one row, and what repeats where the rule needs to know it."""

    evaluated: Composable
    failed: Composable
    repeats: Repeats | None = None


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many rows have the same values: counted by hashing, which is cheaper than sorting all rows."""

    name: sql.Identifier
    columns: Sequence[sql.Identifier]

    @property
    def column(self) -> Composable:
        """The column that holds the count; NULL where the values stand once."""
        return sql.SQL("{}.times as {}").format(self.name, self.name)

    @property
    def join(self) -> Composable:
        """The join that brings the count to the rows ``looked_at``."""
        listed = sql.SQL(", ").join(self.columns)
        same = sql.SQL(" and ").join(
            sql.SQL("looked_at.{0} = {1}.{0}").format(column, self.name) for column in self.columns
        )
        return sql.SQL(
            "left join (select {listed}, count(*) as times from looked_at where {given} "
            "group by {listed} having count(*) > 1) as {name} on {same}"
        ).format(listed=listed, given=_all_given(self.columns), name=self.name, same=same)


def row_predicate(rule: Rule, position: int) -> Predicate | None:
    """Return the SQL of a row rule; None for a rule that is not about rows."""
    if rule.type == "expect_compound_columns_to_be_unique":
        return _unique(rule.kwargs["column_list"], position)
    if rule.type == "expect_column_values_to_be_unique":
        return _unique([rule.kwargs["column"]], position)
    make = _MAKERS.get(rule.type)
    if make is None:
        return None
    column = sql.Identifier(rule.kwargs["column"])
    return make(column, rule.kwargs)


def bind_query(query: str, batch_ids: Sequence[str], release_id: str | None) -> Composable:
    """Return a suite's query with its two parameters as literals."""
    parts: list[Composable] = []
    for index, piece in enumerate(query.split(BATCHES)):
        if index:
            parts.append(sql.SQL("{}::text[]").format(sql.Literal(list(batch_ids))))
        for number, text in enumerate(piece.split(":release_id")):
            if number:
                parts.append(sql.Literal(release_id))
            parts.append(sql.SQL(text))  # text of a suite under version control
    return sql.Composed(parts)


def _not_null(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return Predicate(sql.SQL("true"), sql.SQL("{} is null").format(column))


def _null(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return Predicate(sql.SQL("true"), sql.SQL("{} is not null").format(column))


def _given(column: Composable, failed: Composable) -> Predicate:
    """A rule that looks only at values that are there."""
    given = sql.SQL("{} is not null").format(column)
    return Predicate(given, sql.SQL("({} and {})").format(given, failed))


def _in_set(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return _given(column, sql.SQL("not {} in ({})").format(column, _literals(kwargs["value_set"])))


def _not_in_set(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return _given(column, sql.SQL("{} in ({})").format(column, _literals(kwargs["value_set"])))


def _matches(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return _given(column, sql.SQL("not {} ~ {}").format(column, sql.Literal(kwargs["regex"])))


def _not_matches(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return _given(column, sql.SQL("{} ~ {}").format(column, sql.Literal(kwargs["regex"])))


def _between(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return _given(column, _outside(column, kwargs))


def _lengths(column: Composable, kwargs: Mapping[str, Any]) -> Predicate:
    return _given(column, _outside(sql.SQL("length({})").format(column), kwargs))


def _outside(value: Composable, kwargs: Mapping[str, Any]) -> Composable:
    bounds = [("<", kwargs.get("min_value")), (">", kwargs.get("max_value"))]
    tests = [
        sql.SQL("{} {} {}").format(value, sql.SQL(sign), sql.Literal(bound))
        for sign, bound in bounds
        if bound is not None
    ]
    return sql.SQL("({})").format(sql.SQL(" or ").join(tests))


def _unique(columns: list[str], position: int) -> Predicate:
    names = [sql.Identifier(column) for column in columns]
    given, repeats = _all_given(names), Repeats(sql.Identifier(f"_same_{position}"), names)
    return Predicate(given, sql.SQL("({} and {} is not null)").format(given, repeats.name), repeats)


def _all_given(columns: Sequence[Composable]) -> Composable:
    return sql.SQL("({})").format(
        sql.SQL(" and ").join(sql.SQL("{} is not null").format(column) for column in columns)
    )


def _literals(values: list[Any]) -> Composable:
    return sql.SQL(", ").join(sql.Literal(value) for value in values)


_MAKERS = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_match_regex": _matches,
    "expect_column_values_to_not_match_regex": _not_matches,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _lengths,
}
