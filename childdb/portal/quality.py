"""What auditors see: the ledger equation of every file and the quality reports; counts only, no sender's file names."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from childdb.errors import EnvironmentFailedError
from childdb.places.history import history

REPORT_TYPES = frozenset(
    {".html", ".css", ".js", ".png", ".svg", ".woff2", ".woff", ".ico", ".json", ".xlsx", ".pdf", ".csv"}
)
TITLE = re.compile(r"<title[^>]*>\s*([^<]+)</title>", re.IGNORECASE)
LEDGER_COLUMNS = (
    *("batch_id", "dataset", "sender_commune_id", "file_date", "status", "outcome", "reason_code"),
    *("physical_rows", "header_footer_rows", "accepted", "quarantined", "rejected"),
)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One file: where its rows went. The batch stands for the file; a sender's file name may hold anything."""

    batch_id: str
    dataset: str
    sender_commune_id: str | None
    file_date: object
    status: str
    outcome: str | None
    reason_code: str | None
    physical_rows: int | None
    header_footer_rows: int | None
    accepted: int | None
    quarantined: int | None
    rejected: int | None

    @property
    def sum_of_parts(self) -> int:
        """Right side of the equation."""
        parts = (self.header_footer_rows, self.accepted, self.quarantined, self.rejected)
        return sum(part or 0 for part in parts)

    @property
    def holds(self) -> bool:
        """Whether physical rows equal header and footer rows plus accepted, quarantined and rejected ones."""
        return self.physical_rows is not None and self.physical_rows == self.sum_of_parts


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all files, and how many of them keep the equation."""

    files: int
    holding: int
    physical_rows: int
    header_footer_rows: int
    accepted: int
    quarantined: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Report:
    """An entry page of the quality reports."""

    name: str
    title: str


Ledger = Callable[[], Sequence[LedgerLine]]


def former_name(commune_id: str) -> str:
    """Return the type and last name of a unit that is no more, in Vietnamese; an unknown id stays an id."""
    names = history().names.get(commune_id)
    return names[-1].full if names else commune_id


def read_ledger(connect: Callable[[], psycopg.Connection[Any]]) -> list[LedgerLine]:
    """Return the ledger of all files from ``ops.batches``, newest files first."""
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in LEDGER_COLUMNS)
    statement = sql.SQL(
        "select {} from ops.batches order by dataset, file_date desc nulls last, batch_id"
    ).format(columns)
    try:
        with connect() as connection, connection.cursor(row_factory=class_row(LedgerLine)) as cursor:
            return cursor.execute(statement).fetchall()
    except psycopg.Error:
        raise EnvironmentFailedError(
            "The ledger cannot be read from the database. Start it with 'make up', then load the page again.",
            "Không đọc được sổ cái từ cơ sở dữ liệu. Hãy chạy 'make up' rồi tải lại trang.",
        ) from None


def sum_ledger(lines: Sequence[LedgerLine]) -> Totals:
    """Return the sums of the ledger."""
    names = ("physical_rows", "header_footer_rows", "accepted", "quarantined", "rejected")
    sums = {name: sum(getattr(line, name) or 0 for line in lines) for name in names}
    return Totals(files=len(lines), holding=sum(line.holds for line in lines), **sums)


def find_reports(root: Path) -> list[Report]:
    """Return the entry pages of the quality reports below ``root``, in name order."""
    pages = sorted(root.glob("index.html")) + sorted(root.glob("*/index.html"))
    return [Report(page.relative_to(root).as_posix(), _title(page)) for page in pages]


def _title(page: Path) -> str:
    with page.open(encoding="utf-8", errors="replace") as file:
        found = TITLE.search(file.read(8192))
    return html.unescape(found[1].strip()) if found else page.parent.name


def report_file(root: Path, name: str) -> Path | None:
    """Return a file of the quality reports by its relative name, never one outside the folder."""
    base = root.resolve()
    path = (base / name).resolve()
    if path.is_dir():
        path = path / "index.html"
    allowed = path.is_relative_to(base) and path.suffix.lower() in REPORT_TYPES
    return path if allowed and path.is_file() else None
