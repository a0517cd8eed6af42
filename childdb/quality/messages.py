"""What a gate tells people: rule, dataset, batch, counts and remedy; never a value of a record."""

from __future__ import annotations

from dataclasses import replace

from childdb.quality.model import GateOutcome, GateResult, Rule, RuleResult, Suite

MAX_NAMED = 5
"""A sentence names at most this many stopped rules; the quality pages name all."""


def gate_messages(suite: Suite, result: GateResult) -> GateResult:
    """Return the result with its sentences in Vietnamese and English; none where nothing stopped."""
    if result.outcome is not GateOutcome.STOPPED:
        return result
    rules = {rule.rule_id: rule for rule in suite.rules}
    held = set(result.held_batches)
    stopped = [r for r in result.stopped_rules() if not held or r.scope_key in held] or list(
        result.stopped_rules()
    )
    named = [(rules[entry.rule_id], entry) for entry in stopped[:MAX_NAMED]]
    more = len(stopped) - len(named)
    return replace(
        result,
        message_vi=_head_vi(suite, result) + " ".join(_rule_vi(*pair) for pair in named) + _more_vi(more),
        message_en=_head_en(suite, result) + " ".join(_rule_en(*pair) for pair in named) + _more_en(more),
    )


def _head_vi(suite: Suite, result: GateResult) -> str:
    if result.held_batches:
        total = len(result.held_batches) + len(result.open_batches)
        return (
            f"Cổng kiểm tra {suite.name} giữ lại {len(result.held_batches)}/{total} lô của {suite.dataset}: "
        )
    return f"Cổng kiểm tra {suite.name} dừng {suite.dataset}: "


def _head_en(suite: Suite, result: GateResult) -> str:
    if result.held_batches:
        total = len(result.held_batches) + len(result.open_batches)
        return f"Gate {suite.name} holds {len(result.held_batches)} of {total} batches of {suite.dataset}: "
    return f"Gate {suite.name} stops {suite.dataset}: "


def _rule_vi(rule: Rule, entry: RuleResult) -> str:
    return (
        f"[{rule.rule_id}, {entry.scope_key}] {rule.what_vi} Đạt {_share_vi(entry)}, cần {_limit_vi(rule)} "
        f"({entry.failed}/{entry.evaluated} dòng sai). Cách xử lý ({rule.who_vi}): {rule.resolve_vi}"
    )


def _rule_en(rule: Rule, entry: RuleResult) -> str:
    share = "none" if entry.share is None else f"{entry.share:.1%}"
    return (
        f"[{rule.rule_id}, {entry.scope_key}] {rule.what_en} Kept by {share}, needed {rule.limit_share:.1%} "
        f"({entry.failed} of {entry.evaluated} rows break it). What to do: {rule.resolve_en}"
    )


def _share_vi(entry: RuleResult) -> str:
    return "không có dòng" if entry.share is None else f"{entry.share * 100:.1f}%".replace(".", ",")


def _limit_vi(rule: Rule) -> str:
    return f"{rule.limit_share * 100:.1f}%".replace(".", ",")


def _more_vi(count: int) -> str:
    return f" Còn {count} quy tắc khác: xem trang chất lượng." if count else ""


def _more_en(count: int) -> str:
    return f" And {count} more: see the quality pages." if count else ""
