"""The command `childdb clean`: folders, exit statuses, the three files, and what is left after a refused input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from childdb.cleaning.records import records_schema
from childdb.cli import main
from childdb.findings import FINDINGS_SCHEMA
from childdb.reference import column_labels
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
