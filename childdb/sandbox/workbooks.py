"""A grid of cells as bytes on disk: true workbooks and text files in several encodings."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import xlsxwriter

from childdb.sandbox.cells import Cell
from childdb.sandbox.layouts import Broken, Grid, Layout
from childdb.sandbox.old_encodings import as_cp1258, can_cp1258
from childdb.sandbox.reference_tables import rows_of


class FlatForm(Enum):
    """Encoding and separator of a text file."""

    UTF8 = ("utf-8", ",")
    UTF8_BOM = ("utf-8-sig", ";")
    UTF16 = ("utf-16", "\t")
    CP1258 = ("cp1258", ";")


@dataclass(frozen=True)
class Extras:
    """What a workbook holds beside its list."""

    hidden_sheet: bool = False
    hidden_row: int | None = None
    date_1904: bool = False


def write_workbook(path: Path, layout: Layout, grid: Grid, created: dt.date, extras: Extras) -> int:
    """Write one .xlsx file (same grid, same bytes) and return the physical rows of its look-up sheet."""
    options = {
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "date_1904": extras.date_1904,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties(
            {
                "created": dt.datetime(created.year, created.month, created.day),
                "author": "",
                "title": layout.key,
            }
        )
        sheet = book.add_worksheet(layout.sheet_name)
        _fill(book, sheet, grid)
        if extras.hidden_row is not None:
            sheet.set_row(extras.hidden_row - 1, None, None, {"hidden": True})
        lookups = _lookups(book) if layout.lookup_sheet else 0
        if extras.hidden_sheet:
            _draft(book, grid)
    return lookups


def _fill(book: Any, sheet: Any, grid: Grid) -> None:
    day, moment = (
        book.add_format({"num_format": "dd/mm/yyyy"}),
        book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
    )
    bold = book.add_format({"bold": True, "align": "center", "text_wrap": True})
    merged = {(top, left): (bottom, right) for top, left, bottom, right in grid.merges}
    for number, row in enumerate(grid.rows, start=1):
        for column, cell in enumerate(row, start=1):
            area = merged.get((number, column))
            if area:
                sheet.merge_range(number - 1, column - 1, area[0] - 1, area[1] - 1, cell, bold)
            elif cell is not None:
                _put(sheet, number - 1, column - 1, cell, day, moment)


def _put(sheet: Any, row: int, column: int, cell: Cell | Broken, day: Any, moment: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, Broken):
        sheet.write_formula(row, column, "=NA()", None, cell.value)
    elif isinstance(cell, dt.datetime):
        sheet.write_datetime(row, column, cell, moment)
    elif isinstance(cell, dt.date):
        sheet.write_datetime(row, column, cell, day)
    else:
        sheet.write_number(row, column, cell)


def _lookups(book: Any) -> int:
    """Add the sheet of codes that some forms carry and return its physical rows."""
    sheet = book.add_worksheet("Danh mục")
    rows = [
        ("Mã", "Tên"),
        *((row["ethnic_group_code"], row["name_vi"]) for row in rows_of("codes_ethnic_groups")),
    ]
    for place, pair in enumerate(rows):
        sheet.write_string(place, 0, pair[0])
        sheet.write_string(place, 1, pair[1])
    return len(rows)


def _draft(book: Any, grid: Grid) -> None:
    """Add a hidden sheet with a forgotten draft: header and the first rows again."""
    sheet = book.add_worksheet("Nháp")
    wanted = [grid.header_row, *grid.child_rows[:4]]
    for place, number in enumerate(wanted):
        for column, cell in enumerate(grid.rows[number - 1]):
            if isinstance(cell, str):
                sheet.write_string(place, column, cell)
    sheet.hide()


def _flat_cell(cell: Cell | Broken) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Broken):
        return cell.value
    if isinstance(cell, dt.datetime):
        return f"{cell:%d/%m/%Y %H:%M}"
    return f"{cell:%d/%m/%Y}" if isinstance(cell, dt.date) else str(cell)


def write_flat(path: Path, grid: Grid, form: FlatForm) -> FlatForm:
    """Write one CSV file and return the form used: a page that lacks a letter gives way to UTF-8 with a mark."""
    encoding, separator = form.value
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerows([[_flat_cell(cell) for cell in row] for row in grid.rows])
    text = out.getvalue()
    if form is FlatForm.CP1258:
        if not can_cp1258(text):
            return write_flat(path, grid, FlatForm.UTF8_BOM)
        path.write_bytes(as_cp1258(text))
        return form
    data = text.encode("utf-16-le") if encoding == "utf-16" else text.encode(encoding)
    path.write_bytes(b"\xff\xfe" + data if encoding == "utf-16" else data)
    return form
