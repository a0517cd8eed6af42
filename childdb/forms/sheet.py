"""One sheet: heading block, headed and lettered columns, rows of units, legend and signatures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from childdb.forms.cells import FormFigures, content_of, share_indicators, versions_of
from childdb.forms.model import Field, Form, FormColumn, FormProvince, FormUnit, Rows
from childdb.forms.styles import Styles
from childdb.forms.words import LEGEND, Mark, safe_text

FIRST_NUMBER = 2
HEAD_TOP = 5
UNKNOWN_COMMUNE = "Chưa xác định được đơn vị cấp xã"


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """Texts of the heading block and the foot."""

    reporting_unit: str
    receiving_unit: str
    period: str
    reference_date: str
    release_id: str
    issued_with: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a form: where its figures are looked up and what stands in columns A and B."""

    level: str
    area_code: str
    ethnic_group: str
    code: str
    name: str
    is_total: bool = False


def write_sheet(
    sheet: Worksheet,
    styles: Styles,
    form: Form,
    province: FormProvince,
    figures: FormFigures,
    facts: SheetFacts,
) -> None:
    """Fill one sheet with one form of one province."""
    last = FIRST_NUMBER + len(form.columns) - 1
    lines = list(_lines(form, province, figures))
    _set_page(sheet, form, facts, last)
    _write_heading(sheet, styles, form, facts, last)
    body = _write_head(sheet, styles, form)
    shares = share_indicators(figures)
    percent = [
        column.field is Field.VALUE and (column.indicator_set, column.indicator_code) in shares
        for column in form.columns
    ]
    for offset, line in enumerate(lines):
        _write_line(sheet, styles, form, figures, line, percent, body + offset)
    sheet.freeze_panes(body, FIRST_NUMBER)
    sheet.repeat_rows(HEAD_TOP, body - 1)
    _write_foot(sheet, styles, form, figures, facts, body + len(lines), last)


def _lines(form: Form, province: FormProvince, figures: FormFigures) -> Iterator[Line]:
    yield Line("province", province.code, "_T", province.code, "TỔNG SỐ", is_total=True)
    if form.rows is Rows.ETHNIC_GROUPS:
        for group in _groups(province, figures):
            shown = "" if group.code == "_U" else group.code
            yield Line("province", province.code, group.code, shown, group.name)
        return
    for commune in sorted(province.communes, key=lambda unit: unit.code):
        yield Line("commune", commune.code, "_T", commune.code, commune.name)
    for code in sorted(province.unknown_area_codes):
        if any(key.area_code == code for key in figures):
            yield Line("commune", code, "_T", "", UNKNOWN_COMMUNE)


def _groups(province: FormProvince, figures: FormFigures) -> list[FormUnit]:
    """Return the groups that have a figure in this province, known ones in code order, the unknown one last."""
    present = {key.ethnic_group for key in figures if key.area_level == "province"} - {"_T", "_U"}
    names = {unit.code: unit.name for unit in province.ethnic_groups}
    groups = [FormUnit(code, names.get(code, code)) for code in sorted(present)]
    has_unknown = any(key.ethnic_group == "_U" and key.area_level == "province" for key in figures)
    return [*groups, FormUnit("_U", "Không rõ")] if has_unknown else groups


