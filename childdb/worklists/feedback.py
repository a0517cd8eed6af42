"""Fix lists to the communes: their own rows in their own columns, wrong cells marked, the reason in Vietnamese."""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import psycopg
import xlsxwriter
from psycopg import Connection, sql

from childdb.cleaning.rules import cleaning_rules
from childdb.errors import ConfigurationError, ContractError
from childdb.reading.reasons import REASONS
from childdb.reference import column_labels, export_columns
from childdb.worklists.fixes import (
    FIX_LIST,
    HELD_FILE,
    Defect,
    fix_item_id,
    follow_defects,
    held_files,
    mark_sent,
)
from childdb.worklists.form import commune_title, province_title
from childdb.worklists.rowkeys import row_hash, row_key, written_key

SHEET = "Danh sách cần sửa"
REASON_CAPTION = "Cần sửa"
PLACE_CAPTION = "Trang tính, dòng trong tệp đã gửi"
KEY_CAPTION = "Mã dòng"
FIX_CLASS = "fix_list"
SUGGESTED = (
    "ho_ten_tre", "so_dinh_danh", "ho_ten_me", "so_dinh_danh_me", "ho_ten_cha", "so_dinh_danh_cha",
)  # fmt: skip
"""Columns where cleaning can read another text out of what was typed; a day of birth is never suggested."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Mark:
    """One remark on a cell or row."""

    column: str | None
    rule_id: str
    reason_code: str


@dataclass(slots=True, repr=False)
class FixRow:
    """One row of a commune's list with what is wrong in it."""

    commune_id: str
    batch_id: str
    sheet: str
    row_no: int
    texts: Mapping[str, str | None]
    marks: list[Mark] = field(default_factory=list)
    cleaned: Mapping[str, str | None] = field(default_factory=dict)
    record_id: str = ""
    child_id: str = ""
    key_text: str = ""

    def __repr__(self) -> str:
        return f"FixRow(batch_id={self.batch_id!r}, row_no={self.row_no})"


@dataclass(frozen=True, slots=True)
class FixList:
    """One workbook that was written."""

    path: Path
    commune_id: str
    row_count: int
    mark_count: int


@dataclass(frozen=True, slots=True)
class FixReport:
    """What one writing of the lists did; `items` and `files` count the events of cells and of held files."""

    list_id: str
    day: date
    lists: tuple[FixList, ...]
    items: Mapping[str, int]
    files: Mapping[str, int]


_QUERY = """
select
    r.commune_id, c._batch_id, c._sheet, c._row_no, b.profile -> 'columns_present' as columns_present,
    r.record_id, coalesce(k.child_id, r.record_id) as child_id, array[{cleaned}] as cleaned, {columns},
    (
        select array_agg(array[f.column_name, f.rule_id, f.reason_code] order by f.column_name, f.rule_id)
        from quality.findings as f
        where
            f.batch_id = c._batch_id and f.sheet is not distinct from c._sheet and f.row_no = c._row_no
            and f.severity in ('warning', 'error')
    ) as marks
from core.fct_commune_lists as l
inner join clean.treem__children as r on l._batch_id = r._batch_id and l.commune_id = r.commune_id
inner join raw.treem__children as c
    on r._batch_id = c._batch_id and r.sheet is not distinct from c._sheet and r.row_no = c._row_no
inner join ops.batches as b on c._batch_id = b.batch_id
left join identity.record_links as k on r.record_id = k.record_id
where
    l.is_current
    and exists (
        select 1 from quality.findings as f
        where
            f.batch_id = c._batch_id and f.sheet is not distinct from c._sheet and f.row_no = c._row_no
            and f.severity in ('warning', 'error')
    )
order by r.commune_id, c._batch_id, c._sheet, c._row_no
"""


_TODAY = """
select max(b.file_date), md5(coalesce(string_agg(distinct l._batch_id, ',' order by l._batch_id), ''))
from core.fct_commune_lists as l
inner join ops.batches as b on l._batch_id = b.batch_id
where l.is_current
"""


