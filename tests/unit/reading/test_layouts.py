"""Sheets in shapes that people use: whatever the layout, each child is one row under the right columns."""

from __future__ import annotations

import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sheet_factory import (
    PLAIN_COLUMNS,
    PLAIN_HEADER,
    child,
    children,
    csv_text,
    plain_workbook,
    write_workbook,
)

from childdb.reading import FileReading, Outcome, read_file


def codes(reading: FileReading) -> set[str]:
    return {finding.reason_code for finding in reading.findings}


def column(reading: FileReading, name: str) -> list[Any]:
    return reading.rows[name].to_pylist()


def check_ledger(reading: FileReading) -> None:
    assert reading.physical_rows == reading.header_footer_rows + reading.rows.num_rows


def test_plain_workbook_is_accepted_without_a_flag(tmp_path: Path) -> None:
    reading = read_file(plain_workbook(tmp_path / "a.xlsx", 5))
    assert (reading.outcome, reading.reason_code) == (Outcome.ACCEPT, None)
    assert (reading.physical_rows, reading.header_footer_rows, reading.rows.num_rows) == (6, 1, 5)
    for place, name in enumerate(PLAIN_COLUMNS):
        wanted = [None if row[place] is None else str(row[place]) for row in children(5)]
        assert column(reading, name) == wanted
    assert column(reading, "row_no") == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("seed", range(6))
def test_column_order_does_not_matter(tmp_path: Path, seed: int) -> None:
    order = list(range(len(PLAIN_HEADER)))
    random.Random(seed).shuffle(order)
    rows = [[row[place] for place in order] for row in [list(PLAIN_HEADER), *children(9)]]
    reading = read_file(write_workbook(tmp_path / "a.xlsx", rows))
    assert reading.outcome is Outcome.ACCEPT
    assert column(reading, "ho_ten_me") == [row[10] for row in children(9)]
    assert column(reading, "so_dinh_danh") == [row[5] for row in children(9)]


def report_rows() -> list[list[Any]]:
    rows: list[list[Any]] = [
        ["UBND XÃ MƯỜNG KHƯƠNG", None, None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
        ["TỈNH LÀO CAI", None, None, None, "Độc lập - Tự do - Hạnh phúc"],
        [],
        ["DANH SÁCH TRẺ EM TRÊN ĐỊA BÀN XÃ"],
        ["(Tính đến ngày 30/9/2025)"],
        [],
        [
            "STT",
            "Họ và tên",
            "Ngày sinh",
            "Giới tính",
            None,
            "Dân tộc",
            "Cha",
            None,
            "Mẹ",
            None,
            "Hoàn cảnh đặc biệt",
        ],
        [
            None,
            None,
            None,
            "Nam",
            "Nữ",
            None,
            "Họ tên",
            "Năm sinh",
            "Họ tên",
            "Năm sinh",
            "Mồ côi",
            "Khuyết tật",
        ],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)", "(11)", "(12)"],
    ]
    for hamlet in (1, 2):
        rows.append([f"Thôn {hamlet}"])
        for number in range(1, 4):
            kid = child(number + 10 * hamlet)
            sex = ["x", None] if kid[3] == "Nam" else [None, "x"]
            rows.append(
                [
                    number,
                    kid[1],
                    kid[2],
                    *sex,
                    kid[4],
                    kid[9],
                    1990,
                    kid[10],
                    1992,
                    "x" if number == 1 else None,
                    "x" if number < 3 else None,
                ]
            )
        rows.append([f"Cộng thôn {hamlet}: 3"])
    rows += [
        ["Tổng cộng: 6 trẻ"],
        [],
        [None, None, None, None, None, None, "Mường Khương, ngày 05 tháng 10 năm 2025"],
        ["NGƯỜI LẬP BIỂU", None, None, None, None, None, "CHỦ TỊCH UBND XÃ"],
        ["(Ký, ghi rõ họ tên)"],
        [],
        ["Lò Thị Mai", None, None, None, None, None, "Vàng Văn Sơn"],
    ]
    return rows


