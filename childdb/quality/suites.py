"""Suites read from YAML, and the wrapper's law: which rules may look at which columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from childdb.errors import ConfigurationError
from childdb.quality.model import Rule, Scope, Severity, Source, Suite

SUITES_DIR = Path(__file__).resolve().parents[2] / "expectations" / "suites"

ROW_RULES = frozenset(
    {
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_not_match_regex",
        "expect_column_value_lengths_to_be_between",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_unique",
        "expect_compound_columns_to_be_unique",
    }
)
"""Row by row: with `SUMMARY` and without unexpected values they report counts only."""

TABLE_RULES = frozenset({"expect_table_row_count_to_be_between", "expect_table_columns_to_match_set"})
"""About the table: they report counts and names of columns."""

AGGREGATE_RULES = frozenset(
    {
        "expect_column_max_to_be_between",
        "expect_column_min_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_unique_value_count_to_be_between",
    }
)
"""Their results show values: forbidden on any column that is not declared open."""

_SUITE_KEYS = {"name", "dataset", "title_vi", "version", "scope", "sources", "rules", "measures", "scored"}
_SOURCE_KEYS = {"query", "batch_column", "sheet_column", "row_no_column", "row_key_column", "open_columns"}
_RULE_KEYS = {"id", "source", "type", "kwargs", "severity", "min_evaluated", "valid_from", "valid_to", "meta"}
_META_KEYS = {"what_vi", "what_en", "why_vi", "resolve_vi", "resolve_en", "who_vi"}


def suite_names(root: Path = SUITES_DIR) -> tuple[str, ...]:
    """Return the names of all suites, sorted; a suite's path is its name."""
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yml")))


def load_suite(name: str, root: Path = SUITES_DIR) -> Suite:
    """Return the suite of that name.

    Raises:
        ConfigurationError: naming every mistake of the file at once.
    """
    path = root / f"{name}.yml"
    if not path.is_file():
        raise ConfigurationError(
            f"There is no expectation suite '{name}'. Known suites: {', '.join(suite_names(root)) or 'none'}."
        )
    return read_suite(name, yaml.safe_load(path.read_text(encoding="utf-8")))


def read_suite(name: str, document: Any) -> Suite:
    """Return a suite from its parsed YAML, after every check of the wrapper's law."""
    mistakes = _suite_mistakes(name, document)
    if mistakes:
        raise ConfigurationError(f"Expectation suite {name}: " + "; ".join(mistakes) + ".")
    sources = {key: _source(key, value) for key, value in document["sources"].items()}
    return Suite(
        name=name,
        dataset=document["dataset"],
        title_vi=document["title_vi"],
        version=str(document["version"]),
        scope=Scope(document["scope"]),
        sources=sources,
        rules=tuple(_rule(entry) for entry in document["rules"]),
        measures=document.get("measures"),
        scored=frozenset(document.get("scored", ())),
    )


def _source(name: str, entry: Mapping[str, Any]) -> Source:
    return Source(
        name=name,
        query=entry["query"].strip(),
        batch_column=entry.get("batch_column"),
        sheet_column=entry.get("sheet_column"),
        row_no_column=entry.get("row_no_column"),
        row_key_column=entry.get("row_key_column"),
        open_columns=frozenset(entry.get("open_columns", ())),
    )


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        rule_id=entry["id"],
        source=entry["source"],
        type=entry["type"],
        kwargs=dict(entry.get("kwargs", {})),
        severity=Severity(entry["severity"]),
        valid_from=entry["valid_from"],
        valid_to=entry.get("valid_to"),
        min_evaluated=int(entry.get("min_evaluated", 0)),
        **{key: " ".join(str(entry["meta"][key]).split()) for key in sorted(_META_KEYS)},
    )


