"""Answered lists as values: the sheet of a list found in a workbook, its columns wherever they moved. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from childdb.worklists.form import captions, form_on
from childdb.worklists.model import INPUT_COLUMNS, KEY_COLUMN, LIST_COLUMNS, SHOWN_COLUMNS
from childdb.worklists.rowkeys import cell_text
from childdb.worklists.workbook import MANIFEST_MARK, SHEET

_NEEDED = {KEY_COLUMN, INPUT_COLUMNS[0], INPUT_COLUMNS[1]}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the hidden row says the list is."""

    batch_id: str
    commune_code: str
    item_class: str


@dataclass(frozen=True, slots=True, repr=False)
class AnswerRow:
    """One row that came back."""

    row_no: int
    key_text: str
    shown: tuple[str, ...] | None
    """None where a column of the list is gone, so that the row cannot be compared."""
    number_text: str
    result_text: str
    note_text: str

    @property
    def is_answered(self) -> bool:
        """Whether anything stands in the input zone."""
        return bool(self.number_text or self.result_text or self.note_text)

    def __repr__(self) -> str:
        return f"AnswerRow(row_no={self.row_no})"


@dataclass(frozen=True, slots=True, repr=False)
class AnswerSheet:
    """An answered list."""

    manifest: Manifest | None
    rows: tuple[AnswerRow, ...]
    signer: str
    answered_date: date | None

    def __repr__(self) -> str:
        return f"AnswerSheet(rows={len(self.rows)})"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file cannot be read as an answer."""

    reason_code: str


Document = Mapping[str, Any]
"""What the reading process sends of a workbook: the sheet, or why there is none."""


def to_document(found: AnswerSheet | Unreadable) -> Document:
    """Return what was found in a workbook as a document for JSON."""
    if isinstance(found, Unreadable):
        return {"stopped": found.reason_code}
    return asdict(found) | {"answered_date": found.answered_date and found.answered_date.isoformat()}


def from_document(document: Document) -> AnswerSheet | Unreadable:
    """Return the values that ``to_document`` was given."""
    if "stopped" in document:
        return Unreadable(document["stopped"])
    manifest, day = document["manifest"], document["answered_date"]
    return AnswerSheet(
        Manifest(**manifest) if manifest else None,
        tuple(_row_from_document(row) for row in document["rows"]),
        document["signer"],
        date.fromisoformat(day) if day else None,
    )


def _row_from_document(row: Mapping[str, Any]) -> AnswerRow:
    shown = row["shown"]
    return AnswerRow(**{**row, "shown": None if shown is None else tuple(shown)})


def find_sheet(sheets: Sequence[Mapping[str, Any]]) -> AnswerSheet | Unreadable:
    """Return the answer in the sheet `Danh sách`, or in the first sheet that has its columns."""
    for sheet in sorted(sheets, key=lambda entry: entry["name"] != SHEET):
        rows = sheet["rows"]
        place, columns = _find_columns(rows)
        if columns:
            return _read_rows(rows, place, columns)
    return Unreadable("ANSWER-NOT-A-LIST")


def _find_columns(rows: Sequence[Row]) -> tuple[int, dict[str, str]]:
    """Where the names stand: in the hidden row, else in the captions a person sees."""
    for names in (
        {name: name for name in LIST_COLUMNS},
        {_plain(text): name for name, text in captions().items()},
    ):
        for place, row in enumerate(rows[:60]):
            found = {
                names[_plain(text)]: column for column, text in row["cells"].items() if _plain(text) in names
            }
            if set(found) >= _NEEDED:
                return place, found
    return 0, {}


def _plain(text: str) -> str:
    return cell_text(text).casefold()


def _read_rows(rows: Sequence[Row], place: int, columns: Mapping[str, str]) -> AnswerSheet:
    body = rows[place + 1 :]
    end = next((index for index, row in enumerate(body) if _is_signature(row)), len(body))
    answered = [row for row in (_answer_row(entry, columns) for entry in body[:end]) if row is not None]
    signer, day = _signature(body[end:])
    return AnswerSheet(_manifest(rows), tuple(answered), signer, day)


def _answer_row(row: Row, columns: Mapping[str, str]) -> AnswerRow | None:
    cells = row["cells"]

    def text(name: str) -> str:
        return cell_text(cells.get(columns[name])) if name in columns else ""

    complete = all(name in columns for name in SHOWN_COLUMNS)
    shown = tuple(text(name) for name in SHOWN_COLUMNS) if complete else None
    number, result, note = (text(name) for name in INPUT_COLUMNS)
    found = AnswerRow(int(row["row_no"]), text(KEY_COLUMN), shown, number, result, note)
    is_column_numbers = found.key_text in ("(1)", KEY_COLUMN)
    has_content = found.key_text or found.is_answered or (text(SHOWN_COLUMNS[0]) if complete else "")
    return found if has_content and not is_column_numbers else None


def _is_signature(row: Row) -> bool:
    starts = tuple(
        _plain(text) for text in (_words().signer_label, _words().date_label, _words().maker, _words().signer)
    )
    return any(_plain(text).startswith(starts) for text in row["cells"].values())


def _words() -> Any:
    return form_on(date(2022, 7, 14))


def _signature(rows: Sequence[Row]) -> tuple[str, date | None]:
    signer, day = "", None
    for row in rows:
        texts = [cell_text(text) for _, text in sorted(row["cells"].items(), key=lambda pair: int(pair[0]))]
        for label, value in pairwise(texts):
            if label.casefold().startswith(_plain(_words().signer_label)):
                signer = value
            if label.casefold().startswith(_plain(_words().date_label)):
                day = _day(value)
    return signer, day


def _day(text: str) -> date | None:
    head = text.split(" ")[0].split("T")[0]
    parts = head.replace("-", "/").replace(".", "/").split("/")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    year, month, day = numbers if len(parts[0]) == 4 else reversed(numbers)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _manifest(rows: Sequence[Row]) -> Manifest | None:
    for row in rows[:60]:
        texts = [cell_text(text) for _, text in sorted(row["cells"].items(), key=lambda pair: int(pair[0]))]
        if texts and texts[0] == MANIFEST_MARK and len(texts) >= 4:
            return Manifest(texts[1], texts[2], texts[3])
    return None