def report_workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            if value is not None:
                sheet.cell(number, place, value)
    for area in ("A7:A8", "B7:B8", "C7:C8", "D7:E7", "F7:F8", "G7:H7", "I7:J7", "K7:L7", "A4:L4", "A10:L10"):
        sheet.merge_cells(area)
    book.save(path)
    return path


def test_report_sheet_with_titles_groups_hamlets_totals_and_signatures(tmp_path: Path) -> None:
    reading = read_file(report_workbook(tmp_path / "a.xlsx", report_rows()))
    check_ledger(reading)
    assert reading.outcome is Outcome.ACCEPT_FLAGGED
    assert reading.rows.num_rows == 6
    kids = [child(number + 10 * hamlet) for hamlet in (1, 2) for number in (1, 2, 3)]
    assert column(reading, "ho_ten_tre") == [kid[1] for kid in kids]
    assert column(reading, "gioi_tinh") == [kid[3] for kid in kids]
    assert column(reading, "ho_ten_cha") == [kid[9] for kid in kids]
    assert column(reading, "ho_ten_me") == [kid[10] for kid in kids]
    assert column(reading, "nam_sinh_me") == ["1992"] * 6
    assert column(reading, "thon") == ["Thôn 1"] * 3 + ["Thôn 2"] * 3
    assert column(reading, "hoan_canh_dac_biet") == ["Mồ côi; Khuyết tật", "Khuyết tật", None] * 2
    assert reading.profile.stated_date == date(2025, 9, 30)
    assert reading.profile.stated_unit_texts["commune"] == "XÃ MƯỜNG KHƯƠNG"
    assert reading.profile.stated_unit_texts["province"] == "TỈNH LÀO CAI"
    assert {"STRUCT-HEADER", "STRUCT-SECTION", "STRUCT-FOOTER"} <= codes(reading)


def test_stated_total_that_disagrees_holds_the_file(tmp_path: Path) -> None:
    rows = report_rows()
    place = next(n for n, row in enumerate(rows) if row and row[0] == "Tổng cộng: 6 trẻ")
    rows[place] = ["Tổng cộng: 7 trẻ"]
    reading = read_file(report_workbook(tmp_path / "a.xlsx", rows))
    assert (reading.outcome, reading.reason_code) == (Outcome.QUARANTINE_FILE, "DEL-COUNT")
    check_ledger(reading)


def test_a_row_deleted_under_a_stated_total_is_noticed(tmp_path: Path) -> None:
    rows = report_rows()
    kids = [n for n, row in enumerate(rows) if row and isinstance(row[0], int)]
    for gone in kids:
        shorter = rows[:gone] + rows[gone + 1 :]
        reading = read_file(report_workbook(tmp_path / f"{gone}.xlsx", shorter))
        assert reading.reason_code == "DEL-COUNT"


HEADER_WORDINGS = (
    ["TT", "Họ, chữ đệm và tên trẻ em", "Ngày/tháng/năm sinh", "Giới tính (Nam/Nữ)", "Dân tộc", "Mã định danh cá nhân", "Tỉnh", "Xã, phường, thị trấn", "Thôn/bản", "Bố", "Mẹ", "Ghi chú"],
    ["Số TT", "Họ tên trẻ", "Sinh ngày", "Giới", "Thành phần dân tộc", "Số ĐDCN/CCCD của trẻ", "Tỉnh/TP", "Phường/Xã", "Tổ/Thôn", "Họ và tên bố", "Họ và tên mẹ", "GC"],
    ["stt", "HỌ VÀ TÊN  TRẺ", "NGÀY THÁNG\nNĂM SINH", "GIỚI TÍNH", "DÂN TỘC", "SỐ ĐỊNH DANH", "TỈNH, THÀNH PHỐ", "XÃ", "XÓM", "HỌ TÊN CHA", "HỌ TÊN MẸ", "GHI CHÚ"],
    ["No", "Full name", "Date of birth", "Sex", "Ethnicity", "Personal id", "Province", "Commune", "Hamlet", "Father name", "Mother name", "Notes"],
    ["1. STT", "2. Họ và tên của trẻ em", "3. Ngày tháng năm sinh của trẻ", "4. Giới tính của trẻ em", "5. Dân tộc của trẻ", "6. Số định danh của trẻ", "7. Tên tỉnh", "8. Tên xã", "9. Tên thôn", "10. Họ tên của cha", "11. Họ tên của mẹ", "12. Ghi chú"],
    ["Stt (1)", "Họ tên trẻ em *", "Ngày sinh (dd/mm/yyyy) *", "Giới tính *", "Dân tộc *", "CCCD/Mã định danh", "Tỉnh *", "Xã *", "Thôn", "Họ tên cha đẻ", "Họ tên mẹ đẻ", "Ghi chú khác"],
)  # fmt: skip


