"""Versions of what makes a figure: hashes of contents, never the state of a clone or a clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What cannot move a figure is left out: a new page or a new work list is no new release.
CODE: tuple[tuple[str, str, frozenset[str]], ...] = (
    (
        "childdb",
        "*.py",
        frozenset({"commands", "orchestration", "portal", "sandbox", "worklists", "database", "vault"}),
    ),
    ("connectors", "*.py", frozenset()),
    ("dbt_project/macros", "*.sql", frozenset()),
    ("dbt_project/models", "*.sql", frozenset()),
)
RULES = ("childdb/identity/rules.yml", "connectors/datasets.yml")
RULE_FOLDERS = ("connectors/column_maps", "childdb/forms/data")


def code_version() -> str:
    """Return the hash of the code and models that figures come from."""
    return _digest(path for folder, pattern, without in CODE for path in _files(folder, pattern, without))


def seeds_version() -> str:
    """Return the hash of every code list, mapping, unit and indicator definition."""
    return _digest(_files("dbt_project/seeds", "*.csv", frozenset()))


def rules_version() -> str:
    """Return the hash of the rules that are data: matching, datasets, column maps, forms."""
    single = (ROOT / name for name in RULES if (ROOT / name).exists())
    return _digest(
        [*single, *(path for folder in RULE_FOLDERS for path in _files(folder, "*.yml", frozenset()))]
    )


def _files(folder: str, pattern: str, without: frozenset[str]) -> list[Path]:
    base = ROOT / folder
    return [path for path in base.rglob(pattern) if path.relative_to(base).parts[0] not in without]


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(ROOT).as_posix(), path) for path in paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()
