"""Values of the gates: suites, sources, rules, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

WHOLE = "*"
"""Scope of a result that concerns the gate's data as a whole, not one batch."""


class Severity(StrEnum):
    """Great Expectations' own words: `critical` stops the dataset, `warning` is reported."""

    CRITICAL = "critical"
    WARNING = "warning"


class RuleOutcome(StrEnum):
    """What came of one rule on one scope."""

    PASSED = "passed"
    WARNED = "warned"
    STOPPED = "stopped"
    RELEASED = "released"
    NOT_APPLICABLE = "not_applicable"
    NOT_IN_FORCE = "not_in_force"


class GateOutcome(StrEnum):
    """What a gate as a whole says."""

    PASSED = "passed"
    WARNED = "warned"
    STOPPED = "stopped"


class Scope(StrEnum):
    """What a gate holds back: single batches, or all that it was shown."""

    BATCH = "batch"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Source:
    """One set of rows a suite looks at. `query` may use `:batches` and `:release_id`; `:batches` is a text array."""

    name: str
    query: str
    batch_column: str | None
    sheet_column: str | None
    row_no_column: str | None
    row_key_column: str | None
    open_columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One assertion, with the words a person needs when it fails."""

    rule_id: str
    source: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    what_vi: str
    what_en: str
    why_vi: str
    resolve_vi: str
    resolve_en: str
    who_vi: str
    valid_from: date
    valid_to: date | None
    min_evaluated: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule names; none where it is about the table as a whole."""
        column = self.kwargs.get("column")
        return (*([column] if column else []), *self.kwargs.get("column_list", ()))

    @property
    def limit_share(self) -> float:
        """Share of the rows looked at that must keep the rule."""
        return float(self.kwargs.get("mostly", 1.0))

    def in_force(self, day: date | None) -> bool:
        """True if the rule is valid on a day (half-open); an unknown day counts as today."""
        if day is None:
            return self.valid_to is None
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Suite:
    """All rules of one gate."""

    name: str
    dataset: str
    title_vi: str
    version: str
    scope: Scope
    sources: Mapping[str, Source]
    rules: tuple[Rule, ...]
    measures: str | None = None
    """Query of (measure_key, weight_count, measured_value) kept for the next gate to compare with."""
    scored: frozenset[str] = frozenset()
    """Rules a commune's score is made of: each looks at one row alone, one rule per assertion."""

    def rules_of(self, source: str) -> tuple[Rule, ...]:
        """Rules that look at one source, in the order of the file."""
        return tuple(rule for rule in self.rules if rule.source == source)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule said about one scope: counts and shares, never values."""

    rule_id: str
    scope_key: str
    severity: Severity
    outcome: RuleOutcome
    evaluated: int
    failed: int
    limit_share: float

    @property
    def share(self) -> float | None:
        """Share of the rows looked at that keep the rule; None where none was looked at."""
        return None if self.evaluated == 0 else (self.evaluated - self.failed) / self.evaluated


@dataclass(frozen=True, slots=True)
class GateResult:
    """The verdict of one gate: of its data as a whole, and of each batch."""

    gate_id: str
    run_id: str
    suite: str
    dataset: str
    outcome: GateOutcome
    rules: tuple[RuleResult, ...]
    open_batches: tuple[str, ...] = ()
    held_batches: tuple[str, ...] = ()
    message_vi: str = ""
    message_en: str = ""

    def stopped_rules(self) -> tuple[RuleResult, ...]:
        """Results that hold something back."""
        return tuple(rule for rule in self.rules if rule.outcome is RuleOutcome.STOPPED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the expectations engine said about one rule."""

    rule_id: str
    success: bool
    evaluated: int | None
    failed: int | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows looked at and rows that break a rule, in one scope."""

    evaluated: int
    failed: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything measured for one gate, before it is judged."""

    verdicts: Mapping[str, Verdict]
    counts: Mapping[tuple[str, str], Counts]
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
