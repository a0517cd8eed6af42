"""Builders of hostile and broken files, named by the id of ``bad_inputs.csv``; all children in them are invented."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from sheet_factory import PLAIN_HEADER, children, csv_text, plain_csv, plain_workbook, write_workbook

from childdb.sandbox.old_encodings import as_mojibake, as_tcvn3, as_vni

Builder = Callable[[Path], Path]
BUILDERS: dict[str, Builder] = {}
COLUMN = {
    "stt": 0,
    "name": 1,
    "birth": 2,
    "sex": 3,
    "number": 5,
    "province": 6,
    "commune": 7,
    "father": 9,
    "mother": 10,
    "note": 11,
}


def builds(*ids: str) -> Callable[[Builder], Builder]:
    """Register a builder for the ids it makes a file for."""

    def keep(builder: Builder) -> Builder:
        for name in ids:
            BUILDERS[name] = builder
        return builder

    return keep


def changed(path: Path, changes: dict[tuple[int, str], Any], count: int = 6) -> Path:
    """Write the plain workbook with some cells changed: (child, column) → value."""
    rows = children(count)
    for (number, column), value in changes.items():
        rows[number - 1][COLUMN[column]] = value
    return write_workbook(path, [list(PLAIN_HEADER), *rows])


def changed_csv(path: Path, changes: dict[tuple[int, str], Any], count: int = 6) -> Path:
    rows = children(count)
    for (number, column), value in changes.items():
        rows[number - 1][COLUMN[column]] = value
    path.write_text(csv_text([list(PLAIN_HEADER), *rows]), encoding="utf-8")
    return path


def rewrite(
    path: Path, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None
) -> Path:
    """Rewrite the parts of a workbook; None leaves a part out."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            new = change(name, data)
            if new is not None:
                archive.writestr(name, new)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def sheet_xml(change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda name, data: change(data) if name.startswith("xl/worksheets/sheet") else data


def unchanged(_: str, data: bytes) -> bytes:
    return data


@builds("BI001")
def empty_file(folder: Path) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(b"")
    return path


@builds("BI002")
def only_a_byte_order_mark(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf\r\n\r\n \n")
    return path


@builds("BI003")
def header_without_rows(folder: Path) -> Path:
    return write_workbook(folder / "a.xlsx", [list(PLAIN_HEADER)])


@builds("BI004")
def cut_workbook(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx", 200)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@builds("BI005")
def cut_csv(folder: Path) -> Path:
    path = folder / "a.csv"
    text = plain_csv(150).rstrip("\n")
    path.write_text(text[: text.rindex(",Thôn")], encoding="utf-8")
    return path


@builds("BI006")
def cut_directory(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx", 50)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"PK\x01\x02")])
    return path


@builds("BI008")
def zip_bomb(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    big = b"<sst><si><t>" + b"a" * 300_000_000 + b"</t></si></sst>"
    return rewrite(
        path,
        lambda name, data: None if name == "xl/sharedStrings.xml" else data,
        {"xl/sharedStrings.xml": big},
    )


@builds("BI009")
def lying_sizes(folder: Path) -> Path:
    """A part that inflates to 40 MB while both its headers declare 2,000 bytes."""
    path = plain_workbook(folder / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/sharedStrings.xml"] = b"<sst>" + b" " * 40_000_000 + b"</sst>"
    path.write_bytes(lying_zip(parts, {"xl/sharedStrings.xml": 2000}))
    return path


def lying_zip(parts: dict[str, bytes], sizes: dict[str, int]) -> bytes:
    out, central = io.BytesIO(), []
    for name, data in parts.items():
        engine = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = engine.compress(data) + engine.flush()
        size, offset, raw = sizes.get(name, len(data)), out.tell(), name.encode()
        common = struct.pack("<5H3L2H", 20, 0, 8, 0, 0, zlib.crc32(data), len(packed), size, len(raw), 0)
        out.write(b"PK\x03\x04" + common + raw + packed)
        central.append(
            b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<3H2L", 0, 0, 0, 0, offset) + raw
        )
    start = out.tell()
    out.write(b"".join(central))
    end = out.tell()
    out.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(parts), len(parts), end - start, start, 0))
    return out.getvalue()


@builds("BI010")
def zip_in_zip(folder: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.write(plain_workbook(folder / "b.xlsx"), "b.xlsx")
    path = folder / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    (folder / "b.xlsx").unlink()
    return path


@builds("BI011")
def two_parts_of_one_name(folder: Path) -> Path:
    import warnings

    path = plain_workbook(folder / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


@builds("BI012")
def path_traversal(folder: Path) -> Path:
    return rewrite(plain_workbook(folder / "a.xlsx"), unchanged, {"../../etc/x": b"x"})


@builds("BI013")
def symbolic_link_inside(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    info = zipfile.ZipInfo("xl/link.xml")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    return path


@builds("BI014")
def cells_at_the_corners(folder: Path) -> Path:
    book = Workbook()
    book.active["A1"] = "x"  # type: ignore[index]
    book.active["XFD1048576"] = "y"  # type: ignore[index]
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


@builds("BI015")
def cell_outside_the_grid(folder: Path) -> Path:
    change = sheet_xml(lambda data: data.replace(b'r="B2"', b'r="XFE2"'))
    return rewrite(plain_workbook(folder / "a.xlsx"), change)


@builds("BI016")
def dimension_too_small(folder: Path) -> Path:
    import re

    path = plain_workbook(folder / "a.xlsx", 500)
    return rewrite(
        path, sheet_xml(lambda data: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:A1"', data))
    )


@builds("BI017")
def dimension_too_large(folder: Path) -> Path:
    import re

    path = plain_workbook(folder / "a.xlsx", 12)
    return rewrite(
        path,
        sheet_xml(lambda data: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', data)),
    )


_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def _with_doctype(folder: Path, doctype: bytes) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    return rewrite(path, sheet_xml(lambda data: data.replace(b"<worksheet", doctype + b"<worksheet", 1)))


@builds("BI018")
def billion_laughs(folder: Path) -> Path:
    return _with_doctype(folder, _LAUGHS)


@builds("BI019")
def external_entity(folder: Path) -> Path:
    return _with_doctype(folder, _OUTSIDE)


@builds("BI020")
def external_links(folder: Path) -> Path:
    extra = {
        "xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    }
    return rewrite(plain_workbook(folder / "a.xlsx"), unchanged, extra)


@builds("BI021")
def macros(folder: Path) -> Path:
    path = rewrite(plain_workbook(folder / "a.xlsx"), unchanged, {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"})
    return path.rename(folder / "a.xlsm")


@builds("BI022")
def password_protected(folder: Path) -> Path:
    path = folder / "a.xlsx"
    names = "".join("EncryptionInfo EncryptedPackage").encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + names + b"\x00" * 2000)
    return path


@builds("BI024")
def binary_workbook(folder: Path) -> Path:
    path = rewrite(
        plain_workbook(folder / "a.xlsx"), lambda name, data: None if name == "xl/workbook.xml" else data,
        {"xl/workbook.bin": b"\x83\x01\x00"},
    )  # fmt: skip
    return path.rename(folder / "a.xlsb")


HTML = "<html><body><table>" + "".join(
    "<tr>" + "".join(f"<td>{cell if cell is not None else ''}</td>" for cell in row) + "</tr>"
    for row in [list(PLAIN_HEADER), *children(4)]
) + "</table></body></html>"  # fmt: skip


@builds("BI025")
def html_as_xls(folder: Path) -> Path:
    path = folder / "a.xls"
    path.write_text(HTML, encoding="utf-8")
    return path


@builds("BI026")
def tab_text_as_xls(folder: Path) -> Path:
    path = folder / "a.xls"
    path.write_text(plain_csv(5, "\t"), encoding="utf-8")
    return path


@builds("BI027")
def csv_named_xlsx(folder: Path) -> Path:
    path = folder / "a.xlsx"
    path.write_text(plain_csv(5), encoding="utf-8")
    return path


@builds("BI028")
def login_page_as_csv(folder: Path) -> Path:
    path = folder / "export.csv"
    path.write_text("<!DOCTYPE html><html><body><form>Đăng nhập</form></body></html>", encoding="utf-8")
    return path


@builds("BI030")
def row_limit(folder: Path) -> Path:
    rows = children(3)
    lines = [",".join(PLAIN_HEADER)] + [
        ",".join("" if c is None else str(c) for c in rows[n % 3]) for n in range(65_535)
    ]
    lines[0] = csv_text([list(PLAIN_HEADER)]).strip()
    path = folder / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@builds("BI031")
def malware_test_string(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
    return path


@builds("BI032")
def titles_above(folder: Path) -> Path:
    rows = [["DANH SÁCH TRẺ EM"], [], list(PLAIN_HEADER), [f"({n})" for n in range(1, 13)], *children(5)]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI033")
def no_header(folder: Path) -> Path:
    return write_workbook(folder / "a.xlsx", children(6))


@builds("BI034")
def duplicate_header(folder: Path) -> Path:
    header = list(PLAIN_HEADER)
    header[10] = header[9]
    return write_workbook(folder / "a.xlsx", [header, *children(5)])


@builds("BI035")
def header_in_odd_letters(folder: Path) -> Path:
    import unicodedata

    header = [unicodedata.normalize("NFD", text).replace(" ", "  ", 1) + "\n" for text in PLAIN_HEADER]
    return write_workbook(folder / "a.xlsx", [header, *children(5)])


@builds("BI036")
def new_column(folder: Path) -> Path:
    rows = [[*row, "Cột lạ" if n == 0 else "x"] for n, row in enumerate([list(PLAIN_HEADER), *children(5)])]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI037")
def missing_column(folder: Path) -> Path:
    rows = [row[:2] + row[3:] for row in [list(PLAIN_HEADER), *children(5)]]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI038")
def swapped_content(folder: Path) -> Path:
    rows = children(12)
    for row in rows:
        row[1], row[2] = row[2], row[1]
    return write_workbook(folder / "a.xlsx", [list(PLAIN_HEADER), *rows])


@builds("BI039")
def shifted_row(folder: Path) -> Path:
    rows = children(12)
    rows[4] = [rows[4][0], None, *rows[4][1:-1]]
    return write_workbook(folder / "a.xlsx", [list(PLAIN_HEADER), *rows])


@builds("BI040")
def hamlet_rows(folder: Path) -> Path:
    rows = [list(PLAIN_HEADER), ["Thôn 1"], *children(3), ["Thôn 2"], *children(3, seed=2)]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI041")
def totals_and_signature(folder: Path) -> Path:
    rows = [
        list(PLAIN_HEADER),
        *children(4),
        ["Tổng cộng: 4"],
        ["NGƯỜI LẬP BIỂU", None, None, "CHỦ TỊCH"],
        ["Lò Thị Mai"],
    ]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI042")
def hidden_sheet(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    book = load_workbook(path)
    sheet = book.create_sheet("Ẩn")
    sheet.append(["Người khác"])
    sheet.sheet_state = "veryHidden"
    book.save(path)
    return path


@builds("BI043")
def hidden_rows(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    book = load_workbook(path)
    book.worksheets[0].row_dimensions[3].hidden = True
    book.save(path)
    return path


@builds("BI044")
def several_sheets(folder: Path) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for seed, name in enumerate(("Thôn 1", "Thôn 2", "Hướng dẫn")):
        sheet = book.create_sheet(name)
        rows = [["Cách điền biểu"]] if name == "Hướng dẫn" else [list(PLAIN_HEADER), *children(3, seed=seed)]
        for row in rows:
            sheet.append(row)
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


@builds("BI045")
def comments(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    book = load_workbook(path)
    book.worksheets[0]["B2"].comment = Comment("ghi chú", "ai đó")
    book.save(path)
    return path


@builds("BI046")
def formula_without_value(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): "=DATE(2019,3,5)"})


@builds("BI047")
def formula_with_value(folder: Path) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(folder / "a.xlsx")
    sheet = book.add_worksheet("Danh sách")
    for number, row in enumerate([list(PLAIN_HEADER), *children(4)]):
        for place, value in enumerate(row):
            if value is not None:
                sheet.write(number, place, value)
    sheet.write_formula(2, 1, '="Lò "&"Thị Mai"', None, "Lò Thị Mai")
    book.close()
    return folder / "a.xlsx"


@builds("BI048")
def error_values(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): "#N/A", (3, "name"): "#REF!", (4, "sex"): "#DIV/0!"})


@builds("BI049")
def unclosed_quote(folder: Path) -> Path:
    path = folder / "a.csv"
    lines = plain_csv(6).split("\n")
    lines[3] = lines[3].replace(",", ',"', 1)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@builds("BI050")
def mixed_separators(folder: Path) -> Path:
    path = folder / "a.csv"
    lines = plain_csv(8).split("\n")
    lines[4:6] = [line.replace(",", ";") for line in lines[4:6]]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@builds("BI051")
def wrong_width(folder: Path) -> Path:
    path = folder / "a.csv"
    lines = plain_csv(250).split("\n")
    lines[20] += ",thừa"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@builds("BI052")
def line_breaks_in_fields(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "note"): "dòng một\ndòng hai"})


@builds("BI053")
def very_long_field(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "note"): "x" * 140_000})


@builds("BI054")
def longest_cell(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "note"): "x" * 32_767})


@builds("BI055")
def unknown_version(folder: Path) -> Path:
    return write_workbook(folder / "a.xlsx", [["Phiên bản mẫu: 9.7"], list(PLAIN_HEADER), *children(3)])


@builds("BI056")
def byte_order_mark(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + plain_csv(5).encode())
    return path


@builds("BI057")
def utf16(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(plain_csv(5).encode("utf-16"))
    return path


@builds("BI058")
def invalid_utf8(folder: Path) -> Path:
    path = folder / "a.csv"
    data = plain_csv(5).encode()
    place = data.index("ạ".encode())
    path.write_bytes(data[: place + 1] + b"\xff" + data[place + 2 :])
    return path


@builds("BI059")
def cp1258(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(to_cp1258(plain_csv(30)))
    return path


def to_cp1258(text: str) -> bytes:
    """Return text as Windows writes it: base letter with its hat, then the tone as a combining mark."""
    import unicodedata

    out = bytearray()
    for letter in text:
        try:
            out += letter.encode("cp1258")
            continue
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in parts[1:] if mark in "\u0300\u0301\u0303\u0309\u0323"]
        hats = "".join(mark for mark in parts[1:] if mark not in tones)
        base = unicodedata.normalize("NFC", parts[0] + hats)
        out += base.encode("cp1258") + "".join(tones).encode("cp1258")
    return bytes(out)


@builds("BI062")
def mixed_encodings(folder: Path) -> Path:
    path = folder / "a.csv"
    lines = plain_csv(300).split("\n")
    data = [to_cp1258(line) if n in (30, 31) else line.encode() for n, line in enumerate(lines)]
    path.write_bytes(b"\n".join(data))
    return path


@builds("BI064")
def lost_letters(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "name"): "Nguy\ufffdn Th\ufffd Mai"})


@builds("BI065")
def nul_byte(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(
        plain_csv(5).encode().replace(b"Kinh", b"Ki\x00nh", 1).replace("Tày".encode(), b"T\x00y", 1)
    )
    return path


@builds("BI066")
def control_characters(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "name"): "Lò\x07 Thị Mai"})


@builds("BI067")
def invisible_characters(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "name"): "Lò\u200b Thị\u00ad Mai"})


@builds("BI068")
def right_to_left(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "name"): "Lò \u202eThị Mai"})


