"""``make docs``: the warehouse as one page that needs no network: every table, column and test, and what reads what."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from childdb.contracts import DBT_PROJECT

LAYERS = ("raw", "clean", "identity", "reference", "staging", "core", "marts", "publication", "quality")
REFERENCE = re.compile(r"ref\('(\w+)'\)")
SOURCE = re.compile(r"source\('(\w+)',\s*'(\w+)'\)")
BLOCK = re.compile(r"\{%\s*docs\s+(\w+)\s*%\}(.*?)\{%\s*enddocs\s*%\}", re.S)
DOC = re.compile(r"\{\{\s*doc\('(\w+)'\)\s*\}\}")
BOX_WIDTH, BOX_HEIGHT, COLUMN_WIDTH = 250, 18, 300


@dataclass(frozen=True, slots=True)
class Column:
    """One column as its property file describes it."""

    name: str
    data_type: str
    description: str
    sensitivity: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One source table, seed or model, and what it reads."""

    name: str
    layer: str
    description: str
    columns: tuple[Column, ...]
    reads: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name that is unique over all layers."""
        return f"{self.layer}.{self.name}"


@dataclass(frozen=True, slots=True)
class Box:
    """Where a table stands in the drawing of the lineage."""

    table: Table
    x: int
    y: int


def read_tables(project: Path = DBT_PROJECT) -> dict[str, Table]:
    """Return every table of the project by its key, in the order of the layers."""
    blocks = {
        name: " ".join(text.split())
        for path in sorted((project / "docs").glob("*.md"))
        for name, text in BLOCK.findall(path.read_text(encoding="utf-8"))
    }
    tables = [*_sources(project, blocks), *_seeds(project, blocks), *_models(project, blocks)]
    tables.sort(key=lambda table: (LAYERS.index(table.layer), table.name))
    return {table.key: table for table in tables}


@cache
def _documents(folder: Path, pattern: str) -> tuple[tuple[Path, Mapping[str, Any]], ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(
        (path, yaml.load(path.read_text(encoding="utf-8"), Loader=loader) or {})  # noqa: S506 - a safe loader
        for path in sorted(folder.rglob(pattern))
    )


def _sources(project: Path, blocks: Mapping[str, str]) -> Iterator[Table]:
    for _, document in _documents(project / "models", "_*sources.yml"):
        for source in document.get("sources", []):
            for entry in source["tables"]:
                yield _table(entry, source["schema"], blocks, ())


def _seeds(project: Path, blocks: Mapping[str, str]) -> Iterator[Table]:
    for _, document in _documents(project / "seeds", "*.yml"):
        for entry in document.get("seeds", []):
            yield _table(entry, "reference", blocks, ())


def _models(project: Path, blocks: Mapping[str, str]) -> Iterator[Table]:
    macros = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((project / "macros").glob("*.sql"))
    )
    schemas = {
        (source["name"], entry["name"]): source["schema"]
        for _, document in _documents(project / "models", "_*sources.yml")
        for source in document.get("sources", [])
        for entry in source["tables"]
    }
    layers = {p.stem: p.relative_to(project / "models").parts[0] for p in (project / "models").rglob("*.sql")}
    for path, document in _documents(project / "models", "*.yml"):
        for entry in document.get("models", []):
            text = path.with_name(f"{entry['name']}.sql").read_text(encoding="utf-8")
            called = set(re.findall(r"\{\{\s*(\w+)\(", text))
            text += "".join(_macro_bodies(macros, called))
            reads = {f"{layers.get(name, 'reference')}.{name}" for name in REFERENCE.findall(text)}
            reads |= {f"{schemas[found]}.{found[1]}" for found in SOURCE.findall(text)}
            yield _table(entry, layers[entry["name"]], blocks, tuple(sorted(reads)))


def _macro_bodies(macros: str, called: set[str]) -> Iterator[str]:
    """Yield the text of the macros a model calls: some of them read tables for it."""
    for name, body in re.findall(r"\{%-?\s*macro\s+(\w+)\(.*?-?%\}(.*?)\{%-?\s*endmacro", macros, re.S):
        if name in called:
            yield body


def _table(entry: Mapping[str, Any], layer: str, blocks: Mapping[str, str], reads: tuple[str, ...]) -> Table:
    columns = tuple(_column(column, blocks) for column in entry.get("columns", []))
    return Table(entry["name"], layer, " ".join(str(entry.get("description", "")).split()), columns, reads)


def _column(entry: Mapping[str, Any], blocks: Mapping[str, str]) -> Column:
    checks = [c if isinstance(c, str) else next(iter(c)) for c in entry.get("data_tests", [])]
    checks += [constraint["type"] for constraint in entry.get("constraints", [])]
    meta = entry.get("config", {}).get("meta", {})
    text = DOC.sub(lambda match: blocks.get(match[1], ""), str(entry.get("description", "")))
    return Column(
        entry["name"], str(entry.get("data_type", "")), text, str(meta.get("sensitivity", "")), tuple(checks)
    )


def place_boxes(tables: Mapping[str, Table]) -> dict[str, Box]:
    """Return a place for every table: a column per layer, tables under each other."""
    boxes: dict[str, Box] = {}
    heights: dict[str, int] = {}
    for key, table in tables.items():
        row = heights.get(table.layer, 0)
        heights[table.layer] = row + 1
        boxes[key] = Box(table, LAYERS.index(table.layer) * COLUMN_WIDTH, 24 + row * (BOX_HEIGHT + 6))
    return boxes


def write_pages(folder: Path, project: Path = DBT_PROJECT) -> Path:
    """Write the page and return where it is."""
    tables = read_tables(project)
    readers = {key: sorted(other.key for other in tables.values() if key in other.reads) for key in tables}
    boxes = place_boxes(tables)
    environment = Environment(
        loader=PackageLoader("childdb.orchestration", "templates"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("models.html").render(
        tables=tables.values(), readers=readers, boxes=boxes, layers=LAYERS, column_width=COLUMN_WIDTH,
        box_width=BOX_WIDTH, box_height=BOX_HEIGHT, height=max(box.y for box in boxes.values()) + 40,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def main() -> int:
    """Write the page into the folder named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    print(write_pages(parser.parse_args().out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
