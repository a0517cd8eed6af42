"""The auditors' report as a workbook and as a document to print, in the form of the ministry's reports."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml
from fpdf import FPDF
from fpdf.enums import TableCellFillMode, TextEmphasis
from fpdf.fonts import FontFace
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from childdb.errors import ConfigurationError
from childdb.forms.words import safe_text
from childdb.quality.tables import ReportTable, Value, cell_text
from childdb.worklists.vietnamese import official_date, short_date

HERE = Path(__file__).resolve().parent
FONTS = HERE / "fonts"
MOST_DOCUMENT_ROWS = 2_000
"""A longer table is printed up to here; the workbook holds all of it, and the document says so."""


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = yaml.safe_load((HERE / "report.yml").read_text(encoding="utf-8"))
    return words


def agency_on(day: date) -> str:
    """Return who answers for children's affairs on a day."""
    for head in _words()["heads"]:
        if head["valid_from"] <= day and (head["valid_to"] is None or day < head["valid_to"]):
            return str(head["agency"])
    raise ConfigurationError(f"childdb/quality/report.yml has no head valid on {day.isoformat()}: add one.")


def write_workbook(tables: Sequence[ReportTable], day: date) -> bytes:
    """Return the report as a workbook, one sheet per table; the same tables give the same bytes."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": _words()["title"], "created": datetime(day.year, day.month, day.day)})
    formats = _formats(book)
    for table in tables:
        _write_sheet(book.add_worksheet(table.name), table, day, formats)
    book.close()
    return buffer.getvalue()


def _formats(book: xlsxwriter.Workbook) -> dict[str, Format]:
    base = {"font_name": "Times New Roman", "font_size": 12, "valign": "top"}
    box = {**base, "border": 1, "text_wrap": True}
    return {
        "centre": book.add_format({**base, "align": "center"}),
        "bold": book.add_format({**base, "align": "center", "bold": True}),
        "title": book.add_format({**base, "align": "center", "bold": True, "font_size": 14}),
        "note": book.add_format({**base, "italic": True, "text_wrap": True}),
        "caption": book.add_format({**box, "bold": True, "align": "center", "bg_color": "#D9E2F0"}),
        "text": book.add_format({**box, "num_format": "@"}),
        "count": book.add_format({**box, "num_format": "#,##0"}),
        "share": book.add_format({**box, "num_format": "0.0%"}),
    }


def _write_sheet(sheet: Worksheet, table: ReportTable, day: date, formats: Mapping[str, Format]) -> None:
    words, last = _words(), len(table.columns) - 1
    middle = last // 2
    for row, (left, right, style) in enumerate(
        ((agency_on(day), words["nation"], "bold"), ("", words["motto"], "bold"), ("", official_date(day), "centre"))
    ):  # fmt: skip
        sheet.merge_range(row, 0, row, middle, left, formats["bold"])
        sheet.merge_range(row, middle + 1, row, last, right, formats[style])
    sheet.merge_range(3, 0, 3, last, words["title"], formats["title"])
    sheet.merge_range(4, 0, 4, last, table.title, formats["bold"])
    sheet.merge_range(5, 0, 5, last, table.note or words["legend"], formats["note"])
    sheet.set_row(5, 50 if table.note else 32)
    for column, (caption, width) in enumerate(table.columns):
        sheet.write_string(6, column, caption, formats["caption"])
        sheet.write_string(7, column, f"({column + 1})", formats["caption"])
        sheet.set_column(column, column, width)
    for place, row_values in enumerate(table.rows, start=8):
        for column, value in enumerate(row_values):
            _write_cell(sheet, (place, column), value, column in table.shares, formats)
    foot = 8 + len(table.rows) + 1
    sheet.merge_range(foot, 0, foot, middle, words["maker"], formats["bold"])
    sheet.merge_range(foot, middle + 1, foot, last, words["signer"], formats["bold"])
    sheet.merge_range(foot + 1, 0, foot + 1, middle, words["sign_note"], formats["centre"])
    sheet.merge_range(foot + 1, middle + 1, foot + 1, last, words["sign_note"], formats["centre"])
    sheet.freeze_panes(8, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(6, 7)


def _write_cell(
    sheet: Worksheet, place: tuple[int, int], value: Value, is_share: bool, formats: Mapping[str, Format]
) -> None:
    if isinstance(value, str) or value is None:
        sheet.write_string(*place, safe_text(value or "–"), formats["text"])
    else:
        sheet.write_number(*place, value, formats["share" if is_share else "count"])


class _Document(FPDF):
    """A4 lying, with the page number and the legend at the foot."""

    def footer(self) -> None:
        """Write the foot of a page."""
        self.set_y(-12)
        self.set_font("serif", "I", 8)
        self.cell(0, 5, _words()["legend"])
        self.set_y(-12)
        self.cell(0, 5, f"{self.page_no()}/{{nb}}", align="R")


def write_document(tables: Sequence[ReportTable], day: date) -> bytes:
    """Return the report as a PDF with its own letters inside; the same tables give the same bytes."""
    page = _Document(orientation="landscape", format="A4")
    page.set_creation_date(datetime(day.year, day.month, day.day, tzinfo=UTC))
    page.set_title(_words()["title"])
    page.set_lang("vi-VN")
    for style, name in (("", "Regular"), ("B", "Bold"), ("I", "Italic")):
        page.add_font("serif", style, FONTS / f"LiberationSerif-{name}.ttf")
    page.set_margins(14, 12)
    page.set_auto_page_break(True, 16)
    page.add_page()
    _write_head(page, day)
    for number, table in enumerate((entry for entry in tables if entry.in_document), start=1):
        _write_table(page, number, table)
    _write_signatures(page)
    return bytes(page.output())


def _write_head(page: FPDF, day: date) -> None:
    words, half = _words(), page.epw / 2
    for left, right, style in (
        (agency_on(day), words["nation"], "B"),
        ("", words["motto"], "B"),
        ("", official_date(day).capitalize(), "I"),
    ):
        page.set_font("serif", style, 11)
        page.cell(half, 6, left, align="C")
        page.cell(half, 6, right, align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(5)
    page.set_font("serif", "B", 14)
    page.cell(0, 8, words["title"], align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_font("serif", "I", 11)
    page.cell(0, 6, f"(Tính đến ngày {short_date(day)})", align="C", new_x="LMARGIN", new_y="NEXT")


def _write_table(page: FPDF, number: int, table: ReportTable) -> None:
    page.ln(4)
    if page.will_page_break(30):  # a title never stands alone at the foot of a page
        page.add_page()
    page.set_font("serif", "B", 11)
    page.multi_cell(0, 6, f"{number}. {table.title}", new_x="LMARGIN", new_y="NEXT")
    if table.note:
        page.set_font("serif", "I", 9)
        page.multi_cell(0, 4.5, table.note, new_x="LMARGIN", new_y="NEXT")
    page.set_font("serif", "", 8)
    shown = table.rows[:MOST_DOCUMENT_ROWS]
    heads = FontFace(emphasis=TextEmphasis.B, fill_color=(217, 226, 240))
    align = tuple("RIGHT" if _is_numeric(table, column) else "LEFT" for column in range(len(table.columns)))
    with page.table(
        col_widths=tuple(width for _, width in table.columns), text_align=align, headings_style=heads,
        line_height=4, cell_fill_mode=TableCellFillMode.NONE,
    ) as drawn:  # fmt: skip
        drawn.row([caption for caption, _ in table.columns])
        for row in shown or [("Không có.", *[""] * (len(table.columns) - 1))]:
            drawn.row([cell_text(value, is_share=place in table.shares) for place, value in enumerate(row)])
    if len(table.rows) > len(shown):
        page.cell(
            0,
            5,
            f"… còn {len(table.rows) - len(shown)} dòng trong bảng tính kèm theo.",
            new_x="LMARGIN",
            new_y="NEXT",
        )


def _is_numeric(table: ReportTable, column: int) -> bool:
    values = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and not any(isinstance(value, str) for value in values)


def _write_signatures(page: FPDF) -> None:
    words, half = _words(), page.epw / 2
    if page.will_page_break(40):
        page.add_page()
    page.ln(8)
    for style, texts in (("B", (words["maker"], words["signer"])), ("I", (words["sign_note"],) * 2)):
        page.set_font("serif", style, 11)
        page.cell(half, 6, texts[0], align="C")
        page.cell(half, 6, texts[1], align="C", new_x="LMARGIN", new_y="NEXT")
