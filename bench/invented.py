"""Invented children for the proofs of cleaning: clean rows of every group, made without any code of the cleaning step."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from childdb.reading.model import FileProfile, FileReading, Outcome
from childdb.reference import SEEDS, export_columns

FILE_DATE = date(2025, 6, 20)
SURNAMES = (
    "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Chử Khổng Lỗ Quách Ông Giáp Khúc Doãn Nghiêm "
    "Mẫn Thẩm Tôn Uông Kiều Mạc Đinh Đoàn Trịnh Cao Tạ Châu Lương Tống Thái Hứa Vương Triệu Từ Âu Phùng Tăng Lưu Ninh Đào"
).split()
MIDDLES = {
    "female": "Thị Ngọc Thu Thanh Diệu Khánh Quỳnh Thuỳ Bảo Tường Hải Mỹ Hà Phương Như Yến Kim Cẩm Ái Bích".split(),
    "male": "Văn Hữu Đức Quốc Minh Gia Đăng Hoàng Công Thế Xuân Trọng Đình Khắc Bá Tấn Nhật Quang Duy Viết".split(),
}
GIVEN = {
    "female": ("An Anh Ánh Bình Chi Diễm Dung Duyên Giang Hạnh Hằng Hậu Hiền Hòa Hoa Huệ Hương Khuê Lam Lan Lệ Liên Linh Loan Ly "
               "Mai Mẫn My Nga Ngân Nguyệt Nhi Nhung Oanh Phượng Quế Quyên Quỳnh Sương Tâm Thảo Thoa Thơ Thủy Thúy Tiên Trà "
               "Trâm Trinh Tuyền Tuyết Uyên Vân Vi Vy Xuyến Yến Ý").split(),
    "male": ("Anh Ân Bách Bảo Bằng Bình Chiến Chương Cường Dũng Duy Đạt Định Đông Hải Hào Hiếu Hiệp Hòa Hoàn Huân Hùng Huy Hưng "
             "Kha Khải Khang Khánh Khiêm Khoa Khôi Kiệt Lâm Lộc Lợi Luân Mạnh Nam Nghĩa Nguyên Nhân Phát Phong Phúc Quân Quý "
             "Sang Sơn Tài Tân Thắng Thiện Thịnh Thuận Tiến Toàn Trí Triết Trung Tú Tuấn Tùng Việt Vinh Vượng").split(),
}  # fmt: skip
MINORITY_GIVEN = (
    "Dính Pao Brưk Đăm Linh Nhi Rơm Bă Ñot Čih Mai Hơ Xuân Thanh Lan Phượng Ƀlong Krông Dŭ HʼMuk".split()
)
ETHNIC = {"01": "Kinh"}
HAMLETS = ("Thôn 3", "Tổ dân phố 12", "Ấp Phú Hòa", "Bản Nà Lốc", "Buôn Ky", "Khóm 4", "Làng Kon Rờ Bàng")
LABELS = ["Kinh", "Tày", "Thái", "Mường", "Nùng", "Ê-đê", "Ba na", "Cơ-ho", "Xơ-đăng", "Gia-rai"]


def seed(folder: str, name: str) -> list[dict[str, str]]:
    """Return the rows of a seed, read plainly."""
    with (Path(SEEDS) / folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Nation:
    """Makes clean rows; the same seed makes the same rows."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.file_date = FILE_DATE
        self.issued: set[str] = set()
        self.codes = sorted(row["id_digits_1_3"] for row in seed("reference", "number_province_codes"))
        self.elements = [
            row for row in seed("reference", "minority_name_elements") if "no surname" not in row["kind"]
        ]
        self.communes = _communes()

    def name(self, sex: str) -> str:
        """Return a full name."""
        pick = self.random.choice
        middle = [pick(MIDDLES[sex]) for _ in range(self.random.choice((1, 1, 1, 2)))]
        return " ".join([pick(SURNAMES), *middle, pick(GIVEN[sex])])

    def minority_name(self) -> str:
        """Return a name with an element of the list, where its group puts it."""
        row = self.random.choice(self.elements)
        given = self.random.sample(MINORITY_GIVEN, 2)
        if "last" in row["kind"]:
            return f"{given[0]} {row['element']}"
        return f"{row['element']} {' '.join(given)}"

    def day(self, first: date, last: date) -> date:
        """Return a day between two, never a 1 January (a typed one is told of by rule)."""
        while True:
            found = first + timedelta(days=self.random.randrange((last - first).days + 1))
            if (found.day, found.month) != (1, 1):
                return found

    def number(self, sex: str, year: int) -> str:
        """Return a number of the known structure that is no obvious dummy and that nobody of this nation has."""
        digit = (0 if year < 2000 else 2) + (sex == "female")
        while True:
            found = f"{self.random.choice(self.codes)}{digit}{year % 100:02d}{self.random.randint(100_000, 987_653):06d}"
            if found not in self.issued:
                self.issued.add(found)
                return found

    def child(self, place: int, *, minority: bool = False) -> dict[str, Any]:
        """Return a clean row; `_sex`, `_birth` and `_unit` say what it was made of."""
        rng = self.random
        sex, birth = rng.choice(("female", "male")), self.day(date(2009, 8, 1), date(2025, 5, 30))
        unit = rng.choice(self.communes)
        return {
            "stt": str(place), "ma_ho": f"{rng.randint(1, 9999):04d}", "ma_tre": f"25{place:08d}",
            "ho_ten_tre": self.minority_name() if minority else self.name(sex),
            "ngay_sinh": birth.strftime("%d/%m/%Y"), "gioi_tinh": "Nữ" if sex == "female" else "Nam",
            "dan_toc": rng.choice(LABELS), "quoc_tich": "Việt Nam", "so_dinh_danh": self.number(sex, birth.year),
            "ngay_dang_ky_khai_sinh": min(birth + timedelta(days=rng.randint(1, 60)), FILE_DATE).strftime("%d/%m/%Y"),
            "da_dang_ky_khai_sinh": "x", "noi_sinh": "Trạm y tế", "tinh": unit[2], "huyen": unit[1], "xa": unit[0],
            "thon": rng.choice(HAMLETS), "dia_chi": f"Số {rng.randint(1, 300)}, ngõ {rng.randint(1, 90)}",
            "tinh_trang_cu_tru": "Thường trú có mặt", "ho_ten_chu_ho": self.name("male"), "quan_he_chu_ho": "Con",
            "ho_ten_cha": self.name("male"), "nam_sinh_cha": str(birth.year - rng.randint(22, 45)),
            "ho_ten_me": self.minority_name() if minority else self.name("female"),
            "nam_sinh_me": str(birth.year - rng.randint(20, 42)),
            "so_dinh_danh_me": self.number("female", 1999 - rng.randint(0, 25)),
            "dien_thoai_me": f"0{rng.choice('35789')}{rng.randint(10**7, 10**8 - 1)}",
            "ho_ngheo": rng.choice(("Không", "Hộ nghèo", "Cận nghèo")), "nguy_co": "Không",
            "tinh_trang_hoc_tap": "Đang học", "lop": f"Lớp {rng.randint(1, 9)}A", "truong": "Tiểu học Kim Đồng",
            "can_nang": str(rng.randint(4, 60)), "chieu_cao": str(rng.randint(52, 170)),
            "ngay_cap_nhat": self.day(date(2025, 6, 1), FILE_DATE).strftime("%d/%m/%Y 08:30"),
            "_sex": sex, "_birth": birth, "_unit": unit[3],
        }  # fmt: skip


