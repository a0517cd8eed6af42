"""Files nobody prepared the reader for: other languages, other words for totals, odd separators, columns swapped."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sheet_factory import PLAIN_HEADER, children, csv_text, write_workbook

from childdb.reading import FileReading, Outcome, ReadOptions
from childdb.reading.child import read_bytes_of
from childdb.reading.reasons import FileStopped

Rows = list[list[Any]]
ENGLISH = ["No", "Name of child", "Birthday", "Gender (M/F)", "Ethnic", "National ID number", "Province/City",
           "Commune/Ward", "Hamlet", "Father's name", "Mother full name", "Comments"]  # fmt: skip
BILINGUAL = [
    "STT\nNo.", "Họ và tên\nFull name", "Ngày sinh\nDate of birth", "Giới tính\nSex", "Dân tộc\nEthnic group",
    "Số định danh\nPersonal ID", "Tỉnh / Province", "Xã / Commune", "Thôn\nHamlet", "Họ tên cha\nFather", "Họ tên mẹ\nMother",
    "Ghi chú\nNotes",
]  # fmt: skip
NEVER_SEEN = ["Thứ tự", "Tên đầy đủ của em bé", "Ngày chào đời", "Bé trai/gái", "Thuộc dân tộc nào", "Số CMT/định danh",
              "Thuộc tỉnh", "Thuộc xã", "Thuộc thôn", "Người cha", "Người mẹ", "Điều khác"]  # fmt: skip


def read(path: Path) -> FileReading | Any:
    return read_bytes_of(path, ReadOptions())


def check(reading: Any, rows: int) -> None:
    """Every row of the file has its place, and each child stands under the right columns."""
    assert reading.outcome.is_loaded, [f.message_en for f in reading.findings]
    assert reading.rows.num_rows == rows
    assert reading.physical_rows == reading.header_footer_rows + rows


@pytest.mark.parametrize("header", [ENGLISH, BILINGUAL, NEVER_SEEN, [text.upper() for text in ENGLISH]])
def test_headers_in_other_words_are_read_or_clearly_proposed(tmp_path: Path, header: list[str]) -> None:
    kids = children(9)
    reading = read(write_workbook(tmp_path / "a.xlsx", [header, *kids]))
    check(reading, 9)
    for place, name in ((1, "ho_ten_tre"), (2, "ngay_sinh"), (3, "gioi_tinh"), (4, "dan_toc"), (5, "so_dinh_danh"),
                        (6, "tinh"), (7, "xa"), (8, "thon"), (9, "ho_ten_cha"), (10, "ho_ten_me")):  # fmt: skip
        assert reading.rows[name].to_pylist() == [kid[place] for kid in kids], name


def test_wordings_nobody_knows_are_reported_and_wait_in_the_pipeline(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [NEVER_SEEN, *children(9)])
    alone = read(path)
    assert "STRUCT-HEADER" in {f.reason_code for f in alone.findings}
    assert alone.profile.header_proposal["Ngày chào đời"] == "ngay_sinh"
    held = read_bytes_of(path, ReadOptions(hold_unknown_headers=True))
    assert (held.outcome, held.reason_code) == (Outcome.QUARANTINE_FILE, "STRUCT-HEADER")


@pytest.mark.parametrize(
    ("labels", "end"),
    [
        (["Cộng thôn {n}", "4"], ["Toàn xã", "8"]),
        (["Subtotal", "4"], ["Grand total", "8"]),
        (["Khối {n}", "4"], ["Số trẻ của xã là: 8 trẻ"]),
        (["Nhóm lớp {n}", "", "4"], ["Danh sách gồm 08 trẻ em./."]),
        (["Thôn {n}: 4 trẻ"], ["Trong đó: nam 4, nữ 4"]),
    ],
)
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_sub_totals_in_any_words_are_no_children(
    tmp_path: Path, labels: list[str], end: list[str], kind: str
) -> None:
    rows: Rows = [list(PLAIN_HEADER)]
    for number in (1, 2):
        rows += children(4, seed=number)
        rows.append(["", *[text.format(n=number) for text in labels]])
    rows += [
        ["", *end],
        ["", "", "", "", "", "Ngày … tháng … năm 2025"],
        ["", "Cán bộ LĐTBXH"],
        ["", "(Đã ký)"],
    ]
    width = len(PLAIN_HEADER)
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        padded = [row + [""] * (width - len(row)) for row in rows]
        path.write_text(csv_text(padded), encoding="utf-8")
    else:
        write_workbook(path, rows)
    check(read(path), 8)


def test_children_named_like_totals_are_children(tmp_path: Path) -> None:
    kids = children(8)
    names = ["Tổng Văn Cộng", "Cộng Thị Tổng", "Toàn Văn Xã", "Cả Văn Thôn", "Trương Thị Total", "Thôn Văn Ba",
             "Ấp Văn Bình", "Bản Thị Sen"]  # fmt: skip
    for kid, name in zip(kids, names, strict=True):
        kid[1] = name
    reading = read(write_workbook(tmp_path / "a.xlsx", [list(PLAIN_HEADER), *kids]))
    check(reading, 8)
    assert reading.rows["ho_ten_tre"].to_pylist() == names


def test_a_sheet_without_a_header_is_held_with_its_rows(tmp_path: Path) -> None:
    book = Workbook()
    for place, rows in enumerate(([list(PLAIN_HEADER), *children(5)], children(4, seed=9))):
        sheet = book.worksheets[0] if place == 0 else book.create_sheet("Trang 2")
        for row in rows:
            sheet.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    reading = read(path)
    assert (reading.outcome, reading.reason_code) == (Outcome.QUARANTINE_FILE, "STRUCT-HEADER")
    assert (reading.physical_rows, reading.header_footer_rows, reading.rows.num_rows) == (10, 1, 9)
    assert reading.rows["row_reason"].null_count == 0


@pytest.mark.parametrize("pair", [(1, 2), (3, 4), (1, 5), (2, 3), (6, 5)])
def test_columns_swapped_under_their_headers_hold_the_file(tmp_path: Path, pair: tuple[int, int]) -> None:
    kids = children(12)
    for kid in kids:
        kid[pair[0]], kid[pair[1]] = kid[pair[1]], kid[pair[0]]
    reading = read(write_workbook(tmp_path / "a.xlsx", [list(PLAIN_HEADER), *kids]))
    assert (reading.outcome, reading.reason_code) == (Outcome.QUARANTINE_FILE, "STRUCT-SHIFT")


def test_year_is_not_male_where_day_month_year_stand_alone(tmp_path: Path) -> None:
    header = ["STT", "Họ", "Tên", "Ngày", "Tháng", "Năm", "Nam", "Nữ", "Dân tộc", "Xã", "Tỉnh"]
    rows: Rows = [header]
    for kid in children(6):
        day, month, year = kid[2].split("/")
        surname, given = kid[1].rsplit(" ", 1)
        sex = ["x", None] if kid[3] == "Nam" else [None, "x"]
        rows.append([kid[0], surname, given, int(day), int(month), int(year), *sex, kid[4], kid[7], kid[6]])
    reading = read(write_workbook(tmp_path / "a.xlsx", rows))
    check(reading, 6)
    assert reading.rows["gioi_tinh"].to_pylist() == [kid[3] for kid in children(6)]
    assert [text.split("/")[2] for text in reading.rows["ngay_sinh"].to_pylist()] == [
        kid[2].split("/")[2] for kid in children(6)
    ]


@pytest.mark.parametrize(
    ("delimiter", "encoding", "end"),
    [
        (",", "utf-8", "\r"),
        (";", "utf-8-sig", "\r\n"),
        ("\t", "utf-16", "\r\n"),
        ("|", "utf-8", "\n"),
        ("~", "utf-8", "\n"),
        (";", "cp1258", "\r\n"),
        ("\t", "cp1258", "\r"),
        (",", "utf-16", "\n"),
    ],
)
def test_separators_encodings_and_line_ends(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    text = csv_text([list(PLAIN_HEADER), *children(7)], delimiter, end)
    path = tmp_path / "a.csv"
    path.write_bytes(windows_1258(text) if encoding == "cp1258" else text.encode(encoding))
    reading = read(path)
    check(reading, 7)
    assert reading.rows["ho_ten_tre"].to_pylist() == [kid[1] for kid in children(7)]


def windows_1258(text: str) -> bytes:
    """Return text as old keyboards typed it: letters with their hooks, tone marks behind them."""
    import unicodedata

    out = bytearray()
    for letter in text:
        try:
            out += letter.encode("cp1258")
        except UnicodeEncodeError:
            base, *marks = unicodedata.normalize("NFD", letter)
            tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
            others = [mark for mark in marks if mark not in tones]
            out += unicodedata.normalize("NFC", base + "".join(others)).encode("cp1258")
            out += "".join(tones).encode("cp1258")
    return bytes(out)


def test_utf16_without_its_mark_is_held(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([list(PLAIN_HEADER), *children(7)]).encode("utf-16-le"))
    with pytest.raises(FileStopped) as stop:
        read(path)
    assert (stop.value.code, stop.value.outcome) == ("ENC-UTF16", Outcome.QUARANTINE_FILE)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_columns_blank_columns_and_titles_between(tmp_path: Path, seed: int) -> None:
    rnd = random.Random(seed)
    order = list(range(len(PLAIN_HEADER)))
    rnd.shuffle(order)
    left = rnd.randrange(4)
    kids = children(11, seed)
    rows: Rows = [["UBND XÃ MƯỜNG KHƯƠNG"], [None] * left + [f"Mẫu số {seed}"]]
    rows += [[None] * left + [row[place] for place in order] for row in [list(PLAIN_HEADER), *kids]]
    for at in sorted(rnd.sample(range(4, len(rows)), 2), reverse=True):
        rows.insert(at, [])
    reading = read(write_workbook(tmp_path / "a.xlsx", rows))
    check(reading, 11)
    assert reading.rows["ho_ten_me"].to_pylist() == [kid[10] for kid in kids]
