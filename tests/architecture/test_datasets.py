"""Every dataset has an owner, a page, a shape and a suite; every suite's rule says what to do."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.repository import ROOT, files, report, source_tables, text_of

FIELDS = ("owner", "legal_basis")
META = ("what", "why_it_matters", "how_to_resolve", "who")


@cache
def datasets() -> dict[str, dict[str, Any]]:
    """Return the registry of datasets."""
    document = yaml.safe_load(text_of(Path("connectors/datasets.yml"))) or {}
    return dict(document.get("datasets", {}))


def suites() -> list[Path]:
    """Return the expectation suites."""
    return [
        path for path in files() if path.parts[:2] == ("expectations", "suites") and path.suffix == ".yml"
    ]


def test_registry_is_not_empty() -> None:
    assert datasets(), "connectors/datasets.yml is missing or names no dataset"


def test_datasets_are_named_source_and_entities() -> None:
    found = [name for name in datasets() if not re.fullmatch(r"[a-z0-9_]+?__[a-z0-9_]+", name)]
    assert not found, report(
        found, "names of tables, suites and DAGs are made from it", "<source>__<entities>"
    )


def test_datasets_have_owner_and_legal_basis() -> None:
    found = [f"{name}: {key}" for name, entry in datasets().items() for key in FIELDS if not entry.get(key)]
    assert not found, report(
        found, "data of children are held by law, and someone answers for them", "fill it in"
    )


def test_datasets_have_a_page() -> None:
    found = []
    for name in datasets():
        page = Path("docs/sources") / f"{name.partition('__')[0]}.md"
        if name not in text_of(page) if page in files() else True:
            found.append(f"{name}: {page}")
    assert not found, report(
        found, "owner, cadence and known defects are asked for every week", "write the page"
    )


def test_datasets_have_a_suite() -> None:
    found = [name for name in datasets() if Path("expectations/suites/raw") / f"{name}.yml" not in suites()]
    assert not found, report(
        found, "a source that nobody checks will break its promise unseen", "add the suite"
    )


def test_datasets_have_a_described_shape() -> None:
    described = {(table.schema, table.name) for table in source_tables()}
    found = [
        f"{schema}.{name}"
        for name in datasets()
        for schema in ("raw", "clean")
        if (schema, name) not in described
    ]
    assert not found, report(
        found, "the loader makes its tables from this", "describe it in _<source>__sources.yml"
    )


def test_every_rule_of_a_suite_can_be_acted_on() -> None:
    found, ids = [], []
    for path in suites():
        for number, rule in enumerate(yaml.safe_load(text_of(path)).get("expectations", []), start=1):
            known = rule.get("meta", {})
            where = f"{path} rule {number}"
            found += [f"{where}: meta.{key}" for key in META if not known.get(key)]
            found += (
                [f"{where}: severity"] if rule.get("severity") not in {"critical", "warning", "info"} else []
            )
            ids.append(str(known.get("rule_id", rule.get("id", where))))
    found += [f"{name}: given twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
    found += [
        f"{name}: form <DATASET>-NNN" for name in ids if not re.fullmatch(r"[A-Z][A-Z_]*-[0-9]{3}", name)
    ]
    assert suites(), "expectations/suites is empty"
    assert not found, report(
        found, "a failed rule must say what, why, how to resolve, who", "fill in its meta"
    )


def test_suites_belong_to_something() -> None:
    known = set(datasets())
    found = [str(path) for path in suites() if path.parts[2] == "raw" and path.stem not in known]
    assert not found, report(found, "a suite of no dataset never runs", "rename it, or register the dataset")


def test_column_maps_belong_to_a_dataset() -> None:
    maps = [
        path
        for path in files()
        if path.parts[:2] == ("connectors", "column_maps") and path.suffix in {".yml", ".csv"}
    ]
    found = [
        str(path) for path in maps if not any(name.split("__")[0] in path.as_posix() for name in datasets())
    ]
    assert (ROOT / "connectors" / "column_maps").exists(), "connectors/column_maps is missing"
    assert not found, report(
        found, "a map that belongs to nothing is never used", "name it after its dataset"
    )
