"""Every error mode of cells and rows by its id: planted on invented children, cleaned, compared with the truth.

    python -m bench.error_modes --cases 100000 --json

The children, the errors and the other mistakes put on the same rows are made here without any code of the cleaning
step; a third of the cases carries a second, harmless-looking mistake as well.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bench.invented import FILE_DATE, Nation, reading_of, seed
from childdb.cleaning import clean
from childdb.cleaning.names import joined_key, tone_key

Row = dict[str, Any]
KEY_MODES = {"E18": tone_key, "E31": joined_key}


@dataclass
class Case:
    """A row with an error, the values it should come to, and the rules of which one must be found (none: no matter)."""

    row: Row
    gives: Mapping[str, Any] = field(default_factory=dict)
    finds: frozenset[str] = frozenset()
    before: list[Row] = field(default_factory=list)


Maker = Callable[[random.Random, Row, Nation], Case]


def _finds(*rules: str) -> frozenset[str]:
    return frozenset(rules)


def _number(rng: random.Random, seen: str, row: Row, gives: str | None, *rules: str) -> Case:
    return Case({**row, "so_dinh_danh": seen}, {"so_dinh_danh": gives}, _finds(*rules))


def e01(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice(
        [None, "-", "0", "Chưa có", "chưa cấp", "không có", "CHƯA CÓ MÃ", "...", "Đang chờ cấp", "x"]
    )
    return _number(rng, seen, row, None, "ID-001")


def e02(rng: random.Random, row: Row, nation: Nation) -> Case:
    number = row["so_dinh_danh"]
    seen = number.lstrip("0") + rng.choice(["", "", ".0", " "])
    return _number(rng, seen, row, number, "ID-004")


def e03(rng: random.Random, row: Row, nation: Nation) -> Case:
    value = int(row["so_dinh_danh"])
    seen = rng.choice([f"{value:.4E}", f"{value:.2E}".replace(".", ","), f"{value:.5e}"])
    return _number(rng, seen, row, None, "ID-006")


def e04(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = row["so_dinh_danh"]
    seen = rng.choice([
        f"{n[:3]} {n[3:6]} {n[6:9]} {n[9:]}", f"{n[:3]}.{n[3:6]}.{n[6:]}", f"{n[:4]}-{n[4:8]}-{n[8:]}", f"CCCD: {n}", f"’{n}",
        f"'{n}", f"Số định danh: {n}", f"MĐD {n}", f"{n[:6]}\u00a0{n[6:]}", f"ĐDCN:{n[:6]} {n[6:]}", f"số {n}", f"`{n}`",
    ])  # fmt: skip
    return _number(rng, seen, row, n, "ID-003")


def e05(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = row["so_dinh_danh"]
    place = rng.randrange(1, 12)
    # A number short of a digit still begins with its zero: what a spreadsheet took away is another mode.
    seen = rng.choice(
        [n[:place] + n[place + 1 :], n[:place] + rng.choice("0123456789") + n[place:], n[:8], n + "12"]
    )
    return _number(rng, seen, row, None, "ID-017", "ID-005", "ID-012", "ID-013", "ID-011")


def e06(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = list(row["so_dinh_danh"])
    letters = {"0": "Oo", "1": "lI", "5": "S"}
    places = [place for place, digit in enumerate(n) if digit in letters]
    for place in rng.sample(places, rng.randint(1, len(places))):
        n[place] = rng.choice(letters[n[place]])
    return _number(rng, "".join(n), row, row["so_dinh_danh"], "ID-009")


def e07(rng: random.Random, row: Row, nation: Nation) -> Case:
    if rng.random() < 0.5:
        return _number(rng, row["so_dinh_danh_me"], row, None, "ID-016")
    parent = nation.number("female", int(row["nam_sinh_me"]) if int(row["nam_sinh_me"]) < 2000 else 1995)
    return _number(
        rng, parent, {**row, "so_dinh_danh_me": rng.choice([None, row["so_dinh_danh_me"]])}, None, "ID-016"
    )


def e08(rng: random.Random, row: Row, nation: Nation) -> Case:
    if rng.random() < 0.7:
        card = f"{rng.choice(('TE', 'HN', 'DT', 'CN', 'GD'))}{rng.randint(1, 4)}{rng.randint(10**11, 10**12 - 1)}"
        seen = card if rng.random() < 0.7 else f"{card[:2]} {card[2]} {card[3:5]} {card[5:]}"
        return Case({**row, "so_dinh_danh": seen}, {"so_dinh_danh": None, "the_bhyt": card}, _finds("ID-012"))
    return _number(rng, f"{rng.choice('79')}9{rng.randint(10**7, 10**8 - 1)}", row, None, "ID-012", "ID-005")


def e09(rng: random.Random, row: Row, nation: Nation) -> Case:
    other = {**nation.child(rng.randint(1, 10**7)), "so_dinh_danh": row["so_dinh_danh"]}
    return Case(row, {}, _finds("ID-018"), [other])


def e10(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = row["so_dinh_danh"]
    year = (int(n[4:6]) + rng.randint(1, 9)) % 26
    return _number(rng, f"{n[:4]}{year:02d}{n[6:]}", row, f"{n[:4]}{year:02d}{n[6:]}", "ID-021")


def e11(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = "Nam" if row["_sex"] == "female" else "Nữ"
    return Case({**row, "gioi_tinh": seen}, {"so_dinh_danh": row["so_dinh_danh"]}, _finds("ID-020"))


def e12(rng: random.Random, row: Row, nation: Nation) -> Case:
    year = row["_birth"].year + (1 if row["_birth"].year < 2024 else -1)
    day = min(row["_birth"].day, 28)
    seen = f"{day:02d}/{row['_birth'].month:02d}/{year}"
    return Case({**row, "ngay_sinh": seen}, {"so_dinh_danh": row["so_dinh_danh"]}, _finds("ID-021"))


def e15(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = f"{rng.choice(('HS', 'TT', 'TAM', 'MN', 'GD', 'hs'))}{rng.choice(('', '-'))}{rng.randint(10**7, 10**10)}"
    return _number(rng, seen, row, None, "ID-014", "ID-012")


def e16(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice(
        [*(digit * 12 for digit in "0123456789"), "123456789012", "012345678910", "987654321012", "123456789"]
    )
    return _number(rng, seen, row, None, "ID-015")


def _name(row: Row, seen: str, gives: str, *rules: str) -> Case:
    return Case({**row, "ho_ten_tre": seen}, {"ho_ten_tre": gives}, _finds(*rules))


def e17(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = f"{row['ho_ten_tre']} {rng.choice(('Ý', 'Nguyễn', 'Đặng', 'Ánh'))}"
    return _name(row, unicodedata.normalize("NFD", name), name, "TEXT-001")


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
    return _name(row, f"{row['ho_ten_tre']} {NEW_STYLE[old]}", name)


def e19(rng: random.Random, row: Row, nation: Nation) -> Case:
    wrong, right = rng.choice([("Qúy", "Quý"), ("Qùy", "Quỳ"), ("Qủy", "Quỷ"), ("Gía", "Giá"), ("Gìau", "Giàu"), ("Qúynh", "Quýnh"),
                               ("Gíang", "Giáng"), ("Gỉang", "Giảng"), ("Qúôc", "Quốc"), ("Qùynh", "Quỳnh")])  # fmt: skip
    return _name(row, f"{row['ho_ten_tre']} {wrong}", f"{row['ho_ten_tre']} {right}", "NAME-002")


def e20(rng: random.Random, row: Row, nation: Nation) -> Case:
    plain = unicodedata.normalize("NFD", row["ho_ten_tre"].replace("Đ", "D").replace("đ", "d"))
    seen = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _name(row, seen, seen)


def e24(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = f"Nguyễn {row['ho_ten_tre']}"
    seen = "".join("?" if "Ạ" <= letter <= "ỹ" else letter for letter in name)
    return _name(row, seen, seen, "TEXT-009")


def e25(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = f"{rng.choice(('Đặng', 'Đỗ', 'Đinh', 'Đoàn', 'Đào'))} {row['ho_ten_tre']}"
    return _name(row, name.replace("Đ", rng.choice("ÐƉ")), name, "TEXT-010")


def e26(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = row["ho_ten_tre"]
    odd = " ".join(word[:-1].lower() + word[-1].upper() if len(word) > 1 else word for word in name.split())
    return _name(row, rng.choice([name.upper(), name.lower(), odd, name.swapcase()]), name, "NAME-001")


def e27(rng: random.Random, row: Row, nation: Nation) -> Case:
    name = row["ho_ten_tre"]
    seen = rng.choice([
        f"  {name}", f"{name} ", name.replace(" ", "   "), name.replace(" ", "\u00a0"), name.replace(" ", "\u2003", 1),
        f"{name}\u200b", f"\ufeff{name}", name.replace(" ", " \u200b"), name.replace(" ", "\n", 1), name.replace(" ", "\t"),
    ])  # fmt: skip
    return _name(row, seen, name, "TEXT-004", "TEXT-003")


def e29(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice([
        "Trai", "Gái", "Bé trai", "bé gái", "BÉ GÁI", "Chưa đặt tên", "CHƯA ĐẶT TÊN", "chưa có tên", "Nguyễn Văn A", "Trần Thị B",
        "Con trai", "Sơ sinh", "Trẻ sơ sinh", "Bé chưa đặt tên", "Cháu gái", "Con bà Lan", "Bé Trai", "Bé gái chưa đặt tên",
        "Nguyễn (chưa đặt tên)", "chua dat ten", "Em bé", "Gai", "be trai", "Con chị Hoa", "Chưa khai sinh",
    ])  # fmt: skip
    return Case({**row, "ho_ten_tre": seen}, {"ho_ten_tre": None, "outcome": "accepted"}, _finds("NAME-004"))


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
    return _name(row, rng.choice(forms), f"{marker}'{name}")


def e32(rng: random.Random, row: Row, nation: Nation) -> Case:
    note = rng.choice(["đã chuyển đi", "con bà Lan", "sinh đôi", "ở với bà ngoại", "đã chết", "tạm vắng", "con nuôi", "mồ côi mẹ",
                       "khuyết tật", "chuyển đến 2024"])  # fmt: skip
    form = rng.choice(["{} ({})", "{}({})", "{} - {}", "{} [{}]", "{}, {}", "{}; {}", "{} – {}"])
    case = _name(row, form.format(row["ho_ten_tre"], note), row["ho_ten_tre"], "NAME-003")
    return Case(case.row, {**case.gives, "ghi_chu": note}, case.finds)


def _date(row: Row, seen: str, gives: Mapping[str, Any], *rules: str, kind: str = "t") -> Case:
    kinds = {"_kinds": {"ngay_sinh": kind}} if kind != "t" else {}
    return Case({**row, **kinds, "ngay_sinh": seen}, gives, _finds(*rules))


def e34(rng: random.Random, row: Row, nation: Nation) -> Case:
    gives = {"ngay_sinh": row["_birth"].isoformat(), "ngay_sinh_precision": "day"}
    if rng.random() < 0.5:
        return _date(
            row, row["_birth"].isoformat() + rng.choice(["", " 00:00:00", "T00:00:00"]), gives, kind="d"
        )
    serial = (row["_birth"] - date(1899, 12, 30)).days
    return _date(row, f"{serial}{rng.choice(['', '.0'])}", gives, "DATE-002", kind="n")


def e36(rng: random.Random, row: Row, nation: Nation) -> Case:
    year = row["_birth"].year
    gives = {"ngay_sinh": None, "ngay_sinh_precision": "year", "birth_year": year}
    return _date(row, rng.choice([str(year), f"năm {year}", f"{year}.0"]), gives, "DATE-003")


def e37(rng: random.Random, row: Row, nation: Nation) -> Case:
    month, year = row["_birth"].month, row["_birth"].year
    gives = {"ngay_sinh": None, "ngay_sinh_precision": "month", "birth_year": year, "birth_month": month}
    seen = rng.choice(
        [
            f"{month:02d}/{year}",
            f"{month}-{year}",
            f"tháng {month}/{year}",
            f"tháng {month} năm {year}",
            f"{month}.{year}",
        ]
    )
    return _date(row, seen, gives, "DATE-004")


def e38(rng: random.Random, row: Row, nation: Nation) -> Case:
    birth = row["_birth"]
    sign = rng.choice("/-.")
    seen = f"{birth.day}{sign}{birth.month}{sign}{birth.year % 100:02d}"
    return _date(row, seen, {"ngay_sinh": birth.isoformat(), "ngay_sinh_precision": "day"}, "DATE-005")


def e39(rng: random.Random, row: Row, nation: Nation) -> Case:
    year = row["_birth"].year
    seen = rng.choice(
        ["30/02/{}", "31/04/{}", "00/00/{}", "31/11/{}", "32/01/{}", "00/05/{}", "31-6-{}"]
    ).format(year)
    return _date(
        row, seen, {"ngay_sinh": None, "ngay_sinh_precision": "year", "birth_year": year}, "DATE-006"
    )


def e40(rng: random.Random, row: Row, nation: Nation) -> Case:
    birth = row["_birth"]
    year = rng.choice([birth.year + 70, birth.year - 100, 2025 + rng.randint(1, 60), birth.year - 40])
    seen = f"{min(birth.day, 28):02d}/{birth.month:02d}/{year}"
    return Case({**row, "ngay_sinh": seen}, {}, _finds("DATE-008", "DATE-009"))


def e42(rng: random.Random, row: Row, nation: Nation) -> Case:
    d, m, y = row["_birth"].day, row["_birth"].month, row["_birth"].year
    seen = rng.choice([f"{d}-{m}-{y}", f"{d:02d}.{m:02d}.{y}", f"ngày {d} tháng {m} năm {y}", f"{d} / {m} / {y}", f"{d:02d}{m:02d}{y}",
                       f"Ngày {d:02d} tháng {m:02d} năm {y}", f"{d}/ {m}/{y}", f"{y}/{m:02d}/{d:02d}", f"{d} tháng {m} {y}"])  # fmt: skip
    if seen.isdigit() and seen[:2] in ("19", "20") and m > 8:
        seen = f"{d}-{m}-{y}"  # eight digits that are a date both ways decide nothing
    return _date(
        row, seen, {"ngay_sinh": row["_birth"].isoformat(), "ngay_sinh_precision": "day"}, "DATE-001"
    )


def e44(rng: random.Random, row: Row, nation: Nation) -> Case:
    forms = {"female": ["Nu", "nữ", "NỮ", "F", "gái", "Gái", "female", "nu", "Nữ ", "bé gái"],
             "male": ["nam", "NAM", "M", "trai", "Trai", "male", " Nam"]}  # fmt: skip
    return Case({**row, "gioi_tinh": rng.choice(forms[row["_sex"]])}, {"gioi_tinh": row["_sex"]})


def e47(rng: random.Random, row: Row, nation: Nation) -> Case:
    aliases = _aliases()
    spelling, code = rng.choice(aliases)
    seen = rng.choice(
        [
            spelling,
            spelling.upper(),
            spelling.lower(),
            f"Dân tộc {spelling}",
            spelling.replace("-", " "),
            f" {spelling}",
        ]
    )
    return Case({**row, "dan_toc": seen}, {"dan_toc": code})


def _aliases() -> list[tuple[str, str]]:
    if not _ALIASES:
        rows = seed("codes", "codes_ethnic_groups")
        _ALIASES.extend(
            (row["name_vi"], row["ethnic_group_code"]) for row in rows if int(row["ethnic_group_code"]) <= 54
        )
        _ALIASES.extend(
            [
                ("Mèo", "08"),
                ("H’Mông", "08"),
                ("H'mông", "08"),
                ("Khmer", "05"),
                ("Êđê", "12"),
                ("Bana", "13"),
                ("Jrai", "10"),
            ]
        )
    return _ALIASES


_ALIASES: list[tuple[str, str]] = []


def e48(rng: random.Random, row: Row, nation: Nation) -> Case:
    return Case(
        {**row, "dan_toc": rng.choice(["04", "06", "4", "11", "12", "16", "19"])},
        {"dan_toc": None},
        _finds("CODE-003"),
    )


def e53(rng: random.Random, row: Row, nation: Nation) -> Case:
    unit = {
        "tinh": "Thành phố Hà Nội",
        "huyen": "Quận Ba Đình",
        "xa": rng.choice(["Phường Nguyễn Trung Trực", "P. Nguyễn Trung Trực"]),
    }
    return Case({**row, **unit}, {"commune_id": "00004@2021-11-01"}, _finds("PLACE-005"))


def e54(rng: random.Random, row: Row, nation: Nation) -> Case:
    short = {
        "Phường": ("P.", "P. ", "p ", "phường ", "PHƯỜNG "),
        "Xã": ("X.", "X. ", "xã ", "XÃ "),
        "Thị": ("TT.", "TT ", "tt. "),
    }
    head, *rest = row["xa"].split(" ")
    name = " ".join(rest[1:] if head == "Thị" else rest)
    if head == "Phường" and name.isdigit():
        name = rng.choice([name, f"{int(name):02d}"])
    district = (
        row["huyen"]
        .replace("Huyện ", rng.choice(["H. ", "H.", "huyện ", "Huyện "]))
        .replace("Quận ", rng.choice(["Q. ", "Q."]))
    )
    district = district.replace("Thị xã ", rng.choice(["TX. ", "TX ", "thị xã "])).replace(
        "Thành phố ", rng.choice(["TP. ", "TP ", "Tp."])
    )
    province = (
        row["tinh"]
        .replace("Tỉnh ", rng.choice(["T. ", "", "tỉnh "]))
        .replace("Thành phố ", rng.choice(["TP. ", "TP ", ""]))
    )
    return Case(
        {**row, "xa": rng.choice(short[head]) + name, "huyen": district, "tinh": province},
        {"commune_id": row["_unit"]},
    )


def e57(rng: random.Random, row: Row, nation: Nation) -> Case:
    return Case({**row, "stt": "9"}, {"outcome": "accepted"}, _finds("ROW-002"), [row])


def e61(rng: random.Random, row: Row, nation: Nation) -> Case:
    birth = FILE_DATE - timedelta(days=rng.randint(5845, 6900))
    try:
        day = birth.replace(year=birth.year + 16)
    except ValueError:
        day = date(birth.year + 16, 3, 1)
    changed = {
        **row,
        "ngay_sinh": birth.strftime("%d/%m/%Y"),
        "so_dinh_danh": nation.number(row["_sex"], birth.year),
    }
    changed |= {"ngay_dang_ky_khai_sinh": None}
    return Case(changed, {"bien_dong": "turned_16", "ngay_bien_dong": day.isoformat()}, _finds("DATE-015"))


def e65(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice(["Không rõ", "-", "KHÔNG CÓ", "không", "Không có cha", "Không xác định", "chưa rõ", "...", row["ho_ten_me"], "Ko rõ",
                       "Không rõ cha", "không biết"])  # fmt: skip
    return Case(
        {**row, "ho_ten_cha": seen},
        {"ho_ten_cha": None, "ho_ten_me": row["ho_ten_me"]},
        _finds("NAME-005", "PARENT-001"),
    )


def e66(rng: random.Random, row: Row, nation: Nation) -> Case:
    return Case(
        {**row, "nam_sinh_me": str(row["_birth"].year - rng.randint(51, 75))}, {}, _finds("PARENT-002")
    )


def e67(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = f"{rng.choice('012')}{rng.randint(10**7, 10**8 - 1)}"
    while len(set(seen)) < 3:
        seen = f"0{rng.randint(10**7, 10**8 - 1)}"
    return Case({**row, "so_dinh_danh_me": seen}, {"so_dinh_danh_me": seen}, _finds("ID-024"))


def e68(rng: random.Random, row: Row, nation: Nation) -> Case:
    father = nation.number("male", int(row["nam_sinh_cha"]) if int(row["nam_sinh_cha"]) < 2000 else 1990)
    numbers = {"so_dinh_danh_cha": row["so_dinh_danh_me"], "so_dinh_danh_me": rng.choice([father, None])}
    names = {"ho_ten_cha": row["ho_ten_me"], "ho_ten_me": row["ho_ten_cha"]}
    return Case({**row, **numbers, **names}, {}, _finds("PARENT-003"))


def e75(rng: random.Random, row: Row, nation: Nation) -> Case:
    whole, part = rng.randint(3, 59), rng.randint(1, 9)
    seen = rng.choice([f"{whole},{part}", f"{whole},{part} kg", f"{whole},{part}kg", f" {whole},{part}0"])
    return Case({**row, "can_nang": seen}, {"can_nang": f"{whole}.{part}"}, _finds("NUM-001"))


MAKERS: Mapping[str, Maker] = {
    name.upper(): maker for name, maker in list(globals().items()) if name[0] == "e" and name[1:].isdigit()
}
AUTO = frozenset(
    "E02 E04 E06 E07 E16 E17 E18 E19 E25 E26 E27 E31 E32 E34 E38 E42 E44 E47 E53 E54 E57 E61 E65 E75".split()
)
FLAG = frozenset("E05 E08 E09 E10 E11 E12 E15 E16 E24 E29 E39 E40 E48 E66 E68".split())
SECOND = {
    "name": (lambda name: f" {name}", lambda name: name.replace(" ", "  ", 1), lambda name: f"{name}\u200b", lambda name: name.upper()),
}  # fmt: skip


def with_a_second_mistake(mode: str, case: Case, rng: random.Random) -> Case:
    """Return the case with another, independent mistake in some other cell, or on the same name."""
    row, gives = dict(case.row), dict(case.gives)
    choice = rng.randrange(4)
    if choice == 0 and "ho_ten_tre" not in gives and row.get("ho_ten_tre"):
        gives["ho_ten_tre"] = row["ho_ten_tre"]
        row["ho_ten_tre"] = rng.choice(SECOND["name"])(row["ho_ten_tre"])
    elif choice == 1 and mode in ("E17", "E25", "E27", "E19") and row["ho_ten_tre"]:
        row["ho_ten_tre"] = f" {row['ho_ten_tre'].upper()}"
    elif choice == 2 and "so_dinh_danh" not in gives and mode not in ("E09", "E12", "E40", "E57", "E61"):
        gives["so_dinh_danh"] = row["so_dinh_danh"]
        row["so_dinh_danh"] = f"{row['so_dinh_danh'][:6]} {row['so_dinh_danh'][6:]}"
    elif choice == 3 and "ghi_chu" not in gives:
        row["ho_ten_me"] = row["ho_ten_me"] and f"{row['ho_ten_me']}  "
    return Case(row, gives, case.finds, case.before)


@dataclass
class Score:
    """How the cases of a mode ended."""

    cases: int = 0
    right: int = 0
    wrong: int = 0
    found: int = 0
    examples: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases,
            "right": round(self.right / self.cases, 6),
            "wrong": self.wrong,
            "found": round(self.found / self.cases, 6),
            **({"shapes_not_right": dict(self.examples.most_common(4))} if self.examples else {}),
        }


def measure(mode: str, count: int, number: int, part: int = 20_000) -> Score:
    """Return how a mode's cases ended; each part is one file."""
    score, done = Score(), 0
    while done < count:
        size = min(part, count - done)
        rng, nation = random.Random(f"{mode}{number}{done}"), Nation(hash_of(f"{mode}{number}{done}"))
        cases = [_case(mode, rng, nation, done + place) for place in range(size)]
        _score(mode, cases, score)
        done += size
    return score


