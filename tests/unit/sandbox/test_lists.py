"""The lists on disk hold what the truth says they hold, cell by cell and row by row."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

PROFILES = ("none", "default", "hard")
_ENCODINGS = {
    "UTF8": ("utf-8", ","),
    "UTF8_BOM": ("utf-8-sig", ";"),
    "UTF16": ("utf-16", "\t"),
    "CP1258": ("cp1258", ";"),
}


def _files(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth" / "files.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _grids(folder: Path, about: dict[str, str]) -> dict[str, list[list[Any]]]:
    """Return the visible sheets of a file as rows of cells, read by other code than wrote them."""
    path = folder / "exports" / about["file_name"]
    if about["form"] == "XLSX":
        book = openpyxl.load_workbook(path)
        return {
            sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)]
            for sheet in book
            if sheet.sheet_state == "visible"
        }
    encoding, separator = _ENCODINGS[about["form"]]
    with path.open(encoding=encoding, newline="") as file:
        return {"": list(csv.reader(file, delimiter=separator))}


@pytest.mark.parametrize("profile", PROFILES)
def test_counts_and_hashes_of_files(nations: dict[str, Path], profile: str) -> None:
    for about in _files(nations[profile]):
        content = (nations[profile] / "exports" / about["file_name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about["sha256"]
        grids = _grids(nations[profile], about)
        physical = sum(any(cell not in (None, "") for cell in row) for grid in grids.values() for row in grid)
        assert physical == int(about["physical_rows"]), about["layout"]
        assert int(about["header_footer_rows"]) + int(about["child_rows"]) == physical


@pytest.mark.parametrize("profile", PROFILES)
def test_rows_of_truth_point_at_their_cells(nations: dict[str, Path], profile: str) -> None:
    folder = nations[profile]
    numbers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for who, what in zip(
        pq.read_table(folder / "truth/rows.parquet").to_pylist(),
        pq.read_table(folder / "truth/expected.parquet").to_pylist(),
        strict=True,
    ):
        assert (who["file_name"], who["row_no"]) == (what["file_name"], what["row_no"])
        numbers[who["file_name"]].append({**what, **who})
    for about in _files(folder):
        grid = next(iter(_grids(folder, about).values()))
        rows = numbers[about["file_name"]]
        assert len(rows) == int(about["child_rows"])
        for row in rows:
            cells = {str(cell) for cell in grid[row["row_no"] - 1] if cell not in (None, "")}
            if profile == "none":
                assert row["ho_ten_tre"] in cells and (
                    row["so_dinh_danh"] is None or row["so_dinh_danh"] in cells
                )
            assert len(cells) >= 5


def test_all_layouts_and_encodings_occur(nations: dict[str, Path]) -> None:
    abouts = [about for profile in PROFILES for about in _files(nations[profile])]
    assert {about["layout"] for about in abouts} >= {
        "merged_header_marks", "plain_export", "signed_list", "sub_totals", "with_lookups", "reordered", "flat_file",
    }  # fmt: skip
    assert {about["form"] for about in abouts} == {"XLSX", "UTF8", "UTF8_BOM", "UTF16", "CP1258"}
    assert {about["is_former"] for about in abouts} == {"true", "false"}


def test_former_lists_are_older_than_the_merger_and_name_a_district(nations: dict[str, Path]) -> None:
    for about in _files(nations["default"]):
        former = about["is_former"] == "true"
        assert (about["file_date"] < "2025-07-01") == former
        if about["layout"] == "plain_export":
            header, first = _grids(nations["default"], about)["Sheet1"][:2]
            district = first[header.index("Quận/Huyện")]
            assert bool(district) == former or about["held_rows"] != "0"


def test_marks_under_group_columns_are_crosses(nations: dict[str, Path]) -> None:
    about = next(about for about in _files(nations["none"]) if about["layout"] == "merged_header_marks")
    grid = _grids(nations["none"], about)["Danh sách"]
    header = next(place for place, row in enumerate(grid) if row[0] == "STT")
    first, last = grid[header + 1].index("Nam"), grid[header + 1].index("Nữ")
    assert last == first + 1 and grid[header + 2][0] == "(1)"
    children = [row for row in grid[header + 3 :] if isinstance(row[0], int)]
    assert len(children) == int(about["child_rows"])
    assert all((row[first] == "x") != (row[last] == "x") for row in children)


def test_clean_lists_hold_no_planted_error_and_no_held_row(nations: dict[str, Path]) -> None:
    assert all(about["held_rows"] == "0" for about in _files(nations["none"]))
    found = set(pq.read_table(nations["none"] / "truth/errors.parquet")["error_id"].to_pylist())
    assert found <= {"E01", "E60", "P-left", "P-unlisted"}


def test_planted_errors_say_what_was_right_and_what_is_seen(nations: dict[str, Path]) -> None:
    errors = pq.read_table(nations["hard"] / "truth/errors.parquet").to_pylist()
    found = {row["error_id"] for row in errors}
    assert len(found) >= 45
    swapped = [row for row in errors if row["error_id"] == "E35"]
    assert swapped
    for row in swapped:
        year, month, day = row["correct"].split("-")
        assert row["seen"] == f"{month}/{day}/{year}"
    assert {row["recoverable"] for row in errors if row["error_id"] == "E04"} == {"yes"}
    assert {row["recoverable"] for row in errors if row["error_id"] == "E03"} == {"no"}
    assert {row["recoverable"] for row in errors if row["error_id"] == "E02"} == {"yes", "no"}


def test_held_rows_are_damaged_in_the_file(nations: dict[str, Path]) -> None:
    folder = nations["hard"]
    by_name = {about["file_name"]: about for about in _files(folder)}
    held = [row for row in pq.read_table(folder / "truth/rows.parquet").to_pylist() if row["held_reason"]]
    assert held
    for row in held:
        cells = next(iter(_grids(folder, by_name[row["file_name"]]).values()))[row["row_no"] - 1]
        text = " ".join(str(cell) for cell in cells)
        signs = {
            "CELL-ERROR": "#N/A" in text or "=NA()" in text,
            "CELL-BIDI": "\u202e" in text,
            "CELL-SCRIPT": "\U0001f600" in text,
            "ROW-SHIFT": cells[0] in (None, ""),
        }
        assert signs[row["held_reason"]], row["held_reason"]
