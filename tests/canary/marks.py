"""Marked children: invented records whose every field holds a text or number that occurs nowhere else.

All marked texts share one core of letters and all marked numbers one run of digits, so that a search for the
core finds every one of them, whole or cut, in whatever form it leaked.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

CORE = "Zqvkuuw"
LETTERS = "abdeghiklmnoprstuvxy"
CHILD_NUMBER = "00132097"  # a girl registered in 001 in 2020; nobody's tail begins with 97 in any other test
MOTHER_NUMBER = "00118597"
FATHER_NUMBER = "00108597"
PHONE = "091297"
INSURANCE = "TE101970"
CHILDREN = 40

# Captions of the export, in the order of its columns; the reference seed has the full list with its sources.
COLUMNS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "reference" / "export_columns.csv"

CODED = {
    "gioi_tinh": "Nữ",
    "dan_toc": "Kinh",
    "ton_giao": "Không",
    "quoc_tich": "Việt Nam",
    "da_dang_ky_khai_sinh": "x",
    "tinh": "Thành phố Hà Nội",
    "xa": "Phường Ba Đình",
    "tinh_trang_cu_tru": "Thường trú có mặt",
    "quan_he_chu_ho": "Con",
    "nam_sinh_cha": "1985",
    "nam_sinh_me": "1985",
    "hoan_canh_dac_biet": "",
    "nguy_co": "",
    "ho_ngheo": "Cận nghèo",
    "dang_tat": "",
    "muc_do_khuyet_tat": "",
    "ho_tro": "",
    "ngay_ho_tro": "",
    "tinh_trang_hoc_tap": "Đang học",
    "tiem_chung": "Đầy đủ",
    "can_nang": "18,5",
    "chieu_cao": "110",
    "bien_dong": "",
    "ngay_bien_dong": "",
    "huyen": "",
}
TYPED = (CODED.keys() - {"tinh", "huyen", "xa"}) | {
    "so_dinh_danh",
    "ngay_dang_ky_khai_sinh",
    "ngay_cap_nhat",
    "ma_tre",
    "the_bhyt",
}
NAMES = {
    "ho_ten_tre",
    "ten_goi_khac",
    "ho_ten_chu_ho",
    "ho_ten_cha",
    "ho_ten_me",
    "ho_ten_giam_ho",
    "nguoi_nhap",
}


def word(field: int, child: int) -> str:
    """Return a capitalised word of letters only that belongs to one field of one child."""
    count = len(LETTERS)
    places = (field // count, field % count, child // count**2, child // count % count, child % count)
    tail = "".join(LETTERS[place] for place in places)
    return CORE + tail


def child_number(child: int) -> str:
    """Return a child's twelve digits."""
    return f"{CHILD_NUMBER}{child:04d}"


def mother_number(child: int) -> str:
    """Return the twelve digits of a child's mother."""
    return f"{MOTHER_NUMBER}{child:04d}"


def father_number(child: int) -> str:
    """Return the twelve digits of a child's father."""
    return f"{FATHER_NUMBER}{child:04d}"


def columns() -> list[tuple[str, str]]:
    """Return column and caption of the export, in order."""
    import csv

    with open(COLUMNS, encoding="utf-8", newline="") as file:
        return [
            (row["column"], row["header_seen_or_expected"].split(" / ")[0]) for row in csv.DictReader(file)
        ]


def record(child: int) -> dict[str, str]:
    """Return one marked child that passes every check."""
    values = {}
    for field, (column, _) in enumerate(columns()):
        name = f"{word(field, child)}"
        values[column] = CODED.get(column, f"Nguyễn Thị {name}" if column in NAMES else name)
    born = f"{child % 27 + 1:02d}/{child % 12 + 1:02d}/2020"
    values |= {
        "stt": str(child + 1),
        "ma_ho": f"{child + 1:04d}",
        "ma_tre": f"24{9700000 + child:08d}",
        "ngay_sinh": born,
        "so_dinh_danh": child_number(child),
        "ngay_dang_ky_khai_sinh": "15/01/2021",
        "the_bhyt": f"{INSURANCE}{child:07d}",
        "so_dinh_danh_cha": father_number(child),
        "dien_thoai_cha": f"{PHONE}{child:04d}",
        "so_dinh_danh_me": mother_number(child),
        "dien_thoai_me": f"{PHONE}{child + 5000:04d}",
        "so_dinh_danh_giam_ho": "",
        "ngay_cap_nhat": "20/09/2025 09:12",
        "que_quan": f"Xã {word(55, child)}, Hà Nội",
    }
    return values


def spoiled(child: int) -> dict[str, str]:
    """Return a marked child whose typed and coded fields hold text that no rule can read."""
    values = record(child)
    for field, (column, _) in enumerate(columns()):
        if column in TYPED:
            values[column] = word(field, child)
    if child % 2:
        values["ngay_sinh"] = word(57, child)
    return values


