"""Fix lists to the communes, and the state of everything in one answer."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from psycopg.types.json import Jsonb

from childdb.quality.status import read_status, status_lines
from childdb.worklists.feedback import PLACE_CAPTION, REASON_CAPTION, SHEET, write_fix_lists
from tests.integration.gates_support import Warehouse, open_warehouse
from tests.integration.requests_support import steward

BATCH = "treem__children@1"
COMMUNES = ("00004@2025-07-01", "00008@2025-07-01")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse() as opened:
        with opened.admin() as connection:
            connection.execute(
                "create table core.fct_commune_lists (_batch_id text, commune_id text, is_current boolean)"
            )
            connection.execute(f"grant usage on schema core to {opened.database.name}_steward")
            connection.execute(f"grant select on core.fct_commune_lists to {opened.database.name}_steward")
        fill(opened)
        yield opened


def fill(warehouse: Warehouse) -> None:
    profile = Jsonb({"columns_present": ["stt", "ngay_sinh", "ho_ten_tre", "so_dinh_danh"]})
    warehouse.insert(
        "ops.batches",
        [{"batch_id": BATCH, "dataset": "treem__children", "file_sha256": "1", "size_bytes": 1, "file_name_text": "x",
          "file_date": "2026-03-01", "physical_rows": 7, "header_footer_rows": 3, "accepted": 4, "quarantined": 0,
          "rejected": 0, "profile": profile}],
    )  # fmt: skip
    rows = [(n, COMMUNES[n % 2]) for n in range(4)]
    warehouse.insert(
        "raw.treem__children",
        [{"_batch_id": BATCH, "_sheet": "DS", "_row_no": 5 + n, "_outcome": "accepted", "ho_ten_tre": f"=Thử {n}",
          "ngay_sinh": "31/02/2019", "so_dinh_danh": "0123"} for n, _ in rows],
    )  # fmt: skip
    records = [
        {
            "record_id": f"r{n}",
            "_batch_id": BATCH,
            "sheet": "DS",
            "row_no": 5 + n,
            "outcome": "accepted",
            "commune_id": c,
        }
        for n, c in rows
    ]
    warehouse.insert("clean.treem__children", records)
    warehouse.insert(
        "core.fct_commune_lists",
        [{"_batch_id": BATCH, "commune_id": c, "is_current": True} for c in COMMUNES],
    )
    warehouse.insert(
        "quality.findings",
        [finding(n, "ngay_sinh", "warning") for n in (0, 1)] + [finding(2, "ho_ten_tre", "info")],
    )


def finding(n: int, column: str, severity: str) -> dict[str, Any]:
    return {
        "batch_id": BATCH,
        "stage": "cleaning",
        "sheet": "DS",
        "row_no": 5 + n,
        "column_name": column,
        "rule_id": "DATE-999",
        "severity": severity,
        "reason_code": "DATE-IMPOSSIBLE",
    }


def test_each_commune_gets_its_own_wrong_rows_in_its_own_columns(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with steward(warehouse) as connection:
        lists = write_fix_lists(connection, tmp_path / "feedback")
    assert [(entry.commune_id, entry.row_count) for entry in lists] == [(COMMUNES[0], 1), (COMMUNES[1], 1)]
    assert stat.S_IMODE(lists[0].path.stat().st_mode) == 0o600
    sheet = openpyxl.load_workbook(lists[0].path)[SHEET]
    captions = [cell.value for cell in sheet[2]]
    assert captions[:3] == ["STT", "Ngày, tháng, năm sinh", "Họ và tên trẻ"]
    assert captions[-2:] == [REASON_CAPTION, PLACE_CAPTION]
    values = [cell.value for cell in sheet[3]]
    assert values[2] == "=Thử 0"
    assert sheet.cell(3, 3).data_type == "s"
    assert values[-1] == "DS, dòng 5"
    assert "sinh" in str(values[-2])
    assert sheet.cell(3, 2).fill.fgColor.rgb == "FFFFC7CE"
    assert sheet.cell(3, 2).comment is not None
    assert sheet.cell(3, 3).fill.fgColor.rgb != "FFFFC7CE"
    assert sheet.max_row == 3


def test_status_tells_the_equation(warehouse: Warehouse) -> None:
    with steward(warehouse) as connection:
        status = read_status(connection)
    assert status.ledger_holds
    assert status.as_json()["ledger"]["physical_rows"] == 7
    assert any("7 dòng = 4 nhận" in line for line in status_lines(status))