@pytest.mark.parametrize("header", HEADER_WORDINGS, ids=lambda header: header[1].split("\n")[0])
def test_headers_in_other_words_are_understood(tmp_path: Path, header: list[str]) -> None:
    reading = read_file(write_workbook(tmp_path / "a.xlsx", [header, *children(8)]))
    assert reading.outcome in (Outcome.ACCEPT, Outcome.ACCEPT_FLAGGED)
    for place, name in enumerate(PLAIN_COLUMNS):
        wanted = [None if row[place] is None else str(row[place]) for row in children(8)]
        assert column(reading, name) == wanted, name


def test_missing_optional_and_extra_columns(tmp_path: Path) -> None:
    keep = [1, 2, 3, 4, 6, 7]
    rows = [[row[place] for place in keep] for row in [list(PLAIN_HEADER), *children(5)]]
    rows = [[*row, "Màu yêu thích" if number == 0 else "xanh"] for number, row in enumerate(rows)]
    reading = read_file(write_workbook(tmp_path / "a.xlsx", rows))
    assert (reading.outcome, reading.reason_code) == (Outcome.ACCEPT_FLAGGED, "STRUCT-NEW-COLUMN")
    assert column(reading, "_extra") == ['{"Màu yêu thích": "xanh"}'] * 5
    assert column(reading, "so_dinh_danh") == [None] * 5


def test_dates_numbers_and_truth_values_keep_their_meaning(tmp_path: Path) -> None:
    kids = children(4)
    kids[0][2], kids[1][2], kids[2][2] = datetime(2019, 3, 5), 43529, datetime(2019, 3, 5, 9, 30)
    kids[0][5], kids[1][5] = 1319000001, 36219000123.0
    reading = read_file(write_workbook(tmp_path / "a.xlsx", [list(PLAIN_HEADER), *kids]))
    assert column(reading, "ngay_sinh")[:3] == ["2019-03-05", "43529", "2019-03-05T09:30:00"]
    assert column(reading, "so_dinh_danh")[:2] == ["1319000001", "36219000123"]
    place = reading.rows.schema.names.index("ngay_sinh") - 3
    assert [kinds[place] for kinds in column(reading, "_kinds")] == ["d", "n", "d", "t"]


def test_name_and_date_in_parts_and_date_under_sex(tmp_path: Path) -> None:
    header = [
        ["STT", "Họ và tên đệm", "Tên", "Ngày sinh", None, "Dân tộc", "Tỉnh", "Xã"],
        [None, None, None, "Nam", "Nữ"],
    ]
    kids = []
    for kid in children(5):
        first, _, last = str(kid[1]).rpartition(" ")
        born = [kid[2], None] if kid[3] == "Nam" else [None, kid[2]]
        kids.append([kid[0], first, last, *born, kid[4], kid[6], kid[7]])
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [*header, *kids]:
        sheet.append(row)
    for area in ("A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:F2", "G1:G2", "H1:H2"):
        sheet.merge_cells(area)
    book.save(tmp_path / "a.xlsx")
    reading = read_file(tmp_path / "a.xlsx")
    assert column(reading, "ngay_sinh") == [kid[2] for kid in children(5)]
    assert column(reading, "gioi_tinh") == [kid[3] for kid in children(5)]
    assert column(reading, "ho_ten_tre") == [kid[1] for kid in children(5)]


