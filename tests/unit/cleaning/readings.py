"""Readings for tests: rows of invented children as the reader would hand them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa

from childdb.cleaning import CleanedFile, clean
from childdb.reading.model import FileProfile, FileReading, Outcome
from childdb.reference import export_columns

FILE_DATE = date(2025, 6, 20)
CLEAN_ROW: Mapping[str, str | None] = {
    "ho_ten_tre": "Nguyễn Thị Ngọc Anh",
    "ngay_sinh": "05/03/2019",
    "gioi_tinh": "Nữ",
    "dan_toc": "Kinh",
    "so_dinh_danh": "001319004217",
    "tinh": "Thành phố Hà Nội",
    "huyen": "Quận Ba Đình",
    "xa": "Phường Phúc Xá",
    "ho_ten_cha": "Nguyễn Văn Bình",
    "nam_sinh_cha": "1990",
    "ho_ten_me": "Trần Thị Lan",
    "nam_sinh_me": "1992",
    "ngay_cap_nhat": "20/06/2025 09:12",
}


def kind_letters(row: Mapping[str, str | None], kinds: Mapping[str, str]) -> str:
    """Return the letters of `_kinds` for one row."""
    return "".join(kinds.get(name, "t" if row.get(name) is not None else "-") for name in export_columns())


def make_reading(
    rows: Sequence[Mapping[str, str | None]], *, kinds: Mapping[str, str] | None = None, **profile: Any
) -> FileReading:
    """Return a reading of rows; columns not named are blank."""
    columns: dict[str, Any] = {
        name: pa.array([row.get(name) for row in rows], pa.string()) for name in export_columns()
    }
    columns["sheet"] = pa.array(["Danh sách"] * len(rows), pa.string())
    columns["row_no"] = pa.array(range(2, len(rows) + 2), pa.int32())
    columns["row_reason"] = pa.nulls(len(rows), pa.string())
    columns["_extra"] = pa.nulls(len(rows), pa.string())
    columns["_kinds"] = pa.array([kind_letters(row, kinds or {}) for row in rows], pa.string())
    names = ["sheet", "row_no", "row_reason", *export_columns(), "_extra", "_kinds"]
    table = pa.table({name: columns[name] for name in names})
    facts = FileProfile(columns_present=export_columns())
    return FileReading(
        "danh_sach.xlsx",
        "0" * 64,
        Outcome.ACCEPT,
        None,
        len(rows) + 1,
        1,
        table,
        [],
        replace(facts, **profile),
    )


def clean_rows(
    *rows: Mapping[str, str | None],
    kinds: Mapping[str, str] | None = None,
    as_of: date | None = None,
    **profile: Any,
) -> CleanedFile:
    """Return rows, each completed from the clean row, after cleaning."""
    profile.setdefault("stated_date", FILE_DATE)
    return clean(make_reading([{**CLEAN_ROW, **row} for row in rows], kinds=kinds, **profile), as_of=as_of)


def rule_ids(cleaned: CleanedFile, row: int | None = None) -> set[str]:
    """Return the rules found, in the file or in one row (counted from 0)."""
    numbers = cleaned.findings["row_no"].to_pylist()
    rules = cleaned.findings["rule_id"].to_pylist()
    return {rule for rule, number in zip(rules, numbers, strict=True) if row is None or number == row + 2}
