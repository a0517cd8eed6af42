"""Reports of provinces and services as figures: what was counted, in which unit, how many, and where it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from childdb.reading import FileReading, ReadOptions, read_file
from childdb.reading.keys import fold

COLUMN_MAP = "reports"
"""The column map that every dataset of figures shares."""


class Unit(StrEnum):
    """What a figure counts; attendances and calls are never people."""

    PERSON = "person"
    ATTENDANCE = "attendance"
    CASE = "case"
    CALL = "call"
    DOCUMENT = "document"
    COURSE = "course"
    EVENT = "event"
    UNIT = "unit"
    PERCENT = "percent"
    AMOUNT = "amount"


_UNITS: tuple[tuple[str, Unit], ...] = (
    (r"luot", Unit.ATTENDANCE),
    (r"cuoc goi|cuoc dien", Unit.CALL),
    (r"van ban|ke hoach|quyet dinh|cong van|tai lieu", Unit.DOCUMENT),
    (r"lop|khoa", Unit.COURSE),
    (r"buoi|hoi nghi|su kien|chien dich|cuoc", Unit.EVENT),
    (r"vu|truong hop|ca\b", Unit.CASE),
    (r"nguoi|tre|em|chau|can bo|hoc vien|doi tuong", Unit.PERSON),
    (r"phan tram|ty le", Unit.PERCENT),
    (r"dong|trieu|ty", Unit.AMOUNT),
    (r"co so|hoi dong|xa|trung tam|diem|nha|don vi|ban|doi|cai", Unit.UNIT),
)
_COUNTED: tuple[tuple[str, str], ...] = (
    (r"luot", "attendances"),
    (r"cuoc goi|cuoc dien", "calls"),
    (r"van ban|ke hoach|quyet dinh|cong van|tai lieu", "documents"),
    (r"lop|khoa", "courses"),
    (r"hoi nghi|cuoc hop|hoi thao", "meetings"),
    (r"buoi|su kien|chien dich|cuoc", "sessions"),
    (r"tin bai|tin|bai", "news_items"),
    (r"phong su", "reportages"),
    (r"vu|truong hop|ca", "cases"),
    (r"tre em|tre|em|chau", "children"),
    (r"nguoi|can bo|hoc vien|doi tuong", "people"),
    (r"phan tram|ty le", "share_percent"),
    (r"huyen|quan|thi xa", "districts"),
    (r"xa|phuong|dia phuong", "localities"),
    (r"hoi dong", "councils"),
    (r"trung tam|co so|diem|nha", "centres"),
    (r"dong|trieu|ty", "amount"),
)
_WHOLE = re.compile(r"\d{1,3}(?:[.,]\d{3})+|\d+", re.ASCII)
_DECIMAL = re.compile(r"\d+[.,]\d{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """One figure of a report; a value or unit that cannot be read is None, never a guess."""

    sheet: str | None
    row_no: int
    topic: str
    unit_text: str
    unit: Unit | None
    value: str | None
    earlier_value: str | None
    province_text: str | None
    commune_text: str | None
    counted_unit_code: str | None = None
    """What the figure counts in the words of the warehouse (seed ``counted_units``), None where nobody knows."""
    period_text: str | None = None
    note: str | None = None
    sheet_no: int = 1


def unit_of(text: str) -> Unit | None:
    """Return the unit a text names; an attendance (lượt người) is one, whatever it is an attendance of.

    >>> unit_of("Lượt người"), unit_of("Người"), unit_of("%")
    (<Unit.ATTENDANCE: 'attendance'>, <Unit.PERSON: 'person'>, <Unit.PERCENT: 'percent'>)
    """
    if text.strip() == "%":
        return Unit.PERCENT
    key = fold(text)
    return next((unit for pattern, unit in _UNITS if re.search(rf"\b(?:{pattern})", key)), None)


def counted_unit(text: str) -> str | None:
    """Return the code of what a figure counts; an attendance (lượt trẻ em) is one, whatever it is an attendance of.

    >>> counted_unit("Lượt người"), counted_unit("Trẻ em"), counted_unit("%"), counted_unit("bộ")
    ('attendances', 'children', 'share_percent', None)
    """
    if text.strip() == "%":
        return "share_percent"
    key = fold(text)
    return next((code for pattern, code in _COUNTED if re.search(rf"\b(?:{pattern})\b", key)), None)


def number_of(text: str | None) -> str | None:
    """Return a figure as plain decimal text, None where it is none.

    >>> number_of("1.204"), number_of("12,5"), number_of("khoảng 30")
    ('1204', '12.5', None)
    """
    plain = (text or "").strip().rstrip("%").strip()
    if _WHOLE.fullmatch(plain):
        return str(int(re.sub(r"[.,]", "", plain)))
    return plain.replace(",", ".") if _DECIMAL.fullmatch(plain) else None


def read_report(path: Path) -> tuple[FileReading, list[ReportFigure]]:
    """Return a report as read and its figures; a file that is held or refused has none."""
    reading = read_file(path, options=ReadOptions(dataset=COLUMN_MAP))
    return reading, figures_of(reading)


def figures_of(reading: FileReading) -> list[ReportFigure]:
    """Return the figures of a report as read; one that is held or refused has none."""
    if not reading.outcome.is_loaded:
        return []
    sheets = {name: place for place, name in enumerate(reading.profile.read_sheets, 1)}
    rows = reading.rows.to_pylist()
    return [_figure(row, sheets.get(row["sheet"] or "", 1)) for row in rows if row["row_reason"] is None]


def _figure(row: dict[str, str], sheet_no: int) -> ReportFigure:
    is_number = row["_kinds"][4:5] == "n"
    value = row["so_luong"] if is_number else number_of(row["so_luong"])
    return ReportFigure(
        sheet=row["sheet"],
        row_no=int(row["row_no"]),
        topic=row["noi_dung"],
        unit_text=row["don_vi_tinh"] or "",
        unit=unit_of(row["don_vi_tinh"] or ""),
        value=value,
        earlier_value=number_of(row["ky_truoc"]),
        province_text=row["tinh"],
        commune_text=row["xa"],
        counted_unit_code=counted_unit(row["don_vi_tinh"] or ""),
        period_text=row["ky"],
        note=row["ghi_chu"],
        sheet_no=sheet_no,
    )
