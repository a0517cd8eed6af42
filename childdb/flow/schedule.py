"""When a dataset is fetched and who may approve a release: read from the registry and the settings."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from childdb.settings import load_settings


@cache
def _registry() -> dict[str, dict[str, Any]]:
    path = Path(__file__).resolve().parents[2] / "connectors" / "datasets.yml"
    document: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["datasets"]
    return document


def cron_of(dataset: str) -> str | None:
    """Return the timetable of a dataset, or nothing where runs are started by ``childdb run`` only."""
    return str(_registry()[dataset]["cron"]) if load_settings().scheduled else None


def is_scheduled() -> bool:
    """Return whether the scheduler starts DAGs by their timetables."""
    return load_settings().scheduled


def approvers() -> list[dict[str, str]]:
    """Return the people who may answer the human steps of a release."""
    return [{"id": name, "name": name} for name in load_settings().approver_names]
