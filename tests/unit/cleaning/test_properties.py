"""What holds for any text: nothing raises, cleaning twice is cleaning once, clean values stay as they are."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from childdb.cleaning.codes import map_circumstances, map_code, map_codes, map_ethnic_group
from childdb.cleaning.dates import DateContext, parse_date
from childdb.cleaning.identifiers import Holder, judge_child_number, read_adult_number, read_number
from childdb.cleaning.measures import read_birth_year, read_height, read_phone, read_weight
from childdb.cleaning.names import (
    clean_child_name,
    clean_name,
    joined_key,
    match_key,
    population_key,
    tone_key,
)
from childdb.cleaning.text import clean_text
from childdb.reference import SeedFolder, export_columns, mapping_rows, seed_rows
from tests.unit.cleaning.readings import CLEAN_ROW, clean_rows, rule_ids

ANY = st.text(max_size=40)
NAMELIKE = st.text("NgGyễuệÝỳHòaàÐĐđ'’ʼ ()-.,?\u0301\u0303\u200b\u00a0AHYK1", max_size=24)
CONTEXT = DateContext(date(2025, 6, 20))


@settings(max_examples=1500, deadline=None)
@given(ANY | NAMELIKE)
def test_no_text_makes_a_function_raise(text: str) -> None:
    for function in (clean_text, clean_name, clean_child_name, match_key, tone_key, joined_key, population_key, read_weight,
                     read_height, read_phone, map_ethnic_group, map_circumstances):  # fmt: skip
        function(text)
    parse_date(text, CONTEXT)
    read_birth_year(text, 2025)
    judge_child_number(read_number(text, Holder("male", 2019)), Holder("male", 2019), ())
    read_adult_number(text, Holder())
    map_code(text, "sexes")
    map_codes(text, "assistance_types")


@settings(max_examples=1500, deadline=None)
@given(ANY | NAMELIKE)
def test_cleaning_text_and_names_twice_changes_nothing(text: str) -> None:
    once = clean_text(text)[0]
    assert once is None or clean_text(once)[0] == once
    name = clean_name(text).value
    assert name is None or clean_name(name).value == name


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({name: st.none() | ANY for name in export_columns()}), min_size=1, max_size=4
    )
)
def test_no_row_makes_the_step_raise_and_the_equation_holds(rows: list[dict[str, str | None]]) -> None:
    cleaned = clean_rows(*rows)
    ledger = cleaned.ledger
    assert (
        ledger.physical_rows
        == ledger.header_footer_rows + ledger.accepted + ledger.quarantined + ledger.rejected
    )
    assert cleaned.records.num_rows == len(rows)


def again(record: dict[str, object]) -> dict[str, str | None]:
    row = {name: record[name] for name in export_columns()}
    listed = row["hoan_canh_dac_biet"]
    row["hoan_canh_dac_biet"] = ";".join(listed) if isinstance(listed, list) else None
    return {name: None if value is None else str(value) for name, value in row.items()}


def test_cleaning_the_output_again_changes_nothing() -> None:
    rows = [
        {
            "ho_ten_tre": "NGUYỄN  THỊ HÒA (sinh đôi)",
            "so_dinh_danh": "1319004217",
            "can_nang": "12,5",
            "dien_thoai_me": "987654321",
        },
        {
            "dan_toc": "Mông",
            "ho_ngheo": "cận nghèo",
            "bien_dong": "đã chuyển đi",
            "hoan_canh_dac_biet": "4; 13",
            "nguy_co": "x",
        },
        {
            "xa": "P. Trúc Bạch",
            "ngay_sinh": "5-3-2019",
            "quoc_tich": "Việt Nam",
            "tinh_trang_hoc_tap": "đang học",
            "ho_tro": "BHYT; quà",
        },
        {
            "chieu_cao": "1m05",
            "nam_sinh_me": "12/03/1992",
            "quan_he_chu_ho": "con",
            "dang_tat": "nhìn, nghe nói",
            "tiem_chung": "đủ",
        },
    ]
    first = clean_rows(*rows).records.to_pylist()
    second = clean_rows(
        *[again(record) for record in first], stated_ethnic_list="tctk_1979"
    ).records.to_pylist()
    for before, after in zip(first, second, strict=True):
        assert {name: after[name] for name in export_columns()} == {
            name: before[name] for name in export_columns()
        }


def test_each_written_form_of_a_code_list_is_read_as_the_seed_says() -> None:
    for name in (
        "poverty_statuses",
        "school_statuses",
        "change_types",
        "disability_types",
        "disability_levels",
    ):
        for row in mapping_rows(name):
            assert map_code(row["spelling"], name).value == row["code"]
    for row in seed_rows(SeedFolder.CODES, "codes_ethnic_groups"):
        assert map_ethnic_group(row["name_vi"]).value == row["ethnic_group_code"]
    for row in mapping_rows("ethnic_groups"):
        if row["is_ambiguous"] == "0":
            assert map_ethnic_group(row["spelling"]).value == row["code"]
    for row in seed_rows(SeedFolder.CODES, "codes_special_circumstances"):
        assert map_circumstances(row["name_vi"])[0] == (row["circumstance_code"],)


def test_clean_names_of_every_group_stay_without_a_finding() -> None:
    rng = random.Random(11)
    elements = [
        row
        for row in seed_rows(SeedFolder.REFERENCE, "minority_name_elements")
        if "no surname" not in row["kind"]
    ]
    given = "Dính Pao Brưk Đăm Linh Nhi Ksor Rơm Bă Ñot Čih Mai Hơ Xuân Thanh Yên Lan Phượng Quỳnh".split()
    rows = []
    for row in elements:
        for _ in range(6):
            first, last = row["element"], rng.choice(given)
            rows.append(
                {
                    "ho_ten_tre": f"{last} {first}"
                    if "last" in row["kind"]
                    else f"{first} {last} {rng.choice(given)}"
                }
            )
    cleaned = clean_rows(
        *[{**row, "so_dinh_danh": None, "ma_tre": str(place)} for place, row in enumerate(rows)]
    )
    assert [record["ho_ten_tre"] for record in cleaned.records.to_pylist()] == [
        row["ho_ten_tre"] for row in rows
    ]
    assert rule_ids(cleaned) <= {"ID-001"}


def test_bare_ethnic_code_counts_where_the_file_says_which_list() -> None:
    for listed, code in (("tctk_1979", "04"), ("census_2009", "06")):
        record = clean_rows({"dan_toc": "04"}, stated_ethnic_list=listed).records.to_pylist()[0]
        assert record["dan_toc"] == code
    labelled = clean_rows({"dan_toc": "04 - Mường"}, {"dan_toc": "06"}).records.to_pylist()
    assert [record["dan_toc"] for record in labelled] == ["06", "04"]


def test_date_of_file_is_stated_else_latest_update_else_as_of() -> None:
    assert clean_rows({}, stated_date=date(2024, 2, 3)).file_date == date(2024, 2, 3)
    assert clean_rows(
        {"ngay_cap_nhat": "01/02/2024"}, {"ngay_cap_nhat": "05/02/2024 10:00"}, stated_date=None
    ).file_date == date(2024, 2, 5)
    assert clean_rows({"ngay_cap_nhat": None}, stated_date=None, as_of=date(2024, 1, 1)).file_date == date(
        2024, 1, 1
    )
    assert clean_rows({"ngay_cap_nhat": None}, stated_date=None).file_date is None


def test_row_the_reader_could_not_read_is_quarantined_and_counted() -> None:
    import pyarrow as pa

    from childdb.cleaning import clean
    from tests.unit.cleaning.readings import make_reading

    reading = make_reading([CLEAN_ROW, {**CLEAN_ROW, "ho_ten_tre": "Lý Thị Mai", "so_dinh_danh": None}])
    place = reading.rows.column_names.index("row_reason")
    rows = reading.rows.set_column(place, "row_reason", pa.array([None, "CSV-WIDTH"], pa.string()))
    object.__setattr__(reading, "rows", rows)
    ledger = clean(reading, as_of=None).ledger
    assert (ledger.accepted, ledger.quarantined, ledger.physical_rows) == (1, 1, 3)
