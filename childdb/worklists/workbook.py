"""One request list as an official-looking workbook: protected cells, an input zone, a drop-down, hidden names."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from childdb.worklists.classify import REASONS_VI
from childdb.worklists.form import Form, commune_title
from childdb.worklists.model import INPUT_COLUMNS, LIST_COLUMNS, ItemClass, ListedChild, ListRow, Result
from childdb.worklists.rowkeys import written_key
from childdb.worklists.vietnamese import vietnamese_count

SHEET = "Danh sách"
NEWBORN_SHEET = "Dưới 60 ngày"
MANIFEST_MARK = "childdb-request-list"
FIRST_DATA_ROW = 12
"""Where rows begin, counted from zero; head, captions and the two hidden rows stand above."""

_WIDTHS = (18, 21, 11, 6, 8, 14, 15, 15, 14, 10, 14, 18, 15, 14, 14)
_FIXED_DAY = datetime(2022, 7, 14)
"""In the file's properties, so that the same list has the same bytes."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list is: batch, addressee, class, day."""

    batch_id: str
    commune_id: str
    item_class: ItemClass
    as_of_text: str
    due_text: str


@dataclass(frozen=True, slots=True)
class _Formats:
    centre: Format
    bold: Format
    title: Format
    note: Format
    caption: Format
    input_caption: Format
    cell: Format
    quoted: Format
    key: Format
    input_cell: Format
    hidden: Format


