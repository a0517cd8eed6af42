"""Error profiles as typed values; the only home of their rates is profiles.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from childdb.errors import UsageError
from childdb.sandbox.reference_tables import document


@dataclass(frozen=True)
class Profile:
    """Rates of one profile: habits of officers, errors of single cells, errors of records."""

    name: str
    registered: float
    unlisted: float
    extract_upper_case: bool
    extract_gaps: float
    id_missing_mean: float
    id_missing_spread: float
    strength: float
    sex_codings: int
    held: Mapping[str, float]
    files: Mapping[str, float]
    cells: Mapping[str, Mapping[str, float]]
    records: Mapping[str, float]

    @property
    def clean(self) -> bool:
        """Whether this profile plants no error at all."""
        return not self.cells

    def rates(self, field: str) -> Mapping[str, float]:
        """Return the errors of one field with their rates."""
        return self.cells.get(field, {})


def load_profile(name: str) -> Profile:
    """Return the profile of that name."""
    known = document("profiles")
    if name not in known:
        raise UsageError(
            f"Profile '{name}' is not known; profiles.yml holds {', '.join(sorted(known))}.",
            f"Không có bộ lỗi mẫu '{name}'; các bộ có sẵn: {', '.join(sorted(known))}.",
        )
    raw = cast(dict[str, Any], known[name])
    shares, missing = raw["shares"], raw["id_missing"]
    return Profile(
        name,
        shares["registered"],
        shares["unlisted"],
        shares["extract_upper_case"],
        shares["extract_gaps"],
        missing["mean"],
        missing["spread"],
        raw["strength"],
        raw["sex_codings"],
        raw["held"],
        raw["files"],
        raw["cells"],
        raw["records"],
    )
