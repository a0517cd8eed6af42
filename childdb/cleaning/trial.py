"""What a changed rule or list of spellings would do to data already landed, before it is adopted: counts only."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from childdb.cleaning import codes
from childdb.cleaning.file import CleanedFile, clean
from childdb.cleaning.rules import CleaningRule, RuleSet
from childdb.errors import ConfigurationError
from childdb.findings import Severity
from childdb.reference import SeedFolder, export_columns, seed_rows, trying_mappings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from childdb.reading.model import FileReading

CHANGEABLE = frozenset(
    {
        "severity",
        "quarantines",
        "reason_code",
        "message_vi",
        "message_en",
        "reason",
        "source",
        "version",
        "enabled",
        "parameters",
    }
)
Mappings = Mapping[str, tuple[Mapping[str, str], ...]]


@dataclass
class Comparison:
    """What changes between the rules in force and those on trial, over all files compared."""

    files: int = 0
    rows: int = 0
    quarantined_before: int = 0
    quarantined_after: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, before: CleanedFile, after: CleanedFile) -> None:
        """Count the differences of one file."""
        self.files += 1
        self.rows += before.records.num_rows
        self.quarantined_before += before.ledger.quarantined
        self.quarantined_after += after.ledger.quarantined
        self.cells.update(changed_cells(before, after))
        for side, cleaned, sign in (("before", before, 1), ("after", after, 1)):
            for rule, count in Counter(cleaned.findings["rule_id"].to_pylist()).items():
                self.findings[(rule, side)] += count * sign
        endings = [
            f"{side.ledger.outcome} {side.ledger.reason_code or ''}".strip() for side in (before, after)
        ]
        self.outcomes[(endings[0], endings[1])] += 1

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as the command prints it."""
        rules = sorted({rule for rule, _ in self.findings})
        pairs = {rule: (self.findings[(rule, "before")], self.findings[(rule, "after")]) for rule in rules}
        return {
            "files": self.files,
            "rows": self.rows,
            "quarantined": {"before": self.quarantined_before, "after": self.quarantined_after},
            "changed_cells": dict(sorted(self.cells.items())),
            "findings": {rule: {"before": a, "after": b} for rule, (a, b) in pairs.items() if a != b},
            "files_with_other_outcome": sum(count for (a, b), count in self.outcomes.items() if a != b),
        }


def changed_cells(before: CleanedFile, after: CleanedFile) -> dict[str, int]:
    """Return how many cells of each column differ; blank equals blank."""
    found: dict[str, int] = {}
    for name in (*export_columns(), "commune_id", "commune_id_2025", "province_code", "outcome"):
        old, new = pl.Series(before.records[name]), pl.Series(after.records[name])
        if old.dtype == pl.List:
            old, new = old.list.join(";"), new.list.join(";")
        count = int(old.ne_missing(new).sum())
        if count:
            found[name] = count
    return found


def changed_rules(text: str, current: RuleSet, origin: str) -> RuleSet:
    """Return the rules in force with the changes of a YAML text: a list of ids with the keys that change."""
    document = yaml.safe_load(text) or {}
    rules = dict(current.rules)
    for row in document.get("rules", []):
        rule = rules.get(str(row.get("id")))
        if rule is None:
            raise ConfigurationError(
                f"{origin}: rule {row.get('id')} does not exist; a trial changes known rules."
            )
        rules[rule.id] = _changed(rule, row, origin)
    return RuleSet(str(document.get("version", f"{current.version}+trial")), rules)


def _changed(rule: CleaningRule, row: Mapping[str, Any], origin: str) -> CleaningRule:
    unknown = set(row) - CHANGEABLE - {"id", "modes", "example"}
    if unknown:
        raise ConfigurationError(f"{origin}: rule {rule.id} has unknown keys: {', '.join(sorted(unknown))}.")
    changes = {key: value for key, value in row.items() if key in CHANGEABLE}
    if "severity" in changes:
        changes["severity"] = Severity(changes["severity"])
    if "parameters" in changes:
        changes["parameters"] = _changed_parameters(rule, changes["parameters"], origin)
    return replace(rule, **changes)


def _changed_parameters(rule: CleaningRule, changed: Any, origin: str) -> dict[str, float]:
    """Return a rule's parameters with those on trial; only numbers the rule already has can change."""
    is_known = isinstance(changed, dict) and set(changed) <= set(rule.parameters)
    if not is_known or not all(type(value) in (int, float) for value in changed.values()):
        known = ", ".join(sorted(rule.parameters)) or "none"
        raise ConfigurationError(
            f"{origin}: parameters of rule {rule.id} must be numbers among those it has ({known})."
        )
    return {**rule.parameters, **changed}


def read_mapping(name: str, path: Path) -> tuple[Mapping[str, str], ...]:
    """Return a changed list of spellings; it needs the columns of the list in force."""
    wanted = set(seed_rows(SeedFolder.MAPPINGS, f"map_treem__{name}")[0])
    with path.open(encoding="utf-8", newline="") as file:
        rows = tuple(csv.DictReader(file))
    if not rows or set(rows[0]) != wanted:
        raise ConfigurationError(
            f"Mapping {name}: expected the columns {', '.join(sorted(wanted))} and at least one row."
        )
    return rows


@contextmanager
def _fresh_codes(mappings: Mappings) -> Iterator[None]:
    """Clean with changed spellings; answers kept from before are forgotten on both sides."""
    with trying_mappings(mappings):
        codes.forget_answers()
        try:
            yield
        finally:
            codes.forget_answers()


def compare(
    readings: Iterable[FileReading], rules: RuleSet, trial: RuleSet, mappings: Mappings, as_of: date | None
) -> Comparison:
    """Return what the trial would change over some files."""
    comparison = Comparison()
    for reading in readings:
        before = clean(reading, as_of=as_of, rules=rules)
        with _fresh_codes(mappings):
            after = clean(reading, as_of=as_of, rules=trial)
        comparison.add(before, after)
    return comparison