def write_fix_lists(connection: Connection, folder: Path, list_key: bytes, actor: str) -> FixReport:
    """Write one workbook per commune with rows to correct; open, close and send their items; return what was done.

    The day is that of the newest list in force, so the same lists give the same workbooks and the same items.
    """
    day, digest = _today(connection)
    list_id = f"fix-{day:%Y%m%d}-{digest[:10]}"
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for old in folder.glob("*_can_sua.xlsx"):
        old.unlink()
    written, defects = [], []
    sent: list[FixRow] = []
    for commune_id, group in groupby(_rows(connection), key=lambda pair: pair[0].commune_id):
        pairs = list(group)
        rows = [_keyed(row, list_key, list_id) for row, _ in pairs]
        code, _, start = commune_id.partition("@")
        path = folder / f"{code}_{start}_can_sua.xlsx"
        _write_private(path, fix_workbook(commune_id, _columns([present for _, present in pairs]), rows))
        written.append(FixList(path, commune_id, len(rows), sum(len(row.marks) for row in rows)))
        defects += [defect for row in rows for defect in _defects(row)]
        sent += [replace(row, texts={}, marks=[], cleaned={}) for row in rows]
    events = follow_defects(connection, [FIX_LIST], defects, day, actor)
    mark_sent(connection, (defect.item_id for defect in defects), list_id, day, actor)
    _record_rows(connection, list_id, sent)
    files = follow_defects(connection, [HELD_FILE], held_files(connection), day, actor)
    return FixReport(list_id, day, tuple(written), events, files)


def _today(connection: Connection) -> tuple[date, str]:
    try:
        row = connection.execute(_TODAY).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    if row is None or row[0] is None:
        raise ContractError(
            "The lists of the last build are not there yet. Run 'childdb run' first.",
            "Chưa có kết quả của lần dựng gần nhất. Hãy chạy 'childdb run' trước.",
        ) from None
    return row[0], str(row[1])


def _keyed(row: FixRow, list_key: bytes, list_id: str) -> FixRow:
    own = row_key(list_key, list_id, row.record_id)
    digest = row_hash(list_key, own, row.commune_id, FIX_CLASS, (row.child_id,))
    return replace(row, key_text=written_key(own, digest))


def _defects(row: FixRow) -> Iterator[Defect]:
    for mark in row.marks:
        yield Defect(
            fix_item_id(row.child_id, mark.column, mark.rule_id), row.commune_id, (mark.rule_id,), FIX_LIST,
            child_id=row.child_id,
        )  # fmt: skip


def _record_rows(connection: Connection, list_id: str, rows: Iterable[FixRow]) -> None:
    """Remember which rows went out; the same list again changes nothing."""
    connection.execute("create temporary table new_fix_rows (like quality.fix_rows) on commit drop")
    statement = "copy new_fix_rows (row_key, row_hash, list_id, commune_id, child_id, record_id) from stdin"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            key, _, digest = row.key_text.partition("-")
            copy.write_row((key, digest, list_id, row.commune_id, row.child_id, row.record_id))
    connection.execute("insert into quality.fix_rows select * from new_fix_rows on conflict do nothing")
    connection.execute("drop table new_fix_rows")


def _rows(connection: Connection) -> Iterator[tuple[FixRow, Sequence[str]]]:
    columns = export_columns()
    query = sql.SQL(_QUERY).format(
        columns=sql.SQL(", ").join(sql.Identifier("c", name) for name in columns),
        cleaned=sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier("r", name)) for name in SUGGESTED
        ),
    )
    try:
        with connection.cursor(name="fix_rows") as cursor:
            cursor.execute(query)
            for record in cursor:
                yield _fix_row(record, columns), record[4] or ()
    except psycopg.errors.UndefinedTable:
        raise ContractError(
            "The lists of the last build are not there yet. Run 'childdb run' first.",
            "Chưa có kết quả của lần dựng gần nhất. Hãy chạy 'childdb run' trước.",
        ) from None


def _fix_row(record: Sequence[Any], columns: Sequence[str]) -> FixRow:
    commune_id, batch_id, sheet, row_no, _, record_id, child_id, cleaned = record[:8]
    marks = [Mark(*entry) for entry in record[-1] or ()]
    texts = dict(zip(columns, record[8:-1], strict=True))
    read = dict(zip(SUGGESTED, cleaned, strict=True))
    return FixRow(commune_id, batch_id, sheet or "", row_no, texts, marks, read, record_id, child_id)