def write_workbook(path: Path, rows: list[dict[str, str]], extra: str | None = None) -> None:
    """Write a commune's export as a workbook: title, date, captions, rows; `extra` adds a column nobody knows."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Danh sách")
    sheet.write_string(0, 0, "DANH SÁCH TRẺ EM")
    sheet.write_string(1, 0, "Phường Ba Đình, Thành phố Hà Nội")
    sheet.write_string(2, 0, "Ngày 30 tháng 9 năm 2025")
    known = columns()
    for column, (_, caption) in enumerate(known):
        sheet.write_string(4, column, caption)
    if extra:
        sheet.write_string(4, len(known), extra)
    for offset, row in enumerate(rows):
        for column, (name, _) in enumerate(known):
            if row[name]:
                sheet.write_string(5 + offset, column, row[name])
        if extra:
            sheet.write_string(5 + offset, len(known), word(58, offset))
    book.close()


def write_hidden(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a workbook with a hidden sheet, a comment, a formula without value and document properties, all marked."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"title": word(60, 0), "author": word(60, 1), "comments": word(60, 2)})
    sheet = book.add_worksheet("Danh sách")
    hidden = book.add_worksheet("Phụ")
    hidden.hide()
    hidden.write_string(0, 0, word(61, 0))
    for column, (_, caption) in enumerate(columns()):
        sheet.write_string(0, column, caption)
    for offset, row in enumerate(rows, start=1):
        for column, (name, _) in enumerate(columns()):
            sheet.write_string(offset, column, row[name])
    sheet.write_comment(1, 3, word(61, 1))
    sheet.write_formula(1, 4, f'="{word(61, 2)}"&A1', value="")
    book.close()


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    """Write an export as CSV with one torn record: a quotation mark that is never closed."""
    known = columns()
    lines = [";".join(caption for _, caption in known)]
    lines += [";".join(row[name].replace(";", ",") for name, _ in known) for row in rows]
    lines += [f'"{word(59, 0)};{child_number(9000)}']
    path.write_text("\n".join(lines), encoding="utf-8")


def write_broken(path: Path) -> None:
    """Write a file that claims to be a workbook and is cut, with marks readable in its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", f"<c><v>{word(62, 0)} {child_number(9001)}</v></c>" * 50)
    path.write_bytes(buffer.getvalue()[:-200])


def write_population(path: Path, children: range) -> None:
    """Write a population extract that holds the marked children with their parents."""
    rows = [record(child) for child in children]
    days = [f"{r['ngay_sinh'][6:]}-{r['ngay_sinh'][3:5]}-{r['ngay_sinh'][:2]}" for r in rows]
    text = {
        "person_id": [f"P{child:09d}" for child in children],
        "personal_id_no": [child_number(child) for child in children],
        "full_name": [r["ho_ten_tre"].upper() for r in rows],
        "sex": ["2" for _ in rows],
        "birth_date": days,
        "ethnic_group_text": ["01" for _ in rows],
        "province_code": ["01" for _ in rows],
        "commune_code": ["00004" for _ in rows],
        "hamlet_name": [r["thon"] for r in rows],
        "household_no": [r["ma_ho"] for r in rows],
        "mother_name": [r["ho_ten_me"].upper() for r in rows],
        "mother_personal_id_no": [mother_number(child) for child in children],
        "father_name": [r["ho_ten_cha"].upper() for r in rows],
        "father_personal_id_no": [father_number(child) for child in children],
        "phone_no": [r["dien_thoai_me"] for r in rows],
        "birth_registration_no": [r["so_khai_sinh"] for r in rows],
    }
    table = pa.table(text)
    table = table.set_column(3, "sex", table["sex"].cast(pa.int64()))
    table = table.set_column(4, "birth_date", table["birth_date"].cast(pa.date32()))
    pq.write_table(table, path)


@dataclass(frozen=True)
class Deliveries:
    """Where the marked files of one run lie."""

    drop: Path
    population: Path


def write_deliveries(folder: Path) -> Deliveries:
    """Write every kind of marked file: whole, spoiled, unknown, hidden, torn, broken."""
    drop = folder / "drop"
    drop.mkdir(parents=True)
    good = [record(child) for child in range(CHILDREN)]
    write_workbook(drop / "bao_cao_1.xlsx", good)
    write_workbook(drop / "bao_cao_2.xlsx", [spoiled(child) for child in range(100, 120)])
    write_workbook(
        drop / "bao_cao_3.xlsx", [record(child) for child in range(120, 130)], extra="Cột chưa gặp"
    )
    write_hidden(drop / "bao_cao_4.xlsx", [record(child) for child in range(130, 140)])
    write_csv(drop / "bao_cao_5.csv", [record(child) for child in range(140, 150)])
    write_broken(drop / "bao_cao_6.xlsx")
    write_population(folder / "dan_cu.parquet", range(CHILDREN - 5))
    return Deliveries(drop, folder / "dan_cu.parquet")


def hashes() -> frozenset[str]:
    """Return plain hashes of marked numbers: a plain hash of a number is the number."""
    numbers = [make(child) for make in (child_number, mother_number, father_number) for child in range(150)]
    forms = [form for number in numbers for form in (number, f"id12|{number}", number.lstrip("0"))]
    return frozenset(
        hashlib.new(kind, form.encode()).hexdigest() for form in forms for kind in ("sha256", "sha1", "md5")
    )