@lru_cache(maxsize=1)
def _communes() -> list[tuple[str, str, str, str]]:
    """Return former communes in force in 2025 with their wording, one in every forty."""
    types = {"xa": "Xã", "phuong": "Phường", "thi_tran": "Thị trấn"}
    names = {
        row["commune_id"]: f"{types[row['unit_type']]} {row['name_vi']}"
        for row in seed("reference", "commune_names")
        if row["unit_type"] in types and _is_in_force(row)
    }
    districts = {row["district_code"]: row["name_vi"] for row in seed("reference", "districts")}
    labels = {"tinh": "Tỉnh", "thanh_pho": "Thành phố"}
    provinces = {
        row["province_id"].split("@")[0]: f"{labels[row['unit_type']]} {row['name_vi']}"
        for row in seed("reference", "province_names")
        if not row["province_id"].endswith("2025-07-01") and _is_in_force(row)
    }
    found = [
        (
            names[row["commune_id"]],
            districts[row["district_code"]],
            provinces[row["province_code"]],
            row["commune_id"],
        )
        for row in seed("reference", "communes")
        if row["valid_to_date"] == "2025-07-01" and row["commune_id"] in names
    ]
    return found[::40]


def _is_in_force(row: Mapping[str, str]) -> bool:
    day = FILE_DATE.isoformat()
    return row["valid_from_date"] <= day and (not row["valid_to_date"] or day < row["valid_to_date"])


def _kind_letters(row: Mapping[str, Any]) -> str:
    kinds = row["_kinds"]
    return "".join(kinds.get(name, "t" if row.get(name) is not None else "-") for name in export_columns())


def reading_of(rows: Sequence[Mapping[str, Any]], **profile: Any) -> FileReading:
    """Return a reading of rows as the reader would hand them over."""
    filled = set().union(*rows) if rows else set()
    blank = pa.nulls(len(rows), pa.string())
    columns: dict[str, Any] = {
        name: pa.array([row.get(name) for row in rows], pa.string()) if name in filled else blank
        for name in export_columns()
    }
    plain = "t" * len(export_columns())
    kinds = [_kind_letters(row) if "_kinds" in row else plain for row in rows]
    columns |= {
        "sheet": pa.array(["Danh sách"] * len(rows)), "row_no": pa.array(range(2, len(rows) + 2), pa.int32()),
        "row_reason": pa.nulls(len(rows), pa.string()), "_extra": pa.nulls(len(rows), pa.string()),
        "_kinds": pa.array(kinds, pa.string()),
    }  # fmt: skip
    profile.setdefault("stated_date", FILE_DATE)
    present = tuple(name for name in export_columns() if name in filled)
    facts = FileProfile(columns_present=present, **profile)
    return FileReading(
        "a.csv", "c" * 64, Outcome.ACCEPT, None, len(rows) + 1, 1, pa.table(columns), [], facts
    )
