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
from childdb.vault.keys import open_keys
from childdb.worklists.feedback import KEY_CAPTION, PLACE_CAPTION, REASON_CAPTION, SHEET, FixReport
from childdb.worklists.fix_answers import ReturnedList
from childdb.worklists.half_life import half_lives, median_survival
from childdb.worklists.service import read_fix_lists, request_status, send_fix_lists
from childdb.workspace import Workspace
from tests.integration.gates_support import Warehouse, open_warehouse
from tests.integration.requests_support import steward

BATCH = "treem__children@1"
GUARDED = (
    "quality.work_item_events",
    "quality.request_answers",
    "quality.service_lookups",
    "quality.service_replies",
    "ops.column_decisions",
    "ops.quarantine_decisions",
)
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
            open_keys(Workspace(opened.settings.home).prepare(), connection)
        yield opened


@pytest.fixture(autouse=True)
def _filled(warehouse: Warehouse) -> None:
    with warehouse.admin() as connection:
        for table in GUARDED:
            connection.execute(f"alter table {table} disable trigger user")  # type: ignore[call-overload]
        connection.execute(
            "truncate ops.batches, raw.treem__children, clean.treem__children, core.fct_commune_lists, quality.findings, "
            "quality.work_items, quality.work_item_events, quality.fix_rows, quality.fix_files, identity.record_links cascade"
        )
        for table in GUARDED:
            connection.execute(f"alter table {table} enable trigger user")  # type: ignore[call-overload]
    fill(warehouse)


def fill(warehouse: Warehouse) -> None:
    profile = Jsonb(
        {"columns_present": ["stt", "ngay_sinh", "ho_ten_tre", "so_dinh_danh", "gioi_tinh", "dan_toc"]}
    )
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
          "ngay_sinh": "31/02/2019", "so_dinh_danh": "0123", "gioi_tinh": "Nữ"} for n, _ in rows],
    )  # fmt: skip
    warehouse.insert(
        "identity.record_links", [{"record_id": f"r{n}", "child_id": f"c{n}", "decision": "none"} for n, _ in rows]
    )  # fmt: skip
    records = [
        {
            "record_id": f"r{n}",
            "_batch_id": BATCH,
            "sheet": "DS",
            "row_no": 5 + n,
            "outcome": "accepted",
            "commune_id": c,
            "ho_ten_tre": f"Thử {n}",
            "so_dinh_danh": "001319000001",
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


def send(warehouse: Warehouse) -> FixReport:
    return send_fix_lists(warehouse.settings)[0]


def mend(report: FixReport, place: int, path: Path, cells: dict[str, str]) -> Path:
    """Write values into the first row of a list, as an officer would."""
    book = openpyxl.load_workbook(report.lists[place].path)
    sheet = book[SHEET]
    captions = [cell.value for cell in sheet[2]]
    for caption, value in cells.items():
        sheet.cell(3, captions.index(caption) + 1).value = value
    book.save(path)
    return path


def take_back(warehouse: Warehouse, path: Path) -> ReturnedList:
    (end,) = read_fix_lists(warehouse.settings, [path])
    return end


def states(warehouse: Warehouse, item_class: str = "fix_list") -> list[str]:
    rows = warehouse.rows("select state from quality.work_items where item_class = %s order by 1", item_class)
    return [state for (state,) in rows]


def heal(warehouse: Warehouse, n: int) -> None:
    with warehouse.admin() as connection:
        connection.execute("delete from quality.findings where row_no = %s", [5 + n])


def balanced(warehouse: Warehouse) -> bool:
    with steward(warehouse) as connection:
        return all(line.holds for line in request_status(connection).balances)


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
    warehouse: Warehouse,
) -> None:
    lists = send(warehouse).lists
    assert [(entry.commune_id, entry.row_count) for entry in lists] == [(COMMUNES[0], 1), (COMMUNES[1], 1)]
    assert stat.S_IMODE(lists[0].path.stat().st_mode) == 0o600
    sheet = openpyxl.load_workbook(lists[0].path)[SHEET]
    captions = [cell.value for cell in sheet[2]]
    assert captions[:3] == ["STT", "Ngày, tháng, năm sinh", "Họ và tên trẻ"]
    assert captions[-3:] == [REASON_CAPTION, PLACE_CAPTION, KEY_CAPTION]
    values = [cell.value for cell in sheet[3]]
    assert values[2] == "=Thử 0"
    assert sheet.cell(3, 3).data_type == "s"
    assert values[-2] == "DS, dòng 5"
    assert "sinh" in str(values[-3])
    # What cleaning read is offered where letters or digits differ, and nowhere else.
    assert "gợi ý ghi «001319000001»" in str(values[-3])
    assert str(values[-3]).count("gợi ý") == 1
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


DATE = "Ngày, tháng, năm sinh"


def test_items_of_fix_lists_open_once_and_close_with_the_next_export(warehouse: Warehouse) -> None:
    report = send(warehouse)
    assert (report.items["opened"], states(warehouse)) == (2, ["sent", "sent"])
    again = send(warehouse)
    assert sum(again.items.values()) == 0
    assert again.list_id == report.list_id
    assert warehouse.rows("select count(*) from quality.work_item_events where event = 'sent'") == [(2,)]
    heal(warehouse, 0)
    assert send(warehouse).items["closed"] == 1
    warehouse.insert("quality.findings", [finding(0, "ngay_sinh", "warning")])
    assert send(warehouse).items["reopened"] == 1
    with warehouse.admin() as connection:
        connection.execute("delete from identity.record_links where record_id = 'r0'")
    heal(warehouse, 0)
    assert send(warehouse).items["withdrawn"] == 1
    assert balanced(warehouse)


def test_returned_list_closes_what_it_mends_once_and_the_next_export_decides(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    report = send(warehouse)
    path = mend(report, 0, tmp_path / "a.xlsx", {DATE: "05/03/2019", "Họ và tên trẻ": "Lò Thị Thử"})
    end = take_back(warehouse, path)
    assert [(row.outcome, row.reason_code) for row in end.rows] == [("applied", "MENDED-IN-LIST")]
    assert states(warehouse) == ["closed", "sent"]
    repeat = take_back(warehouse, path)
    assert (repeat.is_repeat, repeat.closed) == (True, 0)
    assert send(warehouse).items["reopened"] == 1
    assert balanced(warehouse)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({DATE: "31/02/2020"}, "NOTHING-MENDED"),
        ({DATE: ""}, "NOTHING-MENDED"),
        ({DATE: "05/03/2019", KEY_CAPTION: ""}, "ANSWER-NOT-A-LIST"),
        ({DATE: "05/03/2019", KEY_CAPTION: "ABCDEFGHIJKLMNOP-ABCDEFGHIJKLMNOP"}, "ANSWER-NOT-A-LIST"),
    ],
)
def test_row_that_mends_nothing_or_is_not_ours_closes_nothing(
    warehouse: Warehouse, tmp_path: Path, cells: dict[str, str], reason: str
) -> None:
    end = take_back(warehouse, mend(send(warehouse), 0, tmp_path / "a.xlsx", cells))
    assert reason in {end.reason_code, *(row.reason_code for row in end.rows)}
    assert end.closed == 0
    assert states(warehouse) == ["sent", "sent"]


