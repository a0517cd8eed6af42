"""Gates and their results: what a dataset must keep to before it goes on, judged, stored and explained."""

from childdb.quality.gates import judge_gate, run_gate
from childdb.quality.model import GateOutcome, GateResult, RuleOutcome, RuleResult

__all__ = [
    "GateOutcome",
    "GateResult",
    "RuleOutcome",
    "RuleResult",
    "judge_gate",
    "run_gate",
]
