"""Mistakes of dates: E34 to E43."""

from __future__ import annotations

import random
from datetime import date, timedelta

from bench.error_modes.cases import Case, Row, date_case, rules
from bench.invented import Nation


def e34(rng: random.Random, row: Row, nation: Nation) -> Case:
    gives = {"ngay_sinh": row["_birth"].isoformat(), "ngay_sinh_precision": "day"}
    if rng.random() < 0.5:
        return date_case(
            row, row["_birth"].isoformat() + rng.choice(["", " 00:00:00", "T00:00:00"]), gives, kind="d"
        )
    serial = (row["_birth"] - date(1899, 12, 30)).days
    return date_case(row, f"{serial}{rng.choice(['', '.0'])}", gives, "DATE-002", kind="n")


def e36(rng: random.Random, row: Row, nation: Nation) -> Case:
    year = row["_birth"].year
    gives = {"ngay_sinh": None, "ngay_sinh_precision": "year", "birth_year": year}
    return date_case(row, rng.choice([str(year), f"năm {year}", f"{year}.0"]), gives, "DATE-003")


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
    return date_case(row, seen, gives, "DATE-004")


def e38(rng: random.Random, row: Row, nation: Nation) -> Case:
    birth = row["_birth"]
    sign = rng.choice("/-.")
    seen = f"{birth.day}{sign}{birth.month}{sign}{birth.year % 100:02d}"
    return date_case(row, seen, {"ngay_sinh": birth.isoformat(), "ngay_sinh_precision": "day"}, "DATE-005")


def e39(rng: random.Random, row: Row, nation: Nation) -> Case:
    year = row["_birth"].year
    seen = rng.choice(
        ["30/02/{}", "31/04/{}", "00/00/{}", "31/11/{}", "32/01/{}", "00/05/{}", "31-6-{}"]
    ).format(year)
    return date_case(
        row, seen, {"ngay_sinh": None, "ngay_sinh_precision": "year", "birth_year": year}, "DATE-006"
    )


def e40(rng: random.Random, row: Row, nation: Nation) -> Case:
    birth = row["_birth"]
    year = rng.choice([birth.year + 70, birth.year - 100, 2025 + rng.randint(1, 60), birth.year - 40])
    seen = f"{min(birth.day, 28):02d}/{birth.month:02d}/{year}"
    return Case({**row, "ngay_sinh": seen}, {}, rules("DATE-008", "DATE-009"))


def e42(rng: random.Random, row: Row, nation: Nation) -> Case:
    d, m, y = row["_birth"].day, row["_birth"].month, row["_birth"].year
    seen = rng.choice([f"{d}-{m}-{y}", f"{d:02d}.{m:02d}.{y}", f"ngày {d} tháng {m} năm {y}", f"{d} / {m} / {y}", f"{d:02d}{m:02d}{y}",
                       f"Ngày {d:02d} tháng {m:02d} năm {y}", f"{d}/ {m}/{y}", f"{y}/{m:02d}/{d:02d}", f"{d} tháng {m} {y}"])  # fmt: skip
    if seen.isdigit() and seen[:2] in ("19", "20") and m > 8:
        seen = f"{d}-{m}-{y}"  # eight digits that are a date both ways decide nothing
    return date_case(
        row, seen, {"ngay_sinh": row["_birth"].isoformat(), "ngay_sinh_precision": "day"}, "DATE-001"
    )


def e35(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A spreadsheet of another country took day/month for month/day where it could: flagged, never swapped back."""
    birth = row["_birth"]
    if birth.day <= 12:
        seen = f"{birth.year}-{birth.day:02d}-{birth.month:02d}"
        gives = {"ngay_sinh": seen} if seen <= nation.file_date.isoformat() else {"ngay_sinh": None}
        return date_case(row, seen, gives, "DATE-011", "DATE-012", kind="d")
    return date_case(row, birth.strftime("%d/%m/%Y"), {"ngay_sinh": birth.isoformat()})


def e41(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A lunar date is a date: it is kept, the register of persons shows the other."""
    day = row["_birth"] - timedelta(days=rng.randint(20, 50))
    day = day if (day.day, day.month) != (1, 1) else day - timedelta(days=1)
    row = {**row, "so_dinh_danh": nation.number(row["_sex"], day.year)}
    seen = {"ngay_sinh": day.isoformat(), "ngay_sinh_precision": "day"}
    return Case({**row, "ngay_sinh": day.strftime("%d/%m/%Y")}, seen, lacks=rules("DATE-006", "DATE-008"))


def e43(rng: random.Random, row: Row, nation: Nation) -> Case:
    """The day of registration in place of the day of birth is kept as typed: only the register can tell."""
    day = row["ngay_dang_ky_khai_sinh"]
    iso = "-".join(reversed(day.split("/")))
    return date_case(row, day, {"ngay_sinh": iso, "ngay_sinh_precision": "day"})
