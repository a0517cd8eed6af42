"""Numbers, dates, marks and sorting."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from childdb.forms import words as form_words
from childdb.forms.words import Language
from childdb.portal import choropleth, links, words
from childdb.portal.words import day_text, number_text, period_words, show, sort_key


@pytest.mark.parametrize("module", [words, links, choropleth, form_words])
def test_examples_in_the_code_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@given(st.integers(0, 10**11))
def test_vietnamese_numbers_part_thousands_with_points(value: int) -> None:
    text = number_text(value)
    assert "," not in text
    assert int(text.replace(".", "")) == value
    assert all(len(part) == 3 for part in text.split(".")[1:])


@given(st.decimals(0, 10**6, places=1))
def test_one_decimal_stands_after_a_comma(value: object) -> None:
    whole, comma, decimal = number_text(float(str(value)), Language.VI, 1).partition(",")
    assert (comma, len(decimal)) == (",", 1)
    assert float(f"{whole.replace('.', '')}.{decimal}") == pytest.approx(float(str(value)))


def test_half_is_rounded_away_from_zero_as_people_expect() -> None:
    assert number_text(0.25, Language.VI, 1) == "0,3"


def test_three_reasons_for_no_number_have_three_marks() -> None:
    shown = [show(None, status) for status in ("hidden", "no_data", "not_applicable")]
    assert len({one.text for one in shown}) == 3
    assert not any(one.is_number for one in shown)
    assert show(0, "published").text == "0"


def test_tones_follow_the_dictionary() -> None:
    assert sorted(["mạ", "má", "mã", "mả", "mà", "ma"], key=sort_key) == ["ma", "mà", "mả", "mã", "má", "mạ"]


def test_special_letters_follow_their_plain_ones() -> None:
    names = [
        "Điện Biên",
        "An Giang",
        "Đắk Lắk",
        "Âu",
        "Dầu",
        "Ôn",
        "Ơn",
        "On",
        "Ưng",
        "Ung",
        "Ăn",
        "Êm",
        "Em",
    ]
    expected = [
        "An Giang",
        "Ăn",
        "Âu",
        "Dầu",
        "Đắk Lắk",
        "Điện Biên",
        "Em",
        "Êm",
        "On",
        "Ôn",
        "Ơn",
        "Ung",
        "Ưng",
    ]
    assert sorted(names, key=sort_key) == expected


@given(st.lists(st.text(alphabet="aàáạăắâấdđeêoôơuư ", min_size=1, max_size=6), min_size=2, max_size=8))
def test_sorting_is_a_total_order(names: list[str]) -> None:
    assert sorted(names, key=sort_key) == sorted(names, key=sort_key)


def test_times_are_told_in_vietnam() -> None:
    assert day_text("2026-11-21T18:30:00+00:00") == "22/11/2026 01:30"


@pytest.mark.parametrize(
    ("period", "text"),
    [("2026", "Year 2026"), ("2026-S2", "Second half of 2026"), ("2026-Q3", "Quarter 3, 2026")],
)
def test_periods_in_english(period: str, text: str) -> None:
    assert period_words(period, Language.EN) == text
