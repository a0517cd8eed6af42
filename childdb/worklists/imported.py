"""What an import tells: the end of each file and of each answered row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from childdb.worklists.model import AnswerOutcome


@dataclass(frozen=True, slots=True)
class RowReport:
    """The end of one answered row, as the command tells it."""

    row_no: int
    row_key: str | None
    outcome: AnswerOutcome
    reason_code: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """The end of one file of answers."""

    path: Path
    file_sha256: str
    outcome: str
    reason_code: str
    batch_id: str | None
    commune_id: str | None
    item_class: str | None
    unanswered: int
    rows: tuple[RowReport, ...]
    is_repeat: bool = False

    def count(self, outcome: AnswerOutcome) -> int:
        """Return how many rows ended so."""
        return sum(row.outcome is outcome for row in self.rows)
