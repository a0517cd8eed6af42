"""The wording of the lists: dated data, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from childdb.errors import ConfigurationError
from childdb.forms.words import unit_name
from childdb.reference import SeedFolder, seed_rows

FORM_FILE = Path(__file__).resolve().parent / "form.yml"
_UNIT_TYPES = {"xa": "Xã", "phuong": "Phường", "thi_tran": "Thị trấn", "dac_khu": "Đặc khu"}


@dataclass(frozen=True, slots=True)
class Form:
    """What a list says around its rows on one day."""

    basis: str
    authority: str
    nation: str
    motto: str
    due_days: int
    titles: Mapping[str, str]
    guide: str
    newborn_title: str
    maker: str
    signer: str
    signer_label: str
    date_label: str
    captions: Mapping[str, str]
    letter_number: str
    letter_subject: str
    letter_basis: str
    letter_ask: str
    letter_lists: Mapping[str, str]
    letter_body: Sequence[str]
    letter_copies: Sequence[str]
    letter_signer: Sequence[str]


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FORM_FILE.read_text(encoding="utf-8"))
    return document


def captions() -> Mapping[str, str]:
    """Return the Vietnamese caption of each column of a list."""
    found: Mapping[str, str] = _document()["captions"]
    return found


def form_on(day: date) -> Form:
    """Return the wording valid on a day.

    Raises:
        ConfigurationError: no wording covers the day.
    """
    for entry in _document()["forms"]:
        if entry["valid_from"] <= day and (entry["valid_to"] is None or day < entry["valid_to"]):
            words = {key: value for key, value in entry.items() if key not in ("valid_from", "valid_to")}
            return Form(**words, captions=captions())
    raise ConfigurationError(
        f"No form of the request list is valid on {day.isoformat()}: add one to childdb/worklists/form.yml, "
        "or give a later day with --as-of."
    )


@lru_cache(maxsize=1)
def _communes() -> Mapping[str, tuple[str, str]]:
    names = {row["commune_id"]: row for row in seed_rows(SeedFolder.REFERENCE, "commune_names")}
    provinces = {
        row["commune_id"]: row["province_code"] for row in seed_rows(SeedFolder.REFERENCE, "communes")
    }
    return {
        key: (f"{_UNIT_TYPES.get(row['unit_type'], '')} {row['name_vi']}".strip(), provinces.get(key, ""))
        for key, row in names.items()
    }


def commune_title(commune_id: str) -> str:
    """Return the commune's kind and name; its code where the name is not known."""
    return _communes().get(commune_id, (commune_id.split("@")[0], ""))[0]


def province_title(commune_id: str) -> str:
    """Return kind and name of a commune's province; empty where it is not known."""
    return _provinces().get(_communes().get(commune_id, ("", ""))[1], "")


@lru_cache(maxsize=1)
def _provinces() -> Mapping[str, str]:
    rows = sorted(seed_rows(SeedFolder.REFERENCE, "province_names"), key=lambda row: row["valid_from_date"])
    return {row["province_id"].split("@")[0]: unit_name(row["unit_type"], row["name_vi"]) for row in rows}


def birth_registration_days(day: date) -> int:
    """Return how many days after birth a registration is still in time, on a day."""
    for row in seed_rows(SeedFolder.REFERENCE, "legal_parameters"):
        if row["parameter_code"] == "birth_registration_deadline" and _covers(row, day):
            return int(row["value"])
    raise ConfigurationError(
        f"legal_parameters.csv has no birth_registration_deadline valid on {day.isoformat()}: add a dated row."
    )


def _covers(row: Mapping[str, str], day: date) -> bool:
    start = date.fromisoformat(row["valid_from_date"])
    end = date.fromisoformat(row["valid_to_date"]) if row["valid_to_date"] else None
    return start <= day and (end is None or day < end)