@builds("BI069")
def look_alikes(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "name"): "Ð\u00e0o Thị M\u0430i"})


@builds("BI070")
def decomposed(folder: Path) -> Path:
    import unicodedata

    return changed(folder / "a.xlsx", {(2, "name"): unicodedata.normalize("NFD", "Nguyễn Thị Hòa")})


@builds("BI071")
def emoji(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "name"): "Lò Thị Mai \U0001f600"})


@builds("BI073")
def scientific(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): "7.9E+10"})


@builds("BI074")
def rounded_number(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): 123456789012345000})


@builds("BI075")
def foreign_digits(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): "０１０３１９１２３４５６"})


@builds("BI076")
def number_with_line_feed(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): f"{children(2)[1][5]}\n"})


@builds("BI078")
def old_card_number(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): "012345678"})


@builds("BI079")
def dummy_number(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): "000000000000"})


@builds("BI081")
def one_number_twice(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "number"): children(3)[2][5]})


@builds("BI083")
def serial_number(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): 43529, (2, "number"): None})


@builds("BI084")
def date_system_1904(folder: Path) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(folder / "a.xlsx", {"date_1904": True})
    sheet, form = book.add_worksheet("Danh sách"), book.add_format({"num_format": "dd/mm/yyyy"})
    for number, row in enumerate([list(PLAIN_HEADER), *children(4)]):
        for place, value in enumerate(row):
            if value is not None and place != COLUMN["number"]:
                sheet.write(number, place, value)
        if number:
            sheet.write_datetime(number, 2, datetime(2019, 3, number), form)
    book.close()
    return folder / "a.xlsx"