def hash_of(text: str) -> int:
    """Return a number that depends on the text alone."""
    return int.from_bytes(text.encode(), "big") % (2**31)


def _case(mode: str, rng: random.Random, nation: Nation, place: int) -> Case:
    row = nation.child(
        place, minority=rng.random() < 0.15 and mode not in ("E18", "E19", "E20", "E24", "E26", "E29")
    )
    case = MAKERS[mode](rng, row, nation)
    is_alone = mode == "E57" or rng.random() > 1 / 3
    return case if is_alone else with_a_second_mistake(mode, case, rng)


def _score(mode: str, cases: list[Case], score: Score) -> None:
    rows = [row for case in cases for row in (*case.before, case.row)]
    cleaned = clean(reading_of(rows), as_of=None)
    records = cleaned.records.to_pylist()
    rules: dict[int, set[str]] = {}
    for row_no, rule in zip(
        cleaned.findings["row_no"].to_pylist(), cleaned.findings["rule_id"].to_pylist(), strict=True
    ):
        if row_no is not None:
            rules.setdefault(row_no - 2, set()).add(rule)
    place = -1
    for case in cases:
        place += len(case.before) + 1
        _score_one(mode, case, records[place], rules.get(place, set()), score)


def _score_one(mode: str, case: Case, record: Row, found: set[str], score: Score) -> None:
    key = KEY_MODES.get(mode, lambda text: text)
    off = [name for name, want in case.gives.items()
           if (key(record[name] or "") if name == "ho_ten_tre" and mode in KEY_MODES else record[name])
           != (key(want or "") if name == "ho_ten_tre" and mode in KEY_MODES else want)]  # fmt: skip
    score.cases += 1
    score.right += not off
    score.wrong += any(record[name] is not None for name in off)
    score.found += not case.finds or bool(case.finds & found)
    if off or (case.finds and not case.finds & found):
        name = off[0] if off else "finding"
        score.examples[f"{name}: {_shape(case.row.get(name))} -> {_shape(record.get(name))}"] += 1


def _shape(text: object) -> str:
    """Return the shape of an invented value, for whoever mends what went wrong."""
    return "NULL" if text is None else str(text)


def main() -> None:
    """Print how every mode ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--modes", nargs="*", default=sorted(MAKERS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    start = time.process_time()
    answer: dict[str, Any] = {}
    for mode in arguments.modes:
        answer[mode] = measure(mode, arguments.cases, arguments.seed).as_json()
        if not arguments.json:
            print(mode, json.dumps(answer[mode], ensure_ascii=False), flush=True)
    if arguments.json:
        print(
            json.dumps(
                {"modes": answer, "processor_seconds": round(time.process_time() - start, 1)},
                ensure_ascii=False,
            )
        )


if __name__ == "__main__":
    main()
