"""The profile of a file as JSON in the ledger, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from enum import Enum
from typing import Any

from childdb.reading.model import FileKind, FileProfile


def profile_document(profile: FileProfile) -> dict[str, Any]:
    """Return a profile as a JSON document."""
    return {field.name: _plain(getattr(profile, field.name)) for field in fields(FileProfile)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def profile_from(document: Mapping[str, Any]) -> FileProfile:
    """Return the profile a document holds; entries that this version does not know are left out."""
    known = {field.name: document[field.name] for field in fields(FileProfile) if field.name in document}
    values: dict[str, Any] = {
        n: tuple(value) if isinstance(value, list) else value for n, value in known.items()
    }
    if values.get("kind") is not None:
        values["kind"] = FileKind(values["kind"])
    if values.get("stated_date") is not None:
        values["stated_date"] = date.fromisoformat(values["stated_date"])
    return FileProfile(**values)
