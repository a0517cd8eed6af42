"""The workbooks: layout, marks, numbers, repeatable bytes, no formula, and a picture LibreOffice can make."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from childdb.errors import ConfigurationError, ContractError
from childdb.forms import FormProvince, FormUnit, write_forms
from childdb.forms.model import load_layouts
from childdb.forms.words import Mark, period_text, safe_text
from tests.invented_figures import figures

COMMUNES = ("90003", "90001", "90002")
PROVINCE = FormProvince(
    code="90",
    name="tỉnh Thử Nghiệm",
    communes=[FormUnit(code, f"Xã {code}") for code in COMMUNES],
    ethnic_groups=[FormUnit("01", "Kinh"), FormUnit("02", "Tày"), FormUnit("05", "Mường")],
)
WHEN = date(2026, 12, 31)


def write(out: Path, province: FormProvince = PROVINCE, **changes: object) -> Path:
    given: dict[str, object] = {
        "release_id": "r2026-0123456789ab",
        "period": "2026",
        "reference_date": WHEN,
        **changes,
    }
    return write_forms(figures({"90": ["90001", "90002"]}), out, provinces=[province], **given)[0]  # type: ignore[arg-type]


def texts(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def body(sheet: Worksheet) -> Iterator[list[object]]:
    for row in sheet.iter_rows(min_row=9):
        if row[1].value is None:
            return
        yield [cell.value for cell in row]


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    return openpyxl.load_workbook(write(tmp_path_factory.mktemp("forms")))


def test_every_sheet_carries_number_units_period_release_versions_and_signatures(
    workbook: openpyxl.Workbook,
) -> None:
    assert workbook.sheetnames == ["01-TE-T", "02-TE-T", "03-TE-T", "04-TE-T"]
    for sheet in workbook:
        said = " | ".join(texts(sheet))
        for part in (
            *("Biểu số: ", "Kỳ báo cáo: Năm 2026", "31/12/2026", "Sở Y tế tỉnh Thử Nghiệm", "Bộ Y tế"),
            *("Người lập biểu", "Người kiểm tra biểu", "Thủ trưởng đơn vị", "r2026-0123456789ab"),
            *(Mark.HIDDEN, Mark.NO_DATA, "không áp dụng", "Phiên bản định nghĩa chỉ tiêu"),
        ):
            assert part in said, f"{sheet.title} lacks {part}"


def test_title_is_in_capitals_and_columns_are_lettered_then_numbered(workbook: openpyxl.Workbook) -> None:
    for sheet in workbook:
        title = str(sheet["C1"].value)
        assert title == title.upper()
        letters = [cell.value for cell in sheet[8] if cell.value is not None]
        assert letters == ["A", "B", *(str(n) for n in range(1, len(letters) - 1))]


def test_communes_stand_in_official_code_order_after_the_total(workbook: openpyxl.Workbook) -> None:
    codes = [row[0] for row in body(workbook["01-TE-T"])]
    assert codes == ["90", "90001", "90002", "90003"]


def test_numbers_are_numbers_with_vietnamese_format_and_marks_are_text(workbook: openpyxl.Workbook) -> None:
    sheet = workbook["02-TE-T"]
    assert isinstance(sheet["C9"].value, int)
    assert sheet["C9"].number_format.startswith("[$-42A]#,##0")
    assert isinstance(sheet["G9"].value, int | float)
    assert ".0" in sheet["G9"].number_format
    cells = [value for row in body(workbook["01-TE-T"]) for value in row[2:]]
    assert {value for value in cells if isinstance(value, str)} == {Mark.HIDDEN, Mark.NO_DATA}


def test_a_commune_without_figures_is_shown_with_no_data_and_not_with_zero(
    workbook: openpyxl.Workbook,
) -> None:
    empty = next(row for row in body(workbook["01-TE-T"]) if row[0] == "90003")
    assert set(empty[2:13]) == {Mark.NO_DATA}


def test_cells_equal_the_released_figures(workbook: openpyxl.Workbook) -> None:
    table = figures({"90": ["90001", "90002"]})
    shown = {row[0]: row[2] for row in body(workbook["01-TE-T"])}
    for row in table.to_pylist():
        if row["indicator_code"] == "0101" and row["breakdown"] == "total" and row["area_code"] in shown:
            assert shown[row["area_code"]] == row["value"]


def test_not_applicable_is_told_from_hidden(tmp_path: Path) -> None:
    table = figures({"90": ["90001"]}).to_pylist()
    for row in table:
        row.update(numerator=None, value=None, status="not_applicable")
    import pyarrow as pa

    path = write_forms(
        pa.Table.from_pylist(table),
        tmp_path,
        release_id="r",
        period="2026",
        reference_date=WHEN,
        provinces=[PROVINCE],
    )[0]
    sheet = openpyxl.load_workbook(path)["01-TE-T"]
    assert sheet["C9"].value == Mark.NOT_APPLICABLE


def test_same_figures_give_the_same_bytes_in_any_row_order(tmp_path: Path) -> None:
    table = figures({"90": ["90001", "90002"]})
    turned = table.take(list(reversed(range(table.num_rows))))
    given = {"release_id": "r", "period": "2026", "reference_date": WHEN, "provinces": [PROVINCE]}
    first = write_forms(table, tmp_path / "a", **given)[0].read_bytes()  # type: ignore[arg-type]
    second = write_forms(turned, tmp_path / "b", **given)[0].read_bytes()  # type: ignore[arg-type]
    assert first == second


def test_parts_are_stored_so_that_no_compressor_changes_the_bytes(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(write(tmp_path).read_bytes())) as book:
        assert {entry.compress_type for entry in book.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.bad_input("BI158")
def test_nothing_lies_hidden_in_a_form(tmp_path: Path) -> None:
    path = write(tmp_path)
    book = openpyxl.load_workbook(path)
    assert {sheet.sheet_state for sheet in book.worksheets} == {"visible"}
    assert not any(row.hidden for sheet in book.worksheets for row in sheet.row_dimensions.values())
    assert not any(column.hidden for sheet in book.worksheets for column in sheet.column_dimensions.values())
    about = book.properties
    assert (about.creator, about.lastModifiedBy, about.keywords) == (None, None, None)
    assert about.description == "r2026-0123456789ab"
    with zipfile.ZipFile(path) as parts:
        told = (
            "comment",
            "pivot",
            "vba",
            "externalLink",
            "customXml",
            "embeddings",
            "drawing",
            "connections",
        )
        assert not [name for name in parts.namelist() if any(word.lower() in name.lower() for word in told)]


def test_a_name_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    hostile = FormProvince(
        "90", "=HYPERLINK(1)", [FormUnit("90001", ' =cmd|"/c calc"!A1'), FormUnit("90002", "@SUM(1)")]
    )
    path = write(tmp_path, hostile)
    sheet = openpyxl.load_workbook(path)["01-TE-T"]
    assert sheet["B10"].value.startswith("'")
    assert sheet["B11"].value == "'@SUM(1)"
    with zipfile.ZipFile(path) as book:
        assert not any(b"<f>" in book.read(name) for name in book.namelist())


@pytest.mark.parametrize("text", ["=1", "\t=1", "+1", "-1", "@a", "  =1", "\x00=1", "＝1"])
def test_safe_text_disarms(text: str) -> None:
    assert safe_text(text).startswith("'")


@pytest.mark.parametrize("text", ["Xã Ea H'leo", "1-2 tuổi", "", "  "])
def test_safe_text_leaves_plain_text(text: str) -> None:
    assert safe_text(text) == text


def test_heading_follows_the_reference_date(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path, reference_date=date(2024, 12, 31)))["01-TE-T"]
    assert any("Lao động" in text for text in texts(sheet))


def test_a_day_without_heading_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no heading"):
        write(tmp_path, reference_date=date(2001, 1, 1))


def test_a_table_without_the_contract_columns_is_refused(tmp_path: Path) -> None:
    table = figures({"90": ["90001"]}).drop_columns(["status"])
    with pytest.raises(ContractError, match="status"):
        write_forms(table, tmp_path, release_id="r", period="2026", reference_date=WHEN, provinces=[PROVINCE])


def test_periods_in_words() -> None:
    assert [period_text(p) for p in ("2026", "2026-S1", "2026-Q4", "x")] == [
        "Năm 2026",
        "6 tháng đầu năm 2026",
        "Quý IV/2026",
        "x",
    ]


def test_sheet_names_and_form_numbers_are_unique() -> None:
    forms = load_layouts().forms_on(WHEN)
    assert len({form.sheet for form in forms}) == len({form.number for form in forms}) == len(forms)


def test_libreoffice_opens_the_form_and_prints_vietnamese_numbers(tmp_path: Path) -> None:
    assert shutil.which("soffice"), "LibreOffice is missing: apt-get install -y libreoffice-calc"
    big = figures({"90": ["90001", "90002"]})
    path = write_forms(
        big, tmp_path, release_id="r", period="2026", reference_date=WHEN, provinces=[PROVINCE]
    )[0]
    command = [
        "soffice",
        "--headless",
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,true",
    ]
    subprocess.run(
        [*command, "--outdir", str(tmp_path), str(path)], check=True, timeout=120, capture_output=True
    )
    converted = next(tmp_path.glob("*.csv")).read_text(encoding="utf-8")
    assert "SỐ TRẺ EM CHIA THEO GIỚI TÍNH VÀ NHÓM TUỔI" in converted
    total = next(line for line in converted.splitlines() if "TỔNG SỐ" in line and line.startswith("90"))
    assert total.split(";")[2].strip().count(".") == 1, "thousands must be parted by a point"
