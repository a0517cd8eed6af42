"""What the gates hold back, and a person's decision that lets it go or holds it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from childdb.errors import UsageError
from childdb.quality.model import WHOLE, Rule
from childdb.quality.store import Decision, store_decision
from childdb.quality.suites import load_suite, suite_names

SCOPES = {"identity": WHOLE}
"""What a person types for a gate that judges everything at once."""

_NEWEST = (
    "select distinct on (g.suite, r.rule_id, r.scope_key) g.suite, r.rule_id, r.scope_key, r.outcome, "
    "r.evaluated_count, r.failed_count, g.run_id from quality.gate_results as r "
    "inner join quality.gate_runs as g on r.gate_id = g.gate_id "
    "order by g.suite, r.rule_id, r.scope_key, g.recorded_at desc, g.gate_id desc"
)


@dataclass(frozen=True, slots=True)
class GateHold:
    """One rule that holds one batch, release or the identities as a whole."""

    suite: str
    rule_id: str
    scope_key: str
    evaluated: int
    failed: int
    run_id: str
    what_vi: str = ""
    resolve_vi: str = ""


def gate_holds(connection: Connection) -> list[GateHold]:
    """Return what the newest gates hold back, without rows where a batch is held already."""
    rules = {rule.rule_id: rule for name in suite_names() for rule in load_suite(name).rules}
    by_batch = [name for name in suite_names() if load_suite(name).scope.value == "batch"]
    rows = connection.execute(
        "select n.suite, n.rule_id, n.scope_key, n.evaluated_count, n.failed_count, n.run_id "  # noqa: S608 - our text
        f"from ({_NEWEST}) as n where n.outcome = 'stopped' and not (n.suite = any(%s) and n.scope_key = %s) "
        "order by n.suite, n.scope_key, n.rule_id",
        [by_batch, WHOLE],
    )
    found = (GateHold(*row) for row in rows)
    return [_with_words(hold, rules) for hold in found if hold.rule_id in rules]


def _with_words(hold: GateHold, rules: Mapping[str, Rule]) -> GateHold:
    rule = rules[hold.rule_id]
    values = {name: getattr(hold, name) for name in GateHold.__dataclass_fields__}
    return GateHold(**values | {name: getattr(rule, name) for name in ("what_vi", "resolve_vi")})


def decide_holds(
    connection: Connection,
    scope: str,
    rule_ids: Sequence[str],
    *,
    release: bool,
    decided_by: str,
    reason: str,
    decided_on: date,
) -> list[str]:
    """Record a person's decision for the rules named and return them; nothing is recorded if one does not fit.

    Raises:
        UsageError: a rule does not hold (or did not let go) that scope, or name or reason is missing.
    """
    if not decided_by.strip() or len(reason.strip()) < 10:
        raise UsageError("A decision needs the name of the person and a reason of at least ten characters.")
    scope_key = SCOPES.get(scope, scope)
    wanted = ("stopped",) if release else ("released",)
    rows = connection.execute(
        f"select n.suite, n.rule_id from ({_NEWEST}) as n where n.scope_key = %s and n.outcome = any(%s)",  # noqa: S608
        [scope_key, list(wanted)],
    )
    suites = {str(rule): str(suite) for suite, rule in rows}
    wrong = sorted(set(rule_ids) - set(suites))
    if wrong or not rule_ids:
        known = ", ".join(sorted(suites)) or "none"
        raise UsageError(
            f"{', '.join(wrong) or 'No rule'} cannot be decided on for {scope}: rules that "
            f"{'hold it' if release else 'were let go for it'} are {known}. 'childdb quarantine list' shows all.",
            f"Không quyết định được {', '.join(wrong) or '(chưa nêu quy tắc)'} cho {scope}: các quy tắc "
            f"{'đang giữ' if release else 'đã cho qua'} là {known}. Xem 'childdb quarantine list'.",
        )
    word = "release" if release else "hold"
    for rule_id in sorted(set(rule_ids)):
        entry = Decision(
            suites[rule_id], rule_id, scope_key, word, decided_by.strip(), reason.strip(), decided_on
        )
        store_decision(connection, entry)
    return sorted(set(rule_ids))
