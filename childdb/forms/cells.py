"""Look up a released figure for a cell of a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from childdb.errors import ContractError
from childdb.forms.model import FormColumn, FormProvince
from childdb.forms.words import MARKS, Mark

NEEDED = (
    *(
        "indicator_set",
        "indicator_code",
        "definition_version",
        "period",
        "geography",
        "area_level",
        "area_code",
    ),
    *("sex", "age_group", "ethnic_group", "numerator", "denominator", "value", "unit", "status"),
)


class CellKey(NamedTuple):
    """What makes a figure of one release and period unique."""

    indicator_set: str
    indicator_code: str
    area_level: str
    area_code: str
    sex: str
    age_group: str
    ethnic_group: str


@dataclass(frozen=True, slots=True)
class FormFigure:
    """The numbers of one figure."""

    numerator: float | None
    denominator: float | None
    value: float | None
    unit: str
    status: str
    definition_version: str


FormFigures = Mapping[CellKey, FormFigure]


def figures_of(figures: pa.Table, province: FormProvince, period: str) -> dict[CellKey, FormFigure]:
    """Return the figures of one province and its communes for a period, on the geography of 2025."""
    missing = [name for name in NEEDED if name not in figures.column_names]
    if missing:
        raise ContractError(
            f"Figures for the forms lack the columns {', '.join(missing)}; CONTRACT.md lists them all."
        )
    codes = [*(unit.code for unit in province.communes), *province.unknown_area_codes]
    in_province = (pc.field("area_level") == "province") & (pc.field("area_code") == province.code)
    in_communes = (pc.field("area_level") == "commune") & pc.field("area_code").isin(
        pa.array(codes, pa.string())
    )
    same = (pc.field("geography") == "2025") & (pc.field("period") == period)
    chosen = figures.select(NEEDED).filter(same & (in_province | in_communes))
    return {_key(row): _figure(row) for row in chosen.to_pylist()}


def _key(row: Mapping[str, object]) -> CellKey:
    return CellKey(*(str(row[name]) for name in CellKey._fields))


def _figure(row: Mapping[str, object]) -> FormFigure:
    numbers = (_number(row["numerator"]), _number(row["denominator"]), _number(row["value"]))
    return FormFigure(*numbers, str(row["unit"]), str(row["status"]), str(row["definition_version"]))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def content_of(
    figures: FormFigures, column: FormColumn, level: str, area_code: str, ethnic_group: str = "_T"
) -> float | Mark:
    """Return the number of a cell, or the mark that says why there is none."""
    key = CellKey(
        column.indicator_set,
        column.indicator_code,
        level,
        area_code,
        column.sex,
        column.age_group,
        ethnic_group,
    )
    figure = figures.get(key)
    if figure is None:
        return Mark.NO_DATA
    number: float | None = getattr(figure, column.field.value)
    if number is not None:
        return number
    # The status speaks of numerator and value; a missing denominator of a published figure has no meaning here.
    return MARKS.get(figure.status, Mark.NOT_APPLICABLE)


def share_indicators(figures: FormFigures) -> frozenset[tuple[str, str]]:
    """Return the indicators (set, code) whose value is a percentage."""
    return frozenset(
        (key.indicator_set, key.indicator_code) for key, figure in figures.items() if "%" in figure.unit
    )


def versions_of(figures: FormFigures, columns: Iterable[FormColumn]) -> str:
    """Return the definition versions behind the columns, in the order of the columns."""
    wanted = list(dict.fromkeys((column.indicator_set, column.indicator_code) for column in columns))
    found: dict[tuple[str, str], set[str]] = {pair: set() for pair in wanted}
    for key, figure in figures.items():
        if (key.indicator_set, key.indicator_code) in found:
            found[key.indicator_set, key.indicator_code].add(figure.definition_version)
    return "; ".join(f"{code}: {', '.join(sorted(found[name, code])) or '…'}" for name, code in wanted)
