"""Small charts as lists of bars: lengths come from released figures only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from childdb.forms.words import Language
from childdb.portal.figures import TOTAL, Figure
from childdb.portal.words import Shown, show


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, what stands beside it, and its length from 0 to 100."""

    label: str
    shown: Shown
    length: float


@dataclass(frozen=True, slots=True)
class Steps:
    """One line of a population pyramid."""

    label: str
    male: Bar
    female: Bar


def bars(labelled: Iterable[tuple[str, Figure | None]], language: Language) -> tuple[Bar, ...]:
    """Return bars for figures; the longest has length 100."""
    pairs = list(labelled)
    longest = _longest(figure for _, figure in pairs)
    return tuple(_bar(label, figure, longest, language) for label, figure in pairs)


def pyramid(figures: Sequence[Figure], ages: Mapping[str, str], language: Language) -> tuple[Steps, ...]:
    """Return boys and girls by age group, oldest first; figures are those of one area and one indicator."""
    cells = {(f.age_group, f.sex): f for f in figures if f.ethnic_group == TOTAL}
    wanted = [cells.get((age, sex)) for age in ages for sex in ("male", "female")]
    longest = _longest(wanted)
    lines = [
        Steps(
            label,
            _bar(label, cells.get((age, "male")), longest, language),
            _bar(label, cells.get((age, "female")), longest, language),
        )
        for age, label in ages.items()
    ]
    return tuple(reversed(lines)) if any(wanted) else ()


def _longest(figures: Iterable[Figure | None]) -> float:
    return max((figure.value or 0.0 for figure in figures if figure is not None), default=0.0)


def _bar(label: str, figure: Figure | None, longest: float, language: Language) -> Bar:
    if figure is None:
        return Bar(label, show(None, "no_data", language=language), 0.0)
    shown = show(figure.value, figure.status.value, percent=figure.is_percent, language=language)
    length = round(100 * figure.value / longest, 1) if figure.value is not None and longest else 0.0
    return Bar(label, shown, length)
