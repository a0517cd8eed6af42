"""The outcome of a file: its ledger entry, with the worst reason, and the equation that always holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from childdb.cleaning.rules import SEVERITY_RANK, RuleSet
from childdb.errors import ContractError
from childdb.findings import Finding, Severity
from childdb.reading.model import FileReading, Outcome
from childdb.reading.reasons import rank_reason
from childdb.reference import listed_reasons

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One file in `ledger.json`: physical = header and footer + accepted + quarantined + rejected."""

    file: str
    file_sha256: str
    outcome: str
    reason_code: str | None
    physical_rows: int
    header_footer_rows: int
    accepted: int
    quarantined: int
    rejected: int

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the object `ledger.json` holds."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule applied in a file, and whether it kept rows back."""

    rule_id: str
    count: int
    quarantined: int = 0


def ledger_entry(
    reading: FileReading, quarantined: int, counts: Iterable[RuleCount], rules: RuleSet
) -> LedgerEntry:
    """Return the ledger entry of a file whose rows were cleaned, or that was refused or held before."""
    data_rows = reading.physical_rows - reading.header_footer_rows
    if reading.outcome.is_loaded and reading.rows.num_rows != data_rows:
        raise ContractError(
            f"Ledger of file {reading.file_sha256[:12]}: expected {data_rows} data rows, found {reading.rows.num_rows}. "
            "The reader and its count of rows disagree; report this file."
        )
    if not reading.outcome.is_loaded:
        return _unloaded(reading, data_rows)
    outcome, reason = _judged(reading, list(counts), rules)
    return LedgerEntry(
        reading.file_name, reading.file_sha256, outcome.value, reason, reading.physical_rows,
        reading.header_footer_rows, data_rows - quarantined, quarantined, 0,
    )  # fmt: skip


def _unloaded(reading: FileReading, data_rows: int) -> LedgerEntry:
    """Return the entry of a held file (its rows wait) or a refused one (its rows are rejected)."""
    held = data_rows if reading.outcome is Outcome.QUARANTINE_FILE else 0
    return LedgerEntry(
        reading.file_name, reading.file_sha256, reading.outcome.value, reading.reason_code, reading.physical_rows,
        reading.header_footer_rows, 0, held, data_rows - held,
    )  # fmt: skip


def _judged(reading: FileReading, counts: list[RuleCount], rules: RuleSet) -> tuple[Outcome, str | None]:
    """Return accept, or accept_flagged with the worst reason among reading and cleaning.

    A reason of the list of bad inputs goes before one of our own: the ledger speaks the list's language.
    """
    weights: list[tuple[tuple[int, int, int, int], str]] = []
    for found in reading.findings:
        weights.append((_weight(found), found.reason_code))
    for count in counts:
        rule = rules[count.rule_id]
        weights.append(
            ((int(count.quarantined > 0), SEVERITY_RANK[rule.severity], -1, -rule.order), rule.reason_code)
        )
    if reading.reason_code:
        known = [weight for weight, code in weights if code == reading.reason_code]
        weights.append((max(known, default=(0, SEVERITY_RANK[Severity.REPAIRED], 0, 0)), reading.reason_code))
    flagged = [pair for pair in weights if pair[0][:2] >= (0, SEVERITY_RANK[Severity.REPAIRED])]
    if not flagged:
        is_flagged = reading.outcome is Outcome.ACCEPT_FLAGGED
        return reading.outcome, reading.reason_code if is_flagged else None
    listed = listed_reasons()
    worst = max(flagged, key=lambda pair: (pair[0][0], pair[1] in listed, pair[0][1:], pair[1]))
    return Outcome.ACCEPT_FLAGGED, worst[1]


def _weight(found: Finding) -> tuple[int, int, int, int]:
    is_row_held = found.row_no is not None and found.severity is Severity.ERROR
    return int(is_row_held), SEVERITY_RANK[Severity(found.severity)], 0, -rank_reason(found.reason_code)


def outcome_counts(entries: Iterable[LedgerEntry]) -> Mapping[str, int]:
    """Return how many files met each outcome."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.outcome] = counts.get(entry.outcome, 0) + 1
    return dict(sorted(counts.items()))
