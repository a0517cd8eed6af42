"""The 58 columns of one list: what is typed into each cell, and what each cell should become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from childdb.sandbox import expected
from childdb.sandbox.dates import DateForm
from childdb.sandbox.details import Details, birthday_16, details_of
from childdb.sandbox.geography import MERGER, date_of
from childdb.sandbox.list_places import Place, place_of
from childdb.sandbox.lists import UnitList
from childdb.sandbox.misprints import Misprinter, Written
from childdb.sandbox.reference_tables import rows_of
from childdb.sandbox.rows import RowKind, Rows

Cell = str | int | float | dt.date | None
_RESIDENCE = ("Thường trú có mặt", "Thường trú vắng mặt", "Tạm trú")
_RESIDENCE_CODES = ("permanent_present", "permanent_absent", "temporary")


@dataclass
class Sheet:
    """One list as columns: typed cells, expected values, and what concerns whole rows."""

    unit: UnitList
    place: Place
    rows: Rows
    written: Written
    details: Details
    typed: dict[str, list[Cell]] = field(default_factory=dict)
    expected: dict[str, list[object]] = field(default_factory=dict)
    held: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)


@cache
def _labels(name: str, key: str) -> dict[str, str]:
    return {row[key]: row["name_vi"] for row in rows_of(name)}


def build_sheet(printer: Misprinter, unit: UnitList, all_rows: Rows) -> Sheet:
    """Return all columns of one list, rows in the order of hamlets and households."""
    rows = all_rows.take(unit.positions).on(np.full(len(unit.positions), unit.day))
    order = np.lexsort((rows.kind, rows.people.index, rows.people.hamlet, rows.kind == RowKind.LEFT_BEHIND))
    rows = rows.take(order)
    sheet = Sheet(unit, place_of(unit), rows, printer.write(rows), details_of(printer.nation, rows))
    _identity(sheet, printer)
    _household(sheet, printer)
    _circumstances(sheet, printer)
    _changes(sheet)
    _held(sheet, printer)
    return sheet


def _set(sheet: Sheet, column: str, typed: Sequence[Cell], wanted: Sequence[object] | None = None) -> None:
    sheet.typed[column] = list(typed)
    sheet.expected[column] = list(typed) if wanted is None else list(wanted)


def _identity(sheet: Sheet, printer: Misprinter) -> None:
    rows, written = sheet.rows, sheet.written
    births = expected.birth_dates(written, sheet.unit.day)
    _set(sheet, "stt", list(range(1, len(rows) + 1)))
    _set(sheet, "ma_tre", [f"2{number:09d}" for number in rows.people.index * 4 + rows.kind])
    _set(sheet, "ho_ten_tre", written.name.to_pylist(), expected.shown_names(printer.lexicon, written))
    _set(sheet, "ngay_sinh", written.birth.to_pylist(), [birth.iso for birth in births])
    sheet.expected["ngay_sinh_precision"] = [birth.precision for birth in births]
    sheet.expected["birth_year"] = [birth.year for birth in births]
    sheet.expected["birth_month"] = [birth.month for birth in births]
    sexes = expected.sexes(written, printer.habits, rows)
    _set(sheet, "gioi_tinh", written.sex.to_pylist(), sexes)
    _set(sheet, "dan_toc", written.ethnic.to_pylist(), expected.ethnic_codes(written))
    _set(sheet, "quoc_tich", ["Việt Nam"] * len(rows), ["VN"] * len(rows))
    _set(sheet, "so_dinh_danh", written.number.to_pylist(), expected.numbers(written, rows, sexes))
    _set(sheet, "so_khai_sinh", written.certificate.to_pylist())
    registered = sheet.details.birth_registered
    days = np.minimum(
        rows.people.birth + 5 + printer.dice.below("registration day", rows.people.index, 50), sheet.unit.day
    )
    _set(
        sheet,
        "ngay_dang_ky_khai_sinh",
        [_shown(int(day)) if yes else None for day, yes in zip(days, registered, strict=True)],
        [date_of(int(day)).isoformat() if yes else None for day, yes in zip(days, registered, strict=True)],
    )
    _set(
        sheet,
        "noi_dang_ky_khai_sinh",
        [f"{sheet.place.commune}, {sheet.place.province}" if yes else None for yes in registered],
    )
    answer = printer.dice.below("yes form", np.array([sheet.unit.officer]), 3)[0]
    _set(
        sheet,
        "da_dang_ky_khai_sinh",
        [
            ("x", "Có", "Đã đăng ký")[answer] if yes else (None, "Không", "Chưa đăng ký")[answer]
            for yes in registered
        ],
        ["true" if yes else (None if answer == 0 else "false") for yes in registered],
    )
    insured = printer.dice.chance("insured", rows.people.index, 0.6)
    _set(
        sheet,
        "the_bhyt",
        [
            f"TE1{sheet.place.province_code}{index * 7919 % 10**10:010d}" if yes else None
            for index, yes in zip(rows.people.index, insured, strict=True)
        ],
    )


def _shown(day: int) -> str:
    return f"{date_of(day):%d/%m/%Y}"


def _household(sheet: Sheet, printer: Misprinter) -> None:
    rows, written, place, count = sheet.rows, sheet.written, sheet.place, len(sheet.rows)
    _set(sheet, "tinh", [place.province] * count, [sheet.place.province_code] * count)
    _set(sheet, "huyen", [place.district if place.is_former else None] * count)
    _set(sheet, "xa", [place.commune] * count)
    _set(sheet, "thon", written.hamlet.to_pylist())
    _set(sheet, "ma_ho", written.household_no.to_pylist())
    status = printer.dice.choice("residence", rows.people.household, [0.94, 0.02, 0.04])
    _set(
        sheet,
        "tinh_trang_cu_tru",
        [_RESIDENCE[code] for code in status],
        [_RESIDENCE_CODES[code] for code in status],
    )
    _set(sheet, "ho_ten_chu_ho", written.father.to_pylist())
    _set(sheet, "quan_he_chu_ho", ["Con"] * count, ["03"] * count)
    people = rows.people
    swapped = written.marks.has("E68")
    years = (
        np.where(swapped, people.mother_year, people.father_year),
        np.where(swapped, people.father_year, people.mother_year),
    )
    elder = written.marks.has("E66")
    for who, names, tokens, number, year in (
        ("cha", written.father, written.father_tokens, written.father_number, years[0]),
        ("me", written.mother, written.mother_tokens, written.mother_number, years[1]),
    ):
        _set(
            sheet,
            f"ho_ten_{who}",
            names.to_pylist(),
            expected.parent_names(printer.lexicon, tokens, names, written, father=who == "cha"),
        )
        shown = np.where(elder & (who == "me"), year - 30, year)
        _set(
            sheet,
            f"nam_sinh_{who}",
            [int(value) if name else None for value, name in zip(shown, names.to_pylist(), strict=True)],
        )
        _set(sheet, f"so_dinh_danh_{who}", number.to_pylist())
    _set(sheet, "dien_thoai_me", written.phone.to_pylist())


def _circumstances(sheet: Sheet, printer: Misprinter) -> None:
    details, officer = sheet.details, np.array([sheet.unit.officer])
    poverty_form = printer.dice.below("poverty form", officer, 2)[0]
    words = ("Hộ nghèo", "Hộ cận nghèo", (None, "Không")[poverty_form])
    _set(
        sheet,
        "ho_ngheo",
        [words[code] for code in details.poverty],
        [("poor", "near_poor", (None, "none")[poverty_form])[code] for code in details.poverty],
    )
    _set(
        sheet,
        "hoan_canh_dac_biet",
        [_circumstance_words(codes) for codes in details.circumstances],
        [list(codes) if _in_words(codes) else groups_of(codes) for codes in details.circumstances],
    )
    _set(
        sheet,
        "nguy_co",
        ["x" if yes else None for yes in details.at_risk],
        ["true" if yes else None for yes in details.at_risk],
    )
    types, degrees = (
        _labels("codes_disability_types", "disability_type_code"),
        _labels("codes_disability_levels", "disability_level_code"),
    )
    _set(
        sheet,
        "dang_tat",
        [types.get(str(code)) for code in details.disability],
        [str(code) if code else None for code in details.disability],
    )
    _set(
        sheet,
        "muc_do_khuyet_tat",
        [degrees.get(str(code)) for code in details.degree],
        [str(code) if code else None for code in details.degree],
    )
    helps = _labels("codes_assistance_types", "assistance_type_code")
    _set(
        sheet,
        "ho_tro",
        ["; ".join(helps[code] for code in codes) or None for codes in details.help],
        [";".join(sorted(codes)) or None for codes in details.help],
    )
    _set(
        sheet,
        "ngay_ho_tro",
        [
            _shown(int(day)) if codes else None
            for day, codes in zip(details.help_day, details.help, strict=True)
        ],
        [
            date_of(int(day)).isoformat() if codes else None
            for day, codes in zip(details.help_day, details.help, strict=True)
        ],
    )
    _school(sheet, printer)


def groups_of(codes: list[str]) -> list[str]:
    """Return the groups of sub-groups."""
    return sorted({code[:4] for code in codes})


def _in_words(codes: list[str]) -> bool:
    """Return whether the words of the decree can stand in one cell: some hold the sign that parts a list."""
    names = _labels("codes_special_circumstances", "circumstance_code")
    return not any(";" in names[code] for code in codes)


def _circumstance_words(codes: list[str]) -> str | None:
    """Return sub-groups in the words of the decree, or groups by number where the words cannot be listed."""
    names = _labels("codes_special_circumstances", "circumstance_code")
    if _in_words(codes):
        return "; ".join(names[code] for code in codes) or None
    return circumstance_numbers(codes)


def circumstance_numbers(codes: list[str]) -> str | None:
    """Return groups by their number in the law: ``4; 13``."""
    return "; ".join(str(int(group[2:])) for group in groups_of(codes)) or None


def _school(sheet: Sheet, printer: Misprinter) -> None:
    details, rows = sheet.details, sheet.rows
    schools = _labels("codes_school_statuses", "school_status_code")
    _set(
        sheet,
        "tinh_trang_hoc_tap",
        [schools[str(code)] for code in details.school],
        [str(code) for code in details.school],
    )
    classes = [
        f"Lớp {age - 5}{'ABC'[int(index) % 3]}"
        if code == 1 and 6 <= age < 16
        else "Mẫu giáo"
        if code == 1 and age < 6
        else None
        for age, code, index in zip(details.age, details.school, rows.people.index, strict=True)
    ]
    _set(sheet, "lop", classes)
    vaccines = _labels("codes_vaccination_statuses", "vaccination_status_code")
    _set(
        sheet,
        "tiem_chung",
        [vaccines[("full", "partial", "none")[code]] for code in details.vaccination],
        [("full", "partial", "none")[code] for code in details.vaccination],
    )
    noise = printer.dice.uniform("weight", rows.people.index)
    comma = printer.dice.chance(
        "officer E75", np.array([sheet.unit.officer]), printer.profile.files.get("E75", 0.0)
    )[0]
    weights = [
        round(3.5 + 2.6 * int(age) + 3 * part, 1) for age, part in zip(details.age, noise, strict=True)
    ]
    _set(
        sheet,
        "can_nang",
        [f"{weight}".replace(".", ",") if comma else weight for weight in weights],
        [f"{weight:g}" for weight in weights],
    )
    heights = [
        round(52 + 7.2 * int(age) ** 0.95 + 6 * part) for age, part in zip(details.age, noise, strict=True)
    ]
    _set(sheet, "chieu_cao", heights, [str(height) for height in heights])


def _changes(sheet: Sheet) -> None:
    details = sheet.details
    words = _labels("codes_change_types", "change_type_code")
    _set(sheet, "bien_dong", [words[change] if change else None for change in details.change], details.change)
    days = [
        int(day) if change else None for day, change in zip(details.change_day, details.change, strict=True)
    ]
    _set(
        sheet,
        "ngay_bien_dong",
        [_shown(day) if day is not None else None for day in days],
        [date_of(day).isoformat() if day is not None else None for day in days],
    )
    _set(sheet, "nguoi_nhap", [f"canbo_xa{sheet.unit.officer % 90:02d}"] * len(sheet))
    updated = details.updated_day.copy()
    # The newest row carries the list's own day, as software that dates a list by its last change would show.
    own = np.flatnonzero(sheet.rows.kind == RowKind.OWN)
    if len(own):
        updated[own[0]] = sheet.unit.day
    stamps = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in details.updated_minute]
    _set(
        sheet,
        "ngay_cap_nhat",
        [f"{_shown(int(day))} {stamp}" for day, stamp in zip(updated, stamps, strict=True)],
        [f"{date_of(int(day)).isoformat()} {stamp}" for day, stamp in zip(updated, stamps, strict=True)],
    )
    sheet.expected["updated_at"] = list(sheet.expected["ngay_cap_nhat"])
    _close_at_16(sheet)


def _close_at_16(sheet: Sheet) -> None:
    """Expect a child that must be 16 by the list's day to be closed, on its birthday if known, and mark it (E61)."""
    day = date_of(sheet.unit.day)
    for row in range(len(sheet)):
        precision, form = sheet.expected["ngay_sinh_precision"][row], sheet.written.birth_form[row]
        if (
            sheet.expected["bien_dong"][row] is not None
            or precision == "unknown"
            or form == DateForm.OUT_OF_RANGE
        ):
            continue
        turned = birthday_16(_latest_birth(sheet, row))
        if turned <= day:
            sheet.expected["bien_dong"][row] = "turned_16"
            sheet.expected["ngay_bien_dong"][row] = turned.isoformat() if precision == "day" else None
            sheet.written.marks.set("E61", np.array([row]))


