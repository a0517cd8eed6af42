"""Reason codes a file, row or cell can meet while it is read, with what the sender is told about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from childdb.findings import Finding, Severity
from childdb.reading.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code: its rule, what it does to the file, and two message templates without values."""

    code: str
    rule_id: str
    outcome: Outcome
    severity: Severity
    message_vi: str
    message_en: str


class FileStopped(Exception):
    """Reading ends here with a reason; ``counts`` fill the message, they never hold a cell's value."""

    def __init__(self, code: str, *, outcome: Outcome | None = None, **counts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.outcome = outcome or REASONS[code].outcome
        self.counts = counts


_REJECT, _HOLD, _FLAG, _RETRY = (
    Outcome.REJECT_FILE,
    Outcome.QUARANTINE_FILE,
    Outcome.ACCEPT_FLAGGED,
    Outcome.RETRY,
)
_ERROR, _WARN, _FIXED, _INFO = Severity.ERROR, Severity.WARNING, Severity.REPAIRED, Severity.INFO

# Worst first: the file's own reason code is the first of its findings in this order.
_TABLE: tuple[tuple[str, Outcome, Severity, str, str], ...] = (
    ("FILE-MALWARE", _REJECT, _ERROR, "Tệp chứa mã độc hoặc mẫu thử mã độc; tệp không được mở. Hãy quét máy và gửi tệp sạch.",
     "The file holds malware or its test string and was not opened. Scan the computer and send a clean file."),
    ("INJ-LINK", _REJECT, _ERROR, "Đây không phải là tệp thường (liên kết, thư mục hoặc thiết bị). Hãy gửi chính tệp.",
     "This is not a regular file (link, folder or device). Send the file itself."),
    ("INJ-TOCTOU", _REJECT, _ERROR, "Tệp bị thay đổi trong khi kiểm tra. Hãy gửi lại.",
     "The file was exchanged while it was checked. Send it again."),
    ("FILE-SIZE", _REJECT, _ERROR, "Tệp lớn hơn giới hạn {limit} MB. Hãy chia nhỏ theo xã.",
     "The file is larger than the limit of {limit} MB. Split it by commune."),
    ("FILE-EMPTY", _REJECT, _ERROR, "Tệp rỗng. Hãy xuất lại và gửi lại.", "The file is empty. Export and send it again."),
    ("FILE-TRUNCATED", _REJECT, _ERROR, "Tệp bị cụt hoặc hỏng, không đọc được trọn vẹn. Hãy gửi lại bản đầy đủ.",
     "The file is cut off or damaged and cannot be read whole. Send the complete file again."),
    ("FILE-BOMB", _REJECT, _ERROR, "Tệp nén phình ra quá giới hạn cho phép. Hãy lưu lại bằng phần mềm bảng tính rồi gửi.",
     "The file inflates past the limit. Save it again in a spreadsheet program and send it."),
    ("FILE-NESTED", _REJECT, _ERROR, "Tệp nén chứa tệp khác. Hãy gửi trực tiếp tệp .xlsx hoặc .csv.",
     "An archive inside a file. Send the .xlsx or .csv itself."),
    ("FILE-ZIP-AMBIGUOUS", _REJECT, _ERROR, "Tệp chứa hai phần trùng tên. Hãy lưu lại rồi gửi.",
     "The container holds two parts of one name. Save the file again and send it."),
    ("FILE-PATH", _REJECT, _ERROR, "Tệp chứa đường dẫn không hợp lệ bên trong.", "The container holds a path or link that is not allowed."),
    ("FILE-GRID", _REJECT, _ERROR, "Địa chỉ ô nằm ngoài hoặc trải quá rộng trên bảng tính.",
     "Cell addresses lie outside the sheet or are spread too far apart."),
    ("FILE-XML", _REJECT, _ERROR, "Nội dung XML bên trong tệp không hợp lệ hoặc bị cấm (DOCTYPE, thực thể).",
     "The XML inside is malformed or holds what is forbidden (DOCTYPE, entities)."),
    ("FILE-ENCRYPTED", _REJECT, _ERROR, "Tệp đặt mật khẩu. Hãy bỏ mật khẩu (Tệp > Thông tin > Bảo vệ) và gửi qua kênh an toàn; không gửi mật khẩu.",
     "The file is password-protected. Remove the password and send it over the safe channel; never send the password."),
    ("FILE-TYPE", _REJECT, _ERROR, "Loại tệp theo nội dung là {kind}, không khớp tên hoặc không được nhận. Hãy lưu thành .xlsx.",
     "By its content the file is {kind}, which does not fit its name or is not accepted. Save it as .xlsx."),
    ("INJ-NEST", _REJECT, _ERROR, "Dữ liệu lồng quá sâu hoặc trùng khóa.", "The data is nested too deep or repeats a key."),
    ("INF-OOM", _REJECT, _ERROR, "Đọc tệp vượt quá giới hạn bộ nhớ hoặc thời gian; tiến trình đọc đã dừng.",
     "Reading the file went past the limit of memory or time; the reading process was ended."),
    ("DEL-CHECKSUM", _REJECT, _ERROR, "Mã kiểm tra gửi kèm không khớp với tệp. Hãy gửi lại cả hai.",
     "The checksum sent with the file does not agree with it. Send both again."),
    ("DEL-VERSION", _REJECT, _ERROR, "Phiên bản mẫu {version} đã hết hỗ trợ từ {ended}.", "Format version {version} has not been supported since {ended}."),
    ("FILE-UNSTABLE", _RETRY, _WARN, "Tệp còn đang được ghi; sẽ đọc ở lượt sau.", "The file is still being written; it is left for the next run."),
    ("FILE-ROW-LIMIT", _HOLD, _ERROR, "Trang tính có đúng {rows} dòng, bằng giới hạn của bảng tính: có thể đã bị cắt. Hãy xác nhận số trẻ.",
     "The sheet has exactly {rows} rows, the limit of spreadsheets: it was probably cut. Confirm the number of children."),
    ("ENC-NUL", _HOLD, _ERROR, "Tệp chứa byte NUL. Hãy xuất lại dạng UTF-8.", "The file holds NUL bytes. Export it again as UTF-8."),
    ("ENC-INVALID", _HOLD, _ERROR, "Có {count} chỗ không đúng UTF-8 (byte đầu tiên ở vị trí {offset}). Hãy xuất lại dạng UTF-8.",
     "{count} places are not valid UTF-8 (the first at byte {offset}). Export the file again as UTF-8."),
    ("CSV-QUOTE", _HOLD, _ERROR, "Dấu ngoặc kép không đóng hoặc đặt sai gần dòng {line}.", "A quotation mark is not closed or misplaced near line {line}."),
    ("CSV-DIALECT", _HOLD, _ERROR, "Dấu phân cách cột không thống nhất trong tệp.", "Column separators are mixed within the file."),
    ("DEL-SCOPE", _HOLD, _ERROR, "Tệp là của một xã khác với nơi gửi; tệp được giữ lại, không ai khác xem được. Hãy gửi đúng danh sách của xã mình.",
     "The file is another commune's than its sender's; it is held and shown to nobody else. Send your own commune's list."),
    ("API-DELETE", _FLAG, _INFO, "Phần mềm báo {count} bản ghi đã bị xóa; dữ liệu đã nhận không bị xóa.",
     "The software reports {count} records as deleted; what was received is not removed."),
    ("DEL-COUNT", _HOLD, _ERROR, "Tệp ghi tổng {stated} nhưng đọc được {found} dòng trẻ. Hãy kiểm tra và gửi lại.",
     "The file states {stated} but {found} child rows were found. Check and send it again."),
    ("STRUCT-DUP-COLUMN", _HOLD, _ERROR, "Có hai cột cùng tiêu đề (cột {columns}).", "Two columns carry the same header (columns {columns})."),
    ("STRUCT-MISSING-COLUMN", _HOLD, _ERROR, "Thiếu cột bắt buộc: {missing}. Các cột tìm thấy: {found}.", "Required columns missing: {missing}. Found: {found}."),
    ("STRUCT-VERSION", _HOLD, _ERROR, "Không biết phiên bản mẫu {version} ghi trong tệp.", "The format version {version} stated in the file is unknown."),
    ("STRUCT-SHIFT", _HOLD, _ERROR, "Nội dung cột không khớp tiêu đề (cột {columns}): có thể cột đã bị đổi chỗ.",
     "Content does not fit the header (columns {columns}): columns were probably swapped."),
    ("FILE-NO-ROWS", _HOLD, _ERROR, "Tệp có tiêu đề nhưng không có dòng trẻ nào. Không trẻ nào bị coi là đã chuyển đi.",
     "The file has a header but no child row. No child is taken to have left."),
    ("API-SCHEMA", _HOLD, _ERROR, "Cấu trúc bản ghi thay đổi so với đã khai báo.", "The shape of the records differs from what was declared."),
    ("API-JSON", _HOLD, _ERROR, "JSON không hợp lệ (trùng khóa, NaN hoặc số quá lớn).", "Invalid JSON (repeated keys, NaN or numbers too large)."),
    ("ROW-SHIFT", _FLAG, _ERROR, "Dòng bị lệch cột; dòng được giữ lại để sửa.", "The row is shifted by a cell; it is held for correction."),
    ("CSV-WIDTH", _FLAG, _ERROR, "Dòng có {found} ô, tiêu đề có {expected}; dòng được giữ lại.", "The row has {found} fields, the header {expected}; the row is held."),
    ("ENC-MIXED", _FLAG, _ERROR, "Dòng dùng bảng mã khác phần còn lại của tệp; dòng được giữ lại.", "The row is in another encoding than the rest; it is held."),
    ("CELL-FORMULA", _FLAG, _ERROR, "Ô chứa công thức chưa có kết quả; hãy tính lại, dán giá trị rồi gửi.", "A formula without a stored value; recalculate, paste values and send again."),
    ("CELL-ERROR", _FLAG, _ERROR, "Ô chứa giá trị lỗi của bảng tính (#N/A, #REF!…).", "The cell holds a spreadsheet error (#N/A, #REF!…)."),
    ("INJ-REDOS", _FLAG, _ERROR, "Ô chứa chuỗi lặp bất thường quá dài; dòng được giữ lại.", "The cell holds an abnormally long repetition; the row is held."),
    ("CELL-LONG", _FLAG, _ERROR, "Ô dài hơn {limit} ký tự; dòng được giữ lại.", "The cell is longer than {limit} characters; the row is held."),
    ("CELL-CONTROL", _FLAG, _ERROR, "Ô chứa ký tự điều khiển; dòng được giữ lại.", "The cell holds control characters; the row is held."),
    ("CELL-BIDI", _FLAG, _ERROR, "Ô chứa ký tự đảo chiều chữ; dòng được giữ lại.", "The cell holds characters that reverse the writing direction; the row is held."),
    ("CELL-SCRIPT", _FLAG, _ERROR, "Tên chứa biểu tượng hoặc ký tự riêng; dòng được giữ lại.", "A name holds emoji or private characters; the row is held."),
    ("API-CONFLICT", _FLAG, _ERROR, "Cùng bản ghi, cùng phiên bản nhưng nội dung khác nhau; các dòng được giữ lại.",
     "The same record and version with different content; the rows are held."),
    ("API-SCOPE", _FLAG, _ERROR, "Bản ghi ngoài phạm vi đơn vị gửi; dòng được giữ lại.", "The record lies outside the sender's scope; the row is held."),
    ("STRUCT-HIDDEN", _FLAG, _WARN, "Trang hoặc dòng, cột ẩn: {what} ({count}). Trang ẩn không được nạp và có thể làm lộ dữ liệu.",
     "Hidden {what} ({count}). Hidden sheets are not loaded and may expose data."),
    ("FILE-ACTIVE", _FLAG, _WARN, "Tệp chứa liên kết ngoài, kết nối dữ liệu hoặc đối tượng nhúng; chúng không được mở.",
     "The file holds external links, data connections or embedded objects; they were not followed."),
    ("INJ-FORMULA", _FLAG, _WARN, "Ô văn bản bắt đầu như công thức ({count} ô); giữ nguyên là văn bản.", "Text cells that begin like a formula ({count}); kept as text."),
    ("INJ-SQL", _FLAG, _WARN, "Ô chứa chuỗi giống câu lệnh cơ sở dữ liệu; giữ nguyên là văn bản.", "A cell reads like a database command; kept as text."),
    ("INJ-TEMPLATE", _FLAG, _WARN, "Văn bản giống mẫu lập trình; giữ nguyên là văn bản.", "Text that reads like a template; kept as text."),
    ("INJ-HTML", _FLAG, _WARN, "Ô chứa mã HTML; giữ nguyên là văn bản.", "A cell holds HTML; kept as text."),
    ("INJ-LOG", _FLAG, _WARN, "Văn bản chứa ký tự điều khiển màn hình hoặc dòng nhật ký giả; giữ nguyên là văn bản.",
     "Text holds terminal codes or a fake log line; kept as text."),
    ("INJ-TEXT", _FLAG, _WARN, "Ghi chú giống mệnh lệnh; không quy tắc nào đọc ghi chú để quyết định.", "A note reads like an instruction; no rule ever reads notes to decide."),
    ("INJ-IDENTIFIER", _FLAG, _WARN, "Tiêu đề hoặc tên trang bất thường; chỉ giữ làm văn bản.", "Unusual header or sheet name; kept as text only."),
    ("INJ-FILENAME", _FLAG, _WARN, "Tên tệp bất thường; chỉ giữ làm văn bản.", "Unusual file name; kept as text only."),
    ("FILE-LEGACY", _FLAG, _WARN, "Định dạng .xls cũ (tối đa 65.536 dòng). Hãy dùng .xlsx.", "Old .xls format (65,536 rows at most). Use .xlsx."),
    ("FILE-DIMENSION", _FLAG, _WARN, "Phạm vi ghi trong trang tính không đúng với số dòng thật; đã đọc mọi dòng.",
     "The sheet's stated dimension does not fit its rows; every row was read."),
    ("STRUCT-SHEETS", _FLAG, _WARN, "Nhiều trang tính hiển thị; đã đọc {read} trang, {skipped} trang không phải danh sách.",
     "Several visible sheets; {read} read, {skipped} are no lists."),
    ("STRUCT-NEW-COLUMN", _FLAG, _WARN, "Cột chưa biết “{header}” (cột {columns}); giữ nguyên, coi là nhạy cảm.",
     "Unknown column “{header}” (column {columns}); kept as received and treated as sensitive."),
    ("STRUCT-COMMENT", _FLAG, _WARN, "Tệp có ghi chú ô; ghi chú không được nạp.", "The file has cell comments; they are not loaded."),
    ("CSV-LINES", _FLAG, _WARN, "Xuống dòng trong ô hoặc kiểu xuống dòng lẫn lộn: {lines} dòng vật lý, {records} bản ghi.",
     "Line breaks inside fields or mixed line ends: {lines} physical lines, {records} records."),
    ("ENC-CP1258", _FLAG, _FIXED, "Bảng mã Windows-1258, đã chuyển sang Unicode.", "Windows-1258, decoded to Unicode."),
    ("ENC-UTF16", _FLAG, _FIXED, "Bảng mã UTF-16, đã giải mã.", "UTF-16, decoded."),
    ("ENC-BOM", _FLAG, _FIXED, "Dấu thứ tự byte UTF-8 đã được bỏ.", "UTF-8 byte order mark removed."),
    ("ENC-TCVN3", _FLAG, _FIXED, "Tiêu đề viết bằng phông TCVN3 (ABC).", "Headers are in TCVN3 (ABC)."),
    ("ENC-VNI", _FLAG, _FIXED, "Tiêu đề viết bằng phông VNI.", "Headers are in VNI."),
    ("DATE-1904", _FLAG, _FIXED, "Tệp dùng hệ ngày 1904; ngày đã được tính theo hệ đó.", "The workbook uses the 1904 date system; dates were read by it."),
    ("STRUCT-SECTION", _FLAG, _INFO, "Có {count} dòng tiêu đề thôn/nhóm trong dữ liệu; không tính là trẻ.", "{count} section title rows inside the data; not counted as children."),
    ("STRUCT-FOOTER", _FLAG, _INFO, "Có {count} dòng tổng cộng, chữ ký hoặc ghi chú; không tính là trẻ.", "{count} total, signature or note rows; not counted as children."),
    ("STRUCT-HEADER", _FLAG, _INFO, "Tiêu đề: {what}.", "Header: {what}."),
)  # fmt: skip

REASONS = {
    row[0]: Reason(row[0], f"READ-{number:03d}", *row[1:]) for number, row in enumerate(_TABLE, start=1)
}
_RANK = {code: rank for rank, code in enumerate(REASONS)}


def rank_reason(code: str) -> int:
    """Return how bad a reading reason is; 0 is worst, unknown codes come after the known ones."""
    return _RANK.get(code, len(_RANK))


def worst_reason(codes: Iterable[str]) -> str | None:
    """Return the code that names the file's outcome, None when there is nothing to report."""
    return min(set(codes), key=lambda code: (rank_reason(code), code), default=None)


def make_finding(
    code: str,
    *,
    sheet: str | None = None,
    row_no: int | None = None,
    column: str | None = None,
    severity: Severity | None = None,
    **counts: Any,
) -> Finding:
    """Return a finding for a reason code; the file's hash is filled in by the parent process."""
    reason = REASONS[code]
    filled = _Blank(counts)
    return Finding(
        file_sha256="",
        sheet=sheet,
        row_no=row_no,
        column=column,
        rule_id=reason.rule_id,
        severity=severity or reason.severity,
        reason_code=code,
        message_vi=reason.message_vi.format_map(filled),
        message_en=reason.message_en.format_map(filled),
    )


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
