"""Writes the lists of the communes asked for, and the truth about every row of them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from childdb.sandbox.cells import Sheet, build_sheet
from childdb.sandbox.columns import Column, column
from childdb.sandbox.geography import date_of
from childdb.sandbox.layouts import Grid, Layout, build_grid, expected_columns, flat_layout, layouts
from childdb.sandbox.lists import UnitList
from childdb.sandbox.misprints import Misprinter
from childdb.sandbox.planted import planted_errors
from childdb.sandbox.population import child_keys, person_ids
from childdb.sandbox.reference_tables import merger_links, present_communes
from childdb.sandbox.rows import Rows, record_ids
from childdb.sandbox.workbooks import Extras, FlatForm, write_flat, write_workbook
from childdb.sandbox.writing import without

_EXPECTED_TYPES = {
    "hoan_canh_dac_biet": pa.list_(pa.string()),
    "birth_year": pa.int32(),
    "birth_month": pa.int32(),
}
FILE_FIELDS = (
    "file_name",
    "sha256",
    "commune_id",
    "commune_code",
    "province_code",
    "is_former",
    "file_date",
    "layout",
    "form",
    "physical_rows",
    "header_footer_rows",
    "child_rows",
    "held_rows",
)


@dataclass(frozen=True)
class WrittenFile:
    """One delivered file with its truth."""

    about: dict[str, Any]
    rows: pa.Table
    expected: pa.Table
    errors: pa.Table
    records: list[dict[str, str | None]]


class ExportWriter:
    """Writes lists one by one; layouts and encodings go round, so that every few lists show all of them."""

    def __init__(self, printer: Misprinter, out: Path) -> None:
        self.printer, self.out = printer, out
        self._layouts = layouts()

    def write(self, ordinal: int, unit: UnitList, all_rows: Rows) -> WrittenFile:
        """Write one list and return its truth."""
        sheet = build_sheet(self.printer, unit, all_rows)
        flat = ordinal % 7 == 6 or self._by_habit(unit, "E73")
        layout = flat_layout() if flat else self._layouts[(ordinal - ordinal // 7) % len(self._layouts)]
        if layout.hamlet_rows:
            _official_hamlets(self.printer, sheet)
        if flat:
            # A text file has no error cells, only words that look like one.
            sheet.held = ["CELL-BIDI" if reason == "CELL-ERROR" else reason for reason in sheet.held]
        grid = build_grid(layout, sheet, flat=flat)
        path = self.out / _file_name(unit, sheet, ordinal, flat=flat)
        lookups, form = self._store(path, layout, grid, unit, ordinal, flat=flat)
        about = _about(path, unit, sheet, layout, form, grid, lookups)
        sheet_name = "" if flat else layout.sheet_name
        return WrittenFile(
            about,
            row_truth(self.printer, sheet, about, sheet_name, grid.child_rows),
            _expected(expected_columns(layout, sheet), about, sheet_name, grid.child_rows),
            planted_errors(sheet, path.name, sheet_name, grid.child_rows),
            [] if unit.is_former else software_records(sheet),
        )

    def _by_habit(self, unit: UnitList, error: str) -> bool:
        officer = np.array([unit.officer * 2 + unit.is_former])
        return bool(
            self.printer.dice.chance(f"file {error}", officer, self.printer.profile.files.get(error, 0.0))[0]
        )

    def _store(
        self, path: Path, layout: Layout, grid: Grid, unit: UnitList, ordinal: int, *, flat: bool
    ) -> tuple[int, str]:
        if flat:
            forms = list(FlatForm)[: 3 if self.printer.profile.clean else 4]
            return 0, write_flat(path, grid, forms[(ordinal // 7 + unit.officer) % len(forms)]).name
        hidden = self._by_habit(unit, "E72")
        extras = Extras(
            hidden, grid.child_rows[0] if hidden else None, layout.real_dates and unit.officer % 3 == 0
        )
        return write_workbook(path, layout, grid, date_of(unit.day), extras), "XLSX"


def _official_hamlets(printer: Misprinter, sheet: Sheet) -> None:
    """Give every row the hamlet's official name: where hamlets are title rows, the officer types each name once."""
    rows = sheet.rows
    names = printer.hamlets.text(
        np.full(len(rows), sheet.unit.officer), rows.people.hamlet, np.zeros(len(rows), dtype=np.int64)
    ).to_pylist()
    sheet.typed["thon"], sheet.expected["thon"] = list(names), list(names)


def _file_name(unit: UnitList, sheet: Sheet, ordinal: int, *, flat: bool) -> str:
    day = date_of(unit.day)
    ending = "csv" if flat else "xlsx"
    if ordinal % 5 == 4:
        return f"Danh sách trẻ em {sheet.place.commune} ({unit.code}) {day:%d-%m-%Y}.{ending}"
    return f"DSTE_{unit.code}_{day:%Y%m%d}.{ending}"