def write_list(form: Form, head: ListHead, rows: Sequence[ListRow], newborns: Sequence[ListedChild]) -> bytes:
    """Return the bytes of a request list; the same arguments give the same bytes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": form.titles[head.item_class.value], "created": _FIXED_DAY})
    formats = _formats(book)
    sheet = book.add_worksheet(SHEET)
    _write_head(sheet, form, head, formats, len(rows))
    _write_names(sheet, form, head, formats)
    for place, row in enumerate(rows):
        _write_row(sheet, FIRST_DATA_ROW + place, row, formats)
    last = FIRST_DATA_ROW + len(rows)
    _write_rules(sheet, last)
    _write_signatures(sheet, form, formats, last + 1)
    _protect(sheet)
    if newborns:
        _write_newborns(book.add_worksheet(NEWBORN_SHEET), form, newborns, formats)
    book.close()
    return buffer.getvalue()


def _formats(book: xlsxwriter.Workbook) -> _Formats:
    base = {"font_name": "Times New Roman", "font_size": 12, "valign": "vcenter"}
    box = {**base, "border": 1, "text_wrap": True, "num_format": "@"}

    def make(**extra: Any) -> Format:
        return book.add_format({**base, **extra})

    return _Formats(
        centre=make(align="center"),
        bold=make(align="center", bold=True),
        title=make(align="center", bold=True, font_size=14, text_wrap=True),
        note=make(italic=True, text_wrap=True),
        caption=book.add_format({**box, "bold": True, "align": "center", "bg_color": "#D9E2F0"}),
        input_caption=book.add_format({**box, "bold": True, "align": "center", "bg_color": "#FFE699"}),
        cell=book.add_format(box),
        quoted=book.add_format({**box, "quote_prefix": True}),
        key=book.add_format({**box, "font_size": 7, "font_color": "#7F7F7F"}),
        input_cell=book.add_format({**box, "locked": False, "bg_color": "#FFF9E5"}),
        hidden=book.add_format({"font_color": "#7F7F7F", "num_format": "@"}),
    )


def _write_head(sheet: Worksheet, form: Form, head: ListHead, formats: _Formats, count: int) -> None:
    unit = commune_title(head.commune_id)
    last = len(LIST_COLUMNS) - 1
    sheet.merge_range(0, 0, 0, 4, form.authority, formats.centre)
    sheet.merge_range(1, 0, 1, 4, unit.upper(), formats.bold)
    sheet.merge_range(0, 8, 0, last, form.nation, formats.bold)
    sheet.merge_range(1, 8, 1, last, form.motto, formats.bold)
    sheet.merge_range(3, 0, 3, last, form.titles[head.item_class.value], formats.title)
    sheet.merge_range(4, 0, 4, last, f"({form.basis})", formats.centre)
    told = f"Kính gửi: Công an {unit[:1].lower()}{unit[1:]}. Số liệu đến ngày {head.as_of_text}. Số trẻ: {vietnamese_count(count)}. Đề nghị gửi lại trước ngày {head.due_text}."
    sheet.merge_range(5, 0, 5, last, told, formats.note)
    sheet.merge_range(6, 0, 6, last, form.guide, formats.note)
    sheet.merge_range(7, 0, 7, last, f"Mã đợt: {head.batch_id}", formats.note)


def _write_names(sheet: Worksheet, form: Form, head: ListHead, formats: _Formats) -> None:
    manifest = (MANIFEST_MARK, head.batch_id, head.commune_id.split("@")[0], head.item_class.value, "1")
    for column, text in enumerate(manifest):
        sheet.write_string(8, column, text, formats.hidden)
    sheet.set_row(8, None, None, {"hidden": True})
    for column, name in enumerate(LIST_COLUMNS):
        style = formats.input_caption if name in INPUT_COLUMNS else formats.caption
        sheet.write_string(9, column, form.captions[name], style)
        sheet.write_string(10, column, f"({column + 1})", style)
        sheet.write_string(11, column, name, formats.hidden)
        sheet.set_column(column, column, _WIDTHS[column])
    sheet.set_row(9, 50)
    sheet.set_row(11, None, None, {"hidden": True})


def _write_row(sheet: Worksheet, place: int, row: ListRow, formats: _Formats) -> None:
    reasons = "; ".join(REASONS_VI[entry] for entry in row.item.reasons)
    sheet.set_row(place, _height((*row.child.shown, reasons)))
    sheet.write_string(place, 0, written_key(row.row_key, row.row_hash), formats.key)
    for column, text in enumerate(row.child.shown, start=1):
        # A text that looks like a formula stays a text, also after a person has edited the cell beside it.
        sheet.write_string(
            place, column, text, formats.quoted if text.startswith(_DANGEROUS) else formats.cell
        )
    reason = len(row.child.shown) + 1
    sheet.write_string(place, reason, reasons, formats.cell)
    for column in range(reason + 1, len(LIST_COLUMNS)):
        sheet.write_blank(place, column, None, formats.input_cell)


def _height(texts: Sequence[str]) -> int:
    """Return the height in points that shows the longest cell whole: a row never hides why it is there."""
    lines = max(-(-len(text) // max(width - 3, 1)) for text, width in zip(texts, _WIDTHS[1:], strict=False))
    return max(34, min(17 * lines, 400))


def _write_rules(sheet: Worksheet, last: int) -> None:
    number, result = (LIST_COLUMNS.index(name) for name in INPUT_COLUMNS[:2])
    if last == FIRST_DATA_ROW:
        return
    sheet.data_validation(
        FIRST_DATA_ROW, result, last - 1, result,
        {"validate": "list", "source": [entry.value for entry in Result], "error_title": "Kết quả",
         "error_message": "Hãy chọn một kết quả trong danh sách."},
    )  # fmt: skip
    sheet.data_validation(
        FIRST_DATA_ROW, number, last - 1, number,
        {"validate": "length", "criteria": "==", "value": 12, "error_type": "warning", "error_title": "Số định danh",
         "error_message": "Số định danh cá nhân có đúng 12 chữ số."},
    )  # fmt: skip


def _write_signatures(sheet: Worksheet, form: Form, formats: _Formats, row: int) -> None:
    last = len(LIST_COLUMNS) - 1
    for offset, label in enumerate((form.signer_label, form.date_label)):
        sheet.merge_range(row + offset, 9, row + offset, 11, label, formats.note)
        sheet.merge_range(row + offset, 12, row + offset, last, "", formats.input_cell)
    sheet.merge_range(row + 3, 0, row + 3, 4, form.maker, formats.bold)
    sheet.merge_range(row + 3, 9, row + 3, last, form.signer, formats.bold)
    sheet.merge_range(row + 4, 0, row + 4, 4, "(Ký, ghi rõ họ tên)", formats.centre)
    sheet.merge_range(row + 4, 9, row + 4, last, "(Ký, đóng dấu, ghi rõ họ tên)", formats.centre)


def _protect(sheet: Worksheet) -> None:
    sheet.freeze_panes(FIRST_DATA_ROW, 2)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.3, right=0.3, top=0.4, bottom=0.4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(9, 10)


def _write_newborns(sheet: Worksheet, form: Form, newborns: Sequence[ListedChild], formats: _Formats) -> None:
    names = LIST_COLUMNS[1 : 1 + len(newborns[0].shown)]
    sheet.merge_range(0, 0, 0, len(names) - 1, form.newborn_title, formats.title)
    for column, name in enumerate(names):
        sheet.write_string(2, column, form.captions[name], formats.caption)
        sheet.set_column(column, column, _WIDTHS[column + 1])
    for place, child in enumerate(newborns, start=3):
        for column, text in enumerate(child.shown):
            sheet.write_string(
                place, column, text, formats.quoted if text.startswith(_DANGEROUS) else formats.cell
            )
    sheet.freeze_panes(3, 1)
    sheet.protect("", {"format_columns": True})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
