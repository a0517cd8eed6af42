"""Rows of bad_inputs.csv that concern fields, by their id, at the level of cleaning: reason code, value, row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.cleaning.readings import clean_rows

NAME, NUMBER, BIRTH = "ho_ten_tre", "so_dinh_danh", "ngay_sinh"

CASES: Mapping[str, tuple[Mapping[str, str], str, Mapping[str, Any], str]] = {
    "BI046": ({"can_nang": "=A1"}, "CELL-FORMULA", {"can_nang": None}, "accepted"),
    "BI048": ({"can_nang": "#REF!"}, "CELL-ERROR", {"can_nang": None}, "accepted"),
    "BI063": ({NAME: "Nguyá»…n Thá»‹ Hoa"}, "ENC-MOJIBAKE", {NAME: "Nguyễn Thị Hoa"}, "accepted"),
    "BI063-lost": ({NAME: "Nguyá»\ufffdn Hoa"}, "ENC-MOJIBAKE", {NAME: None}, "quarantined"),
    "BI064": ({NAME: "Nguy\ufffdn Thị Hoa"}, "ENC-LOST", {NAME: "Nguy\ufffdn Thị Hoa"}, "accepted"),
    "BI066": ({NAME: "Nguyễn\x07 Hoa"}, "CELL-CONTROL", {NAME: None}, "quarantined"),
    "BI066-c1": ({NAME: "Nguyễn\x9b Hoa"}, "CELL-CONTROL", {NAME: None}, "quarantined"),
    "BI067": ({NAME: "Nguyễn\u200d\u00ad Hoa"}, "CELL-INVISIBLE", {NAME: "Nguyễn Hoa"}, "accepted"),
    "BI068": ({NAME: "Nguyễn \u202eaoH"}, "CELL-BIDI", {NAME: None}, "quarantined"),
    "BI069": ({NAME: "Nguyễn Lan \u0430nh"}, "CELL-HOMOGLYPH", {NAME: "Nguyễn Lan Anh"}, "accepted"),
    "BI069-other": ({NAME: "Nguyễn ж"}, "CELL-SCRIPT", {NAME: None}, "quarantined"),
    "BI070": ({NAME: "Nguye" + "\u0301" * 50 + "n"}, "CELL-NFC", {NAME: None}, "quarantined"),
    "BI071": ({NAME: "Nguyễn Hoa \U0001f600"}, "CELL-SCRIPT", {NAME: None}, "quarantined"),
    "BI071-private": ({NAME: "Nguyễn \ue000"}, "CELL-SCRIPT", {NAME: None}, "quarantined"),
    "BI072": ({NUMBER: "1319004217.0"}, "ID-ZEROS", {NUMBER: "001319004217"}, "accepted"),
    "BI072-doubt": ({NUMBER: "1219004217"}, "ID-ZEROS", {NUMBER: None}, "accepted"),
    "BI073": ({NUMBER: "7.90E+10"}, "ID-SCI", {NUMBER: None}, "accepted"),
    "BI074": ({NUMBER: "123456789012000"}, "ID-PRECISION", {NUMBER: None}, "accepted"),
    "BI075": ({NUMBER: "٠٠١٣١٩٠٠٤٢١٧"}, "ID-DIGITS", {NUMBER: None}, "accepted"),
    "BI075-wide": ({NUMBER: "００１３１９００４２１７"}, "ID-DIGITS", {NUMBER: None}, "accepted"),
    "BI076": ({NUMBER: "001319004217\n"}, "ID-SPACE", {NUMBER: "001319004217"}, "accepted"),
    "BI077": ({NUMBER: "OO1319004217"}, "ID-LETTER", {NUMBER: "001319004217"}, "accepted"),
    "BI077-doubt": ({NUMBER: "OO1219004217"}, "ID-LETTER", {NUMBER: None}, "accepted"),
    "BI078-card": ({NUMBER: "184526371"}, "ID-OTHER", {NUMBER: None}, "accepted"),
    "BI078-phone": ({NUMBER: "0912345678"}, "ID-OTHER", {NUMBER: None}, "accepted"),
    "BI079": ({NUMBER: "111111111111"}, "ID-DUMMY", {NUMBER: None}, "accepted"),
    "BI080": ({NUMBER: "001192004217", "so_dinh_danh_me": "001192004217"}, "ID-PARENT", {NUMBER: None}, "accepted"),
    "BI082": ({NUMBER: "001219004217"}, "ID-STRUCTURE", {NUMBER: "001219004217"}, "accepted"),
    "BI083": ({BIRTH: "43529"}, "DATE-SERIAL", {BIRTH: "2019-03-05"}, "accepted"),
    "BI085": ({BIRTH: "60"}, "DATE-RANGE", {BIRTH: None}, "accepted"),
    "BI087": ({BIRTH: "00/00/2019"}, "DATE-IMPOSSIBLE", {BIRTH: None, "birth_year": 2019}, "accepted"),
    "BI088": ({BIRTH: "05/03/2091"}, "DATE-RANGE", {BIRTH: None}, "accepted"),
    "BI089": ({BIRTH: "2019"}, "DATE-PRECISION", {BIRTH: None, "ngay_sinh_precision": "year"}, "accepted"),
    "BI090": ({BIRTH: "2019-03-05T23:30:00Z"}, "DATE-ZONE", {BIRTH: "2019-03-05"}, "accepted"),
    "BI091-nan": ({"can_nang": "NaN"}, "NUM-FORMAT", {"can_nang": None}, "accepted"),
    "BI091-infinity": ({"can_nang": "1e309"}, "NUM-FORMAT", {"can_nang": None}, "accepted"),
    "BI091-minus": ({"can_nang": "−5"}, "NUM-FORMAT", {"can_nang": None}, "accepted"),
    "BI091-comma": ({"can_nang": "12,5"}, "NUM-FORM", {"can_nang": "12.5"}, "accepted"),
    "BI092": ({"ho_ten_cha": "NULL"}, "NULL-WORDS", {"ho_ten_cha": None}, "accepted"),
    "BI093": ({NAME: "=cmd|' /C calc'!A0"}, "INJ-FORMULA", {NAME: "=cmd|' /C calc'!A0"}, "accepted"),
    "BI093-plus": ({NAME: "+HYPERLINK(1)"}, "INJ-FORMULA", {NAME: "+HYPERLINK(1)"}, "accepted"),
    "BI094": ({NAME: "＝SUM(A1)"}, "INJ-FORMULA", {}, "accepted"),
    "BI096": ({NAME: "'; drop table x; --"}, "INJ-SQL", {NAME: "'; drop table x; --"}, "accepted"),
    "BI098": ({NAME: "{{ 7*7 }} ${x} %(y)s"}, "INJ-TEMPLATE", {NAME: "{{ 7*7 }} ${x} %(y)s"}, "accepted"),
    "BI102": ({NAME: "<script>x</script>"}, "INJ-HTML", {NAME: "<script>x</script>"}, "accepted"),
}  # fmt: skip
KINDS = {"BI046": {"can_nang": "f"}, "BI048": {"can_nang": "e"}}


@pytest.mark.parametrize("case", sorted(CASES))
def test_bad_input_ends_as_listed(case: str) -> None:
    row, reason, gives, outcome = CASES[case]
    cleaned = clean_rows(row, kinds=KINDS.get(case))
    record = cleaned.records.to_pylist()[0]
    assert reason in cleaned.findings["reason_code"].to_pylist()
    assert {name: record[name] for name in gives} == dict(gives)
    assert record["outcome"] == outcome
    assert {name: record[f"{name}_raw"] for name in row} == dict(row)
    assert cleaned.ledger.outcome == "accept_flagged"


def test_na_is_a_name() -> None:
    assert clean_rows({NAME: "NA"}).records["ho_ten_tre"].to_pylist() == ["Na"]


def test_system_of_1904_shifts_serials() -> None:
    assert clean_rows({BIRTH: "42067"}, date_system="1904").records["ngay_sinh"].to_pylist() == ["2019-03-05"]


def test_long_hostile_text_takes_no_time() -> None:
    hostile = "a" * 4000 + "!"
    record = clean_rows(
        {NAME: hostile, "ghi_chu": "- " * 2000, "hoan_canh_dac_biet": "4," * 1500, "xa": "(" * 3000}
    )
    assert record.records.num_rows == 1


def test_worst_reason_of_a_file_is_that_of_the_held_row() -> None:
    ledger = clean_rows({NAME: "NGUYỄN THỊ HOA"}, {NAME: "Nguyễn \u202eaoH"}, {"can_nang": "12,5"}).ledger
    assert (ledger.outcome, ledger.reason_code, ledger.quarantined, ledger.accepted) == (
        "accept_flagged",
        "CELL-BIDI",
        1,
        2,
    )