def _columns(present: Sequence[Sequence[str]]) -> list[str]:
    """The commune's own columns in its own order; all of ours where its layout is not known."""
    found: list[str] = []
    for names in present:
        found += [name for name in names if name not in found]
    known = export_columns()
    return [name for name in found if name in known] or list(known)


def fix_workbook(commune_id: str, columns: Sequence[str], rows: Sequence[FixRow]) -> bytes:
    """Return a workbook that can be corrected, imported into the entry software, and sent again."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    base = {
        "font_name": "Times New Roman",
        "font_size": 12,
        "border": 1,
        "num_format": "@",
        "text_wrap": True,
    }
    plain, wrong = book.add_format(base), book.add_format({**base, "bg_color": "#FFC7CE"})
    head = book.add_format({**base, "bold": True, "align": "center", "bg_color": "#D9E2F0"})
    title = book.add_format({"font_name": "Times New Roman", "font_size": 14, "bold": True})
    sheet = book.add_worksheet(SHEET)
    # The units stand in the title as in the lists the software exports: a layout without unit columns is read by them.
    units = ", ".join(filter(None, (commune_title(commune_id), province_title(commune_id)))).upper()
    sheet.write_string(0, 0, f"DANH SÁCH TRẺ EM CẦN SỬA THÔNG TIN - {units}", title)
    labels = column_labels()
    captions = [*(labels.get(name, name) for name in columns), REASON_CAPTION, PLACE_CAPTION, KEY_CAPTION]
    for column, caption in enumerate(captions):
        sheet.write_string(1, column, caption, head)
    sheet.set_column(0, len(columns) - 1, 16)
    sheet.set_column(len(columns), len(columns) + 1, 46)
    sheet.set_column(len(columns) + 2, len(columns) + 2, 36)
    for place, row in enumerate(rows, start=2):
        told = reasons_vi(row.marks)
        advice = suggestions_vi(row)
        for column, name in enumerate(columns):
            sheet.write_string(place, column, row.texts.get(name) or "", wrong if name in told else plain)
            if name in told:
                lines = [*told[name], *filter(None, [advice.get(name)])]
                sheet.write_comment(place, column, "\n".join(lines), {"x_scale": 2})
        lines = [*(line for lines in told.values() for line in lines), *advice.values()]
        sheet.write_string(place, len(columns), "\n".join(lines), plain)
        sheet.write_string(place, len(columns) + 1, f"{row.sheet}, dòng {row.row_no}", plain)
        sheet.write_string(place, len(columns) + 2, row.key_text, plain)
    sheet.freeze_panes(2, 0)
    book.close()
    return buffer.getvalue()


def reasons_vi(marks: Sequence[Mark]) -> dict[str, list[str]]:
    """Return what to tell per column, each sentence once; the empty column stands for the row."""
    told: dict[str, list[str]] = {}
    for column, group in groupby(sorted(marks, key=lambda mark: mark.column or ""), key=attrgetter("column")):
        lines: list[str] = []
        for mark in group:
            text = mark_text(mark)
            if text not in lines:
                lines.append(text)
        told[column or ""] = lines
    return told


def suggestions_vi(row: FixRow) -> dict[str, str]:
    """Return for each column what cleaning read where other letters or digits were typed: a suggestion, no correction."""
    labels = column_labels()
    return {
        name: f"{labels.get(name, name)}: gợi ý ghi «{read}»."
        for name, read in row.cleaned.items()
        if read and (typed := row.texts.get(name)) and _letters(read) != _letters(typed)
    }


def _letters(text: str) -> str:
    """Return a text without what needs no correction: capitals, spaces, signs, composition."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", text).casefold()))


def mark_text(mark: Mark) -> str:
    """Return the sentence of one remark: of the cleaning rule, else of the reading reason."""
    try:
        return cleaning_rules()[mark.rule_id].messages(mark.column)[0]
    except (KeyError, ConfigurationError):
        reason = REASONS.get(mark.reason_code)
    label = column_labels().get(mark.column or "", "dòng")
    if reason is None or "{" in reason.message_vi:
        return f"Cần kiểm tra lại: {label}."
    return reason.message_vi


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
