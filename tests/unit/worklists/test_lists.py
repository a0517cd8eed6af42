"""Classes, keys and order of the lists: pure rules."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from childdb.worklists.answer_sheet import (
    AnswerRow,
    AnswerSheet,
    Manifest,
    Unreadable,
    find_sheet,
    from_document,
    to_document,
)
from childdb.worklists.classify import is_newborn, items_of
from childdb.worklists.form import birth_registration_days, captions, form_on
from childdb.worklists.model import LIST_COLUMNS, ItemClass, ListedChild, Reason, Result
from childdb.worklists.reasons import REASONS
from childdb.worklists.rowkeys import cell_text, row_hash, row_key, split_key, written_key
from childdb.worklists.vietnamese import name_sort_key, sort_key

KEY = b"k" * 32
CHILD = ListedChild(
    child_id="c1",
    record_id="r1",
    commune_id="00004@2025-07-01",
    birth_date=date(2019, 3, 5),
    birth_date_precision="day",
    birth_year=2019,
    sex="female",
    is_number_confirmed=False,
    number=None,
    shown=("Thử",) * 10,
    name="Thử",
    ethnic_group="01",
)


def classes(child: ListedChild) -> dict[ItemClass, tuple[Reason, ...]]:
    return {item.item_class: item.reasons for item in items_of(child)}


def test_child_without_number_is_of_the_first_class() -> None:
    assert classes(CHILD) == {ItemClass.NO_NUMBER: (Reason.NUMBER_MISSING,)}


def test_malformed_number_is_of_the_second_class() -> None:
    assert classes(replace(CHILD, has_number_text=True)) == {
        ItemClass.WRONG_FORMAT: (Reason.NUMBER_MALFORMED,)
    }


def test_unconfirmed_number_is_asked_to_be_confirmed() -> None:
    assert classes(replace(CHILD, number="001319000001")) == {
        ItemClass.WRONG_FORMAT: (Reason.NUMBER_UNCONFIRMED,)
    }


def test_child_with_everything_is_in_no_list() -> None:
    assert classes(replace(CHILD, is_number_confirmed=True)) == {}


def test_missing_fields_are_told_one_by_one() -> None:
    child = replace(
        CHILD, is_number_confirmed=True, sex=None, birth_date_precision="year", has_guardian=False
    )
    expected = (Reason.BIRTH_DATE_INCOMPLETE, Reason.SEX_MISSING, Reason.GUARDIAN_MISSING)
    assert classes(child) == {ItemClass.BASIC_DATA: expected}


def test_child_without_addressee_is_in_no_list() -> None:
    assert classes(replace(CHILD, commune_id=None)) == {}


@pytest.mark.parametrize(("day", "expected"), [(date(2019, 5, 3), True), (date(2019, 5, 4), False)])
def test_sixty_days_are_kept_to_the_day(day: date, expected: bool) -> None:
    assert birth_registration_days(day) == 60
    assert is_newborn(CHILD, day, 60) is expected


@given(st.lists(st.text(max_size=6), min_size=2, max_size=4), st.integers(0, 3), st.text(max_size=6))
def test_any_edit_changes_the_hash(shown: list[str], place: int, other: str) -> None:
    place %= len(shown)
    edited = [*shown[:place], other, *shown[place + 1 :]]
    same = [cell_text(text) for text in shown] == [cell_text(text) for text in edited]
    hashes = {row_hash(KEY, "K", "c", "no_number", tuple(cells)) for cells in (shown, edited)}
    assert (len(hashes) == 1) is same


def test_moving_text_to_the_next_cell_changes_the_hash() -> None:
    assert row_hash(KEY, "K", "c", "x", ("ab", "c")) != row_hash(KEY, "K", "c", "x", ("a", "bc"))


def test_key_survives_writing_and_reading() -> None:
    own = row_key(KEY, "b", "i")
    assert split_key(f" {written_key(own, row_hash(KEY, own, 'c', 'x', ())).lower()} ") is not None
    assert split_key("NGƯỜI LẬP DANH SÁCH") is None
    assert row_key(b"other" * 8, "b", "i") != own


def test_vietnamese_order_of_letters_and_tones() -> None:
    provinces = ["Điện Biên", "Đắk Lắk", "Bắc Ninh", "An Giang", "Ân Thi", "Ăn", "Cà Mau", "Dũng"]
    expected = ["An Giang", "Ăn", "Ân Thi", "Bắc Ninh", "Cà Mau", "Dũng", "Đắk Lắk", "Điện Biên"]
    assert sorted(provinces, key=sort_key) == expected
    assert sorted(["Lê Văn Bình", "Đỗ An", "Bùi An"], key=name_sort_key) == ["Bùi An", "Đỗ An", "Lê Văn Bình"]


def test_composed_and_decomposed_letters_sort_alike() -> None:
    assert sort_key("Đắk") == sort_key("Đa\u0306\u0301k")


def test_every_column_has_a_caption_and_every_class_a_title() -> None:
    assert set(captions()) == set(LIST_COLUMNS)
    assert set(form_on(date(2026, 1, 1)).titles) == {entry.value for entry in ItemClass}


def test_results_are_those_of_the_contract() -> None:
    words = [
        "Cung cấp số",
        "Xác nhận đúng",
        "Sửa",
        "Không tìm thấy",
        "Trùng",
        "Không cư trú",
        "Chuyển đi",
        "Đã chết",
    ]
    assert [entry.value for entry in Result] == words


def test_reasons_speak_both_languages() -> None:
    assert all(vi and en and vi != en for vi, en in REASONS.values())


def test_sheet_without_our_columns_is_no_list() -> None:
    found = find_sheet([{"name": "Danh sách", "rows": [{"row_no": 1, "cells": {"1": "ma_dong"}}]}])
    assert found == Unreadable("ANSWER-NOT-A-LIST")


@given(
    st.builds(
        AnswerSheet,
        st.none() | st.builds(Manifest, st.text(), st.text(), st.text()),
        st.lists(
            st.builds(
                AnswerRow,
                st.integers(1),
                st.text(),
                st.none() | st.lists(st.text()).map(tuple),
                st.text(),
                st.text(),
                st.text(),
            )
        ).map(tuple),
        st.text(),
        st.none() | st.dates(),
    )
)
def test_a_sheet_comes_out_of_its_process_unchanged(sheet: AnswerSheet) -> None:
    assert from_document(json.loads(json.dumps(to_document(sheet), ensure_ascii=False))) == sheet


def test_a_child_never_prints_itself() -> None:
    assert "Thử" not in repr(CHILD)
