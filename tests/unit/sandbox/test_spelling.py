"""Spellings, old encodings, dates and the lunar calendar against examples known from elsewhere."""

from __future__ import annotations

import datetime as dt
import unicodedata

import numpy as np
import pytest

from childdb.sandbox.dates import DateForm, can_swap, date_texts, lunar_days
from childdb.sandbox.geography import day_number
from childdb.sandbox.lunar import lunar_day_month
from childdb.sandbox.old_encodings import (
    as_cp1258,
    as_mojibake,
    as_question_marks,
    as_tcvn3,
    as_vni,
    can_cp1258,
)
from childdb.sandbox.spelling import by_ear, folded, misplaced, odd_case, other_tone
from childdb.sandbox.writing import insurance, odd_spaces, scientific, separated, with_letters
from childdb.sandbox.writing_names import minority_form


def test_old_fonts_show_names_as_seen_in_stored_documents() -> None:
    assert as_tcvn3("Nguyễn Thị Hòa") == "NguyÔn ThÞ Hßa"
    assert as_tcvn3("đã đăng ký khai sinh") == "®· ®¨ng ký khai sinh"
    assert as_vni("Nguyễn Thị Hòa") == "Nguyeãn Thò Hoøa"
    assert as_mojibake("Nguyễn") == "Nguyá»…n"
    assert as_question_marks("Nguyễn Hòa") == "Nguy?n Hòa"


def test_cp1258_round_trips_after_composition() -> None:
    text = "Nguyễn Thị Ngọc Ánh, Đặng Quý Phương, xã Ẳng Tở"
    assert unicodedata.normalize("NFC", as_cp1258(text).decode("cp1258")) == text
    assert can_cp1258(text) and not can_cp1258("Niê Ayŭn")


@pytest.mark.parametrize(
    ("word", "seen"),
    [
        ("Hòa", "Hoà"),
        ("Thủy", "Thuỷ"),
        ("Hoà", "Hòa"),
        ("Nguyễn", "Nguyễn"),
        ("Quý", "Quý"),
        ("Toàn", "Toàn"),
    ],
)
def test_tone_moves_only_on_open_syllables(word: str, seen: str) -> None:
    assert other_tone(word) == seen


def test_single_slips() -> None:
    assert misplaced("Quý") == "Qúy" and misplaced("Gia") == "Gia"
    assert odd_case("Nguyễn") == "NguyễN"
    assert folded("Đặng Thị Ữ") == "Dang Thi U"
    assert all(by_ear(word) != word for word in ("Hiền", "Anh", "An", "Ý", "Trí", "Niê"))
    assert minority_form("H' Linh Niê", 2) == "HLinh Niê"
    assert minority_form("Rơ Châm H' Bla", 0) == "Rơ Châm H'Bla"


def test_numbers_are_misprinted_as_the_error_list_says() -> None:
    number = "036219000123"
    assert scientific(number, 0) == "3.62E+10"
    assert separated(number, 0) == "036 219 000 123"
    assert with_letters(number, 1)[1:] == "36219OOO123"
    assert insurance(number, 1).startswith("TE1") and len(insurance(number, 1)) == 15
    assert {
        odd_spaces("A B", form).replace(" ", "").replace("\u00a0", "").replace("\u200b", "")
        for form in range(5)
    } == {"AB"}


def test_dates_are_written_in_every_form() -> None:
    day = day_number(dt.date(2019, 3, 5))
    forms = np.arange(len(DateForm))
    texts = dict(zip(DateForm, date_texts(np.full(len(forms), day), forms).to_pylist(), strict=True))
    assert (
        texts[DateForm.PLAIN] == "05/03/2019"
        and texts[DateForm.SERIAL] == "43529"
        and texts[DateForm.SWAPPED] == "03/05/2019"
    )
    assert texts[DateForm.WORDS] == "ngày 5 tháng 3 năm 2019" and texts[DateForm.TWO_DIGITS] == "5/3/19"
    assert texts[DateForm.NONE] is None
    assert can_swap(
        np.array([day, day_number(dt.date(2019, 3, 13)), day_number(dt.date(2019, 4, 4))])
    ).tolist() == [True, False, False]


@pytest.mark.parametrize(("day", "lunar"), [
    ((2019, 3, 5), (29, 1)), ((2024, 2, 10), (1, 1)), ((2025, 1, 29), (1, 1)), ((2026, 2, 17), (1, 1)), ((2023, 3, 22), (1, 2)), ((2020, 6, 1), (10, 4)),
])  # fmt: skip
def test_lunar_calendar(day: tuple[int, int, int], lunar: tuple[int, int]) -> None:
    date = dt.date(*day)
    assert lunar_day_month(day_number(date), date.year) == lunar


def test_lunar_birthdays_are_earlier_by_weeks() -> None:
    days = np.arange(day_number(dt.date(2010, 1, 1)), day_number(dt.date(2026, 6, 30)))
    moons = lunar_days(days)
    shift = days[moons >= 0] - moons[moons >= 0]
    assert (moons >= 0).mean() > 0.98 and shift.min() > 10 and shift.max() < 60
