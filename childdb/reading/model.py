"""What comes out of reading one file: rows as text, findings, and a profile of the file itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from childdb.findings import Finding


class Outcome(StrEnum):
    """The five ends a file can meet (CONTRACT.md, ``ledger.json``), mildest first."""

    ACCEPT = "accept"
    ACCEPT_FLAGGED = "accept_flagged"
    RETRY = "retry"
    QUARANTINE_FILE = "quarantine_file"
    REJECT_FILE = "reject_file"

    @property
    def is_loaded(self) -> bool:
        """Return whether rows of such a file may go on to be cleaned and counted."""
        return self in (Outcome.ACCEPT, Outcome.ACCEPT_FLAGGED)


class FileKind(StrEnum):
    """What a file is by its bytes, whatever its name says."""

    XLSX = "xlsx"
    XLS = "xls"
    CSV = "csv"
    HTML = "html"
    JSONL = "jsonl"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold for one file; every one is checked before the work it bounds."""

    file_bytes: int = 200 * 1024**2
    part_bytes: int = 512 * 1024**2
    total_bytes: int = 1024**3
    ratio: float = 100.0
    ratio_floor_bytes: int = 1024**2
    entries: int = 10_000
    rows: int = 1_048_576
    columns: int = 16_384
    cells: int = 40_000_000
    cell_characters: int = 4_000
    child_memory_bytes: int = 1024**3
    seconds_floor: float = 30.0
    seconds_per_10_mb: float = 60.0
    open_files: int = 64


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How one file is to be read; the defaults are those of the dataset ``treem__children``."""

    dataset: str = "treem__children"
    limits: Limits = field(default_factory=Limits)
    declared_encoding: str | None = None
    declared_delimiter: str | None = None
    allow_html: bool = False
    allow_zip: bool = False
    allow_macros: bool = False
    column_map_version: str | None = None
    approved_mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Decisions of people: header signature → {header text: column}; ``childdb columns approve`` writes them."""
    hold_unknown_headers: bool = False
    """True in the pipeline: a header never seen waits for a person instead of taking its clear proposal."""
    confirmed_row_count: int | None = None
    """A person's confirmation of a count that a limit or a stated total put in doubt."""
    declared_row_count: int | None = None
    file_name: str | None = None
    """The sender's name of the file where the bytes lie under another one (landing names by hash)."""
    work_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class FileProfile:
    """What is known of a file besides its rows; texts are title and header texts, never a child's cell."""

    kind: FileKind = FileKind.UNKNOWN
    size_bytes: int = 0
    encoding: str | None = None
    delimiter: str | None = None
    sheet_names: tuple[str, ...] = ()
    read_sheets: tuple[str, ...] = ()
    hidden_sheets: tuple[str, ...] = ()
    header_rows: tuple[int, ...] = ()
    columns_present: tuple[str, ...] = ()
    unmapped_headers: tuple[str, ...] = ()
    stated_date: date | None = None
    stated_unit_texts: Mapping[str, str] = field(default_factory=dict)
    """``province``, ``district``, ``commune`` as the title rows word them."""
    stated_ethnic_list: str | None = None
    date_system: str = "1900"
    stated_total: int | None = None
    column_map_version: str | None = None
    header_signature: str | None = None
    header_proposal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileReading:
    """One file as read: physical rows = header and footer rows + rows of ``rows`` + rejected rows."""

    file_name: str
    file_sha256: str
    outcome: Outcome
    reason_code: str | None
    physical_rows: int
    header_footer_rows: int
    rows: pa.Table
    findings: list[Finding] = field(default_factory=list)
    profile: FileProfile = field(default_factory=FileProfile)

    @property
    def rejected_rows(self) -> int:
        """Return the data rows that came into no row of ``rows``; the rows of a held file are there, held one by one."""
        return self.physical_rows - self.header_footer_rows - int(self.rows.num_rows)