def _suite_mistakes(name: str, document: Any) -> list[str]:
    if not isinstance(document, dict):
        return ["the file is not a mapping"]
    mistakes = _key_mistakes("suite", document, _SUITE_KEYS, _SUITE_KEYS - {"measures", "scored"})
    if mistakes:
        return mistakes
    if document["name"] != name:
        mistakes.append(f"name says '{document['name']}', the path says '{name}'")
    if document["scope"] not in set(Scope):
        mistakes.append(f"scope '{document['scope']}' is neither batch nor whole")
    for key, source in document["sources"].items():
        mistakes += _key_mistakes(f"source {key}", source, _SOURCE_KEYS, {"query"})
        if "%" in source.get("query", ""):
            mistakes.append(
                f"source {key}: write mod() or chr(37), the database driver takes the sign for a parameter"
            )
    ids = [entry.get("id") for entry in document["rules"]]
    mistakes += [f"rule id {value} is used twice" for value in sorted({i for i in ids if ids.count(i) > 1})]
    for entry in document["rules"]:
        mistakes += _rule_mistakes(entry, document["sources"])
    return mistakes + _score_mistakes(document)


def _score_mistakes(document: Mapping[str, Any]) -> list[str]:
    """A rule that compares rows with each other has no share per commune: joint rows would count otherwise."""
    rules = {entry.get("id"): entry for entry in document["rules"]}
    wrong = [
        rule
        for rule in document.get("scored", ())
        if rule not in rules or rules[rule].get("type") not in ROW_RULES or "unique" in rules[rule]["type"]
    ]
    return [f"scored names {wrong}, which are no rules about single rows of this suite"] * bool(wrong)


def _key_mistakes(what: str, entry: Mapping[str, Any], known: set[str], needed: set[str]) -> list[str]:
    unknown, missing = sorted(set(entry) - known), sorted(needed - set(entry))
    return [f"{what} has unknown keys {unknown}"] * bool(unknown) + [f"{what} lacks {missing}"] * bool(
        missing
    )


def _rule_mistakes(entry: Mapping[str, Any], sources: Mapping[str, Any]) -> list[str]:
    label = f"rule {entry.get('id', '?')}"
    needed = _RULE_KEYS - {"kwargs", "min_evaluated", "valid_to"}
    mistakes = _key_mistakes(label, entry, _RULE_KEYS, needed)
    if mistakes:
        return mistakes
    mistakes += _key_mistakes(f"{label}.meta", entry["meta"], _META_KEYS, _META_KEYS)
    if entry["severity"] not in set(Severity):
        mistakes.append(f"{label}: severity is critical or warning")
    if not isinstance(entry["valid_from"], date):
        mistakes.append(f"{label}: valid_from is not a date")
    if entry["source"] not in sources:
        mistakes.append(f"{label}: source '{entry['source']}' is not defined")
        return mistakes
    return mistakes + _law_mistakes(label, entry, sources[entry["source"]])


def _law_mistakes(label: str, entry: Mapping[str, Any], source: Mapping[str, Any]) -> list[str]:
    """What could show a person's value: aggregates on personal columns, formats of one's own, unknown types."""
    kind, kwargs = entry["type"], entry.get("kwargs", {})
    mistakes = []
    if kind not in ROW_RULES | TABLE_RULES | AGGREGATE_RULES:
        mistakes.append(
            f"{label}: type '{kind}' is not in the wrapper's list, so nobody has shown that it hides values"
        )
    if kind in AGGREGATE_RULES and kwargs.get("column") not in source.get("open_columns", ()):
        mistakes.append(f"{label}: {kind} shows values and '{kwargs.get('column')}' is not an open column")
    if (
        kind == "expect_compound_columns_to_be_unique"
        and kwargs.get("ignore_row_if") != "any_value_is_missing"
    ):
        mistakes.append(f"{label}: set ignore_row_if to any_value_is_missing, a blank is no duplicate")
    forbidden = sorted(set(kwargs) & {"result_format", "catch_exceptions", "row_condition"})
    if forbidden:
        mistakes.append(f"{label}: {forbidden} are set by the wrapper alone")
    return mistakes
