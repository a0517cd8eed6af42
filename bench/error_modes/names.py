"""Mistakes of names: E17 to E20 and E24 to E33."""

from __future__ import annotations

import random
import unicodedata

from bench.error_modes.cases import Case, Row, name_case, rules
from bench.invented import Nation


def e17(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = f"{row['ho_ten_tre']} {rng.choice(('Ý', 'Nguyễn', 'Đặng', 'Ánh'))}"
    return name_case(row, unicodedata.normalize("NFD", name), name, "TEXT-001")


NEW_STYLE = {
    "Hòa": "Hoà",
    "Thủy": "Thuỷ",
    "Thúy": "Thuý",
    "Thùy": "Thuỳ",
    "Khỏe": "Khoẻ",
    "Hóa": "Hoá",
    "Tòa": "Toà",
    "Lũy": "Luỹ",
}


def e18(rng: random.Random, row: Row, nation: Nation) -> Case:
    old = rng.choice(sorted(NEW_STYLE))
    name = f"{row['ho_ten_tre']} {old}"
    return name_case(row, f"{row['ho_ten_tre']} {NEW_STYLE[old]}", name)


def e19(rng: random.Random, row: Row, nation: Nation) -> Case:
    wrong, right = rng.choice([("Qúy", "Quý"), ("Qùy", "Quỳ"), ("Qủy", "Quỷ"), ("Gía", "Giá"), ("Gìau", "Giàu"), ("Qúynh", "Quýnh"),
                               ("Gíang", "Giáng"), ("Gỉang", "Giảng"), ("Qúôc", "Quốc"), ("Qùynh", "Quỳnh")])  # fmt: skip
    return name_case(row, f"{row['ho_ten_tre']} {wrong}", f"{row['ho_ten_tre']} {right}", "NAME-002")


def e20(rng: random.Random, row: Row, nation: Nation) -> Case:
    plain = unicodedata.normalize("NFD", row["ho_ten_tre"].replace("Đ", "D").replace("đ", "d"))
    seen = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return name_case(row, seen, seen)


def e24(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = f"Nguyễn {row['ho_ten_tre']}"
    seen = "".join("?" if "Ạ" <= letter <= "ỹ" else letter for letter in name)
    return name_case(row, seen, seen, "TEXT-009")


def e25(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = f"{rng.choice(('Đặng', 'Đỗ', 'Đinh', 'Đoàn', 'Đào'))} {row['ho_ten_tre']}"
    return name_case(row, name.replace("Đ", rng.choice("ÐƉ")), name, "TEXT-010")


def e26(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = row["ho_ten_tre"]
    odd = " ".join(word[:-1].lower() + word[-1].upper() if len(word) > 1 else word for word in name.split())
    return name_case(row, rng.choice([name.upper(), name.lower(), odd, name.swapcase()]), name, "NAME-001")


def e27(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = row["ho_ten_tre"]
    seen = rng.choice([
        f"  {name}", f"{name} ", name.replace(" ", "   "), name.replace(" ", "\u00a0"), name.replace(" ", "\u2003", 1),
        f"{name}\u200b", f"\ufeff{name}", name.replace(" ", " \u200b"), name.replace(" ", "\n", 1), name.replace(" ", "\t"),
    ])  # fmt: skip
    return name_case(row, seen, name, "TEXT-004", "TEXT-003")


def e29(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice([
        "Trai", "Gái", "Bé trai", "bé gái", "BÉ GÁI", "Chưa đặt tên", "CHƯA ĐẶT TÊN", "chưa có tên", "Nguyễn Văn A", "Trần Thị B",
        "Con trai", "Sơ sinh", "Trẻ sơ sinh", "Bé chưa đặt tên", "Cháu gái", "Con bà Lan", "Bé Trai", "Bé gái chưa đặt tên",
        "Nguyễn (chưa đặt tên)", "chua dat ten", "Em bé", "Gai", "be trai", "Con chị Hoa", "Chưa khai sinh",
    ])  # fmt: skip
    return Case({**row, "ho_ten_tre": seen}, {"ho_ten_tre": None, "outcome": "accepted"}, rules("NAME-004"))


def e31(rng: random.Random, row: Row, nation: Nation) -> Case:
    marker, name = (
        rng.choice(("H", "K", "Y")),
        rng.choice(("Linh Niê", "Brưk Ayŭn", "Dŭ Kbuôr", "Rơm Mlô", "Bă Êban")),
    )
    forms = [
        f"{marker} {name}",
        f"{marker}{name}",
        f"{marker}' {name}",
        f"{marker}’{name}",
        f"{marker}ʼ{name}",
        f"{marker}'{name}",
    ]
    return name_case(row, rng.choice(forms), f"{marker}'{name}")


def e32(rng: random.Random, row: Row, nation: Nation) -> Case:
    note = rng.choice(["đã chuyển đi", "con bà Lan", "sinh đôi", "ở với bà ngoại", "đã chết", "tạm vắng", "con nuôi", "mồ côi mẹ",
                       "khuyết tật", "chuyển đến 2024"])  # fmt: skip
    form = rng.choice(["{} ({})", "{}({})", "{} - {}", "{} [{}]", "{}, {}", "{}; {}", "{} – {}"])
    case = name_case(row, form.format(row["ho_ten_tre"], note), row["ho_ten_tre"], "NAME-003")
    return Case(case.row, {**case.gives, "ghi_chu": note}, case.finds)


def e28(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A middle name dropped or shortened stays as written: matching has to bear it."""
    first, *middle, last = f"{row['ho_ten_tre']} {rng.choice(('Anh', 'Minh', 'Bảo'))}".split()
    if rng.random() < 0.5:
        seen = " ".join([first, f"{middle[0][0]}.", *middle[1:], last])
        return name_case(row, seen, seen, "NAME-008")
    seen = " ".join([first, *middle[1:], last])
    return name_case(row, seen, seen)


BY_EAR = {
    "Hiền": "Hiện", "Dũng": "Dủng", "Sơn": "Xơn", "Trinh": "Chinh", "Giang": "Dang", "Lan": "Nan", "Ngân": "Ngâng",
    "Mẫn": "Mẩn", "Xuân": "Suân", "Trung": "Chung", "Thảo": "Thão", "Khánh": "Khán", "Việt": "Việc", "Duyên": "Duyêng",
}  # fmt: skip


def e30(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A name spelled by ear is a name: it is kept, and matching weighs it."""
    seen = f"{row['ho_ten_tre']} {rng.choice(sorted(BY_EAR.values()))}"
    return name_case(row, seen, seen)


def e33(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A name changed after registration shows in the register of persons only: the file's name is kept."""
    seen = nation.name(row["_sex"])
    return name_case(row, seen, seen)