def _about(
    path: Path, unit: UnitList, sheet: Sheet, layout: Layout, form: str, grid: Grid, lookups: int
) -> dict[str, Any]:
    physical = grid.physical_rows() + lookups
    held = sum(reason is not None for reason in sheet.held)
    values = (
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        unit.commune_id,
        unit.code,
        sheet.place.province_code,
        str(unit.is_former).lower(),
        date_of(unit.day).isoformat(),
        layout.key,
        form,
        physical,
        physical - len(sheet),
        len(sheet),
        held,
    )
    return dict(zip(FILE_FIELDS, values, strict=True))


def row_truth(
    printer: Misprinter, sheet: Sheet, about: Mapping[str, Any], sheet_name: str, row_numbers: list[int]
) -> pa.Table:
    """Return who each row is, and whether it must be held."""
    rows, nation = sheet.rows, printer.nation
    count = len(rows)
    return pa.table(
        {
            "file_name": [about["file_name"]] * count,
            "file_sha256": [about["sha256"]] * count,
            "file_date": [about["file_date"]] * count,
            "sheet": [sheet_name] * count,
            "row_no": column(row_numbers, pa.int32()),
            "record_id": record_ids(nation, rows),
            "child_key": child_keys(nation, rows.people.index),
            "person_id": without(~rows.people.listed, person_ids(nation, rows.people.index)),
            "row_kind": [kind.name.lower() for kind in map(_kind, rows.kind)],
            "held_reason": column(sheet.held, pa.string()),
            "commune_id": [sheet.unit.commune_id] * count,
            "commune_id_2025": column([present_of(sheet.unit)] * count, pa.string()),
            "province_code_2025": [_province_of(sheet.unit)] * count,
            "error_ids": sheet.written.marks.text(),
        }
    )


def _kind(value: int) -> Any:
    from childdb.sandbox.rows import RowKind

    return RowKind(int(value))


def present_of(unit: UnitList) -> str | None:
    """Return the present commune of a list's rows; None where the former one was divided among several."""
    if not unit.is_former:
        return unit.commune_id
    heirs = [row["successor_commune_id"] for row in merger_links() if row["commune_id"] == unit.commune_id]
    return heirs[0] if len(heirs) == 1 else None


def _province_of(unit: UnitList) -> str:
    """Return the present province of a list."""
    provinces = {row["commune_id"]: row["province_code"] for row in present_communes()}
    if not unit.is_former:
        return provinces[unit.commune_id]
    return next(
        provinces[row["successor_commune_id"]]
        for row in merger_links()
        if row["commune_id"] == unit.commune_id
    )


def _expected(
    columns: dict[str, list[object]], about: Mapping[str, Any], sheet_name: str, row_numbers: list[int]
) -> pa.Table:
    count = len(row_numbers)
    table: dict[str, Column] = {
        "file_name": column([about["file_name"]] * count),
        "sheet": column([sheet_name] * count),
        "row_no": column(row_numbers, pa.int32()),
    }
    for name in sorted(columns):
        kind = _EXPECTED_TYPES.get(name, pa.string())
        values = columns[name]
        table[name] = column(
            [str(value) if kind == pa.string() and value is not None else value for value in values], kind
        )
    return pa.table(table)


def software_records(sheet: Sheet) -> list[dict[str, str | None]]:
    """Return the list's rows as the entry software gives them over its interface: every value as text."""
    columns = {
        name: [None if cell is None else str(cell) for cell in cells] for name, cells in sheet.typed.items()
    }
    changed = [f"{str(value).replace(' ', 'T')}:00+07:00" for value in sheet.expected["updated_at"]]
    names = sorted(columns)
    unit = {"_commune": sheet.unit.code}
    return [
        {**{name: columns[name][row] for name in names}, "changed_at": changed[row], **unit}
        for row in range(len(sheet))
    ]


def write_exports(
    printer: Misprinter, units: list[UnitList], rows: Rows | None, out: Path
) -> list[WrittenFile]:
    """Write all lists into ``out/exports`` and their truth into ``out/truth``; return what was written."""
    (out / "exports").mkdir(parents=True, exist_ok=True)
    (out / "truth").mkdir(parents=True, exist_ok=True)
    writer = ExportWriter(printer, out / "exports")
    files = [writer.write(ordinal, unit, rows) for ordinal, unit in enumerate(units) if rows is not None]
    store_truth(files, out / "truth")
    store_records(files, out / "software")
    return files


def store_records(files: list[WrittenFile], folder: Path) -> None:
    """Write what the stand-in serves as changed records, in the order in which they changed."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [record for each in files for record in each.records]
    records.sort(key=lambda record: (record["changed_at"] or "", record["ma_tre"] or ""))
    with (folder / "children.jsonl").open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps({**record, "version": 1, "deleted": False}, ensure_ascii=False) + "\n")


def store_truth(files: list[WrittenFile], folder: Path) -> None:
    """Write files.csv, rows.parquet, expected.parquet and errors.parquet."""
    with (folder / "files.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FILE_FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(each.about for each in files)
    for name, tables in (
        ("rows", [each.rows for each in files]),
        ("expected", [each.expected for each in files]),
        ("errors", [each.errors for each in files]),
    ):
        if tables:
            pq.write_table(
                pa.concat_tables(tables, promote_options="default"),
                folder / f"{name}.parquet",
                compression="zstd",
            )
