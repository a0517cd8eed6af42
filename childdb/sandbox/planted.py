"""The planted errors of a list as truth: which cell, which error, whether the file still holds the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from childdb.sandbox.cells import Sheet
from childdb.sandbox.hashing import Bools
from childdb.sandbox.marks import error_ids
from childdb.sandbox.people import years_of
from childdb.sandbox.reference_tables import rows_of

_FIELDS: list[tuple[str, pa.DataType]] = [
    ("file_name", pa.string()),
    ("sheet", pa.string()),
    ("row_no", pa.int32()),
    ("column", pa.string()),
    ("error_id", pa.string()),
    ("recoverable", pa.string()),
    ("correct", pa.string()),
    ("seen", pa.string()),
]
SCHEMA = pa.schema(_FIELDS)
_COLUMN = {
    "E57": None,
    "E58": None,
    "E59": None,
    "E60": None,
    "E61": "bien_dong",
    "E62": "bien_dong",
    "E65": "ho_ten_cha",
    "E66": "ho_ten_me",
    "E67": "so_dinh_danh_me",
    "E68": "ho_ten_me",
    "B-phone": "dien_thoai_me",
    "P-changed": "dien_thoai_me",
    "P-zero": "dien_thoai_me",
    "B-household": "ma_ho",
    "P-household": "ma_ho",
    "B-birth_registration": "so_khai_sinh",
    "P-moved": None,
    "P-left": None,
    "P-unlisted": None,
}
# Errors that the cell, the column or the file alone allow to undo; E02 and E06 need sex and year to agree.
_RECOVERABLE = {
    "E61",
    "E04",
    "E17",
    "E18",
    "E19",
    "E21",
    "E22",
    "E23",
    "E25",
    "E26",
    "E27",
    "E31",
    "E32",
    "E34",
    "E38",
    "E42",
    "E44",
    "E47",
    "P-zero",
}
_NEEDS_PROOF = {"E02", "E06"}


def planted_errors(sheet: Sheet, file_name: str, sheet_name: str, row_numbers: list[int]) -> pa.Table:
    """Return one row per planted error of the list."""
    people = sheet.rows.people
    proof: Bools = (years_of(sheet.written.birth_day) == people.year) & (sheet.written.sex_code == people.sex)
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for error in error_ids():
        for row in np.flatnonzero(sheet.written.marks.has(error)):
            column = _column_of(error)
            good = error in _RECOVERABLE or (error in _NEEDS_PROOF and bool(proof[row]))
            if error == "E27" and sheet.written.name_forms[row, 0] == 4:
                good = False
            values = (
                file_name,
                sheet_name,
                row_numbers[row],
                column,
                error,
                "yes" if good else "no",
                _correct(sheet, column, int(row)),
                _seen(sheet, column, int(row)),
            )
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    return pa.table(columns, schema=SCHEMA)


def _column_of(error: str) -> str | None:
    if error in _COLUMN:
        return _COLUMN[error]
    if error.startswith("B-"):
        return error[2:]
    fields = {row["id"]: row["field"] for row in rows_of("error_modes")}
    return fields[error]


def _correct(sheet: Sheet, column: str | None, row: int) -> str | None:
    people = sheet.rows.people
    if column == "so_dinh_danh":
        return f"{people.number[row]:012d}"
    if column == "ngay_sinh":
        return str(people.birth[row].astype("datetime64[D]"))
    if column == "gioi_tinh":
        return ("male", "female")[people.sex[row]]
    if column == "dan_toc":
        return f"{people.ethnic[row]:02d}"
    return None


def _seen(sheet: Sheet, column: str | None, row: int) -> str | None:
    values = sheet.typed.get(column or "")
    return None if values is None or values[row] is None else str(values[row])
