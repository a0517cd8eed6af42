"""Gate results in the database: written once per run and suite, read back for pages and commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection, sql

from childdb.quality.model import GateOutcome, GateResult, RuleResult, Suite
from childdb.quality.predicates import bind_query


@dataclass(frozen=True, slots=True)
class GateHead:
    """What identifies one judged gate."""

    gate_id: str
    run_id: str
    suite: Suite
    release_id: str | None
    as_of: date | None


def forget_gate(connection: Connection, gate_id: str) -> None:
    """Remove the results of an earlier attempt of the same gate in the same run."""
    connection.execute("delete from quality.gate_runs where gate_id = %s", [gate_id])


def store_gate(
    connection: Connection, head: GateHead, result: GateResult, documents: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write the verdict and every rule's counts."""
    batch_count = len(result.open_batches) + len(result.held_batches)
    connection.execute(
        "insert into quality.gate_runs (gate_id, run_id, suite, suite_version, dataset, release_id, as_of_date, "
        "outcome, batch_count, held_batch_count, message_vi, message_en, documents) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            head.gate_id, head.run_id, head.suite.name, head.suite.version, head.suite.dataset, head.release_id,
            head.as_of, result.outcome.value, batch_count, len(result.held_batches), result.message_vi,
            result.message_en, json.dumps(documents, sort_keys=True),
        ],
    )  # fmt: skip
    _store_rules(connection, head.gate_id, result.rules)
    if head.suite.measures and result.outcome is not GateOutcome.STOPPED:
        _store_measures(connection, head, head.suite.measures)


def _store_measures(connection: Connection, head: GateHead, query: str) -> None:
    statement = sql.SQL(
        "insert into quality.gate_measures (gate_id, suite, measure_key, weight_count, measured_value) "
        "select {}, {}, m.measure_key, m.weight_count, m.measured_value from ({}) as m order by m.measure_key"
    )
    body = bind_query(query, (), head.release_id)
    connection.execute(statement.format(sql.Literal(head.gate_id), sql.Literal(head.suite.name), body))


def _store_rules(connection: Connection, gate_id: str, rules: Iterable[RuleResult]) -> None:
    copy_statement = (
        "copy quality.gate_results "
        "(gate_id, scope_key, rule_id, severity, outcome, evaluated_count, failed_count, limit_share) from stdin"
    )
    with connection.cursor() as cursor, cursor.copy(copy_statement) as copy:
        for rule in rules:
            copy.write_row(
                (gate_id, rule.scope_key, rule.rule_id, rule.severity.value, rule.outcome.value, rule.evaluated,
                 rule.failed, rule.limit_share)
            )  # fmt: skip


def released_rules(connection: Connection, suite: str) -> frozenset[tuple[str, str]]:
    """Return (rule, scope) pairs whose newest decision lets them pass."""
    rows = connection.execute(
        "select distinct on (rule_id, scope_key) rule_id, scope_key, decision from quality.gate_decisions "
        "where suite = %s order by rule_id, scope_key, decision_no desc",
        [suite],
    )
    return frozenset((str(rule), str(scope)) for rule, scope, decision in rows if decision == "release")


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision on one stopped rule for one batch or release."""

    suite: str
    rule_id: str
    scope_key: str
    decision: str
    decided_by: str
    reason: str
    decided_on: date


def store_decision(connection: Connection, decision: Decision) -> None:
    """Add a decision; earlier ones stay."""
    connection.execute(
        "insert into quality.gate_decisions "
        "(suite, rule_id, scope_key, decision, decided_by, reason, decided_on) values (%s, %s, %s, %s, %s, %s, %s)",
        [
            decision.suite, decision.rule_id, decision.scope_key, decision.decision, decision.decided_by,
            decision.reason, decision.decided_on,
        ],
    )  # fmt: skip
