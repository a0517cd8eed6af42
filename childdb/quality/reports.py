"""What the quality pages and the status command tell, read from the results as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from childdb.quality.areas import DayLine, day_lines
from childdb.quality.model import WHOLE, Rule, RuleOutcome, Suite
from childdb.quality.scores import Score, read_scores
from childdb.quality.suites import load_suite, suite_names


@dataclass(frozen=True, slots=True)
class GateLine:
    """The newest verdict of one suite."""

    gate_id: str
    run_id: str
    suite: str
    dataset: str
    outcome: str
    batch_count: int
    held_batch_count: int
    message_vi: str
    message_en: str
    recorded_at: str
    title_vi: str = ""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """The newest counts of one rule over all rows of its gate."""

    suite: str
    rule: Rule
    outcome: str
    evaluated: int
    failed: int
    limit_share: float
    held_batches: int

    @property
    def share(self) -> float | None:
        """Share that keeps the rule."""
        return (self.evaluated - self.failed) / self.evaluated if self.evaluated else None


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One received file and its ledger equation."""

    batch_id: str
    dataset: str
    commune_id: str | None
    file_date: str | None
    status: str | None
    physical_rows: int
    header_footer_rows: int
    accepted: int
    quarantined: int
    rejected: int
    stopped_rules: tuple[str, ...] = ()
    warned_rules: tuple[str, ...] = ()
    judged_count: int = 0
    """Rules that applied to the file; none before a gate has seen it."""

    @property
    def holds(self) -> bool:
        """Whether every physical row ended in exactly one place."""
        parts = self.header_footer_rows + self.accepted + self.quarantined + self.rejected
        return self.physical_rows == parts


@dataclass(frozen=True, slots=True)
class FailureLine:
    """How many rows of one batch break one rule, and the first row numbers."""

    scope_key: str
    rule_id: str
    row_count: int
    first_rows: str


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """Who let what pass, when and why."""

    suite: str
    rule_id: str
    scope_key: str
    decision: str
    decided_by: str
    reason: str
    decided_on: str


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Everything the pages show."""

    gates: tuple[GateLine, ...]
    history: tuple[GateLine, ...]
    rules: tuple[RuleLine, ...]
    deliveries: tuple[DeliveryLine, ...]
    failures: tuple[FailureLine, ...]
    decisions: tuple[DecisionLine, ...]
    scores: tuple[Score, ...] = ()
    days: tuple[DayLine, ...] = ()
    day: date | None = None
    """Day of the newest gate: the report is that day's, whenever it is written."""


MAX_HISTORY = 60
MAX_FIRST_ROWS = 12

_GATE_COLUMNS = (
    "gate_id, run_id, suite, dataset, outcome, batch_count, held_batch_count, message_vi, message_en, "
    "to_char(recorded_at at time zone 'Asia/Ho_Chi_Minh', 'DD/MM/YYYY HH24:MI') as recorded_at"
)


def read_report(connection: Connection) -> QualityReport:
    """Return the report on the newest gate of each suite, with the history of all."""
    suites = {name: load_suite(name) for name in suite_names()}
    gates = tuple(_titled(line, suites) for line in newest_gates(connection))
    return QualityReport(
        gates=gates,
        history=tuple(_titled(line, suites) for line in _history(connection)),
        rules=_rules(connection, gates, suites),
        deliveries=read_deliveries(connection),
        failures=_failures(connection),
        decisions=_decisions(connection),
        scores=tuple(read_scores(connection)),
        days=tuple(day_lines(connection)),
        day=_newest_day(connection),
    )


def _newest_day(connection: Connection) -> date | None:
    row = connection.execute(
        "select max(recorded_at at time zone 'Asia/Ho_Chi_Minh')::date from quality.gate_runs"
    ).fetchone()
    found: date | None = row[0] if row else None
    return found


def newest_gates(connection: Connection) -> list[GateLine]:
    """Return the newest verdict of each suite, in the order of the flow."""
    with connection.cursor(row_factory=class_row(GateLine)) as cursor:
        cursor.execute(
            "select distinct on (suite) " + _GATE_COLUMNS + " from quality.gate_runs "  # noqa: S608 - names of our own
            "order by suite, gate_runs.recorded_at desc, gate_id"
        )
        found = cursor.fetchall()
    order = {"raw": 0, "identity": 1, "publication": 2}
    return sorted(found, key=lambda line: (order.get(line.suite.split("/")[0], 9), line.suite))


def _history(connection: Connection) -> list[GateLine]:
    with connection.cursor(row_factory=class_row(GateLine)) as cursor:
        cursor.execute(
            "select " + _GATE_COLUMNS + " from quality.gate_runs "  # noqa: S608 - names of our own
            "order by gate_runs.recorded_at desc, gate_id limit %s",
            [MAX_HISTORY],
        )
        return cursor.fetchall()


def _titled(line: GateLine, suites: Mapping[str, Suite]) -> GateLine:
    title = suites[line.suite].title_vi if line.suite in suites else line.suite
    values = {name: getattr(line, name) for name in GateLine.__dataclass_fields__}
    return GateLine(**{**values, "title_vi": title})


