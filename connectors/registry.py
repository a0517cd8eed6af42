"""The registry of datasets as typed values; unknown keys and missing ones are reported all at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from childdb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTRY = Path(__file__).with_name("datasets.yml")
_KEYS = frozenset({
    "title_vi", "title_en", "source", "transports", "owner", "legal_basis", "impact", "cron", "completeness", "senders",
    "deadlines", "column_map", "accepted_kinds", "limits", "quarantine",
})  # fmt: skip
_CHOICES = {
    "completeness": frozenset({"complete_list", "increment"}),
    "impact": frozenset({"high", "medium", "low"}),
    "senders": frozenset({"communes", "provinces", "system", "helpline", "ministry_of_public_security"}),
}


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day of each year by which a list is due, and how many days before it still count."""

    month_day: str
    valid_days: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset as registered."""

    key: str
    title_vi: str
    title_en: str
    source: str
    transports: tuple[str, ...]
    owner: str
    legal_basis: str
    impact: str
    cron: str
    completeness: str
    senders: str
    deadlines: tuple[Deadline, ...]
    column_map: str | None
    accepted_kinds: tuple[str, ...]
    limits: Mapping[str, float]
    quarantine_owner: str
    quarantine_age_limit_days: int


@cache
def load_registry(path: Path = REGISTRY) -> Mapping[str, Dataset]:
    """Return every dataset by key.

    Raises:
        ConfigurationError: names every mistake of the file at once.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    mistakes: list[str] = []
    for key, entry in document["datasets"].items():
        mistakes.extend(_mistakes(key, entry))
    if mistakes:
        raise ConfigurationError(f"datasets.yml: {'; '.join(mistakes)}.")
    return {key: _dataset(key, entry) for key, entry in document["datasets"].items()}


def _mistakes(key: str, entry: Mapping[str, Any]) -> list[str]:
    found = [f"{key}: unknown key {name}" for name in sorted(set(entry) - _KEYS)]
    found += [f"{key}: key {name} is missing" for name in sorted(_KEYS - set(entry))]
    for name, allowed in _CHOICES.items():
        if name in entry and entry[name] not in allowed:
            found.append(f"{key}: {name} is none of {', '.join(sorted(allowed))}")
    return found


def _dataset(key: str, entry: Mapping[str, Any]) -> Dataset:
    return Dataset(
        key=key,
        title_vi=entry["title_vi"],
        title_en=entry["title_en"],
        source=entry["source"],
        transports=tuple(entry["transports"]),
        owner=entry["owner"],
        legal_basis=entry["legal_basis"],
        impact=entry["impact"],
        cron=entry["cron"],
        completeness=entry["completeness"],
        senders=entry["senders"],
        deadlines=tuple(Deadline(str(d["month_day"]), int(d["valid_days"])) for d in entry["deadlines"]),
        column_map=entry["column_map"],
        accepted_kinds=tuple(entry["accepted_kinds"]),
        limits=dict(entry["limits"]),
        quarantine_owner=entry["quarantine"]["owner"],
        quarantine_age_limit_days=int(entry["quarantine"]["age_limit_days"]),
    )