def test_edited_key_and_row_of_another_commune_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    report = send(warehouse)
    book = openpyxl.load_workbook(report.lists[0].path)
    other = openpyxl.load_workbook(report.lists[1].path)[SHEET]
    sheet = book[SHEET]
    last = sheet.max_column
    for row, source in ((4, other), (5, sheet), (6, sheet)):
        for column in range(1, last + 1):
            sheet.cell(row, column).value = source.cell(3, column).value
    key = str(sheet.cell(5, last).value)
    sheet.cell(5, last).value = key[:-1] + ("A" if key[-1] != "A" else "B")
    for row in (4, 5, 6):
        sheet.cell(row, 2).value = "05/03/2019"
    book.save(tmp_path / "a.xlsx")
    ends = take_back(warehouse, tmp_path / "a.xlsx").rows
    assert [row.reason_code for row in ends] == [
        "NOTHING-MENDED",
        "WRONG-COMMUNE",
        "KEY-ALTERED",
        "MENDED-IN-LIST",
    ]
    assert states(warehouse) == ["closed", "sent"]


def test_held_file_is_an_item_until_it_goes_on(warehouse: Warehouse) -> None:
    warehouse.insert(
        "ops.batches",
        [{"batch_id": "treem__children@2", "dataset": "treem__children", "file_sha256": "2", "size_bytes": 1,
          "file_name_text": "x", "status": "held", "outcome": "quarantine_file", "reason_code": "GATE", "physical_rows": 0,
          "header_footer_rows": 0, "accepted": 0, "quarantined": 0, "rejected": 0}],
    )  # fmt: skip
    assert send(warehouse).files["opened"] == 1
    with warehouse.admin() as connection:
        connection.execute("update ops.batches set gate_passed = true where batch_id = 'treem__children@2'")
    assert send(warehouse).files["closed"] == 1
    assert states(warehouse, "held_file") == ["closed"]


def test_half_life_counts_what_is_still_open() -> None:
    assert median_survival([(5, "closed", 3), (9, "closed", 1)]) == 5
    assert median_survival([(5, "closed", 3), (90, None, 4)]) is None
    assert median_survival([(1, "withdrawn", 6), (5, "closed", 1), (9, "closed", 1)]) == 5
    assert median_survival([]) is None


def test_half_life_per_commune_and_class(warehouse: Warehouse) -> None:
    send(warehouse)
    with warehouse.admin() as connection:
        connection.execute(
            "insert into quality.work_item_events (item_id, event, event_date, actor) select item_id, 'closed', "
            "date '2026-03-11', 'x' from quality.work_items where commune_id = %s",
            [COMMUNES[0]],
        )
    with steward(warehouse) as connection:
        found = {(line.commune_id, line.item_class): line for line in half_lives(connection)}
    assert found[COMMUNES[0], "fix_list"].half_life_days == 10
    assert found[COMMUNES[1], "fix_list"].half_life_days is None
    assert found[COMMUNES[1], "fix_list"].oldest_open_days == 10
    assert found["VN", "fix_list"].half_life_days == 10
