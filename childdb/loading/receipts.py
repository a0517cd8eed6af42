"""Receipts: what each sender is told about a file, in Vietnamese first, as a workbook and as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from psycopg import Connection

from childdb.cleaning.rules import cleaning_rules
from childdb.reading.reasons import REASONS

OUTCOMES = {
    "accept": ("Đã nhận", "Accepted"),
    "accept_flagged": ("Đã nhận, có lưu ý", "Accepted with notes"),
    "quarantine_file": ("Tạm giữ, chờ xác nhận", "Held until confirmed"),
    "reject_file": ("Từ chối", "Refused"),
    "retry": ("Sẽ đọc lại", "Will be read again"),
}
GATE_TEXT = (
    "Tệp chưa qua kiểm tra chất lượng; cán bộ phụ trách sẽ liên hệ.",
    "The file has not passed the quality gate; the officer in charge will contact you.",
)
_MOST_ITEMS = 5_000
_COUNTS = ("physical_rows", "header_footer_rows", "accepted", "quarantined", "rejected")


@dataclass(frozen=True, slots=True)
class ReceiptItem:
    """One remark: where, why, and what to do; never a value of a cell."""

    sheet: str | None
    row_no: int | None
    column: str | None
    reason_code: str
    severity: str
    message_vi: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender is told about one file."""

    batch_id: str
    file_name: str
    file_sha256: str
    outcome: str
    outcome_vi: str
    outcome_en: str
    reason_code: str | None
    physical_rows: int
    header_footer_rows: int
    accepted: int
    quarantined: int
    rejected: int
    items: tuple[ReceiptItem, ...]
    items_left_off: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as the object its JSON file holds."""
        return asdict(self)


def message_of(rule_id: str, reason_code: str, column: str | None) -> tuple[str, str]:
    """Return the two sentences for a finding whose text was not stored."""
    rules = cleaning_rules()
    if rule_id in rules.rules:
        return rules[rule_id].messages(column)
    reason = REASONS.get(reason_code)
    if reason is None:
        return GATE_TEXT if reason_code == "GATE" else (reason_code, reason_code)
    blank = _Dashes()
    return reason.message_vi.format_map(blank), reason.message_en.format_map(blank)


class _Dashes(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def build_receipt(connection: Connection, batch_id: str) -> Receipt | None:
    """Return the receipt of a batch that was read, None while it waits."""
    row = connection.execute(
        "select file_name_text, file_sha256, outcome, reason_code, physical_rows, header_footer_rows, accepted, "
        "quarantined, rejected from ops.batches where batch_id = %s and outcome is not null",
        [batch_id],
    ).fetchone()
    if row is None:
        return None
    items = _items(connection, batch_id)
    vi, en = OUTCOMES[row[2]]
    counts = dict(zip(_COUNTS, map(int, row[4:9]), strict=True))
    return Receipt(
        batch_id=batch_id, file_name=row[0], file_sha256=row[1], outcome=row[2], outcome_vi=vi, outcome_en=en,
        reason_code=row[3], items=tuple(items[:_MOST_ITEMS]), items_left_off=max(0, len(items) - _MOST_ITEMS), **counts,
    )  # fmt: skip


def _items(connection: Connection, batch_id: str) -> list[ReceiptItem]:
    rows = connection.execute(
        "select sheet, row_no, column_name, reason_code, min(severity), min(rule_id), min(message_vi), min(message_en) "
        "from quality.findings where batch_id = %s and severity <> 'info' or batch_id = %s and row_no is null "
        "group by sheet, row_no, column_name, reason_code "
        "order by sheet nulls first, row_no nulls first, column_name nulls first, reason_code",
        [batch_id, batch_id],
    ).fetchall()
    items = []
    for sheet, row_no, column, reason_code, severity, rule_id, vi, en in rows:
        told = (vi, en) if vi and en else message_of(rule_id, reason_code, column)
        items.append(ReceiptItem(sheet, row_no, column, reason_code, severity, *told))
    return items


def write_receipt(receipt: Receipt, folder: Path) -> tuple[Path, Path]:
    """Write a receipt as JSON and as a workbook and return both paths; the same receipt has the same JSON bytes."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = receipt.batch_id.replace("@", "_")
    plain, book = folder / f"{stem}.json", folder / f"{stem}.xlsx"
    plain.write_bytes(receipt_bytes(receipt))
    _write_workbook(receipt, book)
    for path in (plain, book):
        path.chmod(0o600)
    return plain, book


def receipt_bytes(receipt: Receipt) -> bytes:
    """Return the JSON bytes of a receipt."""
    return json.dumps(receipt.as_json(), ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _write_workbook(receipt: Receipt, path: Path) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), options)
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet("Phiếu nhận")
    for number, (label, value) in enumerate(_summary(receipt)):
        sheet.write_string(number, 0, label, bold)
        sheet.write_string(number, 1, value, wrap)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 70)
    notes = book.add_worksheet("Chi tiết")
    captions = ("Trang tính", "Dòng", "Cột", "Mã", "Nội dung", "In English")
    for place, caption in enumerate(captions):
        notes.write_string(0, place, caption, bold)
    for number, item in enumerate(receipt.items, start=1):
        cells = (item.sheet, item.row_no, item.column, item.reason_code, item.message_vi, item.message_en)
        for place, cell in enumerate(cells):
            notes.write_string(number, place, "" if cell is None else neutral(str(cell)), wrap)
    notes.set_column(0, 3, 16)
    notes.set_column(4, 5, 60)
    notes.freeze_panes(1, 0)
    book.close()


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, whatever blanks or controls it begins with.

    >>> neutral("=1+1"), neutral("Thôn 1")
    ("'=1+1", 'Thôn 1')
    """
    shown = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
    return f"'{shown}" if shown.lstrip()[:1] in tuple("=+-@|%＝＋－＠") and shown.strip() else shown


def _summary(receipt: Receipt) -> Iterable[tuple[str, str]]:
    yield "Tệp / File", neutral(receipt.file_name)
    yield "Kết quả / Result", f"{receipt.outcome_vi} / {receipt.outcome_en}"
    yield "Mã lý do / Reason", receipt.reason_code or ""
    yield "Mã tệp / SHA-256", receipt.file_sha256
    yield "Dòng trong tệp / Rows in the file", str(receipt.physical_rows)
    yield "Tiêu đề, tổng, chữ ký / Header and footer", str(receipt.header_footer_rows)
    yield "Trẻ được nhận / Accepted", str(receipt.accepted)
    yield "Dòng tạm giữ / Held rows", str(receipt.quarantined)
    yield "Dòng từ chối / Refused rows", str(receipt.rejected)
    if receipt.items_left_off:
        yield "Lưu ý không in hết / Notes left off", str(receipt.items_left_off)


def issue_receipts(connection: Connection, folder: Path, batch_ids: Iterable[str]) -> Mapping[str, Receipt]:
    """Write the receipts of batches and note each distinct text once in the ledger."""
    issued: dict[str, Receipt] = {}
    for batch_id in batch_ids:
        receipt = build_receipt(connection, batch_id)
        if receipt is None:
            continue
        write_receipt(receipt, folder)
        connection.execute(
            "insert into ops.receipts (batch_id, outcome, reason_code, sha256) values (%s, %s, %s, %s) "
            "on conflict (batch_id, sha256) do nothing",
            [
                batch_id,
                receipt.outcome,
                receipt.reason_code,
                hashlib.sha256(receipt_bytes(receipt)).hexdigest(),
            ],
        )
        issued[batch_id] = receipt
    return issued
