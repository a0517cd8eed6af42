"""Mistakes of whole rows, of parents and of measures: E57 to E68 and E75."""

from __future__ import annotations

import random
from datetime import date, timedelta

from bench.error_modes.cases import Case, Row, rules
from bench.invented import FILE_DATE, Nation


def e57(rng: random.Random, row: Row, nation: Nation) -> Case:
    return Case({**row, "stt": "9"}, {"outcome": "accepted"}, rules("ROW-002"), [row])


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
    return Case(changed, {"bien_dong": "turned_16", "ngay_bien_dong": day.isoformat()}, rules("DATE-015"))


def e65(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice(["Không rõ", "-", "KHÔNG CÓ", "không", "Không có cha", "Không xác định", "chưa rõ", "...", row["ho_ten_me"], "Ko rõ",
                       "Không rõ cha", "không biết"])  # fmt: skip
    return Case(
        {**row, "ho_ten_cha": seen},
        {"ho_ten_cha": None, "ho_ten_me": row["ho_ten_me"]},
        rules("NAME-005", "PARENT-001"),
    )


def e66(rng: random.Random, row: Row, nation: Nation) -> Case:
    return Case(
        {**row, "nam_sinh_me": str(row["_birth"].year - rng.randint(51, 75))}, {}, rules("PARENT-002")
    )


def e67(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = f"{rng.choice('012')}{rng.randint(10**7, 10**8 - 1)}"
    while len(set(seen)) < 3:
        seen = f"0{rng.randint(10**7, 10**8 - 1)}"
    return Case({**row, "so_dinh_danh_me": seen}, {"so_dinh_danh_me": seen}, rules("ID-024"))


def e68(rng: random.Random, row: Row, nation: Nation) -> Case:
    father = nation.number("male", int(row["nam_sinh_cha"]) if int(row["nam_sinh_cha"]) < 2000 else 1990)
    numbers = {"so_dinh_danh_cha": row["so_dinh_danh_me"], "so_dinh_danh_me": rng.choice([father, None])}
    names = {"ho_ten_cha": row["ho_ten_me"], "ho_ten_me": row["ho_ten_cha"]}
    return Case({**row, **numbers, **names}, {}, rules("PARENT-003"))


def e75(rng: random.Random, row: Row, nation: Nation) -> Case:
    whole, part = rng.randint(3, 59), rng.randint(1, 9)
    seen = rng.choice([f"{whole},{part}", f"{whole},{part} kg", f"{whole},{part}kg", f" {whole},{part}0"])
    return Case({**row, "can_nang": seen}, {"can_nang": f"{whole}.{part}"}, rules("NUM-001"))


TWICE = rules("ROW-002", "ID-018")


def e58(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A child in the old and the new commune: both rows stand, each in its commune; the identity step joins them."""
    unit = rng.choice(nation.communes)
    other = {**row, "xa": unit[0], "huyen": unit[1], "tinh": unit[2], "dia_chi": "Số 4"}
    return Case(row, {"commune_id": row["_unit"], "outcome": "accepted"}, before=[other], lacks=TWICE)


STYLES = (("Hòa", "Hoà"), ("Thủy", "Thuỷ"), ("Thúy", "Thuý"), ("Khỏe", "Khoẻ"))


def e59(rng: random.Random, row: Row, nation: Nation) -> Case:
    """One child twice with another style of tone: both rows stand, and its one number is no number of two children."""
    old, new = rng.choice(STYLES)
    name = row["ho_ten_tre"]
    other = {**row, "ho_ten_tre": f"{name} {new}", "thon": "Thôn 9"}
    gives = {"ho_ten_tre": f"{name} {old}", "outcome": "accepted"}
    return Case({**row, "ho_ten_tre": f"{name} {old}"}, gives, before=[other], lacks=TWICE)


def e60(rng: random.Random, row: Row, nation: Nation) -> Case:
    """Twins have one mother and one birthday and are two children."""
    twin = {**row, "ho_ten_tre": nation.name(row["_sex"]), "ma_tre": f"26{rng.randint(0, 10**8):08d}"}
    twin["so_dinh_danh"] = nation.number(row["_sex"], row["_birth"].year)
    return Case(row, {"so_dinh_danh": row["so_dinh_danh"], "outcome": "accepted"}, before=[twin], lacks=TWICE)


def e62(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A death not reported shows in the register of persons only: the row stands as it is."""
    return Case(row, {"bien_dong": None, "outcome": "accepted"})


def e63(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A child not registered at birth has no certificate and no number: kept, and told of."""
    blank = {"so_dinh_danh": None, "ngay_dang_ky_khai_sinh": None}
    said = rng.choice(("Không", "Chưa", "chưa đăng ký"))
    gives = {"so_dinh_danh": None, "da_dang_ky_khai_sinh": "false"}
    return Case({**row, **blank, "da_dang_ky_khai_sinh": said}, gives, rules("ID-001"))


def e64(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A number not yet returned is blank for some days after registration."""
    birth = FILE_DATE - timedelta(days=rng.randint(12, 40))
    day = FILE_DATE - timedelta(days=rng.randint(0, 11))
    changed = {
        "ngay_sinh": birth.strftime("%d/%m/%Y"),
        "ngay_dang_ky_khai_sinh": day.strftime("%d/%m/%Y"),
        "so_dinh_danh": None,
    }
    gives = {"so_dinh_danh": None, "ngay_sinh": birth.isoformat(), "ngay_dang_ky_khai_sinh": day.isoformat()}
    return Case({**row, **changed}, gives, rules("ID-001"))
