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