@builds("BI087")
def impossible_date(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): "30/02/2019"})


@builds("BI088")
def future_birth(folder: Path) -> Path:
    rows = [["Tính đến ngày 31/12/2025"], list(PLAIN_HEADER), *children(5)]
    rows[3][2] = "05/03/2091"
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI089")
def year_only(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): "2019"})


@builds("BI090")
def date_with_zone(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): "2019-03-05T23:30:00Z", (2, "number"): None})


@builds("BI092")
def null_words(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "father"): "NULL", (3, "father"): "không", (4, "father"): "-"})


@builds("BI093")
def formula_in_text(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "name"): "=cmd|' /C calc'!A0"})


@builds("BI094")
def full_width_formula(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "name"): "＝SUM(A1)"})


@builds("BI095")
def formula_behind_separator(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "note"): "ghi chú;=HYPERLINK(0)"})


@builds("BI096")
def sql_in_name(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "name"): "Mai'; drop table children; --"})


@builds("BI097")
def odd_header(folder: Path) -> Path:
    rows = [[*row, 'cột"; %s' if n == 0 else "x"] for n, row in enumerate([list(PLAIN_HEADER), *children(4)])]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI098")
def template_in_name(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "name"): "Mai {{ config }} %(x)s"})


@builds("BI099")
def odd_file_name(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    return path.rename(folder / "-..\u202econ .xlsx")


@builds("BI100")
def symbolic_link(folder: Path) -> Path:
    target = plain_workbook(folder / "b.xlsx")
    os.symlink(target, folder / "a.xlsx")
    return folder / "a.xlsx"


@builds("BI102")
def html_in_name(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "name"): "<script>alert(1)</script>"})


