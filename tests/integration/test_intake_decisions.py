"""Held files and rows on a real database: a header approved, a count confirmed, a row let go, a receipt issued."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from openpyxl import Workbook, load_workbook

from childdb.cli import main
from childdb.database import Database, Role, connect
from childdb.flow.intake import open_store
from childdb.landing import land_file
from childdb.loading import ledger
from childdb.loading.clean import clean_batch
from childdb.loading.decisions import approved_mappings
from childdb.loading.raw import load_reading
from childdb.reading import ReadOptions, read_file

if TYPE_CHECKING:
    from childdb.settings import Settings

DATASET = "treem__children"
HEADER = ["STT", "Họ và tên trẻ", "Ngày sinh", "Giới tính", "Dân tộc", "Tỉnh", "Xã"]
WHY = ["--by", "Cán bộ A", "--reason", "Đã gọi điện xác nhận với xã"]


def kids(count: int, seed: str) -> list[list[Any]]:
    return [
        [
            n,
            f"Lò Thị {seed} {chr(65 + n)}",
            f"{n:02d}/03/2019",
            "Nữ",
            "Thái",
            "Tỉnh Lào Cai",
            "Xã Mường Khương",
        ]
        for n in range(1, count + 1)
    ]


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


@pytest.fixture
def desk(warehouse: Database, warehouse_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in warehouse_settings.as_environment().items():
        monkeypatch.setenv(name, value)
    return warehouse_settings


def take_in(settings: Settings, path: Path) -> str:
    store = open_store(settings)
    landed = land_file(path, store.folder, store.key)
    with connect(Role.LOADER, settings) as connection:
        ledger.record_delivery(connection, ledger.Delivery(DATASET, "drop_folder", path.name, None), landed)
        approved = approved_mappings(connection, DATASET)
    batch_id = ledger.batch_id_of(DATASET, landed.sha256)
    options = ReadOptions(file_name=path.name, hold_unknown_headers=True, approved_mappings=approved)
    with store.opened(landed.sha256) as clear:
        reading = read_file(clear, options=options)
    with connect(Role.LOADER, settings) as connection:
        load_reading(connection, batch_id, reading)
    return batch_id


def state(settings: Settings, batch_id: str) -> tuple[Any, ...]:
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select status, outcome, reason_code, accepted, quarantined from ops.batches where batch_id = %s",
            [batch_id],
        ).fetchone()
    assert row is not None
    return tuple(row)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main([*words, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_an_unknown_header_waits_and_its_approval_serves_the_next_file_too(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = [*HEADER]
    header[2], header[4] = "Ngày sinh ra của cháu", "Thuộc dân tộc nào"
    batch = take_in(desk, workbook(tmp_path / "la.xlsx", [header, *kids(4, "Hoa")]))
    assert state(desk, batch) == ("held", "quarantine_file", "STRUCT-HEADER", 0, 4)
    _, listed = answer(capsys, "columns", "list")
    assert [entry["batch_id"] for entry in listed["headers"]] == [batch]
    status, told = answer(capsys, "columns", "approve", batch, *WHY)
    assert (status, told["files_released"]) == (0, 1)
    assert state(desk, batch)[2:] == ("GATE", 4, 0)
    second = take_in(desk, workbook(tmp_path / "la2.xlsx", [header, *kids(3, "Mai")]))
    assert state(desk, second)[0] == "loaded"


def test_a_confirmed_count_lets_a_file_go_and_a_wrong_one_does_not(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = take_in(
        desk, workbook(tmp_path / "b.xlsx", [["Danh sách gồm có 6 trẻ"], HEADER, *kids(5, "Sen")])
    )
    assert state(desk, batch)[:3] == ("held", "quarantine_file", "DEL-COUNT")
    status, _ = answer(capsys, "quarantine", "release", batch, "--rows", "6", *WHY)
    assert status == 2
    assert state(desk, batch)[2] == "DEL-COUNT"
    status, told = answer(capsys, "quarantine", "release", batch, "--rows", "5", *WHY)
    assert (status, told["released_rows"]) == (0, 5)
    assert state(desk, batch)[2:] == ("GATE", 5, 0)


def test_a_held_row_is_let_go_and_the_ledger_follows(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = kids(5, "Cúc")
    rows[2][6] = "#REF!"
    batch = take_in(desk, workbook(tmp_path / "c.xlsx", [HEADER, *rows]))
    with connect(Role.CLEANER, desk) as connection:
        assert clean_batch(connection, batch, date(2025, 12, 31)).quarantined == 1
    _, listed = answer(capsys, "quarantine", "list")
    (waiting,) = [entry for entry in listed["held"] if entry["batch_id"] == batch]
    assert (waiting["reason_code"], waiting["owner"]) == ("CELL-ERROR", "child-register")
    assert waiting["rules_version"]
    assert (waiting["age_days"], waiting["is_overdue"]) == (0, False)
    status, _ = answer(capsys, "quarantine", "release", batch, "--row", "Sheet:3", *WHY)
    assert status == 2
    status, told = answer(capsys, "quarantine", "release", batch, "--row", "Sheet:4", *WHY)
    assert (status, told["released_rows"]) == (0, 1)
    assert state(desk, batch)[3:] == (5, 0)


def test_a_new_delivery_answers_for_held_rows_and_decisions_stay(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = take_in(
        desk,
        workbook(
            tmp_path / "d.xlsx", [HEADER[:2] + HEADER[3:], *[row[:2] + row[3:] for row in kids(3, "Đào")]]
        ),
    )
    good = take_in(desk, workbook(tmp_path / "e.xlsx", [HEADER, *kids(3, "Đào")]))
    status, told = answer(capsys, "quarantine", "resend", bad, "--replaced-by", good, *WHY)
    assert (status, told["rows"]) == (0, 3)
    assert answer(capsys, "quarantine", "resend", bad, "--replaced-by", bad, *WHY)[0] == 2
    with connect(Role.LOADER, desk) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute("delete from ops.quarantine_decisions")


def test_receipts_say_where_and_why_and_hold_no_formula(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = kids(4, "Lan")
    rows[1][1] = "=cmd|' /C calc'!A0"
    path = tmp_path / "=f.xlsx"
    workbook(path, [HEADER, *rows])
    batch = take_in(desk, path)
    status, told = answer(capsys, "receipts", "--batch", batch, "--out", str(tmp_path / "out"))
    assert status == 0
    assert sum(told["outcomes"].values()) == 1
    (plain,) = (tmp_path / "out").glob("*.json")
    receipt = json.loads(plain.read_text(encoding="utf-8"))
    assert receipt["outcome_vi"].startswith("Đã nhận")
    (book,) = (tmp_path / "out").glob("*.xlsx")
    for sheet in load_workbook(book).worksheets:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert "cmd" not in plain.read_text(encoding="utf-8")


def test_senders_are_told_by_deadline(desk: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = answer(capsys, "senders", "--as-of", "2026-01-15")
    assert status == 0
    assert sum(told["counts"].values()) == 3321
    assert told["deadline"] == "2025-12-25"