def _rules(
    connection: Connection, gates: tuple[GateLine, ...], suites: Mapping[str, Suite]
) -> tuple[RuleLine, ...]:
    lines: list[RuleLine] = []
    for gate in gates:
        found = _rule_counts(connection, gate.gate_id)
        for rule in suites[gate.suite].rules if gate.suite in suites else ():
            if rule.rule_id in found:
                lines.append(RuleLine(gate.suite, rule, *found[rule.rule_id]))
    return tuple(lines)


def _rule_counts(connection: Connection, gate_id: str) -> dict[str, tuple[Any, ...]]:
    """The whole's counts per rule; its outcome is the worst over the batches."""
    rows = connection.execute(
        "select r.rule_id, (select w.outcome from quality.gate_results as w where w.gate_id = r.gate_id "
        " and w.rule_id = r.rule_id order by array_position(array['stopped', 'released', 'warned', 'passed', "
        " 'not_applicable', 'not_in_force'], w.outcome) limit 1), r.evaluated_count, r.failed_count, r.limit_share::float8, "
        "(select count(*) from quality.gate_results as b where b.gate_id = r.gate_id and b.rule_id = r.rule_id "
        " and b.outcome = 'stopped' and b.scope_key <> r.scope_key) "
        "from quality.gate_results as r join quality.gate_runs as g using (gate_id) "
        "where r.gate_id = %s and r.scope_key = coalesce(g.release_id, %s)",
        [gate_id, WHOLE],
    ).fetchall()
    return {row[0]: tuple(row[1:]) for row in rows}


def read_deliveries(connection: Connection) -> tuple[DeliveryLine, ...]:
    """Return every received file with its equation and the rules it breaks; none before the ledger exists."""
    if connection.execute("select to_regclass('ops.batches')").fetchone() == (None,):
        return ()
    outcomes = _outcomes(connection)
    rows = connection.execute(
        "select batch_id, dataset, sender_commune_id, to_char(file_date, 'DD/MM/YYYY'), status, "
        "coalesce(physical_rows, 0), coalesce(header_footer_rows, 0), coalesce(accepted, 0), "
        "coalesce(quarantined, 0), coalesce(rejected, 0) from ops.batches "
        "order by dataset, sender_commune_id nulls last, file_date nulls last, batch_id"
    )
    return tuple(
        replace(
            DeliveryLine(*row),
            stopped_rules=outcomes.get(row[0], {}).get(RuleOutcome.STOPPED.value, ()),
            warned_rules=outcomes.get(row[0], {}).get(RuleOutcome.WARNED.value, ()),
            judged_count=_judged(outcomes.get(row[0], {})),
        )
        for row in rows
    )


def _judged(outcomes: Mapping[str, tuple[str, ...]]) -> int:
    without = (RuleOutcome.NOT_APPLICABLE.value, RuleOutcome.NOT_IN_FORCE.value)
    return sum(len(rules) for outcome, rules in outcomes.items() if outcome not in without)


def _outcomes(connection: Connection) -> dict[str, dict[str, tuple[str, ...]]]:
    """Rules per outcome for every batch, each by its newest gate: older batches keep what was said of them."""
    rows = connection.execute(
        "select n.scope_key, n.outcome, array_agg(n.rule_id order by n.rule_id) from ("
        "select distinct on (r.scope_key, r.rule_id) r.scope_key, r.rule_id, r.outcome "
        "from quality.gate_results as r inner join quality.gate_runs as g on r.gate_id = g.gate_id "
        "where g.batch_count > 0 and r.scope_key <> %s "
        "order by r.scope_key, r.rule_id, g.recorded_at desc, g.gate_id desc"
        ") as n group by n.scope_key, n.outcome",
        [WHOLE],
    )
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for scope, outcome, rules in rows:
        found.setdefault(scope, {})[outcome] = tuple(rules)
    return found


def _failures(connection: Connection) -> tuple[FailureLine, ...]:
    rows = connection.execute(
        "with newest as (select distinct on (r.scope_key, r.rule_id) r.gate_id, r.scope_key, r.rule_id, r.outcome "
        "from quality.gate_results as r inner join quality.gate_runs as g on r.gate_id = g.gate_id "
        "order by r.scope_key, r.rule_id, g.recorded_at desc, g.gate_id desc) "
        "select f.scope_key, f.rule_id, count(*), "
        "(array_agg(coalesce(f.row_no::text, f.row_key) order by f.sheet, f.row_no, f.row_key))[1:%s] "
        "from quality.gate_failures as f inner join newest as n using (gate_id, scope_key, rule_id) "
        "where n.outcome in ('stopped', 'warned', 'released') "
        "group by f.scope_key, f.rule_id order by f.scope_key, f.rule_id",
        [MAX_FIRST_ROWS],
    )
    return tuple(FailureLine(scope, rule, count, ", ".join(first)) for scope, rule, count, first in rows)


def _decisions(connection: Connection) -> tuple[DecisionLine, ...]:
    rows = connection.execute(
        "select suite, rule_id, scope_key, decision, decided_by, reason, to_char(decided_on, 'DD/MM/YYYY') "
        "from quality.gate_decisions order by decision_no desc"
    )
    return tuple(DecisionLine(*row) for row in rows)
