"""From counts to verdicts: pure functions, the same limit for a batch as for all rows together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from childdb.quality.model import (
    WHOLE,
    Counts,
    Evaluation,
    GateOutcome,
    GateResult,
    Rule,
    RuleOutcome,
    RuleResult,
    Scope,
    Severity,
    Source,
)
from childdb.quality.store import GateHead
from childdb.quality.suites import TABLE_RULES

ROW_COUNT = "expect_table_row_count_to_be_between"


def complete(
    found: Mapping[tuple[str, str], Counts],
    totals: Mapping[str, int],
    rules: Sequence[Rule],
    source: Source,
    batches: Sequence[str],
) -> dict[tuple[str, str], Counts]:
    """Return counts for every rule and scope: a batch without rows has zeros, a row-count rule one case each."""
    scopes = batches if source.batch_column is not None else (WHOLE,)
    counts: dict[tuple[str, str], Counts] = {}
    for rule in rules:
        for scope in scopes:
            if rule.type == ROW_COUNT:
                counts[rule.rule_id, scope] = Counts(1, int(_outside(totals.get(scope, 0), rule)))
            elif rule.type not in TABLE_RULES:
                counts[rule.rule_id, scope] = found.get((rule.rule_id, scope), Counts(0, 0))
    return counts


def _outside(total: int, rule: Rule) -> bool:
    low, high = rule.kwargs.get("min_value"), rule.kwargs.get("max_value")
    return (low is not None and total < low) or (high is not None and total > high)


def judge(
    head: GateHead,
    rules: Sequence[Rule],
    evaluation: Evaluation,
    batches: Sequence[str],
    released: frozenset[tuple[str, str]],
) -> GateResult:
    """Return the verdict of the gate and of each batch."""
    in_force = {rule.rule_id for rule in rules}
    scope_of_whole = head.release_id or WHOLE
    results: list[RuleResult] = []
    for rule in head.suite.rules:
        if rule.rule_id not in in_force:
            results.append(_plain(rule, scope_of_whole, RuleOutcome.NOT_IN_FORCE))
            continue
        whole = _whole(rule, scope_of_whole, evaluation, released)
        results.append(whole)
        for batch in batches if head.suite.scope is Scope.BATCH else ():
            if (rule.rule_id, batch) in evaluation.counts:
                results.append(_batch(rule, batch, evaluation.counts[rule.rule_id, batch], whole, released))
    return _gather(head, results, batches)


def _plain(rule: Rule, scope: str, outcome: RuleOutcome) -> RuleResult:
    return RuleResult(rule.rule_id, scope, rule.severity, outcome, 0, 0, rule.limit_share)


def _whole(
    rule: Rule, scope: str, evaluation: Evaluation, released: frozenset[tuple[str, str]]
) -> RuleResult:
    """The engine's own verdict on all rows together."""
    verdict = evaluation.verdicts[rule.rule_id]
    failed = sum(c.failed for (key, _), c in evaluation.counts.items() if key == rule.rule_id)
    evaluated = sum(c.evaluated for (key, _), c in evaluation.counts.items() if key == rule.rule_id)
    if not any(key == rule.rule_id for key, _ in evaluation.counts):
        evaluated, failed = 1, int(not verdict.success)
    if verdict.error is None and evaluated < max(rule.min_evaluated, 1):
        return RuleResult(
            rule.rule_id,
            scope,
            rule.severity,
            RuleOutcome.NOT_APPLICABLE,
            evaluated,
            failed,
            rule.limit_share,
        )
    outcome = _outcome(rule, verdict.success, (rule.rule_id, scope) in released)
    return RuleResult(rule.rule_id, scope, rule.severity, outcome, evaluated, failed, rule.limit_share)


def _batch(
    rule: Rule, batch: str, counts: Counts, whole: RuleResult, released: frozenset[tuple[str, str]]
) -> RuleResult:
    """A batch too small for the rule is judged only where all rows together break it too."""
    is_small = counts.evaluated < rule.min_evaluated
    whole_keeps = whole.outcome in (RuleOutcome.PASSED, RuleOutcome.NOT_APPLICABLE)
    if counts.evaluated == 0 or (is_small and whole_keeps):
        outcome = RuleOutcome.NOT_APPLICABLE
    else:
        kept = (counts.evaluated - counts.failed) / counts.evaluated
        outcome = _outcome(rule, kept >= rule.limit_share, (rule.rule_id, batch) in released)
    return RuleResult(
        rule.rule_id, batch, rule.severity, outcome, counts.evaluated, counts.failed, rule.limit_share
    )


def _outcome(rule: Rule, kept: bool, is_released: bool) -> RuleOutcome:
    if kept:
        return RuleOutcome.PASSED
    if rule.severity is Severity.WARNING:
        return RuleOutcome.WARNED
    return RuleOutcome.RELEASED if is_released else RuleOutcome.STOPPED


def _gather(head: GateHead, results: list[RuleResult], batches: Sequence[str]) -> GateResult:
    """A gate on batches holds single batches; a gate on a product stops it as a whole."""
    stopped = {result.scope_key for result in results if result.outcome is RuleOutcome.STOPPED}
    by_batch = head.suite.scope is Scope.BATCH
    whole_only = _stopped_by_table_rule(head, results)
    held = tuple(batch for batch in batches if by_batch and (batch in stopped or whole_only))
    is_stopped = bool(held) if by_batch else bool(stopped)
    if is_stopped:
        outcome = GateOutcome.STOPPED
    elif any(r.outcome in (RuleOutcome.WARNED, RuleOutcome.RELEASED, RuleOutcome.STOPPED) for r in results):
        outcome = GateOutcome.WARNED
    else:
        outcome = GateOutcome.PASSED
    return GateResult(
        gate_id=head.gate_id,
        run_id=head.run_id,
        suite=head.suite.name,
        dataset=head.suite.dataset,
        outcome=outcome,
        rules=tuple(results),
        open_batches=tuple(batch for batch in batches if batch not in held),
        held_batches=held,
    )


def _stopped_by_table_rule(head: GateHead, results: Sequence[RuleResult]) -> bool:
    """True if a rule that cannot be told batch by batch stopped: then no batch may go on."""
    per_batch = {result.rule_id for result in results if result.scope_key not in (WHOLE, head.release_id)}
    return any(r.outcome is RuleOutcome.STOPPED and r.rule_id not in per_batch for r in results)
