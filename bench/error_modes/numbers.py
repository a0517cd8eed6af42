"""Mistakes of personal numbers: E01 to E16."""

from __future__ import annotations

import random

from bench.error_modes.cases import Case, Row, number_case, rules
from bench.invented import Nation


def e01(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice(
        [None, "-", "0", "Chưa có", "chưa cấp", "không có", "CHƯA CÓ MÃ", "...", "Đang chờ cấp", "x"]
    )
    return number_case(rng, seen, row, None, "ID-001")


def e02(rng: random.Random, row: Row, nation: Nation) -> Case:
    number = row["so_dinh_danh"]
    seen = number.lstrip("0") + rng.choice(["", "", ".0", " "])
    return number_case(rng, seen, row, number, "ID-004")


def e03(rng: random.Random, row: Row, nation: Nation) -> Case:
    value = int(row["so_dinh_danh"])
    seen = rng.choice([f"{value:.4E}", f"{value:.2E}".replace(".", ","), f"{value:.5e}"])
    return number_case(rng, seen, row, None, "ID-006")


def e04(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = row["so_dinh_danh"]
    seen = rng.choice([
        f"{n[:3]} {n[3:6]} {n[6:9]} {n[9:]}", f"{n[:3]}.{n[3:6]}.{n[6:]}", f"{n[:4]}-{n[4:8]}-{n[8:]}", f"CCCD: {n}", f"’{n}",
        f"'{n}", f"Số định danh: {n}", f"MĐD {n}", f"{n[:6]}\u00a0{n[6:]}", f"ĐDCN:{n[:6]} {n[6:]}", f"số {n}", f"`{n}`",
    ])  # fmt: skip
    return number_case(rng, seen, row, n, "ID-003")


def e05(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = row["so_dinh_danh"]
    place = rng.randrange(1, 12)
    # A number short of a digit still begins with its zero: what a spreadsheet took away is another mode.
    seen = rng.choice(
        [n[:place] + n[place + 1 :], n[:place] + rng.choice("0123456789") + n[place:], n[:8], n + "12"]
    )
    return number_case(rng, seen, row, None, "ID-017", "ID-005", "ID-012", "ID-013", "ID-011")


def e06(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = list(row["so_dinh_danh"])
    letters = {"0": "Oo", "1": "lI", "5": "S"}
    places = [place for place, digit in enumerate(n) if digit in letters]
    for place in rng.sample(places, rng.randint(1, len(places))):
        n[place] = rng.choice(letters[n[place]])
    return number_case(rng, "".join(n), row, row["so_dinh_danh"], "ID-009")


def e07(rng: random.Random, row: Row, nation: Nation) -> Case:
    if rng.random() < 0.5:
        return number_case(rng, row["so_dinh_danh_me"], row, None, "ID-016")
    parent = nation.number("female", int(row["nam_sinh_me"]) if int(row["nam_sinh_me"]) < 2000 else 1995)
    return number_case(
        rng, parent, {**row, "so_dinh_danh_me": rng.choice([None, row["so_dinh_danh_me"]])}, None, "ID-016"
    )


def e08(rng: random.Random, row: Row, nation: Nation) -> Case:
    if rng.random() < 0.7:
        card = f"{rng.choice(('TE', 'HN', 'DT', 'CN', 'GD'))}{rng.randint(1, 4)}{rng.randint(10**11, 10**12 - 1)}"
        seen = card if rng.random() < 0.7 else f"{card[:2]} {card[2]} {card[3:5]} {card[5:]}"
        return Case({**row, "so_dinh_danh": seen}, {"so_dinh_danh": None, "the_bhyt": card}, rules("ID-012"))
    return number_case(
        rng, f"{rng.choice('79')}9{rng.randint(10**7, 10**8 - 1)}", row, None, "ID-012", "ID-005"
    )


def e09(rng: random.Random, row: Row, nation: Nation) -> Case:
    other = {**nation.child(rng.randint(1, 10**7)), "so_dinh_danh": row["so_dinh_danh"]}
    return Case(row, {}, rules("ID-018"), [other])


def e10(rng: random.Random, row: Row, nation: Nation) -> Case:
    n = row["so_dinh_danh"]
    year = (int(n[4:6]) + rng.randint(1, 9)) % 26
    return number_case(rng, f"{n[:4]}{year:02d}{n[6:]}", row, f"{n[:4]}{year:02d}{n[6:]}", "ID-021")


def e11(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = "Nam" if row["_sex"] == "female" else "Nữ"
    return Case({**row, "gioi_tinh": seen}, {"so_dinh_danh": row["so_dinh_danh"]}, rules("ID-020"))


def e12(rng: random.Random, row: Row, nation: Nation) -> Case:
    year = row["_birth"].year + (1 if row["_birth"].year < 2024 else -1)
    day = min(row["_birth"].day, 28)
    seen = f"{day:02d}/{row['_birth'].month:02d}/{year}"
    return Case({**row, "ngay_sinh": seen}, {"so_dinh_danh": row["so_dinh_danh"]}, rules("ID-021"))


def e15(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = f"{rng.choice(('HS', 'TT', 'TAM', 'MN', 'GD', 'hs'))}{rng.choice(('', '-'))}{rng.randint(10**7, 10**10)}"
    return number_case(rng, seen, row, None, "ID-014", "ID-012")


def e16(rng: random.Random, row: Row, nation: Nation) -> Case:
    seen = rng.choice(
        [*(digit * 12 for digit in "0123456789"), "123456789012", "012345678910", "987654321012", "123456789"]
    )
    return number_case(rng, seen, row, None, "ID-015")


def e14(rng: random.Random, row: Row, nation: Nation) -> Case:
    """The register of persons itself holds numbers of a wrong structure: kept, told of, never corrected."""
    n = row["so_dinh_danh"]
    if rng.random() < 0.5:
        seen = f"{n[:3]}{int(n[3]) ^ 1}{n[4:]}"
        return number_case(rng, seen, row, seen, "ID-020")
    seen = f"{n[:4]}{(int(n[4:6]) + rng.choice((1, 2, 25))) % 26:02d}{n[6:]}"
    return number_case(rng, seen, row, seen, "ID-021")
