"""The gate on raw in the flow: a batch held, named, let go by a person's decision, and compared with its sender's past."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook

from childdb.cli import main
from childdb.database import Database, Role, connect
from childdb.errors import GateStoppedError
from childdb.flow.intake import CHILDREN, check_raw, clean_children, open_store
from childdb.flow.runs import Run
from childdb.landing import land_file
from childdb.loading import ledger
from childdb.loading.raw import load_reading
from childdb.quality.datadocs import build_data_docs
from childdb.reading import ReadOptions, read_file
from tests.flow_support import empty_warehouse

if TYPE_CHECKING:
    from childdb.settings import Settings

HEADER = ["STT", "Họ và tên trẻ", "Ngày sinh", "Giới tính", "Dân tộc", "Tỉnh", "Xã", "Ngày cập nhật"]
WHY = ["--by", "Cán bộ A", "--reason", "Đã gọi điện xác nhận với xã"]


@pytest.fixture
def desk(warehouse: Database, warehouse_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    empty_warehouse(warehouse)
    for name, value in warehouse_settings.as_environment().items():
        monkeypatch.setenv(name, value)
    return warehouse_settings


def kids(count: int, day: str, *, name: str = "Lò Thị Thử") -> list[list[Any]]:
    place = ["Tỉnh Lào Cai", "Xã Mường Khương"]
    return [
        [n, f"{name} {chr(65 + n % 26)}", f"{1 + n % 28:02d}/03/2019", "Nữ", "Thái", *place, day]
        for n in range(1, count + 1)
    ]


def load(settings: Settings, path: Path, rows: list[list[Any]]) -> str:
    book = Workbook()
    for row in [HEADER, *rows]:
        book.worksheets[0].append(row)
    book.save(path)
    store = open_store(settings)
    landed = land_file(path, store.folder, store.key)
    with connect(Role.LOADER, settings) as connection:
        ledger.record_delivery(connection, ledger.Delivery(CHILDREN, "drop_folder", path.name, None), landed)
    batch_id = ledger.batch_id_of(CHILDREN, landed.sha256)
    with store.opened(landed.sha256) as clear, connect(Role.LOADER, settings) as connection:
        load_reading(connection, batch_id, read_file(clear, options=ReadOptions(file_name=path.name)))
    return batch_id


def run(number: int) -> Run:
    return Run(f"gates-{number}", None, None, False, None, date(2026, 6, 30))


def state(settings: Settings, batch_id: str) -> tuple[Any, ...]:
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select status, accepted, quarantined from ops.batches where batch_id = %s", [batch_id]
        ).fetchone()
    assert row is not None
    return tuple(row)


def held_by(capsys: pytest.CaptureFixture[str], batch_id: str) -> list[str]:
    capsys.readouterr()
    assert main(["quarantine", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    return [entry["rule_id"] for entry in listed["gates"] if entry["scope_key"] == batch_id]


def test_held_batch_is_named_let_go_by_a_person_and_counted(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = load(desk, tmp_path / "good.xlsx", kids(36, "05/01/2026"))
    bad = load(desk, tmp_path / "bad.xlsx", kids(40, "05/02/2026", name="Số 12 đường 3"))
    told = check_raw(desk, run(1), CHILDREN)
    assert (told["checked"], told["held"]) == (2, 1)
    assert bad in str(told["message_vi"])
    assert "TREEM-004" in str(told["message_vi"])
    assert clean_children(desk, run(1))["accepted"] == 36
    assert state(desk, good) == ("judged", 36, 0)
    assert state(desk, bad) == ("held", 0, 40)
    assert held_by(capsys, bad) == ["TREEM-004"]
    assert main(["quarantine", "release", bad, "--rows", "40", *WHY]) == 2
    assert main(["quarantine", "release", bad, "--rule", "TREEM-005", *WHY]) == 2
    assert main(["quarantine", "release", bad, "--rule", "TREEM-004", *WHY]) == 0
    assert state(desk, bad) == ("held", 0, 40)
    assert check_raw(desk, run(2), CHILDREN)["held"] == 0
    assert clean_children(desk, run(2))["accepted"] == 40
    assert state(desk, bad) == ("judged", 40, 0)
    page = build_data_docs(desk, tmp_path / "quality").parent / "rules.html"
    assert "Cán bộ A" in page.read_text(encoding="utf-8") + (page.parent / "index.html").read_text(
        encoding="utf-8"
    )
    assert held_by(capsys, bad) == []


@pytest.mark.bad_input("BI115")
def test_list_that_shrinks_against_the_senders_own_past_is_held(
    desk: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sender of a new list is known before it is cleaned, else its history could not be looked up."""
    whole = load(desk, tmp_path / "whole.xlsx", kids(60, "05/03/2026"))
    check_raw(desk, run(3), CHILDREN)
    clean_children(desk, run(3))
    assert state(desk, whole)[0] == "judged"
    part = load(desk, tmp_path / "part.xlsx", kids(42, "05/04/2026"))
    with pytest.raises(GateStoppedError, match=r"TREEM-018.*DEL-VOLUME"):
        check_raw(desk, run(4), CHILDREN)
    assert state(desk, part) == ("held", 0, 42)
    assert held_by(capsys, part) == ["TREEM-018"]
    with pytest.raises(GateStoppedError, match="TREEM-018"):
        check_raw(desk, run(5), CHILDREN)
    assert main(["quarantine", "release", part, "--rule", "TREEM-018", *WHY]) == 0
    check_raw(desk, run(6), CHILDREN)
    clean_children(desk, run(6))
    assert state(desk, part) == ("judged", 42, 0)
