"""Units through time: round trips over all units, the known traps, and what stays undecided."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date

import pytest

from childdb.places.history import LAST_LEGACY_DAY, MERGER_DAY, history
from childdb.places.lookup import look_up
from childdb.places.resolve import Answer, Query, resolve

LEGACY_DAY, PRESENT_DAY = date(2025, 6, 1), date(2026, 1, 15)


def ask(
    commune: str, district: str | None = None, province: str | None = None, day: date | None = LEGACY_DAY
) -> Answer:
    return resolve(Query(province, district, commune, day))


def former_units() -> list[str]:
    return [unit_id for unit_id, unit in history().communes.items() if unit.valid_to == MERGER_DAY]


def present_units() -> list[str]:
    return [unit_id for unit_id, unit in history().communes.items() if unit.valid_from == MERGER_DAY]


def test_counts_are_those_of_the_decrees() -> None:
    assert (len(former_units()), len(present_units())) == (10_040, 3_321)
    known = history()
    on_day = [known.name_on(unit, date(2026, 5, 1)).unit_type.value for unit in present_units()]
    assert (on_day.count("xa"), on_day.count("phuong"), on_day.count("dac_khu")) == (2_611, 697, 13)
    before = [known.name_on(unit, date(2026, 4, 29)).unit_type.value for unit in present_units()]
    assert (before.count("xa"), before.count("phuong")) == (2_621, 687)


def test_former_units_round_trip_by_code_and_by_name_and_district() -> None:
    known = history()
    wrong = []
    for unit_id in former_units():
        unit = known.communes[unit_id]
        province = known.name_on(known.province_id_on(unit.province_code, LEGACY_DAY) or "", LEGACY_DAY).full
        name, district = known.name_on(unit_id, LEGACY_DAY).full, known.districts[unit.district_code].full
        answers = [ask(unit.code).commune_id, ask(name, district, province).commune_id]
        wrong += [unit_id for answer in answers if answer != unit_id]
    assert wrong == []


def test_present_units_round_trip_by_code_and_by_name_and_province() -> None:
    known = history()
    wrong = []
    for unit_id in present_units():
        unit = known.communes[unit_id]
        province = known.name_on(
            known.province_id_on(unit.province_code, PRESENT_DAY) or "", PRESENT_DAY
        ).full
        name = known.name_on(unit_id, PRESENT_DAY).full
        for answer in (ask(unit.code, day=PRESENT_DAY), ask(name, None, province, PRESENT_DAY)):
            wrong += [unit_id] if (answer.commune_id, answer.current_id) != (unit_id, unit_id) else []
    assert wrong == []


def test_divided_units_stay_undecided_and_all_others_reach_one_unit() -> None:
    known = history()
    undecided = [unit for unit in former_units() if len(known.successors_on(unit, PRESENT_DAY) or []) != 1]
    assert len(undecided) == 379
    split = [unit for unit in former_units() if len(known.successions[unit]) > 1]
    assert len(split) == 441
    assert all(len(known.successors_on(unit, PRESENT_DAY) or []) == 1 for unit in set(split) - set(undecided))


@pytest.mark.parametrize(
    ("code", "present"),
    [("31480", "31480"), ("11890", "11911"), ("01651", "01648"), ("02482", "02494"), ("00565", "00565")],
)
def test_former_unit_goes_where_its_people_went(code: str, present: str) -> None:
    assert ask(code).current_id == f"{present}@2025-07-01"


def test_name_of_long_phu_in_hau_giang_is_not_the_long_phu_of_soc_trang() -> None:
    known = history()
    answer = ask("Xã Long Phú", "Thị xã Long Mỹ", "Tỉnh Hậu Giang")
    assert known.name_on(answer.current_id or "", PRESENT_DAY).name != "Long Phú"


def test_divided_town_lists_its_three_successors_and_evidence_decides() -> None:
    answer = ask("Thị trấn Đông Anh", "Huyện Đông Anh", "Hà Nội")
    assert answer.commune_id == "00454@2021-11-01"
    assert answer.current_id is None
    assert answer.current_candidates == ("00454@2025-07-01", "00466@2025-07-01", "00475@2025-07-01")
    query = Query("Hà Nội", "Huyện Đông Anh", "Thị trấn Đông Anh", LEGACY_DAY, ("Tổ 5, xã Phúc Thịnh",))
    assert resolve(query).current_id == "00466@2025-07-01"


def divided_units() -> list[str]:
    return [unit for unit in former_units() if len(history().successors_on(unit, PRESENT_DAY) or []) > 1]


def spellings(unit_id: str) -> list[Query]:
    """Return ways to write a former unit so that no other unit can be meant, for a day to be filled in."""
    known = history()
    unit = known.communes[unit_id]
    name, district = known.name_on(unit_id, LEGACY_DAY).full, known.districts[unit.district_code].full
    province = known.name_on(known.province_id_on(unit.province_code, LEGACY_DAY) or "", LEGACY_DAY).full
    return [
        Query(province, district, name),
        Query(province, district, name.upper()),
        Query(province, None, f"{name}, {district}"),
        Query(None, None, f"{name}, {district}, {province}"),
        Query(None, None, f"{name} - {district} - {province}"),
        Query(province, None, f"{name} ({district})"),
        Query(province, district, f"{unit.code} - {name}"),
        Query(unit.province_code, unit.district_code, unit.code),
        Query(province, district, unicodedata.normalize("NFD", name)),
    ]


@pytest.mark.parametrize(
    "day", [date(2024, 12, 1), LAST_LEGACY_DAY, MERGER_DAY, date(2025, 8, 10), date(2026, 5, 2)]
)
def test_divided_units_stay_undecided_however_written_and_whatever_repeats_their_name(day: date) -> None:
    known = history()
    for unit_id in divided_units():
        name = known.name_on(unit_id, LEGACY_DAY).full
        if known.name_on(unit_id, day).full != name or not known.communes[unit_id].valid_from <= day:
            continue
        successors = set(known.successors_on(unit_id, PRESENT_DAY) or [])
        for query in spellings(unit_id):
            for evidence in ((), (name,), (f"Tổ 3, {name}, {query.district or ''}",)):
                answer = resolve(replace(query, day=day, evidence=evidence))
                assert answer.current_id is None, (unit_id, query, evidence)
                assert set(answer.current_candidates or answer.candidates) >= successors or answer.rules


@pytest.mark.parametrize("text", ["00157", "00157 - Phường Nghĩa Đô", "Phường Nghĩa Đô (00157)", "Phường Nghĩa Đô cũ",
                                  "Phường Nghĩa Đô, Quận Cầu Giấy", "P. Nghĩa Đô - Q. Cầu Giấy"])  # fmt: skip
def test_former_ward_whose_name_a_present_one_carries_is_not_that_one(text: str) -> None:
    answer = ask(text, None, "Hà Nội", date(2025, 8, 10))
    assert (answer.commune_id, answer.current_id) == (None, None)
    assert answer.current_candidates == ("00008@2025-07-01", "00103@2025-07-01", "00160@2025-07-01")


def test_name_without_district_on_a_present_day_is_the_present_ward() -> None:
    for text in ("Phường Nghĩa Đô", "Phường Nghĩa Đô, TP Hà Nội", "P. Nghĩa Đô, Hà Nội"):
        assert ask(text, None, "Hà Nội", date(2025, 8, 10)).commune_id == "00160@2025-07-01"


def test_evidence_of_another_unit_with_a_longer_name_decides_nothing() -> None:
    known = history()
    for unit_id in divided_units()[:60]:
        names = [
            known.name_on(unit, PRESENT_DAY).full for unit in known.successors_on(unit_id, PRESENT_DAY) or []
        ]
        query = replace(
            spellings(unit_id)[0], day=date(2025, 8, 10), evidence=tuple(f"{n} Đông Hạ" for n in names[:1])
        )
        assert resolve(query).current_id is None


def test_same_code_means_the_unit_of_the_day() -> None:
    assert ask("00565", day=date(2025, 6, 30)).commune_id == "00565@2021-11-01"
    assert ask("00565", day=date(2025, 7, 1)).commune_id == "00565@2025-07-01"


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [("15", "Yên Bái", "Lào Cai"), ("24", "Bắc Giang", "Bắc Ninh"), ("44", "Quảng Bình", "Quảng Trị"),
     ("52", "Bình Định", "Gia Lai"), ("80", "Long An", "Tây Ninh"), ("82", "Tiền Giang", "Đồng Tháp"),
     ("91", "Kiên Giang", "An Giang")],
)  # fmt: skip
def test_province_codes_with_a_new_meaning(code: str, before: str, after: str) -> None:
    assert look_up(code, date(2025, 6, 1))["unit"]["name"].endswith(before)
    assert look_up(code, date(2025, 8, 1))["unit"]["name"].endswith(after)


@pytest.mark.parametrize("code", ["318", "471", "498", "536", "755"])
def test_island_districts_have_three_digits(code: str) -> None:
    answer = ask(code)
    assert answer.commune_id == f"{code}@2021-11-01"
    unit = history().communes[answer.commune_id or ""]
    name = history().name_on(unit.commune_id, LEGACY_DAY)
    assert ask(name.full, name.full).commune_id == unit.commune_id


def test_ward_number_that_changed_unit_follows_the_date() -> None:
    early = ask("Phường 8", "Quận 4", "TP. Hồ Chí Minh", date(2024, 6, 1)).commune_id
    late = ask("Phường 8", "Quận 4", "TP. Hồ Chí Minh", date(2025, 3, 1)).commune_id
    assert early is not None and late is not None and early != late


@pytest.mark.parametrize(
    "text", ["P1", "P.1", "P.01", "F1", "F.1", "phường 01", "Phuong 1", "PHƯỜNG 1", "p 1"]
)
def test_ward_abbreviations(text: str) -> None:
    assert (
        ask(text, "Q.4", "TPHCM").commune_id == ask("Phường 1", "Quận 4", "Thành phố Hồ Chí Minh").commune_id
    )
    assert ask(text, "Q.4", "TPHCM").commune_id is not None


@pytest.mark.parametrize(
    "district", ["Quận Ba Đình", "Q. Ba Đình", "Q.Ba Đình", "ba đình", "QUAN BA DINH", "Ba Đình"]
)
@pytest.mark.parametrize(
    "province", ["Hà Nội", "TP Hà Nội", "TP. Hà Nội", "Thành phố Hà Nội", "01", "HA NOI"]
)
def test_wordings_of_district_and_province(district: str, province: str) -> None:
    assert ask("Phúc Xá", district, province).commune_id == "00001@2021-11-01"


def test_tone_placement_of_the_catalogue_does_not_matter() -> None:
    assert (
        ask("xã Thạch Hoà", "Thạch Thất", "Hà Nội").commune_id
        == ask("Xã Thạch Hòa", "Huyện Thạch Thất", "Hà Nội").commune_id
    )


def test_type_that_changed_in_2026_does_not_change_the_unit() -> None:
    for day in (date(2026, 1, 1), date(2026, 5, 1)):
        for text in ("Xã Long Thành", "Phường Long Thành"):
            assert ask(text, None, "Đồng Nai", day).commune_id == "26368@2025-07-01"


def test_other_official_codes_and_names_are_known() -> None:
    assert ask("06978", day=PRESENT_DAY).commune_id == "06970@2025-07-01"
    assert ask("Xã Phó Bảng", None, "Tuyên Quang", PRESENT_DAY).commune_id == "00745@2025-07-01"


def test_twins_inside_a_merged_province_are_undecided_without_district() -> None:
    known = history()
    by_name: dict[tuple[str, str], set[str]] = {}
    for unit_id in former_units():
        unit = known.communes[unit_id]
        by_name.setdefault((unit.province_code, known.name_on(unit_id, LEGACY_DAY).full), set()).add(unit_id)
    twins = {key: units for key, units in by_name.items() if len(units) > 1}
    assert len(twins) >= 150
    for (province, name), units in twins.items():
        answer = ask(name, None, province)
        assert answer.commune_id is None
        assert set(answer.candidates) == units


def test_old_unit_after_the_merger_goes_through_its_one_successor() -> None:
    answer = ask("Phường Trúc Bạch, Quận Ba Đình", None, "Hà Nội", PRESENT_DAY)
    assert (answer.commune_id, answer.current_id) == ("00004@2025-07-01", "00004@2025-07-01")


def test_unit_merged_before_the_file_is_read_as_its_successor_and_not_earlier() -> None:
    assert (
        ask("Phường Nguyễn Trung Trực", "Ba Đình", "Hà Nội", date(2024, 1, 1)).commune_id
        == "00010@2021-11-01"
    )
    assert (
        ask("Phường Nguyễn Trung Trực", "Ba Đình", "Hà Nội", date(2025, 3, 1)).commune_id
        == "00004@2021-11-01"
    )


def test_unknown_district_does_not_lend_its_commune_to_another() -> None:
    assert ask("Xã Đa Tốn", "Huyện Hoàn Toàn Khác", "Hà Nội").commune_id is None


def test_no_date_decides_only_what_is_the_same_or_has_a_district() -> None:
    assert ask("00565", day=None).commune_id is None
    assert ask("Phường Phúc Xá", "Quận Ba Đình", "Hà Nội", None).commune_id == "00001@2021-11-01"


def test_totals_on_both_maps_are_equal_with_the_undecided_shown() -> None:
    units = former_units()
    answers = [ask(history().communes[unit].code) for unit in units]
    decided = sum(answer.current_id is not None for answer in answers)
    undecided = sum(answer.current_id is None and len(answer.current_candidates) > 1 for answer in answers)
    assert (decided, undecided, decided + undecided) == (9_661, 379, len(units))


def test_look_up_lists_successors_and_predecessors() -> None:
    answer = look_up("00454", LAST_LEGACY_DAY)
    assert len(answer["successors"]) == 3
    assert look_up("00004", PRESENT_DAY)["predecessors"]
    assert look_up("không có nơi này", PRESENT_DAY)["status"] == "unknown"
