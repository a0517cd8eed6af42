"""Released figures as the pages read them, and the seam to where they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol

TOTAL, UNKNOWN, NATION = "_T", "_U", "VN"


class FigureStatus(StrEnum):
    """Whether a figure has a number, and if not, why."""

    PUBLISHED = "published"
    HIDDEN = "hidden"
    NO_DATA = "no_data"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Figure:
    """One released figure, in the columns of the contract and in their order."""

    release_id: str
    cell_id: str
    indicator_set: str
    indicator_code: str
    definition_version: str
    period: str
    geography: str
    area_level: str
    area_code: str
    sex: str
    age_group: str
    ethnic_group: str
    breakdown: str
    numerator: float | None
    denominator: float | None
    value: float | None
    unit: str
    status: FigureStatus
    coverage: float | None

    @property
    def is_percent(self) -> bool:
        """Whether the value is a share in per cent."""
        return "%" in self.unit

    @property
    def is_total(self) -> bool:
        """Whether the figure counts everyone: no breakdown."""
        return (self.sex, self.age_group, self.ethnic_group) == (TOTAL, TOTAL, TOTAL)


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Figure))
ORDER: tuple[str, ...] = (
    *("period", "indicator_set", "indicator_code", "geography", "area_level", "area_code"),
    *("sex", "age_group", "ethnic_group"),
)


@dataclass(frozen=True, slots=True)
class FigureQuery:
    """Which figures of one release are wanted; an empty part does not restrict."""

    release_id: str
    indicator_set: str = ""
    indicator_code: str = ""
    period: str = ""
    geography: str = ""
    area_level: str = ""
    area_codes: tuple[str, ...] = ()
    breakdown: str = ""
    totals_only: bool = False

    def equalities(self) -> dict[str, str]:
        """Return the columns that must equal a value."""
        names = (
            "release_id",
            "indicator_set",
            "indicator_code",
            "period",
            "geography",
            "area_level",
            "breakdown",
        )
        wanted = {name: getattr(self, name) for name in names if getattr(self, name)}
        if self.totals_only:
            wanted |= dict.fromkeys(("sex", "age_group", "ethnic_group"), TOTAL)
        return wanted


class FigureStore(Protocol):
    """Where released figures are read from."""

    def find(self, query: FigureQuery) -> list[Figure]:
        """Return the figures wanted, in the order of ``ORDER``."""
        ...

    def check(self) -> None:
        """Raise ``EnvironmentFailedError`` if the figures cannot be read now."""
        ...


def make_figure(row: Mapping[str, object]) -> Figure:
    """Return a figure from a row that has at least the columns of the contract."""
    numbers = {name: _number(row[name]) for name in ("numerator", "denominator", "value", "coverage")}
    texts = {name: str(row[name]) for name in COLUMNS if name not in numbers and name != "status"}
    return Figure(**texts, **numbers, status=FigureStatus(str(row["status"])))  # type: ignore[arg-type]


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def sort_figures(found: Sequence[Figure]) -> list[Figure]:
    """Return figures in the order of ``ORDER``."""
    return sorted(found, key=lambda figure: tuple(getattr(figure, name) for name in ORDER))
