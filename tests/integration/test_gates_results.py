"""What a gate leaves behind: verdicts per batch, whole lists of row numbers, decisions, pages, and no value."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from childdb.database import Role, connect
from childdb.errors import GateStoppedError, UsageError
from childdb.quality import run_gate
from childdb.quality.counts import RowsOfSource
from childdb.quality.datadocs import build_data_docs, remote_addresses
from childdb.quality.holds import decide_holds, gate_holds
from childdb.quality.model import GateResult
from childdb.quality.predicates import Composable
from tests.integration.gates_support import Warehouse, open_warehouse

SUITE = "raw/treem__children"
GOOD, BAD = "treem__children@good", "treem__children@bad"
CANARY = "Kỳ Lân Hoàng Yến Thử Nghiệm"
CANARY_NUMBER = "099388877766"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse() as opened:
        opened.insert("ops.batches", [batch(GOOD), batch(BAD)])
        opened.insert(
            "raw.treem__children", [row(GOOD, n) for n in range(50)] + [row(BAD, n) for n in range(300)]
        )
        yield opened


def batch(batch_id: str) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "dataset": "treem__children",
        "file_sha256": batch_id,
        "size_bytes": 1,
        "file_name_text": f"{CANARY}.xlsx",
        "sender_commune_id": "00004@2025-07-01",
        "file_date": "2026-03-01",
        "physical_rows": 309,
        "header_footer_rows": 9,
        "accepted": 300,
        "quarantined": 0,
        "rejected": 0,
    }


def row(batch_id: str, n: int) -> dict[str, Any]:
    is_bad = batch_id == BAD
    return {
        "_batch_id": batch_id,
        "_sheet": "DS",
        "_row_no": 6 + n,
        "_outcome": "accepted",
        "ho_ten_tre": f"{CANARY} {n}" if is_bad else "Nguyễn Thử",
        "ngay_sinh": CANARY if is_bad else "05/03/2019",
        "gioi_tinh": CANARY_NUMBER if is_bad else "Nam",
        "dan_toc": CANARY if is_bad else "Kinh",
        "so_dinh_danh": CANARY_NUMBER if is_bad else f"{n:012d}",
        "ho_ten_me": CANARY if is_bad else f"Mẹ {n}",
        "thon": CANARY if is_bad else "Thôn 3",
        "ma_tre": CANARY_NUMBER if is_bad else f"T{n}",
    }


def gate(warehouse: Warehouse, run_id: str, *batches: str) -> GateResult:
    return run_gate(warehouse.settings, SUITE, run_id=run_id, batch_ids=batches)


def test_bad_batch_is_held_and_the_good_one_goes_on(warehouse: Warehouse) -> None:
    result = gate(warehouse, "run-a", GOOD, BAD)
    assert result.outcome == "stopped"
    assert result.held_batches == (BAD,)
    assert result.open_batches == (GOOD,)
    assert "TREEM-007" in result.message_vi
    assert "treem__children" in result.message_en
    assert "Cách xử lý" in result.message_vi


def test_nothing_left_stops_with_rule_dataset_and_remedy(warehouse: Warehouse) -> None:
    with pytest.raises(GateStoppedError) as caught:
        gate(warehouse, "run-b", BAD)
    assert "TREEM-007" in caught.value.message_en
    assert "treem__children" in caught.value.message_en
    assert "What to do" in caught.value.message_en
    assert CANARY not in caught.value.message_vi + caught.value.message_en


def test_results_and_every_failing_row_are_data(warehouse: Warehouse) -> None:
    gate(warehouse, "run-c", GOOD, BAD)
    counts = warehouse.rows(
        "select evaluated_count, failed_count, outcome from quality.gate_results "
        "where gate_id like 'run-c:%%' and rule_id = 'TREEM-007' and scope_key = %s",
        BAD,
    )
    assert counts == [(300, 300, "stopped")]
    rows = warehouse.rows(
        "select row_no from quality.gate_failures where gate_id like 'run-c:%%' and rule_id = 'TREEM-007' order by row_no"
    )
    assert [number for (number,) in rows] == list(range(6, 306))


def test_portions_of_batches_are_judged_like_all_of_them_together(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = RowsOfSource.query

    def query(rows: RowsOfSource, batches: Sequence[str] | None = None) -> Composable:
        asked.extend([len(batches)] if batches is not None else [])
        return real(rows, batches)

    monkeypatch.setattr(RowsOfSource, "query", query)
    gate(warehouse, "run-p", GOOD, BAD)
    assert asked == [1, 1]
    found = stored(warehouse, "run-p")
    monkeypatch.setattr(RowsOfSource, "can_be_portioned", False)
    gate(warehouse, "run-p", GOOD, BAD)
    assert asked == [1, 1]
    assert stored(warehouse, "run-p") == found
    assert len(found[1]) > 5


def stored(warehouse: Warehouse, run_id: str) -> list[list[tuple[Any, ...]]]:
    """Counts and failing rows of a gate."""
    return [
        warehouse.rows(f"select {columns} from {table} where gate_id like %s order by 1, 2, 3", f"{run_id}:%")
        for table, columns in (
            ("quality.gate_results", "rule_id, scope_key, outcome, evaluated_count, failed_count"),
            ("quality.gate_failing_rows", "rule_id, scope_key, sheet, row_nos, row_keys"),
        )
    ]


def test_same_run_judged_again_replaces_its_results(warehouse: Warehouse) -> None:
    first = gate(warehouse, "run-d", GOOD, BAD)
    before = warehouse.rows("select count(*) from quality.gate_failures where gate_id = %s", first.gate_id)
    assert gate(warehouse, "run-d", GOOD, BAD) == first
    assert (
        warehouse.rows("select count(*) from quality.gate_failures where gate_id = %s", first.gate_id)
        == before
    )


def decide(
    warehouse: Warehouse, rules: list[str], reason: str, *, release: bool = True, by: str = "Người B"
) -> None:
    with connect(Role.CHECKER, warehouse.settings) as connection:
        decide_holds(
            connection, BAD, rules, release=release, decided_by=by, reason=reason, decided_on=date(2026, 3, 2)
        )


def held(warehouse: Warehouse) -> list[str]:
    with connect(Role.CHECKER, warehouse.settings) as connection:
        return [entry.rule_id for entry in gate_holds(connection) if entry.scope_key == BAD]


def test_decision_of_a_person_lets_a_batch_pass_and_is_never_changed(warehouse: Warehouse) -> None:
    result = gate(warehouse, "run-e", GOOD, BAD)
    stopped = sorted({entry.rule_id for entry in result.stopped_rules() if entry.scope_key == BAD})
    assert held(warehouse) == stopped
    decide(warehouse, stopped, "đã kiểm tra với xã")
    result = gate(warehouse, "run-f", GOOD, BAD)
    assert result.held_batches == ()
    assert result.outcome == "warned"
    assert {
        entry.outcome for entry in result.rules if entry.rule_id in stopped and entry.scope_key == BAD
    } == {"released"}
    assert held(warehouse) == []
    with warehouse.admin() as connection, pytest.raises(Exception, match="append-only"):
        connection.execute("delete from quality.gate_decisions")
    decide(warehouse, stopped, "xã gửi tệp khác", release=False)
    assert gate(warehouse, "run-g", GOOD, BAD).held_batches == (BAD,)


def test_decision_needs_a_person_a_reason_and_a_rule_that_holds(warehouse: Warehouse) -> None:
    gate(warehouse, "run-e2", GOOD, BAD)
    for rules, by, reason in (
        (["TREEM-007"], "", "đã kiểm tra với xã"),
        (["TREEM-007"], "Người B", "ngắn"),
        (["TREEM-001"], "Người B", "đã kiểm tra với xã"),
        ([], "Người B", "đã kiểm tra với xã"),
    ):
        with pytest.raises(UsageError):
            decide(warehouse, rules, reason, by=by)
    assert "TREEM-007" in held(warehouse)


def test_rule_before_its_time_is_told_as_such(warehouse: Warehouse) -> None:
    result = run_gate(warehouse.settings, SUITE, run_id="run-h", batch_ids=[GOOD], as_of=date(2022, 1, 1))
    told = {entry.rule_id: entry.outcome for entry in result.rules}
    assert told["TREEM-013"] == "not_in_force"
    assert told["TREEM-002"] == "passed"


def text_of(path: Path) -> str:
    """What a person can read in a page, a workbook or a printed document."""
    if path.suffix == ".pdf":
        done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
        return done.stdout.decode()
    if path.suffix == ".xlsx":
        cells = (cell for sheet in load_workbook(path).worksheets for row in sheet.values for cell in row)
        return "\n".join(str(cell) for cell in cells if cell is not None)
    return path.read_text(encoding="utf-8")


def test_no_value_of_a_person_in_results_pages_or_logs(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    gate(warehouse, "run-i", GOOD, BAD)
    index = build_data_docs(warehouse.settings, tmp_path / "quality")
    stored = "".join(
        str(warehouse.rows(f"select t::text from quality.{table} as t"))
        for table in ("gate_runs", "gate_results", "gate_failures", "gate_measures")
    )
    pages = {path: text_of(path) for path in index.parent.rglob("*") if path.is_file()}
    printed = "".join(capfd.readouterr()) + caplog.text
    for mark in (CANARY, CANARY_NUMBER, "Hoàng Yến", CANARY_NUMBER[-9:]):
        assert mark not in stored
        assert mark not in printed
        assert not [path.name for path, text in pages.items() if mark in text]
    assert any("gx" in path.parts for path in pages)


def test_pages_fetch_nothing_and_are_the_same_again(warehouse: Warehouse, tmp_path: Path) -> None:
    gate(warehouse, "run-j", GOOD, BAD)
    index = build_data_docs(warehouse.settings, tmp_path / "quality")
    first = {path.name: path.read_text(encoding="utf-8") for path in index.parent.rglob("*.html")}
    build_data_docs(warehouse.settings, tmp_path / "quality")
    assert {path.name: path.read_text(encoding="utf-8") for path in index.parent.rglob("*.html")} == first
    for text in first.values():
        assert remote_addresses(text) == []
        assert "<script" not in text
        assert "default-src 'none'" in text
    assert "309" in first["deliveries.html"]
    assert "TREEM-007" in first["index.html"]


def test_report_can_be_taken_along_and_stays_reachable_for_its_day(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    gate(warehouse, "run-l", GOOD, BAD)
    out = tmp_path / "quality"
    index = build_data_docs(warehouse.settings, out)
    book, document = text_of(out / "bao_cao_chat_luong.xlsx"), text_of(out / "bao_cao_chat_luong.pdf")
    for text in (book, document):
        assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
        assert "TREEM-007" in text
        assert BAD in text.replace("\n", "")
    assert "6–305" in book
    assert "6–305" not in document
    (day,) = [path.name for path in (out / "ngay").iterdir()]
    with warehouse.admin() as connection:
        connection.execute("update quality.gate_runs set recorded_at = recorded_at + interval '1 day'")
    kept = (out / "ngay" / day / "index.html").read_bytes()
    build_data_docs(warehouse.settings, out)
    assert (out / "ngay" / day / "index.html").read_bytes() == kept
    assert len(list((out / "ngay").iterdir())) == 2
    assert f"ngay/{day}/index.html" in index.read_text(encoding="utf-8")
    with warehouse.admin() as connection:
        connection.execute("update quality.gate_runs set recorded_at = recorded_at - interval '1 day'")


def test_engine_failure_says_no_value(warehouse: Warehouse) -> None:
    with warehouse.admin() as connection:
        connection.execute("alter table raw.treem__children rename column thon to thon_khac")
    try:
        with pytest.raises(Exception, match="42703") as caught:
            gate(warehouse, "run-k", GOOD, BAD)
    finally:
        with warehouse.admin() as connection:
            connection.execute("alter table raw.treem__children rename column thon_khac to thon")
    assert caught.value.__cause__ is None
    assert CANARY not in str(caught.value)
