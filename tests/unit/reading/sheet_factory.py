"""Invented children as workbooks and CSV files in many shapes; nothing here describes a real person."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

PLAIN_HEADER = (
    "STT", "Họ và tên trẻ", "Ngày, tháng, năm sinh", "Giới tính", "Dân tộc", "Số định danh cá nhân", "Tỉnh/Thành phố",
    "Xã/Phường", "Thôn/Tổ dân phố", "Họ tên cha", "Họ tên mẹ", "Ghi chú",
)  # fmt: skip
PLAIN_COLUMNS = (
    "stt", "ho_ten_tre", "ngay_sinh", "gioi_tinh", "dan_toc", "so_dinh_danh", "tinh", "xa", "thon", "ho_ten_cha",
    "ho_ten_me", "ghi_chu",
)  # fmt: skip
_SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Lò", "Vàng", "Hoàng")
_MIDDLE = {"Nam": ("Văn", "Minh", "Đức"), "Nữ": ("Thị", "Ngọc", "Thu")}
_GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khôi", "Lan", "Mai", "Phúc", "Quỳnh", "Sơn")


def child(number: int, seed: int = 7) -> list[Any]:
    """Return one invented child in the order of ``PLAIN_COLUMNS``."""
    rnd = random.Random(seed * 100_003 + number)
    sex = rnd.choice(("Nam", "Nữ"))
    year = rnd.randrange(2011, 2025)
    day, month = rnd.randrange(1, 29), rnd.randrange(1, 13)
    digit = 2 if sex == "Nam" else 3
    surname = rnd.choice(_SURNAMES)
    return [
        number,
        f"{surname} {rnd.choice(_MIDDLE[sex])} {rnd.choice(_GIVEN)}",
        f"{day:02d}/{month:02d}/{year}",
        sex,
        rnd.choice(("Kinh", "Tày", "Mông")),
        f"0{rnd.choice((10, 12, 14))}{digit}{year % 100:02d}{rnd.randrange(10**6):06d}",
        "Tỉnh Lào Cai",
        "Xã Mường Khương",
        f"Thôn {rnd.randrange(1, 6)}",
        f"{surname} Văn {rnd.choice(_GIVEN)}",
        f"{rnd.choice(_SURNAMES)} Thị {rnd.choice(_GIVEN)}",
        None,
    ]


def children(count: int, seed: int = 7) -> list[list[Any]]:
    """Return some invented children."""
    return [child(number, seed) for number in range(1, count + 1)]


def fill(sheet: Worksheet, rows: list[list[Any]]) -> None:
    """Append rows to a sheet."""
    for row in rows:
        sheet.append(list(row))


def write_workbook(path: Path, rows: list[list[Any]], *, title: str = "Danh sách") -> Path:
    """Write one sheet of rows."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    fill(sheet, rows)
    book.save(path)
    return path


def plain_workbook(path: Path, count: int = 6) -> Path:
    """Write a workbook with its header in row 1 and nothing unusual."""
    return write_workbook(path, [list(PLAIN_HEADER), *children(count)])


def csv_text(rows: list[list[Any]], delimiter: str = ",", end: str = "\n") -> str:
    """Return rows as CSV text."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return stream.getvalue()


def plain_csv(count: int = 6, delimiter: str = ",", end: str = "\n") -> str:
    """Return a CSV with its header in record 1 and nothing unusual."""
    return csv_text([list(PLAIN_HEADER), *children(count)], delimiter, end)
