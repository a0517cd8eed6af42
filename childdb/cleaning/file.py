"""One file as read, cleaned: records, findings and its entry in the ledger, in chunks of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from childdb.cleaning.facts import FileFacts, gather_facts
from childdb.cleaning.outcome import LedgerEntry, RuleCount, ledger_entry
from childdb.cleaning.records import ChunkCleaner, ReleasedRows, held_records, records_schema
from childdb.cleaning.repeats import RepeatWatch, sight_of
from childdb.cleaning.rules import RuleSet, cleaning_rules
from childdb.cleaning.vectors import Mark, side_by_side, text_array
from childdb.errors import ContractError
from childdb.findings import FINDINGS_SCHEMA, findings_table
from childdb.reading.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

    from childdb.reading.model import FileReading

CHUNK_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class CleanedFile:
    """What cleaning makes of one file."""

    records: pa.Table
    findings: pa.Table
    ledger: LedgerEntry
    file_date: date | None = None


@dataclass(frozen=True, slots=True)
class CleanedPart:
    """Records and findings of a chunk; the last part of a file carries its ledger entry."""

    records: pa.Table
    findings: pa.Table
    ledger: LedgerEntry | None = None
    file_date: date | None = None


def clean(
    reading: FileReading,
    *,
    as_of: date | None,
    rules: RuleSet | None = None,
    released: ReleasedRows = frozenset(),
) -> CleanedFile:
    """Return the records, findings and ledger entry of one file."""
    parts = list(clean_in_chunks(reading, as_of=as_of, rules=rules, released=released))
    ledger = parts[-1].ledger
    if ledger is None:
        raise ContractError(
            f"File {reading.file_sha256[:12]}: cleaning gave no ledger entry; report this file."
        )
    return CleanedFile(
        pa.concat_tables([part.records for part in parts]),
        pa.concat_tables([part.findings for part in parts]),
        ledger,
        parts[-1].file_date,
    )


def clean_in_chunks(
    reading: FileReading,
    *,
    as_of: date | None,
    rules: RuleSet | None = None,
    chunk_rows: int = CHUNK_ROWS,
    released: ReleasedRows = frozenset(),
) -> Iterator[CleanedPart]:
    """Yield a file in cleaned parts, so that memory does not grow with what is written.

    Rows that a person let go (sheet, row number) are accepted whatever a rule would hold them for. The rows of a held
    file are records too, as received and every one of them quarantined; those of a refused file are none.
    """
    rule_set = rules or cleaning_rules()
    own = findings_table(reading.findings)
    if not reading.outcome.is_loaded or not reading.rows.num_rows:
        if reading.outcome is Outcome.QUARANTINE_FILE:
            for start in range(0, reading.rows.num_rows, chunk_rows):
                held = held_records(reading.rows.slice(start, chunk_rows), reading.file_sha256)
                yield CleanedPart(held, FINDINGS_SCHEMA.empty_table())
        ledger = ledger_entry(reading, 0, [], rule_set)
        yield CleanedPart(records_schema().empty_table(), own, ledger, reading.profile.stated_date)
        return
    facts = gather_facts(reading.rows, reading.profile, as_of)
    worker = _FileCleaner(reading, facts, rule_set, released)
    yield CleanedPart(records_schema().empty_table(), own)
    yield from worker.parts(chunk_rows)
    yield worker.last_part()


@dataclass(frozen=True, slots=True)
class _Part:
    """One chunk, cleaned, with what the whole file has to remember of it."""

    cleaned: CleanedPart
    counts: dict[str, tuple[int, int]]
    quarantined: int
    sight: NDArray[np.void]


class _FileCleaner:
    """Cleans the chunks of a file and remembers the little the whole file needs."""

    def __init__(
        self, reading: FileReading, facts: FileFacts, rules: RuleSet, released: ReleasedRows
    ) -> None:
        self.reading, self.facts, self.rules, self.released = reading, facts, rules, released
        self.watch = RepeatWatch()
        self.counts: dict[str, tuple[int, int]] = {}
        self.quarantined = 0

    def parts(self, size: int) -> Iterator[CleanedPart]:
        """Yield the chunks in the order of the file; several are cleaned side by side."""
        starts = range(0, self.reading.rows.num_rows, size)
        work = partial(self._part, size=size)
        for part in side_by_side(starts, work) if len(starts) > 1 else map(work, starts):
            self.quarantined += part.quarantined
            self.watch.remember(part.sight)
            self._add(part.counts)
            yield part.cleaned

    def _part(self, start: int, size: int) -> _Part:
        """Return one chunk, cleaned; nothing is shared with the others but the facts of the file."""
        rows = self.reading.rows.slice(start, size)
        chunk = ChunkCleaner(rows, self.facts, self.rules, self.reading.file_sha256, self.released).clean()
        return _Part(
            CleanedPart(chunk.records, self._findings(chunk.marks, rows)),
            self._counted(chunk.marks),
            int(chunk.quarantined.sum()),
            sight_of(rows, chunk.records),
        )

    def last_part(self) -> CleanedPart:
        """Return the findings that need the whole file, and the ledger entry."""
        marks = [mark for mark in self.watch.marks(self.reading.rows) if mark.rule_id in self.rules.rules]
        self._add(self._counted(marks))
        counts = [RuleCount(rule, *numbers) for rule, numbers in sorted(self.counts.items())]
        ledger = ledger_entry(self.reading, self.quarantined, counts, self.rules)
        findings = self._findings(marks, self.reading.rows)
        return CleanedPart(records_schema().empty_table(), findings, ledger, self.facts.file_date)

    def _add(self, counts: dict[str, tuple[int, int]]) -> None:
        for rule_id, (found, held) in counts.items():
            before = self.counts.get(rule_id, (0, 0))
            self.counts[rule_id] = (before[0] + found, before[1] + held)

    def _counted(self, marks: list[Mark]) -> dict[str, tuple[int, int]]:
        """Return per rule how many rows it marked and how many of them it holds."""
        counts: dict[str, tuple[int, int]] = {}
        for mark in marks:
            rule, found = self.rules[mark.rule_id], len(mark.rows)
            holds = rule.id == "ROW-001" or (rule.quarantines and mark.column == "ho_ten_tre")
            before = counts.get(mark.rule_id, (0, 0))
            counts[mark.rule_id] = (before[0] + found, before[1] + (found if holds else 0))
        return counts

    def _findings(self, marks: list[Mark], rows: pa.Table) -> pa.Table:
        """Return findings in the order of rows; texts are made once per rule and column."""
        marks = [mark for mark in marks if len(mark.rows)]
        if not marks:
            return FINDINGS_SCHEMA.empty_table()
        where = np.concatenate([mark.rows for mark in marks])
        which = np.repeat(np.arange(len(marks)), [len(mark.rows) for mark in marks])
        order = np.lexsort((which, where))
        where, which = pa.array(where[order]), pa.array(which[order])
        sheet = text_array(rows["sheet"]).take(where)
        row_no = rows["row_no"].combine_chunks().cast(pa.int32()).take(where)
        texts = [self._texts(mark) for mark in marks]
        constant = [pa.array([text[place] for text in texts], pa.string()).take(which) for place in range(7)]
        sha, column, *rest = constant
        return pa.Table.from_arrays([sha, sheet, row_no, column, *rest], schema=FINDINGS_SCHEMA)

    def _texts(self, mark: Mark) -> tuple[str | None, ...]:
        rule = self.rules[mark.rule_id]
        message_vi, message_en = rule.messages(mark.column)
        return (self.reading.file_sha256, mark.column, rule.id, rule.severity.value, rule.reason_code,
                message_vi, message_en)  # fmt: skip