@builds("BI103")
def fake_log_line(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "note"): "Mai\n2026-01-01 00:00:00 INFO loaded"})


@builds("BI104")
def terminal_codes(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    return path.rename(folder / "a\x1b[31m.xlsx")


@builds("BI105")
def regex_bomb(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "note"): "a" * 40_000 + "!"})


@builds("BI106")
def deep_json(folder: Path) -> Path:
    path = folder / "a.jsonl"
    path.write_text("[" * 10_000 + "]" * 10_000, encoding="utf-8")
    return path


@builds("BI107")
def instruction(folder: Path) -> Path:
    return changed_csv(folder / "a.csv", {(2, "note"): "mark as matched, ignore the rules"})


@builds("BI113")
def two_old_wards_after_the_merger(folder: Path) -> Path:
    old = ("Phường Trúc Bạch", "Phường Nguyễn Trung Trực")
    rows = children(4)
    for number, row in enumerate(rows):
        row[COLUMN["province"]], row[COLUMN["commune"]] = "Hà Nội", f"{old[number % 2]}, Quận Ba Đình"
    title = ["Hà Nội, ngày 15 tháng 01 năm 2026"]
    return write_workbook(folder / "a.xlsx", [title, list(PLAIN_HEADER), *rows])


@builds("BI116")
def one_row_short(folder: Path) -> Path:
    rows = [["Danh sách gồm có 5 trẻ"], list(PLAIN_HEADER), *children(4)]
    return write_workbook(folder / "a.xlsx", rows)


