"""Terms that readers meet, explained in both languages; sorted as dictionaries of the language sort."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from childdb.forms.words import Language
from childdb.portal.words import sort_key

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Term:
    """A term and its meaning in one language."""

    term: str
    meaning: str
    source: str


def load_glossary(language: Language, path: Path = DATA / "glossary.csv") -> list[Term]:
    """Return the terms in a language."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    terms = [
        Term(row[f"term_{language.value}"], row[f"meaning_{language.value}"], row["source"]) for row in rows
    ]
    return sorted(terms, key=lambda term: sort_key(term.term))


@cache
def load_labels(name: str, language: Language) -> Mapping[str, str]:
    """Return code → label from ``data/<name>.csv``, in the order of the file."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row[f"label_{language.value}"] for row in csv.DictReader(file)}
