"""Gates: a suite's rules on what arrived or is about to leave, judged per batch, stored, and said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
from psycopg import Connection

from childdb.database import Role, connect
from childdb.errors import ChilddbError, ContractError, EnvironmentFailedError, GateStoppedError, UsageError
from childdb.quality import engine, judging
from childdb.quality.counts import (
    RowsOfSource,
    count_rows,
    row_rules,
    store_failures,
    totals_over_scopes,
)
from childdb.quality.messages import gate_messages
from childdb.quality.model import (
    Counts,
    Evaluation,
    GateOutcome,
    GateResult,
    Rule,
    Scope,
    Suite,
    Verdict,
)
from childdb.quality.store import GateHead, forget_gate, released_rules, store_gate
from childdb.quality.suites import load_suite
from childdb.settings import Settings

Connector = Callable[[], Connection]


def run_gate(
    settings: Settings,
    suite: str,
    *,
    run_id: str,
    batch_ids: Iterable[str] = (),
    release_id: str | None = None,
    as_of: date | None = None,
) -> GateResult:
    """Return the verdict of a gate that lets something through; held batches are named in it.

    Raises:
        GateStoppedError: nothing goes on: every batch is held, or the product as a whole is.
    """
    result = judge_gate(
        lambda: connect(Role.CHECKER, settings),
        load_suite(suite),
        run_id=run_id,
        batch_ids=tuple(batch_ids),
        release_id=release_id,
        as_of=as_of,
    )
    if result.outcome is GateOutcome.STOPPED and not result.open_batches:
        raise GateStoppedError(result.message_en, result.message_vi)
    return result


def judge_gate(
    connector: Connector,
    suite: Suite,
    *,
    run_id: str,
    batch_ids: Sequence[str] = (),
    release_id: str | None = None,
    as_of: date | None = None,
) -> GateResult:
    """Judge and store a gate; return its verdict, whatever it is. The same run judged again replaces its results."""
    batches = tuple(sorted(set(batch_ids)))
    if suite.scope is Scope.BATCH and not batches:
        raise UsageError(f"Gate {suite.name} needs the batches it should look at.")
    head = GateHead(f"{run_id}:{suite.name}", run_id, suite, release_id, as_of)
    try:
        with connector() as connection:
            return _judge(connection, connector, head, batches)
    except ChilddbError:
        raise
    except psycopg.OperationalError:
        raise EnvironmentFailedError(
            f"Gate {suite.name}: the database went away. Repeat the same command; the gate is judged anew."
        ) from None
    except psycopg.Error as error:
        # The database quotes rows in its messages: only its code may be told.
        raise ContractError(
            f"Gate {suite.name} could not be evaluated: the database answered {error.sqlstate}. "
            "A table or column that the suite names may be missing; compare the suite's sources with the tables."
        ) from None


def _judge(
    connection: Connection, connector: Connector, head: GateHead, batches: tuple[str, ...]
) -> GateResult:
    connection.execute("set local work_mem = '64MB'")
    rules = [rule for rule in head.suite.rules if rule.in_force(head.as_of)]
    forget_gate(connection, head.gate_id)
    evaluation, sources = _evaluate(connection, connector, head, rules, batches)
    released = released_rules(connection, head.suite.name)
    result = judging.judge(head, rules, evaluation, batches, released)
    result = gate_messages(head.suite, result)
    store_gate(connection, head, result, evaluation.documents)
    for rows in sources:
        store_failures(connection, head.gate_id, rows)
    return result


def _evaluate(
    connection: Connection,
    connector: Connector,
    head: GateHead,
    rules: Sequence[Rule],
    batches: tuple[str, ...],
) -> tuple[Evaluation, list[RowsOfSource]]:
    """Count by SQL of our own while the engine judges the same rows over a connection of its own."""
    verdicts: dict[str, Verdict] = {}
    counts: dict[tuple[str, str], Counts] = {}
    documents = {}
    sources = []
    for source in head.suite.sources.values():
        own = [rule for rule in rules if rule.source == source.name]
        if not own:
            continue
        rows = RowsOfSource(source, batches, head.release_id, row_rules(own))
        text = rows.query().as_string(connection)
        with ThreadPoolExecutor(max_workers=1) as beside:
            judged = beside.submit(engine.validate, head.suite, own, text, connector)
            found = count_rows(connection, rows)
            said, documents[source.name] = judged.result()
        counts.update(judging.complete(found.by_rule, found.totals, own, source, batches))
        verdicts.update(said)
        sources.append(rows)
    evaluation = Evaluation(verdicts, counts, documents)
    _check_agreement(head.suite, evaluation)
    return evaluation, sources


def _check_agreement(suite: Suite, evaluation: Evaluation) -> None:
    """Two independent counts of the same rows must be equal; if not, neither can be trusted."""
    for rule_id, verdict in sorted(evaluation.verdicts.items()):
        if verdict.failed is None:
            continue
        ours = totals_over_scopes(evaluation.counts, rule_id)
        if (ours.evaluated, ours.failed) != (verdict.evaluated, verdict.failed):
            raise ContractError(
                f"Gate {suite.name}, rule {rule_id}: the expectations engine counts {verdict.failed} failures in "
                f"{verdict.evaluated} rows, the SQL of the gate {ours.failed} in {ours.evaluated}. Rows changed while "
                "the gate looked, or the rule means two things: run the gate again, then correct the rule."
            )