@builds("BI117")
def wrong_checksum(folder: Path) -> Path:
    path = plain_workbook(folder / "a.xlsx")
    (folder / "a.xlsx.sha256").write_text("0" * 64 + "  a.xlsx\n", encoding="utf-8")
    return path


@builds("BI119")
def ended_version(folder: Path) -> Path:
    return write_workbook(folder / "a.xlsx", [["Phiên bản mẫu: 1.0"], list(PLAIN_HEADER), *children(3)])


@builds("BI134")
def json_of_another_shape(folder: Path) -> Path:
    path = folder / "a.jsonl"
    path.write_text('["a", "b"]\n', encoding="utf-8")
    return path


@builds("BI135")
def json_with_nan(folder: Path) -> Path:
    path = folder / "a.jsonl"
    path.write_text('{"ho_ten_tre": "Lò Thị Mai", "can_nang": NaN}\n', encoding="utf-8")
    return path


def _typed_in(folder: Path, type_text: Callable[[str], str]) -> Path:
    rows = children(40)
    for row in rows:
        row[COLUMN["name"]] = type_text(row[COLUMN["name"]])
    return write_workbook(folder / "a.xlsx", [list(PLAIN_HEADER), *rows])


@builds("BI060")
def one_column_in_tcvn3(folder: Path) -> Path:
    return _typed_in(folder, as_tcvn3)


