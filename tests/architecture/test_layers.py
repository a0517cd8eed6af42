"""What each layer of the warehouse may read. There is no list of exceptions."""

from __future__ import annotations

import re

from tests.architecture.repository import REF, SOURCE, Model, models, report, seed_names, source_tables

MAY_READ = {
    "staging": {"clean", "seeds"},
    "core": {"staging", "identity", "core", "seeds"},
    "marts": {"core", "marts", "seeds"},
    "publication": {"marts", "seeds"},
    "quality": {
        "raw",
        "clean",
        "staging",
        "identity",
        "core",
        "marts",
        "publication",
        "quality",
        "seeds",
        "ops",
    },
}
NAMES = {
    "staging": r"stg_[a-z0-9_]+__[a-z0-9_]+",
    "core": r"(dim|fct|bridge)_[a-z0-9_]+|int_[a-z0-9_]+__[a-z0-9_]+",
    "marts": r"(int|agg)_[a-z0-9_]+",
    "publication": r"pub_[a-z0-9_]+_v[0-9]+",
    "quality": r"qa_[a-z0-9_]+",
}
WHY = (
    "a layer that reaches past its neighbour knows things it should not: a source's words, or a child's name"
)


def layer_of(name: str) -> str:
    """Return the layer of a model or `seeds`."""
    if name in seed_names():
        return "seeds"
    return next((model.layer for model in models() if model.name == name), "(unknown)")


def reads(sql: str) -> list[tuple[str, str]]:
    """Return what a model reads, as pairs of name and layer; a source's layer is its schema."""
    schemas = {(table.source, table.name): table.schema for table in source_tables()}
    found = [(name, layer_of(name)) for name in REF.findall(sql)]
    found += [
        (f"{source}.{table}", schemas.get((source, table), "(undeclared)"))
        for source, table in SOURCE.findall(sql)
    ]
    return found


def trespasses(model: Model) -> list[str]:
    """Return what a model reads without the right to."""
    allowed = MAY_READ.get(model.layer, set())
    return [
        f"{model.path} ({model.layer}) reads {name} ({layer})"
        for name, layer in reads(model.sql)
        if layer not in allowed
    ]


def test_there_are_models() -> None:
    assert models(), "dbt_project/models holds no model: every other test here would pass on nothing"


def test_every_model_lies_in_a_known_layer() -> None:
    found = [f"{model.path}: {model.layer}" for model in models() if model.layer not in MAY_READ]
    assert not found, report(found, WHY, f"move it into one of {', '.join(MAY_READ)}")


def test_models_read_only_what_their_layer_may() -> None:
    found = [text for model in models() for text in trespasses(model)]
    assert not found, report(
        found, WHY, "read the layer before, or move the logic there (docs/architecture.md)"
    )


def test_models_name_tables_through_ref_or_source_only() -> None:
    plain = re.compile(
        r"\b(?:from|join)\s+(?:vault|raw|clean|staging|identity|core|marts|publication|quality|ops)\.", re.I
    )
    found = [str(model.path) for model in models() if plain.search(model.sql)]
    assert not found, report(
        found, "a table named in plain text escapes lineage and these rights", "use ref() or source()"
    )


def test_model_names_say_their_layer() -> None:
    found = [
        str(model.path) for model in models() if not re.fullmatch(NAMES.get(model.layer, ".*"), model.name)
    ]
    assert not found, report(found, "a stranger reads the layer from the name", f"forms: {NAMES}")


def test_nothing_after_identity_reads_the_vault() -> None:
    found = [f"{table.source}.{table.name}" for table in source_tables() if table.schema == "vault"]
    assert not found, report(
        found, "numbers in clear are seen by childdb/vault only", "ask childdb.vault, in Python"
    )


def test_the_rules_can_fail() -> None:
    bad = Model("agg_x", "marts", models()[0].path, "select * from {{ ref('stg_treem__children') }}")
    assert trespasses(bad)
    assert trespasses(
        Model("dim_x", "core", models()[0].path, "select * from {{ source('raw_treem', 'treem__children') }}")
    )
