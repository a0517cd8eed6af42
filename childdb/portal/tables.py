"""Tables of areas by indicators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from childdb.forms.words import Language
from childdb.portal.figures import Figure
from childdb.portal.indicators import Indicator
from childdb.portal.words import Shown, show


@dataclass(frozen=True, slots=True)
class Column:
    """One column: an indicator."""

    indicator: Indicator
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row heading: an area."""

    code: str
    name: str
    path: str
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class AreaTable:
    """Areas in rows, indicators in columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Row, tuple[Shown, ...]], ...]

    @property
    def reporting(self) -> int:
        """How many areas have at least one number or hidden figure."""
        return sum(any(cell.status in {"published", "hidden"} for cell in cells) for _, cells in self.rows)


def by_indicator(figures: Iterable[Figure]) -> dict[tuple[str, str], Figure]:
    """Return figures of one area by indicator."""
    return {(figure.indicator_set, figure.indicator_code): figure for figure in figures}


def area_table(
    columns: Sequence[Column], rows: Sequence[Row], figures: Iterable[Figure], language: Language
) -> AreaTable:
    """Return the table; a row that stands for unknown places appears only if it has a figure."""
    found = {(f.area_code, f.indicator_set, f.indicator_code): f for f in figures}
    present = {code for code, _, _ in found}
    lines = []
    for row in rows:
        if row.is_unknown and row.code not in present:
            continue
        cells = tuple(_cell(found.get((row.code, *column.indicator.key)), language) for column in columns)
        lines.append((row, cells))
    return AreaTable(tuple(columns), tuple(lines))


def _cell(figure: Figure | None, language: Language) -> Shown:
    if figure is None:
        return show(None, "no_data", language=language)
    return show(figure.value, figure.status.value, percent=figure.is_percent, language=language)