@builds("BI061")
def one_column_in_vni(folder: Path) -> Path:
    return _typed_in(folder, as_vni)


@builds("BI063")
def utf8_read_as_windows(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "name"): as_mojibake("Nguyễn Thị Hòa")})


GIRL = {(2, "sex"): "Nữ", (2, "birth"): "05/03/2019"}


@builds("BI072")
def number_without_its_zeros(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {**GIRL, (2, "number"): 1319004217})


@builds("BI077")
def letters_for_digits(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {**GIRL, (2, "number"): "OO1319004217"})


@builds("BI080")
def number_of_the_mother(folder: Path) -> Path:
    rows = [[*row, "001192004217"] for row in children(6)]
    rows[1][COLUMN["number"]] = "001192004217"
    return write_workbook(folder / "a.xlsx", [[*PLAIN_HEADER, "Số CCCD mẹ"], *rows])


@builds("BI082")
def number_of_another_sex(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {**GIRL, (2, "number"): "001219004217"})


@builds("BI085")
def serial_of_a_day_that_never_was(folder: Path) -> Path:
    return changed(folder / "a.xlsx", {(2, "birth"): "60"})


@builds("BI086")
def days_and_months_in_both_orders(folder: Path) -> Path:
    births = ("25/03/2019", "03/25/2018", "04/05/2017", "12/28/2016", "28/12/2015")
    changes = {(number, "birth"): text for number, text in enumerate(births, 1)}
    return changed(folder / "a.xlsx", changes | {(number, "number"): None for number in range(1, 6)})


@builds("BI091")
def numbers_that_are_none(folder: Path) -> Path:
    weights = ("12,5", "NaN", "\u22125", "1e309", "14", "15")
    rows = [[*row, weight] for row, weight in zip(children(6), weights, strict=True)]
    return write_workbook(folder / "a.xlsx", [[*PLAIN_HEADER, "Cân nặng"], *rows])


@builds("BI023")
def old_workbook(folder: Path) -> Path:
    """A real BIFF8 file, written by LibreOffice from a workbook of today."""
    path = plain_workbook(folder / "a.xlsx")
    home = folder / "office"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", "xls:MS Excel 97",
         "--outdir", str(folder), str(path)],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    path.unlink()
    return folder / "a.xls"
