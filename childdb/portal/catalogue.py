"""Labels and targets from the seeds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from childdb.forms.words import Language
from childdb.portal.words import number_text


@dataclass(frozen=True, slots=True)
class Target:
    """A target for an indicator: what, by when, set by which act."""

    act: str
    indicator_set: str
    indicator_code: str
    area_code: str
    year: str
    direction: str
    lowest: str
    highest: str
    unit: str

    def text(self, language: Language) -> str:
        """Return the target with its bound: ``≤ 6,5 %``."""
        low, high = (_number(value, language) for value in (self.lowest, self.highest))
        texts = {"at_least": f"≥ {low}", "at_most": f"≤ {high}", "range": f"{low} – {high}"}
        return f"{texts.get(self.direction, low or high)} {self.unit}".strip()


def _number(value: str, language: Language) -> str:
    decimals = len(value.partition(".")[2])
    return number_text(float(value), language, decimals) if value else ""


def load_targets(path: Path) -> tuple[Target, ...]:
    """Return the targets that name an indicator, in the order of the file; none if there is no file."""
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_target(row) for row in csv.DictReader(file) if row["indicator_code"])


def _target(row: Mapping[str, str]) -> Target:
    return Target(
        *(
            row[name]
            for name in ("legal_act_code", "indicator_set", "indicator_code", "area_code", "target_year")
        ),
        *(row[name] for name in ("direction_code", "lowest_value", "highest_value", "unit")),
    )


@cache
def load_labels_of(path: Path, code_column: str, language: Language) -> Mapping[str, str]:
    """Return code → name from a seed, in the order of the file; rows that have ended give way to later ones."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row[code_column]: row.get(f"name_{language.value}") or row["name_vi"] for row in rows}
