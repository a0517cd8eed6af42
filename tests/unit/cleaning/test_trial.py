"""A rule or spelling on trial: the difference is counted, nothing is kept."""

from __future__ import annotations

import pytest

from childdb.cleaning import clean
from childdb.cleaning.rules import cleaning_rules
from childdb.cleaning.trial import changed_rules, compare
from childdb.errors import ConfigurationError
from childdb.reference import mapping_rows
from tests.unit.cleaning.readings import CLEAN_ROW, FILE_DATE, make_reading

READING = make_reading(
    [{**CLEAN_ROW, "dan_toc": "Kinh tế mới"}, {**CLEAN_ROW, "ho_ten_tre": "Bé gái"}], stated_date=FILE_DATE
)


def test_changed_rule_shows_rows_it_would_hold() -> None:
    rules = cleaning_rules()
    trial = changed_rules("rules: [{id: NAME-004, quarantines: true, severity: error}]", rules, "trial.yml")
    answer = compare([READING], rules, trial, {}, None).as_json()
    assert answer["quarantined"] == {"before": 0, "after": 1}
    assert answer["changed_cells"] == {"outcome": 1}


def test_changed_spelling_shows_cells_it_would_fill_and_is_forgotten() -> None:
    rules = cleaning_rules()
    row = {"spelling": "Kinh tế mới", "code": "01", "is_ambiguous": "0", "provenance": "trial"}
    mappings = {"ethnic_groups": (*mapping_rows("ethnic_groups"), row)}
    answer = compare([READING], rules, rules, mappings, None).as_json()
    assert answer["changed_cells"] == {"dan_toc": 1}
    assert answer["findings"]["CODE-001"] == {"before": 1, "after": 0}
    assert compare([READING], rules, rules, {}, None).as_json()["changed_cells"] == {}


def test_unknown_rule_or_key_is_refused() -> None:
    for text in ("rules: [{id: NAME-999}]", "rules: [{id: NAME-004, colour: red}]"):
        with pytest.raises(ConfigurationError):
            changed_rules(text, cleaning_rules(), "trial.yml")


def test_row_a_person_let_go_is_not_held_again() -> None:
    reading = make_reading([{**CLEAN_ROW, "ho_ten_tre": "Nguyễn \u202eaoH"}], stated_date=FILE_DATE)
    assert clean(reading, as_of=None).ledger.quarantined == 1
    assert clean(reading, as_of=None, released=frozenset({("Danh sách", 2)})).ledger.quarantined == 0


def test_repair_that_is_switched_off_shows_the_cells_it_changes() -> None:
    rules = cleaning_rules()
    reading = make_reading(
        [{**CLEAN_ROW, "ho_ten_tre": "LÝ THỊ MAI", "so_dinh_danh": "1319004217"}, {**CLEAN_ROW, "ngay_sinh": "5-3-2019"}],
        stated_date=FILE_DATE,
    )  # fmt: skip
    text = "rules: [{id: NAME-001, enabled: false}, {id: ID-004, enabled: false}, {id: DATE-001, enabled: false}]"
    trial = changed_rules(text, rules, "trial.yml")
    answer = compare([reading], rules, trial, {}, None).as_json()
    assert answer["changed_cells"] == {"ho_ten_tre": 1, "ngay_sinh": 1, "so_dinh_danh": 1}
    assert answer["findings"]["NAME-001"] == {"before": 1, "after": 0}
    record = clean(reading, as_of=None, rules=trial).records.to_pylist()
    assert (record[0]["ho_ten_tre"], record[0]["so_dinh_danh"]) == ("LÝ THỊ MAI", None)
    assert record[1]["ngay_sinh_precision"] == "unknown"


def test_changed_parameter_of_a_rule_shows_the_findings_it_makes() -> None:
    rules = cleaning_rules()
    reading = make_reading([{**CLEAN_ROW, "nam_sinh_me": "1975"}], stated_date=FILE_DATE)
    trial = changed_rules("rules: [{id: PARENT-002, parameters: {oldest_years: 40}}]", rules, "trial.yml")
    answer = compare([reading], rules, trial, {}, None).as_json()
    assert answer["findings"] == {"PARENT-002": {"before": 0, "after": 1}}
    for text in ("{speed: 1}", "{oldest_years: many}"):
        with pytest.raises(ConfigurationError):
            changed_rules(f"rules: [{{id: PARENT-002, parameters: {text}}}]", rules, "trial.yml")
