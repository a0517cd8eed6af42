"""Every model is described, every column classified, every released column allowed to leave."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import yaml

from tests.architecture.repository import MODELS, ROOT, SEEDS, models, report, seed_names, source_tables

SENSITIVITIES = {"none", "personal", "sensitive"}
DOC = re.compile(r"\{\{\s*doc\(\s*['\"]([^'\"]+)['\"]\s*\)\s*\}\}")


def described_tables() -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """Yield label, properties and columns of every model and source table."""
    for model in models():
        yield str(model.path), model.properties, model.columns
    for table in source_tables():
        yield f"source {table.source}.{table.name}", table.properties, table.columns


def meta(entry: dict[str, Any]) -> dict[str, Any]:
    """Return `config.meta` of a model or column."""
    return dict(entry.get("config", {}).get("meta", {}))


def unclassified(column: dict[str, Any]) -> list[str]:
    """Return what a column lacks: type, description, sensitivity, permission to publish."""
    lacks = [key for key in ("data_type", "description") if not column.get(key)]
    known = meta(column)
    if known.get("sensitivity") not in SENSITIVITIES:
        lacks.append("sensitivity")
    if not isinstance(known.get("publish"), bool):
        lacks.append("publish")
    return lacks


def test_every_model_has_its_property_file_beside_it() -> None:
    found = [str(model.path) for model in models() if not model.properties]
    assert not found, report(
        found, "what a table means belongs beside it", "add <model>.yml with an entry of that name"
    )


def test_no_property_file_without_model() -> None:
    names = {model.name for model in models()}
    found = [
        str(path.relative_to(ROOT))
        for path in sorted(MODELS.rglob("*.yml"))
        if not path.name.startswith("_") and path.stem not in names
    ]
    assert not found, report(
        found, "a description without a model misleads", "remove the file or name it as its model"
    )


def test_descriptions_say_grain_and_key() -> None:
    found = []
    for label, properties, _ in described_tables():
        text = " ".join(str(properties.get("description", "")).split())
        found += [f"{label}: '{part}' is missing" for part in ("One row per ", "Key: ") if part not in text]
    why = "grain and key are what every reader needs first"
    assert not found, report(found, why, 'description: "One row per …. Key: …. Rules: …. Example: …"')


def test_every_column_is_described_and_classified() -> None:
    found = [
        f"{label}.{column.get('name')}: {', '.join(lacks)}"
        for label, _, columns in described_tables()
        for column in columns
        if (lacks := unclassified(column))
    ]
    found += [f"{label}: no columns" for label, _, columns in described_tables() if not columns]
    why = "a column is sensitive until someone says otherwise, and grants are made from this"
    assert not found, report(
        found, why, "config: {meta: {sensitivity: none|personal|sensitive, publish: true|false}}"
    )


def test_numeric_types_state_their_precision() -> None:
    found = [
        f"{label}.{column['name']}"
        for label, _, columns in described_tables()
        for column in columns
        if str(column.get("data_type", "")).lower() in {"numeric", "decimal", "varchar"}
    ]
    assert not found, report(found, "an open type hides a change of scale", "write numeric(12, 2), or text")


def test_released_columns_are_allowed_and_nobodys() -> None:
    found = []
    for model in models():
        for column in model.columns:
            known = meta(column)
            where = f"{model.name}.{column['name']}"
            if model.layer == "publication" and known.get("publish") is not True:
                found.append(f"{where}: in a published product without publish: true")
            if known.get("publish") is True and known.get("sensitivity") != "none":
                found.append(f"{where}: publish: true on a column that is {known.get('sensitivity')}")
            if known.get("publish") is True and model.layer not in {"publication", "marts"}:
                found.append(f"{where}: publish: true in layer {model.layer}")
    why = "a column leaves only because someone allowed it to"
    assert not found, report(found, why, "classify the column; only figures of publication leave")


def test_identity_ends_at_core() -> None:
    banned = re.compile(
        r"(full_name|personal_id_no|so_dinh_danh|ho_ten|dien_thoai|phone|dia_chi|address|person_id$)"
    )
    found = [
        f"{model.name}.{column['name']}"
        for model in models()
        if model.layer in {"core", "marts", "publication"}
        for column in model.columns
        if banned.search(column["name"])
    ]
    assert not found, report(
        found, "names and numbers stay before identity resolution", "carry child_id instead"
    )


def test_one_name_one_type() -> None:
    seen: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for model in models():
        for column in model.columns:
            seen[column["name"]][str(column.get("data_type", "")).lower()].append(model.name)
    found = [
        f"{name}: " + "; ".join(f"{kind} in {', '.join(where)}" for kind, where in sorted(kinds.items()))
        for name, kinds in sorted(seen.items())
        if len(kinds) > 1
    ]
    assert not found, report(
        found, "the same name means the same thing everywhere", "rename one or align the types"
    )


def test_columns_point_to_one_documentation_block() -> None:
    blocks = set()
    for path in sorted((ROOT / "dbt_project" / "docs").glob("*.md")):
        named = re.findall(r"\{%\s*docs\s+(\w+)\s*%\}", path.read_text(encoding="utf-8"))
        twice = sorted(blocks.intersection(named))
        assert not twice, report(twice, "a meaning has one home", f"remove the second block in {path.name}")
        blocks.update(named)
    used = {
        name
        for _, properties, columns in described_tables()
        for entry in (properties, *columns)
        for name in DOC.findall(str(entry.get("description", "")))
    }
    found = sorted(used - blocks)
    assert not found, report(
        found, "a column without a meaning cannot be judged", "add {% docs name %} in dbt_project/docs/"
    )


def test_every_seed_is_described() -> None:
    described = {}
    for path in sorted(SEEDS.rglob("*.yml")):
        described |= {
            seed["name"]: seed for seed in yaml.safe_load(path.read_text(encoding="utf-8")).get("seeds", [])
        }
    found = [f"{name}: not in a __seeds.yml" for name in sorted(seed_names() - described.keys())]
    found += [f"{name}: described, but there is no CSV" for name in sorted(described.keys() - seed_names())]
    found += [
        f"{name}: no description"
        for name, seed in sorted(described.items())
        if not str(seed.get("description", "")).strip()
    ]
    assert not found, report(
        found, "code lists are law: readers must know what a row is", "describe it in the folder's yml"
    )


def test_the_rules_can_fail() -> None:
    assert unclassified({"name": "x"}) == ["data_type", "description", "sensitivity", "publish"]
    whole = {
        "data_type": "text",
        "description": "d",
        "config": {"meta": {"sensitivity": "none", "publish": False}},
    }
    assert unclassified(whole) == []
    assert DOC.findall("{{ doc('child_id') }}") == ["child_id"]
