"""What a form is: places it lists, columns it shows, heading it carries. Read from data, checked on reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from childdb.errors import ConfigurationError

LAYOUTS = Path(__file__).parent / "data" / "layouts.yml"


@dataclass(frozen=True, slots=True)
class FormUnit:
    """One row heading of a form: official code and name as shown."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class FormProvince:
    """A province with its communes and the ethnic groups that a form may list; order is the form's."""

    code: str
    name: str
    communes: Sequence[FormUnit]
    ethnic_groups: Sequence[FormUnit] = ()
    unknown_area_codes: Sequence[str] = ()
    """Area codes that stand for "commune unknown" within this province."""


class Rows(StrEnum):
    """What the rows of a form are."""

    COMMUNES = "communes"
    ETHNIC_GROUPS = "ethnic_groups"


class Field(StrEnum):
    """Which number of a figure a column shows."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One numbered column: its headings from the outside in, and the figure it shows."""

    caption: tuple[str, ...]
    indicator_set: str
    indicator_code: str
    field: Field
    sex: str = "_T"
    age_group: str = "_T"


@dataclass(frozen=True, slots=True)
class Form:
    """One sheet: a statistical form with its number, title, unit, rows and columns."""

    sheet: str
    number: str
    issued_with: str
    title: str
    unit: str
    rows: Rows
    columns: tuple[FormColumn, ...]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class FormHeader:
    """Who reports to whom from one day to another."""

    reporting_unit: str
    receiving_unit: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Layouts:
    """Every heading and form there is, with their validity."""

    headers: tuple[FormHeader, ...]
    forms: tuple[Form, ...]

    def header_on(self, day: date) -> FormHeader:
        """Return the heading in force on a day."""
        for header in self.headers:
            if _holds(header.valid_from, header.valid_to, day):
                return header
        raise ConfigurationError(
            f"{LAYOUTS.name}: no heading of the forms is in force on {day.isoformat()}. Add a row under 'header'.",
            f"{LAYOUTS.name}: không có phần đầu biểu nào có hiệu lực ngày {day.isoformat()}. Hãy thêm một dòng vào 'header'.",
        )

    def forms_on(self, day: date) -> tuple[Form, ...]:
        """Return the forms in force on a day, in the order of the workbook."""
        return tuple(form for form in self.forms if _holds(form.valid_from, form.valid_to, day))


def _holds(valid_from: date, valid_to: date | None, day: date) -> bool:
    return valid_from <= day and (valid_to is None or day < valid_to)


def load_layouts(path: Path = LAYOUTS) -> Layouts:
    """Return the forms described in a layout file; every mistake names the entry."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        headers = tuple(FormHeader(**entry) for entry in document["header"])
        return Layouts(headers, tuple(_form(entry) for entry in document["forms"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{path.name}: an entry has an unknown, missing or wrong part ({error}). Compare it with the other entries.",
            f"{path.name}: một mục có phần thừa, thiếu hoặc sai ({error}). Hãy so với các mục khác.",
        ) from None


def _form(entry: Mapping[str, Any]) -> Form:
    values = dict(entry)
    values["rows"] = Rows(values["rows"])
    values["columns"] = tuple(_column(column) for column in values["columns"])
    return Form(**values)


def _column(entry: Mapping[str, Any]) -> FormColumn:
    values = dict(entry)
    return FormColumn(
        caption=tuple(values.pop("caption")),
        indicator_set=values.pop("set"),
        indicator_code=values.pop("code"),
        field=Field(values.pop("field")),
        **values,
    )
