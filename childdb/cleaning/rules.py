"""The rules of the cleaning step as data: id, version, reason, source, severity, messages and a tested example."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from childdb.errors import ConfigurationError
from childdb.findings import Severity
from childdb.reference import column_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES_PATH = Path(__file__).with_name("rules.yml")
SEVERITY_RANK = {Severity.INFO: 0, Severity.REPAIRED: 1, Severity.WARNING: 2, Severity.ERROR: 3}
_EXTRA_LABELS = {"": ("dòng", "row")}


@dataclass(frozen=True, slots=True)
class CleaningRule:
    """One judgement: what it is called, why it is made, what people read, and an example that is tested."""

    id: str
    version: int
    reason_code: str
    severity: Severity
    reason: str
    source: str
    message_vi: str
    message_en: str
    modes: tuple[str, ...] = ()
    quarantines: bool = False
    enabled: bool = True
    parameters: Mapping[str, float] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)
    order: int = 0

    def messages(self, column: str | None) -> tuple[str, str]:
        """Return the Vietnamese and English message for a column; neither ever holds a value."""
        label = column_labels().get(column or "", column or "dòng")
        return self.message_vi.replace("{column}", label), self.message_en.replace(
            "{column}", column or "row"
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules with the version that is stored beside what they judged."""

    version: str
    rules: Mapping[str, CleaningRule]

    def __getitem__(self, rule_id: str) -> CleaningRule:
        return self.rules[rule_id]


def parse_rules(text: str, origin: str) -> RuleSet:
    """Return the rules of a YAML text; unknown keys and repeated ids are refused."""
    document = yaml.safe_load(text)
    rules: dict[str, CleaningRule] = {}
    for order, row in enumerate(document["rules"]):
        try:
            rule = CleaningRule(**{**row, "severity": Severity(row["severity"]), "modes": tuple(row.get("modes", ())),
                                   "order": order})  # fmt: skip
        except (TypeError, ValueError, KeyError) as error:
            raise ConfigurationError(
                f"{origin}: rule {row.get('id', order)} is not well formed ({error})."
            ) from None
        if rule.id in rules:
            raise ConfigurationError(f"{origin}: rule {rule.id} occurs twice; give each rule its own id.")
        rules[rule.id] = rule
    return RuleSet(str(document["version"]), rules)


@lru_cache(maxsize=1)
def cleaning_rules() -> RuleSet:
    """Return the rules in force."""
    return parse_rules(RULES_PATH.read_text(encoding="utf-8"), RULES_PATH.name)
