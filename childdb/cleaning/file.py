"""One file as read, cleaned: records, findings and its entry in the ledger, in chunks of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.facts import FileFacts, gather_facts
from childdb.cleaning.outcome import LedgerEntry, RuleCount, ledger_entry
from childdb.cleaning.records import ChunkCleaner, CleanedChunk, ReleasedRows, held_records, records_schema
from childdb.cleaning.repeats import repeat_marks
from childdb.cleaning.rules import RuleSet, cleaning_rules
from childdb.cleaning.vectors import Mark, text_array
from childdb.errors import ContractError
from childdb.findings import FINDINGS_SCHEMA, findings_table
from childdb.reading.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

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
    for start in range(0, reading.rows.num_rows, chunk_rows):
        yield worker.part(start, chunk_rows)
    yield worker.last_part()


class _FileCleaner:
    """Cleans the chunks of a file and remembers the little the whole file needs."""

    def __init__(
        self, reading: FileReading, facts: FileFacts, rules: RuleSet, released: ReleasedRows
    ) -> None:
        self.reading, self.facts, self.rules, self.released = reading, facts, rules, released
        self.numbers: list[pa.Array] = []
        self.people: list[pa.Array] = []
        self.counts: dict[str, list[int]] = {}
        self.quarantined = 0

    def part(self, start: int, size: int) -> CleanedPart:
        """Return one chunk, cleaned."""
        rows = self.reading.rows.slice(start, size)
        chunk = ChunkCleaner(rows, self.facts, self.rules, self.reading.file_sha256, self.released).clean()
        self.quarantined += int(chunk.quarantined.sum())
        self._remember(chunk)
        self._count(chunk.marks, chunk.quarantined)
        return CleanedPart(chunk.records, self._findings(chunk.marks, rows))

    def last_part(self) -> CleanedPart:
        """Return the findings that need the whole file, and the ledger entry."""
        marks = repeat_marks(self.reading.rows, self.numbers, self.people)
        marks = [mark for mark in marks if mark.rule_id in self.rules.rules]
        self._count(marks, np.zeros(self.reading.rows.num_rows, dtype=bool))
        counts = [RuleCount(rule, *numbers) for rule, numbers in sorted(self.counts.items())]
        ledger = ledger_entry(self.reading, self.quarantined, counts, self.rules)
        findings = self._findings(marks, self.reading.rows)
        return CleanedPart(records_schema().empty_table(), findings, ledger, self.facts.file_date)

    def _remember(self, chunk: CleanedChunk) -> None:
        frame = pl.DataFrame(
            {
                "name": pl.Series(chunk.records["ho_ten_tre"]).str.to_lowercase(),
                "birth": pl.Series(chunk.records["ngay_sinh_raw"]),
            }
        )
        person = frame.select(pl.concat_str(pl.all().fill_null(""), separator="|")).to_series()
        self.people.append(text_array(person.to_arrow()))
        self.numbers.append(text_array(chunk.records["so_dinh_danh"]))

    def _count(self, marks: list[Mark], quarantined: np.ndarray) -> None:
        for mark in marks:
            rule = self.rules[mark.rule_id]
            held = (
                len(mark.rows)
                if rule.id == "ROW-001" or (rule.quarantines and mark.column == "ho_ten_tre")
                else 0
            )
            count = self.counts.setdefault(mark.rule_id, [0, 0])
            count[0] += len(mark.rows)
            count[1] += held

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
