"""What the architecture tests look at: the files of the tree, the Python trees, the dbt models with their property files."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "dbt_project" / "models"
SEEDS = ROOT / "dbt_project" / "seeds"
REF = re.compile(r"""\{\{\s*ref\(\s*['"]([^'"]+)['"]""")
SOURCE = re.compile(r"""\{\{\s*source\(\s*['"]([^'"]+)['"]\s*,\s*['"]([^'"]+)['"]""")


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is in the tree or would be by `git add`, as a path from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(
        sorted(path for name in listed.split("\0") if name and (ROOT / (path := Path(name))).is_file())
    )


@cache
def text_of(path: Path) -> str:
    """Return a file's text; empty for what is not text."""
    content = (ROOT / path).read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="replace")


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below folders of the root."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in folders]


def product_files() -> list[Path]:
    """Return the Python files that the product consists of."""
    return python_files("childdb", "connectors", "dags")


def imported_modules(source: str) -> set[str]:
    """Return the full names of the modules that a source text imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@dataclass(frozen=True)
class Model:
    """One dbt model: where it lies, what it reads, and what its property file says."""

    name: str
    layer: str
    path: Path
    sql: str
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> list[dict[str, Any]]:
        """Return the described columns."""
        return list(self.properties.get("columns", []))


@dataclass(frozen=True)
class SourceTable:
    """One table that dbt reads and does not build."""

    source: str
    schema: str
    name: str
    properties: dict[str, Any]

    @property
    def columns(self) -> list[dict[str, Any]]:
        """Return the described columns."""
        return list(self.properties.get("columns", []))


@cache
def models() -> tuple[Model, ...]:
    """Return every model of the dbt project."""
    found = []
    for path in sorted(MODELS.rglob("*.sql")):
        beside = path.with_suffix(".yml")
        listed = (
            yaml.safe_load(beside.read_text(encoding="utf-8")).get("models", []) if beside.exists() else []
        )
        properties = next((entry for entry in listed if entry["name"] == path.stem), {})
        layer = path.relative_to(MODELS).parts[0]
        found.append(
            Model(path.stem, layer, path.relative_to(ROOT), path.read_text(encoding="utf-8"), properties)
        )
    return tuple(found)


@cache
def source_tables() -> tuple[SourceTable, ...]:
    """Return every source table of the dbt project."""
    found = []
    for path in sorted(MODELS.rglob("_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            schema = source.get("schema", source["name"])
            found += [SourceTable(source["name"], schema, table["name"], table) for table in source["tables"]]
    return tuple(found)


@cache
def seed_names() -> frozenset[str]:
    """Return the names of the seeds."""
    return frozenset(path.stem for path in SEEDS.rglob("*.csv"))


def report(violations: list[str], why: str, remedy: str) -> str:
    """Return the message of a failed rule: what is wrong, why it matters, how to mend it."""
    listed = "\n".join(f"  - {violation}" for violation in violations[:40])
    more = f"\n  … and {len(violations) - 40} more" if len(violations) > 40 else ""
    return f"\n{listed}{more}\nWhy: {why}\nHow to fix: {remedy}"
