"""The catalogue of indicators: names, definitions, law and validity, from the seeds of the warehouse."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from childdb.forms.words import Language

NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One version of an indicator; texts that the sources did not give are empty."""

    indicator_set: str
    code: str
    version: str
    names: Mapping[Language, str]
    fields: Mapping[str, str]
    """Every other column of the catalogue by its name, as written there."""

    @property
    def key(self) -> tuple[str, str]:
        """Set and code together: a code alone is no key."""
        return self.indicator_set, self.code

    @property
    def path(self) -> str:
        """Address of the indicator's page within a language."""
        return f"indicators/{self.indicator_set}/{self.code}"

    def name(self, language: Language) -> str:
        """Return the name in a language, in Vietnamese where there is no other."""
        return self.names.get(language) or self.names[Language.VI]

    def text(self, name: str, language: Language) -> str:
        """Return a descriptive column in a language, without one in Vietnamese or without language."""
        for column in (f"{name}_{language.value}", f"{name}_vi", name):
            value = self.fields.get(column, "").strip()
            if value and value != NOT_FOUND:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class IndicatorCatalogue:
    """All versions of all indicators, in the order of the catalogue."""

    versions: Sequence[Indicator]

    def find(self, indicator_set: str, code: str, version: str = "") -> Indicator | None:
        """Return a version of an indicator, the last one if none is named."""
        found = [one for one in self.versions if one.key == (indicator_set, code)]
        exact = [one for one in found if one.version == version] or found
        return exact[-1] if exact else None

    def current(self) -> Iterator[Indicator]:
        """Yield each indicator once, in its last version and in the order of the catalogue."""
        last = {one.key: one for one in self.versions}
        yield from last.values()


def load_indicators(path: Path) -> IndicatorCatalogue:
    """Return the catalogue in ``indicators.csv``."""
    with path.open(encoding="utf-8", newline="") as file:
        return IndicatorCatalogue(tuple(_indicator(row) for row in csv.DictReader(file)))


def _indicator(row: Mapping[str, str]) -> Indicator:
    return Indicator(
        indicator_set=row["indicator_set"],
        code=row["indicator_code"],
        version=row["definition_version"],
        names={Language.VI: row["name_vi"], Language.EN: row["name_en"]},
        fields=dict(row),
    )
