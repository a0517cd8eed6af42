"""The wrapper's law: no suite can show a value of a person, and every rule says what to do."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from psycopg import sql

from childdb.errors import ConfigurationError
from childdb.quality.datadocs import remote_addresses, self_contained
from childdb.quality.model import Severity
from childdb.quality.predicates import bind_query, row_predicate
from childdb.quality.suites import AGGREGATE_RULES, ROW_RULES, SUITES_DIR, load_suite, read_suite, suite_names

NAME = "raw/population__persons"


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SUITES_DIR / f"{NAME}.yml").read_text(encoding="utf-8"))
    return copy.deepcopy(loaded)


@pytest.mark.parametrize("name", suite_names())
def test_every_rule_tells_what_why_how_and_who(name: str) -> None:
    suite = load_suite(name)
    assert suite.rules
    for rule in suite.rules:
        for text in (rule.what_vi, rule.what_en, rule.why_vi, rule.resolve_vi, rule.resolve_en, rule.who_vi):
            assert len(text) > 5, rule.rule_id
        assert rule.severity in Severity


def test_rule_ids_are_unique_over_all_suites() -> None:
    ids = [rule.rule_id for name in suite_names() for rule in load_suite(name).rules]
    assert len(ids) == len(set(ids))


def test_every_row_rule_has_sql_of_its_own() -> None:
    for name in suite_names():
        for rule in load_suite(name).rules:
            assert (row_predicate(rule, 0) is not None) == (rule.type in ROW_RULES), rule.rule_id


@pytest.mark.parametrize("kind", sorted(AGGREGATE_RULES))
def test_aggregates_are_forbidden_on_personal_columns(kind: str) -> None:
    wrong = document()
    wrong["rules"][0] |= {"type": kind, "kwargs": {"column": "birth_date", "min_value": 0}}
    with pytest.raises(ConfigurationError, match="shows values"):
        read_suite(NAME, wrong)


@pytest.mark.parametrize(
    "kind", ["unexpected_rows_expectation", "expect_column_distinct_values_to_be_in_set"]
)
def test_types_that_nobody_has_vetted_are_forbidden(kind: str) -> None:
    wrong = document()
    wrong["rules"][0]["type"] = kind
    with pytest.raises(ConfigurationError, match="not in the wrapper's list"):
        read_suite(NAME, wrong)


def test_a_suite_cannot_choose_its_result_format() -> None:
    wrong = document()
    wrong["rules"][0]["kwargs"]["result_format"] = "COMPLETE"
    with pytest.raises(ConfigurationError, match="set by the wrapper alone"):
        read_suite(NAME, wrong)


def test_all_mistakes_are_told_at_once() -> None:
    wrong = document()
    wrong["rules"][0]["severity"] = "stop"
    wrong["rules"][1]["owner"] = "x"
    wrong["rules"][2]["id"] = wrong["rules"][3]["id"]
    with pytest.raises(ConfigurationError) as caught:
        read_suite(NAME, wrong)
    for part in ("severity", "owner", "twice"):
        assert part in str(caught.value)


def test_parameters_become_literals() -> None:
    bound = bind_query("select :batches, :release_id", ("a'b",), "r1").as_string()
    assert bound == "select '{a''b}'::text[], 'r1'"


def test_remote_addresses_are_found_in_every_form() -> None:
    for text in (
        '<img src="https://x/y">',
        "<a href='//x'>",
        '<form action = "http://x">',
        "<script src=//x>",
    ):
        assert remote_addresses(text)
    assert remote_addresses('<a href="rules.html">https nothing</a>') == []


def test_self_contained_page_keeps_the_table_and_nothing_else_of_the_head() -> None:
    page = (
        '<html><head><link rel="stylesheet" href="https://cdn/x.css"><script src="https://cdn/x.js"></script></head>'
        '<body><img src="https://beacon/logo.png?d=1"><table><tr><td>17</td></tr></table><footer>newsletter</footer></body></html>'
    )
    cleaned = self_contained(page, "Tên")
    assert remote_addresses(cleaned) == []
    assert "<td>17</td>" in cleaned
    assert "newsletter" not in cleaned


def test_uniqueness_needs_to_know_what_repeats() -> None:
    rule = next(
        rule for rule in load_suite(NAME).rules if rule.type == "expect_compound_columns_to_be_unique"
    )
    predicate = row_predicate(rule, 3)
    assert predicate is not None
    assert predicate.repeats is not None
    assert isinstance(predicate.failed, sql.Composable)
