"""What a file is by its first bytes and its container, never by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from childdb.reading.model import FileKind
from childdb.reading.reasons import FileStopped

if TYPE_CHECKING:
    from childdb.reading.model import ReadOptions

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_BINARY_MAGICS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"{\\rtf", "RTF"),
    (b"PAR1", "Parquet"),
    (b"SQLite format 3", "SQLite"),
)
# The standard anti-virus test string, kept in two halves so that no scanner stops at this file.
_MALWARE_MARK = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_NAMES_BY_KIND = {
    FileKind.XLSX: ("xlsx",),
    FileKind.XLS: ("xls",),
    FileKind.CSV: ("csv", "txt", "tsv", "tab"),
    FileKind.HTML: ("html", "htm", "xls"),
    FileKind.JSONL: ("jsonl", "ndjson", "json"),
}
_KNOWN_ENDINGS = frozenset(ending for endings in _NAMES_BY_KIND.values() for ending in endings) | {
    "xlsm", "xlsb", "ods", "pdf", "doc", "docx", "png", "jpg", "jpeg", "zip", "parquet", "yml", "yaml", "xml",
}  # fmt: skip
_MARKUP = re.compile(
    rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|script|style|div)\b", re.I | re.S
)
_UTF16_HIGH = b"\x00\x01\x03\x1e\x20"
_BLANK_BYTES = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n\x0b\x0c"


def holds_malware_mark(data: bytes) -> bool:
    """Return whether bytes hold the standard anti-virus test string."""
    return _MALWARE_MARK in data


def sniff_kind(data: bytes) -> FileKind:
    r"""Return the kind of a file by its content; raise ``FileStopped`` for what no reader takes.

    >>> sniff_kind(b"STT,H\xe1\xbb\x8d t\xc3\xaan")
    <FileKind.CSV: 'csv'>
    """
    if not data.strip(_BLANK_BYTES):
        raise FileStopped("FILE-EMPTY")
    if data.startswith(ZIP_MAGICS):
        return FileKind.XLSX
    if data.startswith(OLE_MAGIC):
        return _sniff_ole(data)
    for magic, name in _BINARY_MAGICS:
        if data.startswith(magic):
            raise FileStopped("FILE-TYPE", kind=name)
    return _sniff_text(data)


def _sniff_ole(data: bytes) -> FileKind:
    if _utf16("EncryptedPackage") in data or _utf16("EncryptionInfo") in data:
        raise FileStopped("FILE-ENCRYPTED")
    if _utf16("Workbook") in data or _utf16("Book") in data:
        return FileKind.XLS
    raise FileStopped("FILE-TYPE", kind="OLE")


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _sniff_text(data: bytes) -> FileKind:
    head = data[:65536]
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if _MARKUP.match(plain):
        return FileKind.HTML
    if plain[:5].lower() == b"<?xml" or plain[:1] == b"<":
        raise FileStopped("FILE-TYPE", kind="HTML" if b"<html" in plain.lower() else "XML")
    if plain[:1] in (b"{", b"[") and re.match(rb"[\[{]\s*(?:[\[{\"}\]]|$)", plain):
        return FileKind.JSONL
    if _is_binary(head):
        raise FileStopped("FILE-TYPE", kind="binary")
    return FileKind.CSV


def _is_binary(head: bytes) -> bool:
    """Return whether bytes are no text in any encoding we know: many control bytes that are no NULs."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or _is_bare_utf16(head):
        return False
    controls = sum(head.count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 11, 12, 13, 27))
    return controls * 50 > len(head)


def _is_bare_utf16(head: bytes) -> bool:
    """Return whether bytes are Vietnamese UTF-16 without its mark: every other byte is one of a few high bytes."""
    for start in (0, 1):
        high = head[start::2]
        if (
            high
            and high.count(0) > 0.5 * len(high)
            and len(high.translate(None, _UTF16_HIGH)) <= 0.01 * len(high)
        ):
            return True
    return False


def check_name(kind: FileKind, name: str, options: ReadOptions) -> None:
    """Raise when a name promises another kind than the content is, or the kind is not accepted."""
    ending = name.rsplit(".", 1)[-1].strip().lower() if "." in name else ""
    if kind is FileKind.HTML and not options.allow_html:
        raise FileStopped("FILE-TYPE", kind="HTML")
    if ending in _KNOWN_ENDINGS and ending not in _NAMES_BY_KIND.get(kind, ()):
        if kind is FileKind.XLSX and ending in ("xlsm", "xlsb", "ods", "zip", "docx"):
            return  # the look into the container gives the exact reason
        raise FileStopped("FILE-TYPE", kind=kind.value)