def _latest_birth(sheet: Sheet, row: int) -> dt.date:
    """Return the last day on which a child can have been born, by what its cell still tells."""
    if sheet.expected["ngay_sinh_precision"][row] == "day":
        return dt.date.fromisoformat(str(sheet.expected["ngay_sinh"][row]))
    year, month = sheet.expected["birth_year"][row], sheet.expected["birth_month"][row]
    after = (
        dt.date(int(str(year)) + 1, 1, 1)
        if month in (None, 12)
        else dt.date(int(str(year)), int(str(month)) + 1, 1)
    )
    return after - dt.timedelta(days=1)


def _held(sheet: Sheet, printer: Misprinter) -> None:
    """Damage a few rows so that they can no longer be read as one child; they must be held, with this reason."""
    rates = printer.profile.held
    edges = np.cumsum(list(rates.values())) if rates else np.array([0.0])
    drawn = np.searchsorted(
        edges,
        printer.dice.uniform("held", sheet.rows.draw + (sheet.rows.kind << 42) + sheet.unit.is_former),
        side="right",
    )
    reasons = list(rates)
    sheet.held = [reasons[which] if which < len(reasons) else None for which in drawn]


def typed_dates(sheet: Sheet) -> list[Cell]:
    """Return birth dates as a workbook stores them: real dates and serials by the officer's habit, else text."""
    found: list[Cell] = []
    for text, day, form in zip(
        sheet.typed["ngay_sinh"], sheet.written.birth_day, sheet.written.birth_form, strict=True
    ):
        found.append(
            date_of(int(day)) if form == DateForm.ISO else int(str(text)) if form == DateForm.SERIAL else text
        )
    return found


__all__ = ["MERGER", "Cell", "Place", "Sheet", "build_sheet", "place_of", "typed_dates"]
