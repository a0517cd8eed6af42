"""Old .xls files, HTML tables and JSON records as grids; each only inside the limited child process."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np

from childdb.reading.cell_values import plain_number
from childdb.reading.delimited import decode
from childdb.reading.grid import Grid, ValueTable, build_grid
from childdb.reading.model import Outcome
from childdb.reading.reasons import FileStopped
from childdb.reading.strict_json import StrictJsonError, parse_strict
from childdb.reading.workbook import RawFile

if TYPE_CHECKING:
    from pathlib import Path

    from childdb.reading.model import ReadOptions


def read_legacy(path: Path, options: ReadOptions) -> RawFile:
    """Return the visible sheets of a BIFF workbook (.xls), read by calamine."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.PasswordError:
        raise FileStopped("FILE-ENCRYPTED") from None
    except (python_calamine.CalamineError, OSError, ValueError):
        raise FileStopped("FILE-TRUNCATED") from None
    values = ValueTable()
    raw = RawFile(grids=[], values=values, sheet_names=tuple(book.sheet_names), remarks={"FILE-LEGACY"})
    visible = python_calamine.SheetVisibleEnum.Visible
    raw.hidden_sheets = tuple(sheet.name for sheet in book.sheets_metadata if sheet.visible != visible)
    for name in book.sheet_names:
        if name not in raw.hidden_sheets:
            raw.grids.append(_legacy_grid(book, name, values, options))
    return raw


def _legacy_grid(book: Any, name: str, values: ValueTable, options: ReadOptions) -> Grid:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * sheet.total_width > options.limits.cells:
        raise FileStopped("FILE-GRID")
    cells: tuple[list[int], list[int], list[int]] = ([], [], [])
    for row_no, row in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        for column_no, value in enumerate(row, start=1):
            number = _add_value(values, value)
            if number:
                for entries, entry in zip(cells, (row_no, column_no, number), strict=True):
                    entries.append(entry)
    grid = build_grid(name, values, *(np.array(entries, dtype=np.int32) for entries in cells))
    for first, last in getattr(sheet, "merged_cell_ranges", None) or ():
        grid.merges.append((first[0] + 1, first[1] + 1, last[0] + 1, last[1] + 1))
    return grid


def _add_value(values: ValueTable, value: Any) -> int:
    if isinstance(value, bool):
        return values.add("TRUE" if value else "FALSE", "b")
    if isinstance(value, (int, float)):
        return values.add(plain_number(repr(value)) or str(value), "n")
    if isinstance(value, (datetime, date)):
        return values.add(_iso(value), "d")
    if isinstance(value, (time, timedelta)):
        return values.add(str(value), "t")
    return values.add(str(value), "t")


def _iso(value: datetime | date) -> str:
    if isinstance(value, datetime) and (value.hour or value.minute or value.second):
        return value.isoformat(timespec="seconds")
    return value.date().isoformat() if isinstance(value, datetime) else value.isoformat()


class _Tables(HTMLParser):
    """Collects the cells of every table; markup inside cells is left out, never run or fetched."""

    def __init__(self, limit: int) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.cell: list[str] | None = None
        self.skipping = 0
        self.limit = limit
        self.span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        if tag in ("script", "style"):
            self.skipping += 1
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            span = dict(attrs).get("colspan") or "1"
            self.span = min(int(span), 200) if span.isdigit() else 1
            self.cell = []
        elif tag == "br" and self.cell is not None:
            self.cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        if tag in ("script", "style"):
            self.skipping = max(0, self.skipping - 1)
        elif tag in ("td", "th") and self.cell is not None:
            self.rows[-1].extend(["".join(self.cell).strip(), *[""] * (self.span - 1)])
            self.cell = None
            self.limit -= 1
            if self.limit < 0:
                raise FileStopped("FILE-GRID")

    def handle_data(self, data: str) -> None:
        """Collect text of a cell."""
        if self.cell is not None and not self.skipping:
            self.cell.append(data)


def read_html(data: bytes, options: ReadOptions) -> RawFile:
    """Return the tables of an HTML page as one sheet; only for datasets that declare it."""
    decoded = decode(data, options)
    tables = _Tables(options.limits.cells)
    tables.feed(decoded.text)
    tables.close()
    values = ValueTable()
    raw = RawFile(
        grids=[], values=values, sheet_names=("",), encoding=decoded.encoding, remarks=set(decoded.remarks)
    )
    raw.grids.append(grid_of_rows("", tables.rows, values))
    return raw


def grid_of_rows(sheet: str, rows: list[list[str]], values: ValueTable) -> Grid:
    """Return a grid of text rows, numbered from 1."""
    places: tuple[list[int], list[int], list[int]] = ([], [], [])
    for row_no, row in enumerate(rows, start=1):
        for column_no, text in enumerate(row, start=1):
            number = values.add(text, "t")
            if number:
                for entries, entry in zip(places, (row_no, column_no, number), strict=True):
                    entries.append(entry)
    return build_grid(sheet, values, *(np.array(entries, dtype=np.int32) for entries in places))


def parse_json(text: str) -> Any:
    """Return a JSON value with numbers kept as text, or stop with the reason of the list of bad inputs."""
    try:
        return parse_strict(text)
    except StrictJsonError as error:
        if error.problem in ("nesting", "repeated key"):
            raise FileStopped("INJ-NEST") from None
        raise FileStopped("API-JSON", outcome=Outcome.QUARANTINE_FILE) from None


def read_records(data: bytes, options: ReadOptions) -> RawFile:
    """Return JSON records (one object a line, or one array) as a sheet whose first row names the fields."""
    decoded = decode(data, options)
    text = decoded.text.strip()
    records = (
        parse_json(text)
        if text.startswith("[")
        else [parse_json(line) for line in text.splitlines() if line.strip()]
    )
    if not records:
        raise FileStopped("FILE-EMPTY")
    if not all(isinstance(record, dict) for record in records):
        raise FileStopped("API-SCHEMA")
    names = list(dict.fromkeys(name for record in records for name in record))
    if len(names) > options.limits.columns:
        raise FileStopped("FILE-GRID")
    rows = [names, *([_plain(record.get(name)) for name in names] for record in records)]
    values = ValueTable()
    raw = RawFile(
        grids=[], values=values, sheet_names=("",), encoding=decoded.encoding, remarks=set(decoded.remarks)
    )
    raw.grids.append(grid_of_rows("", rows, values))
    return raw


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
