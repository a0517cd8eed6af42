"""Vietnamese wording that forms and pages share: units, periods, dates, marks, neutral text."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum


class Language(StrEnum):
    """Languages of the pages; Vietnamese is the source."""

    VI = "vi"
    EN = "en"

    @property
    def other(self) -> Language:
        """The language the reader may change to."""
        return Language.EN if self is Language.VI else Language.VI


UNIT_KINDS: dict[str, str] = {
    "tinh": "tỉnh",
    "thanh_pho": "thành phố",
    "xa": "xã",
    "phuong": "phường",
    "dac_khu": "đặc khu",
    "thi_tran": "thị trấn",
}

PERIOD = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<part>S[12]|Q[1-4]))?")
PARTS = {
    "S1": "6 tháng đầu năm {year}",
    "S2": "6 tháng cuối năm {year}",
    "Q1": "Quý I/{year}",
    "Q2": "Quý II/{year}",
    "Q3": "Quý III/{year}",
    "Q4": "Quý IV/{year}",
}


class Mark(StrEnum):
    """What stands in a cell without a number; three meanings, three marks."""

    HIDDEN = "(*)"
    NO_DATA = "…"
    NOT_APPLICABLE = "x"


MARKS: dict[str, Mark] = {
    "hidden": Mark.HIDDEN,
    "no_data": Mark.NO_DATA,
    "not_applicable": Mark.NOT_APPLICABLE,
}

LEGEND = (
    f"Ký hiệu: {Mark.HIDDEN} số liệu được giữ kín để bảo vệ thông tin của trẻ em; "
    f"{Mark.NO_DATA} không có số liệu; {Mark.NOT_APPLICABLE} không áp dụng. "
    "Số đếm được làm tròn đến 5; tổng số không nhất thiết bằng tổng các số chi tiết."
)


def unit_name(kind: str, name: str) -> str:
    """Return a place with its kind in front: ``tỉnh Cao Bằng``.

    >>> unit_name("thanh_pho", "Hà Nội")
    'thành phố Hà Nội'
    """
    word = UNIT_KINDS.get(kind, "")
    return f"{word} {name}".strip()


def period_text(period: str) -> str:
    """Return a period in the words of reports; a text that is no period comes back unchanged.

    >>> period_text("2026-Q1"), period_text("2026")
    ('Quý I/2026', 'Năm 2026')
    """
    match = PERIOD.fullmatch(period)
    if match is None:
        return period
    part = match["part"]
    return PARTS[part].format(year=match["year"]) if part else f"Năm {match['year']}"


def date_text(day: date) -> str:
    """Return a day as dd/mm/yyyy."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def safe_text(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, whatever it is saved as later.

    Control characters go; a leading ``= + - @`` (after blanks) gets an apostrophe in front.

    >>> safe_text("  =1+1"), safe_text("Xã An")
    ("'  =1+1", 'Xã An')
    """
    clean = "".join(c for c in text if c >= " " and c != "\x7f")
    # Full-width forms of the four signs are taken for formulas by some spreadsheet programs.
    return f"'{clean}" if clean.lstrip()[:1] in set("=+-@＝＋－＠") and clean.strip() else clean
