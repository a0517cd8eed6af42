"""Rules on how models hang together, in the spirit of dbt's project evaluator."""

from __future__ import annotations

import re

from tests.architecture.repository import ROOT, Model, files, models, report, text_of

KEYED = {"core", "marts", "publication"}
SELECTED = "selected_batches"


def has_key(model: Model) -> bool:
    """Return whether a test holds the model's key."""
    tests = [
        *model.properties.get("data_tests", []),
        *(t for c in model.columns for t in c.get("data_tests", [])),
    ]
    return any(test == "unique" or "columns_are_unique_together" in test for test in tests)


def test_every_table_has_a_tested_key() -> None:
    found = [str(model.path) for model in models() if model.layer in KEYED and not has_key(model)]
    assert not found, report(
        found, "a grain that nothing tests is a wish", "test a unique column or columns_are_unique_together"
    )


def test_no_model_is_a_dead_end() -> None:
    texts = {
        path: text_of(path)
        for path in files()
        if path.suffix in {".sql", ".py", ".yml", ".md"} and path.parts[0] in {"dbt_project", "childdb", "expectations", "tests"}
    }  # fmt: skip
    found = []
    for model in models():
        if model.layer == "quality":
            continue  # lists for people are where things end
        own = {model.path.relative_to(ROOT) if model.path.is_absolute() else model.path}
        own |= {path.with_suffix(".yml") for path in own}
        word = re.compile(rf"\b{model.name}\b")
        if not any(word.search(text) for path, text in texts.items() if path not in own):
            found.append(str(model.path))
    assert not found, report(found, "a table nobody reads is kept for nobody", "use it, or remove it")


def test_staging_reads_one_table_each() -> None:
    found = []
    for model in models():
        if model.layer == "staging":
            sources = {name for _, name in re.findall(r"source\('(\w+)',\s*'(\w+)'\)", model.sql)}
            if len(sources - {SELECTED}) > 1:
                found.append(f"{model.path}: {', '.join(sorted(sources))}")
    assert not found, report(
        found, "staging renames one table, joins come after it", "make a model of each and join in core"
    )


def test_the_rules_can_fail() -> None:
    assert not has_key(Model("fct_x", "core", models()[0].path, "select 1"))