def test_one_sheet_per_hamlet_and_a_look_up_sheet(tmp_path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    without_hamlet = [place for place in range(len(PLAIN_HEADER)) if place != 8]
    for hamlet in (1, 2):
        sheet = book.create_sheet(f"Thôn {hamlet}")
        for row in [list(PLAIN_HEADER), *children(3, seed=hamlet)]:
            sheet.append([row[place] for place in without_hamlet])
    codes_sheet = book.create_sheet("Danh mục")
    for row in (["Dân tộc", "Mã"], ["Kinh", "01"], ["Tày", "02"]):
        codes_sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    reading = read_file(tmp_path / "a.xlsx")
    check_ledger(reading)
    assert (reading.physical_rows, reading.header_footer_rows, reading.rows.num_rows) == (11, 5, 6)
    assert column(reading, "thon") == ["Thôn 1"] * 3 + ["Thôn 2"] * 3
    assert reading.reason_code == "STRUCT-SHEETS"


def test_a_continuation_sheet_without_header_is_never_taken_for_a_look_up(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    for row in [list(PLAIN_HEADER), *children(4)]:
        first.append(row)
    second = book.create_sheet("Trang 2")
    for row in children(4, seed=3):
        second.append(row)
    book.save(tmp_path / "a.xlsx")
    reading = read_file(tmp_path / "a.xlsx")
    assert (reading.outcome, reading.reason_code) == (Outcome.QUARANTINE_FILE, "STRUCT-HEADER")


def test_a_header_repeated_on_each_printed_page_is_no_child(tmp_path: Path) -> None:
    rows = [list(PLAIN_HEADER), *children(4), list(PLAIN_HEADER), *children(4, seed=9)]
    reading = read_file(write_workbook(tmp_path / "a.xlsx", rows))
    assert (reading.rows.num_rows, reading.header_footer_rows) == (8, 2)


def test_children_with_only_a_name_and_number_stay_rows(tmp_path: Path) -> None:
    rows = [list(PLAIN_HEADER), *children(6)]
    rows[3] = [3, rows[3][1]]
    rows[6] = [6, rows[6][1]]
    reading = read_file(write_workbook(tmp_path / "a.xlsx", rows))
    assert reading.rows.num_rows == 6


def test_the_surname_tong_is_no_total(tmp_path: Path) -> None:
    rows = [list(PLAIN_HEADER), *children(3)]
    rows[2][1] = "Tống Văn Cộng"
    reading = read_file(write_workbook(tmp_path / "a.xlsx", rows))
    assert reading.rows.num_rows == 3


def test_prefilled_empty_form_lines_are_no_children(tmp_path: Path) -> None:
    rows = [
        list(PLAIN_HEADER),
        *children(3),
        *[[n, None, None, None, None, None, "Tỉnh Lào Cai"] for n in (4, 5, 6)],
    ]
    reading = read_file(write_workbook(tmp_path / "a.xlsx", rows))
    assert (reading.physical_rows, reading.rows.num_rows) == (7, 3)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_titles_and_any_separator(tmp_path: Path, delimiter: str) -> None:
    rows = [
        ["UBND XÃ MƯỜNG KHƯƠNG"],
        ["DANH SÁCH TRẺ EM ĐẾN NGÀY 31/12/2024"],
        list(PLAIN_HEADER),
        *children(5),
        ["Tổng cộng: 5"],
    ]
    path = tmp_path / "a.csv"
    path.write_text(csv_text(rows, delimiter), encoding="utf-8")
    reading = read_file(path)
    check_ledger(reading)
    assert reading.outcome is Outcome.ACCEPT_FLAGGED
    assert column(reading, "ho_ten_tre") == [row[1] for row in children(5)]
    assert column(reading, "row_no") == [4, 5, 6, 7, 8]
    assert reading.profile.stated_date == date(2024, 12, 31)


def test_machine_names_as_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(csv_text([list(PLAIN_COLUMNS), *children(5)]), encoding="utf-8")
    reading = read_file(path)
    assert (reading.outcome, reading.rows.num_rows) == (Outcome.ACCEPT, 5)
    assert column(reading, "row_no")[0] == 2
