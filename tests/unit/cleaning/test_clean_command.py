"""The command `childdb clean`: folders, exit statuses, the three files, and what is left after a refused input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from childdb.cleaning.records import EXTRA_COLUMNS, records_schema
from childdb.cli import main
from childdb.findings import FINDINGS_SCHEMA
from childdb.reference import column_labels, export_columns
from tests.unit.cleaning.readings import CLEAN_ROW


def write_export(path: Path, rows: list[dict[str, str]]) -> None:
    columns = list(CLEAN_ROW)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column_labels()[name] for name in columns])
        for row in rows:
            writer.writerow([{**CLEAN_ROW, **row}.get(name) or "" for name in columns])


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    (folder / "inner").mkdir(parents=True)
    write_export(folder / "a.csv", [{}, {"ho_ten_tre": "LÝ THỊ MAI", "so_dinh_danh": "1319004218"}])
    write_export(folder / "inner" / "b.csv", [{"ho_ten_tre": "Bé gái", "so_dinh_danh": ""}])
    return folder


def test_folder_is_cleaned_into_three_files(
    exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["clean", str(exports), "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    ledger = json.loads((out / "ledger.json").read_text(encoding="utf-8"))
    records = pq.read_table(out / "records.parquet")
    assert (answer["files"], answer["accepted"], len(ledger)) == (2, 3, 2)
    assert records.schema.names == records_schema().names
    assert pq.read_schema(out / "findings.parquet").names == FINDINGS_SCHEMA.names
    assert records["so_dinh_danh"].to_pylist() == ["001319004217", "001319004218", None]
    for entry in ledger:
        data = entry["accepted"] + entry["quarantined"] + entry["rejected"]
        assert entry["physical_rows"] == entry["header_footer_rows"] + data


def test_refused_input_gives_three_and_the_others_are_still_cleaned(exports: Path, tmp_path: Path) -> None:
    (exports / "c.xlsx").write_bytes(b"")
    out = tmp_path / "out"
    assert main(["clean", str(exports), "--out", str(out)]) == 3
    outcomes = {
        entry["file"]: entry["outcome"]
        for entry in json.loads((out / "ledger.json").read_text(encoding="utf-8"))
    }
    assert outcomes["c.xlsx"] == "reject_file"
    assert pq.read_metadata(out / "records.parquet").num_rows == 3


def test_same_input_gives_the_same_bytes(exports: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert main(["clean", str(exports), "--out", str(tmp_path / name)]) == 0
    for name in ("records.parquet", "findings.parquet", "ledger.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_missing_path_and_bad_date_are_usage_errors(tmp_path: Path) -> None:
    assert main(["clean", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    with pytest.raises(SystemExit) as stop:
        main(["clean", str(tmp_path), "--out", str(tmp_path / "out"), "--as-of", "20/06/2025"])
    assert stop.value.code == 2


def test_place_command_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["place", "00565", "--on", "2024-01-01", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["unit"]["name"], answer["now"]["name"]) == ("Thị trấn Trâu Quỳ", "Xã Gia Lâm")
    assert main(["place", "Thị trấn Đông Anh, Huyện Đông Anh", "--on", "2025-08-01", "--json"]) == 1


MESSY = [
    {"ho_ten_tre": "LÝ THỊ MAI (sinh đôi)", "ngay_sinh": "2019", "so_dinh_danh": "1319004218"},
    {"ho_ten_tre": "Trần Ðức\u00a0An", "ngay_sinh": "03/2019", "so_dinh_danh": "123456789012"},
    {"ngay_sinh": "30/02/2019", "huyen": "Ba Đình", "xa": "P. Trúc Bạch"},
    {"ngay_sinh": "không rõ", "gioi_tinh": "1", "dan_toc": "06"},
    {"huyen": "Huyện Đông Anh", "xa": "Thị trấn Đông Anh", "ho_ten_cha": "Không rõ"},
    {"ho_ten_tre": "Bé gái", "ngay_sinh": "05/03/2091"},
    {"ho_ten_tre": "Nguyễn \u202eaoH", "ngay_sinh": "2008"},
    {"ho_ten_tre": "05/03/2019", "ngay_sinh": "Nam"},
]


def test_cleaning_its_own_records_again_changes_nothing(tmp_path: Path) -> None:
    write_export(tmp_path / "a.csv", MESSY)
    write_export(tmp_path / "b.csv", [{"ngay_sinh": "7/2021", "ho_ten_tre": "Hồ Văn Nhất"}])
    assert (
        main(["clean", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--out", str(tmp_path / "one")]) == 0
    )
    first = tmp_path / "one" / "records.parquet"
    assert main(["clean", str(first), "--out", str(tmp_path / "two")]) == 0
    again = pq.read_table(tmp_path / "two" / "records.parquet")
    assert again.equals(pq.read_table(first))
    assert again["ngay_sinh_precision"].to_pylist()[:3] == ["year", "month", "year"]


@pytest.mark.parametrize("with_raw", [True, False])
def test_a_table_made_of_the_records_is_read_back_with_its_precision_and_units(
    tmp_path: Path, with_raw: bool
) -> None:
    write_export(tmp_path / "a.csv", MESSY[:6])
    assert main(["clean", str(tmp_path / "a.csv"), "--out", str(tmp_path / "one")]) == 0
    records = pq.read_table(tmp_path / "one" / "records.parquet")
    names = [name for name in records.schema.names if with_raw or not name.endswith("_raw")]
    with (tmp_path / "again.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in records.select(names).to_pylist():
            writer.writerow(["" if row[name] is None else row[name] for name in names])
    assert main(["clean", str(tmp_path / "again.csv"), "--out", str(tmp_path / "two")]) == 0
    again = pq.read_table(tmp_path / "two" / "records.parquet")
    for name, _ in [*((column, None) for column in export_columns()), *EXTRA_COLUMNS]:
        assert again[name].to_pylist() == records[name].to_pylist(), name


def test_another_parquet_file_is_refused_as_before(tmp_path: Path) -> None:
    pq.write_table(pq.read_table(_empty_records(tmp_path)).select(["ho_ten_tre"]), tmp_path / "x.parquet")
    assert main(["clean", str(tmp_path / "x.parquet"), "--out", str(tmp_path / "out")]) == 3


def _empty_records(folder: Path) -> Path:
    path = folder / "empty.parquet"
    pq.write_table(records_schema().empty_table(), path)
    return path


def test_a_reason_of_the_shared_list_names_a_file_before_one_of_our_own(tmp_path: Path) -> None:
    write_export(
        tmp_path / "a.csv",
        [{"so_dinh_danh": "1319004218", "ho_ten_cha": "Phạm Thị Lan Anh", "nam_sinh_me": "1950"}],
    )
    assert main(["clean", str(tmp_path / "a.csv"), "--out", str(tmp_path / "out")]) == 0
    entry = json.loads((tmp_path / "out" / "ledger.json").read_text(encoding="utf-8"))[0]
    found = set(pq.read_table(tmp_path / "out" / "findings.parquet")["reason_code"].to_pylist())
    assert {"PARENT-AGE", "ID-ZEROS"} <= found
    assert (entry["outcome"], entry["reason_code"]) == ("accept_flagged", "ID-ZEROS")