def _set_page(sheet: Worksheet, form: Form, facts: SheetFacts, last: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.center_horizontally()
    sheet.hide_gridlines(2)
    sheet.set_footer(f"&L&8 {facts.release_id}&C&8 {form.number}&R&8Trang &P/&N")
    sheet.set_column(0, 0, 9)
    sheet.set_column(1, 1, 30)
    sheet.set_column(FIRST_NUMBER, last, max(9.5, 84 / len(form.columns)))


def _write_heading(sheet: Worksheet, styles: Styles, form: Form, facts: SheetFacts, last: int) -> None:
    right = last - (2 if len(form.columns) > 6 else 1)
    left = (f"Biểu số: {form.number}", facts.issued_with, "Ngày nhận báo cáo: ……/……/………")
    unit = ("Đơn vị báo cáo:", facts.reporting_unit, f"Đơn vị nhận báo cáo: {facts.receiving_unit}")
    middle = (form.title, f"Kỳ báo cáo: {facts.period}", f"Số liệu tính đến ngày {facts.reference_date}")
    for row in range(3):
        sheet.merge_range(row, 0, row, 1, safe_text(left[row]), styles.bold if row == 0 else styles.plain)
        sheet.merge_range(row, 2, row, right - 1, middle[row], styles.title if row == 0 else styles.centred)
        sheet.merge_range(row, right, row, last, safe_text(unit[row]), styles.plain)
    for row, height in enumerate((40, 32, 18)):
        sheet.set_row(row, height)
    sheet.merge_range(HEAD_TOP - 1, right, HEAD_TOP - 1, last, f"Đơn vị tính: {form.unit}", styles.unit)


def _write_head(sheet: Worksheet, styles: Styles, form: Form) -> int:
    """Write the headings and the lettered row; return the first row of the body."""
    top, second, letters = HEAD_TOP, HEAD_TOP + 1, HEAD_TOP + 2
    names = "Dân tộc" if form.rows is Rows.ETHNIC_GROUPS else "Tên đơn vị hành chính"
    for column, caption in enumerate(("Mã số", names)):
        sheet.merge_range(top, column, second, column, caption, styles.head)
        sheet.write_string(letters, column, "AB"[column], styles.letter)
    for start, end, columns in _spans(form.columns):
        _write_group(sheet, styles, start, end, columns)
    for index in range(len(form.columns)):
        sheet.write_string(letters, FIRST_NUMBER + index, str(index + 1), styles.letter)
    sheet.set_row(top, 32)
    sheet.set_row(second, 32)
    return letters + 1


def _spans(columns: Sequence[FormColumn]) -> Iterator[tuple[int, int, list[FormColumn]]]:
    """Yield runs of columns under one outer heading with their first and last column of the sheet."""
    start = 0
    while start < len(columns):
        end = start
        while end + 1 < len(columns) and columns[end + 1].caption[0] == columns[start].caption[0]:
            end += 1
        yield FIRST_NUMBER + start, FIRST_NUMBER + end, list(columns[start : end + 1])
        start = end + 1


def _write_group(sheet: Worksheet, styles: Styles, start: int, end: int, columns: list[FormColumn]) -> None:
    top, second = HEAD_TOP, HEAD_TOP + 1
    if len(columns[0].caption) == 1:
        sheet.merge_range(top, start, second, start, columns[0].caption[0], styles.head)
        return
    if end > start:
        sheet.merge_range(top, start, top, end, columns[0].caption[0], styles.head)
    else:
        sheet.write_string(top, start, columns[0].caption[0], styles.head)
    for offset, column in enumerate(columns):
        sheet.write_string(second, start + offset, column.caption[1], styles.head)


def _write_line(
    sheet: Worksheet,
    styles: Styles,
    form: Form,
    figures: FormFigures,
    line: Line,
    percent: Sequence[bool],
    row: int,
) -> None:
    sheet.write_string(row, 0, safe_text(line.code), styles.total_code if line.is_total else styles.code)
    sheet.write_string(row, 1, safe_text(line.name), styles.total_name if line.is_total else styles.name)
    for index, column in enumerate(form.columns):
        content = content_of(figures, column, line.level, line.area_code, line.ethnic_group)
        if isinstance(content, Mark):
            sheet.write_string(
                row, FIRST_NUMBER + index, content.value, styles.total_mark if line.is_total else styles.mark
            )
        else:
            style = _number_style(styles, percent[index], line.is_total)
            sheet.write_number(row, FIRST_NUMBER + index, content, style)


def _number_style(styles: Styles, percent: bool, is_total: bool) -> Format:
    if percent:
        return styles.total_share if is_total else styles.share
    return styles.total_count if is_total else styles.count


def _write_foot(
    sheet: Worksheet, styles: Styles, form: Form, figures: FormFigures, facts: SheetFacts, row: int, last: int
) -> None:
    notes = (
        LEGEND,
        f"Phiên bản định nghĩa chỉ tiêu: {versions_of(figures, form.columns)}. Lần công bố: {facts.release_id}.",
    )
    for offset, note in enumerate(notes):
        sheet.merge_range(row + offset, 0, row + offset, last, note, styles.small)
        sheet.set_row(row + offset, 18 if offset == 0 else 16)
    _write_signatures(sheet, styles, row + len(notes) + 1, last)


def _write_signatures(sheet: Worksheet, styles: Styles, row: int, last: int) -> None:
    # Three blocks of nearly equal width: A-B, the middle columns, the last columns.
    middle_end = FIRST_NUMBER + max(1, (last - FIRST_NUMBER + 1) // 2) - 1
    blocks = ((0, 1), (FIRST_NUMBER, middle_end), (middle_end + 1, last))
    people = ("Người lập biểu", "Người kiểm tra biểu", "Thủ trưởng đơn vị")
    notes = ("(Ký, họ tên)", "(Ký, họ tên)", "(Ký, đóng dấu, họ tên)")
    _merge(sheet, row, blocks[2], "………, ngày …… tháng …… năm ………", styles.signature_note)
    for block, person, note in zip(blocks, people, notes, strict=True):
        _merge(sheet, row + 1, block, person, styles.signature)
        _merge(sheet, row + 2, block, note, styles.signature_note)


def _merge(sheet: Worksheet, row: int, block: tuple[int, int], text: str, style: Format) -> None:
    first, last = block
    if first == last:
        sheet.write_string(row, first, text, style)
    else:
        sheet.merge_range(row, first, row, last, text, style)
