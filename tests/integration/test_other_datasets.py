"""Reports, changed records and population messages through the pipeline's own steps, into their tables and the ledger."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ingest_support as site
import pytest
from flow_support import make_nation
from openpyxl import Workbook

from childdb.database import Database, Role, connect
from childdb.errors import InputRefusedError
from childdb.flow import intake, reports
from childdb.flow.runs import Run
from childdb.loading.changes import Change, row_reasons, units_of
from childdb.places.resolve import Query
from childdb.sandbox.server import make_server, software_of
from childdb.settings import Settings
from connectors.http import PullStoppedError

HEADER = ["STT", "Nội dung", "Đơn vị tính", "Số lượng", "Cùng kỳ", "Ghi chú"]
FIGURES: dict[str, list[list[Any]]] = {
    "activities__figures": [
        [1, "Văn bản ban hành", "Văn bản", 12, 9, None],
        [2, "Lớp tập huấn", "Lớp", "3", None, None],
        [3, "Người dự tập huấn", "Người", "1.204", None, None],
        [4, "Truyền thông trực tiếp", "Lượt người", 5000, None, "ước tính"],
        [5, "Xử phạt vi phạm hành chính", "Vụ", "khoảng 30", None, None],
    ],
    "helpline__figures": [[1, "Cuộc gọi đến 111", "Cuộc gọi", 41_207, 39_990, None]],
    "cases__figures": [
        [1, "Vụ xâm hại trẻ em", "Vụ", 18, 21, None],
        [2, "Trẻ em bị xâm hại", "Trẻ em", 19, 22, None],
    ],
    "sector__figures": [[1, "Trẻ được đăng ký khai sinh", "Trẻ", 2310, None, None]],
}


@pytest.fixture
def place(warehouse: Database, warehouse_settings: Settings) -> Iterator[Settings]:
    """The shared warehouse, empty before and after."""
    site.empty(warehouse_settings, warehouse)
    yield warehouse_settings
    site.empty(warehouse_settings, warehouse)


def run_of(drop: Path, *, pull: bool = False, population: Path | None = None) -> Run:
    return Run("run-of-a-test", str(drop), str(population) if population else None, pull, None, site.AS_OF)


def report(path: Path, rows: list[list[Any]], header: list[str] = HEADER) -> None:
    """Write a report of a province as people write it: titles, a table, a signature."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    for row in (
        ["SỞ Y TẾ TỈNH LÀO CAI"], ["BÁO CÁO 6 THÁNG CUỐI NĂM 2025"], header, *rows, [None, "NGƯỜI LẬP BIỂU"],
        [None, None, None, "Lào Cai, ngày 31 tháng 12 năm 2025"],
    ):  # fmt: skip
        book.worksheets[0].append(row)
    book.save(path)


def test_reports_of_every_kind_are_loaded_checked_and_typed(place: Settings, tmp_path: Path) -> None:
    for dataset, rows in FIGURES.items():
        report(tmp_path / dataset / "bao-cao.xlsx", rows)
    report(tmp_path / "cases__figures" / "la.xlsx", [[1, "Vụ", 3]], ["Cột một", "Cột hai", "Cột ba"])
    site.write(tmp_path / "children.xlsx", [site.kid(n) for n in range(1, 4)])
    intake.land_deliveries(place, run_of(tmp_path))
    counts = reports.load_reports(place, run_of(tmp_path))
    assert (counts["files"], counts["rows"], counts["held"]) == (4, 9, 0)
    with connect(Role.CHECKER, place) as connection:
        ends = connection.execute(
            "select dataset, status, accepted from ops.batches order by dataset, status"
        ).fetchall()
        typed = connection.execute(
            "select counted_unit_code, reported_value::text, earlier_value::int, province_code, reported_date::text "
            "from clean.activities__figures order by record_id"
        ).fetchall()
        calls = connection.execute(
            "select counted_unit_code, reported_value::int from clean.helpline__figures"
        ).fetchall()
        units = connection.execute(
            "select counted_unit_code from clean.cases__figures order by record_id"
        ).fetchall()
    assert ends == [
        ("activities__figures", "judged", 5), ("cases__figures", "held", 0), ("cases__figures", "judged", 2),
        ("helpline__figures", "judged", 1), ("sector__figures", "judged", 1), ("treem__children", "landed", None),
    ]  # fmt: skip
    assert [row[0] for row in typed] == ["documents", "courses", "people", "attendances", "cases"]
    assert [row[1] for row in typed] == ["12.00", "3.00", "1204.00", "5000.00", None]
    assert {row[3:] for row in typed} == {("15", "2025-12-31")}
    assert calls == [("calls", 41207)]
    assert units == [("cases",), ("children",)]
    assert reports.load_reports(place, run_of(tmp_path))["files"] == 0


@pytest.fixture(scope="module")
def software(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ThreadingHTTPServer, Path]]:
    """The entry software's stand-in with a small nation."""
    data = make_nation(
        tmp_path_factory.mktemp("software"), children=600, seed=5, profile="default", communes=6
    )
    server = make_server(data, 0, slow_seconds=0.2)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server, data
    server.shutdown()
    server.server_close()


@pytest.fixture
def connected(place: Settings, software: tuple[ThreadingHTTPServer, Path], tmp_path: Path) -> Settings:
    """Settings that know the stand-in and its account."""
    server, data = software
    account = json.loads((data / "software" / "account.json").read_text(encoding="utf-8"))
    (tmp_path / "password").write_text(account["password"], encoding="utf-8")
    return replace(
        place, treem_url=f"http://127.0.0.1:{server.server_address[1]}", treem_username=account["username"],
        treem_password_file=tmp_path / "password",
    )  # fmt: skip


@pytest.mark.bad_input("BI137")
def test_changed_records_are_pulled_with_a_checkpoint_and_deletes_are_noticed(
    connected: Settings, software: tuple[ThreadingHTTPServer, Path], tmp_path: Path
) -> None:
    records = software_of(software[0])._records
    deleted = sum(record.get("deleted") is True for record in records)
    first = reports.pull_changes(connected, run_of(tmp_path, pull=True))
    assert first["records"] == len({(r["ma_tre"], r["version"]) for r in records})
    assert first["deleted"] == deleted
    with connect(Role.CHECKER, connected) as connection:
        (since,) = connection.execute("select since from ops.checkpoints").fetchone() or ("",)
        rows = connection.execute(
            "select count(*), count(*) filter (where is_deleted) from clean.treem__changes"
        ).fetchone()
        batch = connection.execute(
            "select status, accepted, quarantined from ops.batches where dataset = 'treem__changes'"
        ).fetchone()
    assert since == max(record["changed_at"] for record in records)
    assert rows == (len({r["ma_tre"] for r in records}), deleted)
    assert batch == ("judged", first["records"], 0)
    again = reports.pull_changes(connected, run_of(tmp_path, pull=True))
    assert int(again["records"] or 0) < int(first["records"] or 0)


def test_a_pull_that_stops_leaves_the_checkpoint_and_the_next_run_completes_it(
    connected: Settings, software: tuple[ThreadingHTTPServer, Path], tmp_path: Path
) -> None:
    software_of(software[0]).faults.add("html_login", 2)
    with pytest.raises(PullStoppedError, match="API-LOGIN"):
        reports.pull_changes(connected, run_of(tmp_path, pull=True))
    with connect(Role.CHECKER, connected) as connection:
        assert connection.execute("select count(*) from ops.checkpoints").fetchone() == (0,)
    assert int(reports.pull_changes(connected, run_of(tmp_path, pull=True))["records"] or 0) > 0


def test_a_list_from_the_software_knows_its_sender(
    connected: Settings, software: tuple[ThreadingHTTPServer, Path], tmp_path: Path
) -> None:
    (tmp_path / "drop").mkdir()
    counts = intake.land_deliveries(connected, run_of(tmp_path / "drop", pull=True))
    assert int(counts["new"] or 0) >= 6
    with connect(Role.CHECKER, connected) as connection:
        senders = connection.execute("select distinct sender_code from ops.batches").fetchall()
    assert {code for (code,) in senders} == {c["commune_code"] for c in software_of(software[0]).communes()}


MUONG_KHUONG = Query(commune="02647")


def change(row_no: int, code: str, version: int, text: str, place: Query = MUONG_KHUONG) -> Change:
    return Change(row_no, code, version, False, "2026-01-01T00:00:00", text, place)


@pytest.mark.bad_input("BI132")
def test_one_version_with_two_contents_is_held_twice() -> None:
    found = row_reasons([change(1, "a", 1, "x"), change(2, "a", 1, "y"), change(3, "a", 2, "z")], None)
    assert found == {1: "API-CONFLICT", 2: "API-CONFLICT"}


@pytest.mark.bad_input("BI136")
def test_a_child_outside_the_scope_of_the_account_is_held() -> None:
    """Ba Đình is covered: its code, its names with and without type, a ward that went into it; not another ward."""
    before, now = date(2025, 3, 15), date(2026, 1, 15)
    inside = [
        Query(commune="00004", day=now),
        Query("Thành phố Hà Nội", None, "Phường Ba Đình", now),
        Query("Hà Nội", None, "P. Ba Đình", now),
        Query("Hà Nội", "Quận Ba Đình", "Phường Trúc Bạch", before),
        Query("Hà Nội", None, "Không đọc được", now),
        Query(),
    ]
    outside = [Query(commune="00008", day=now), Query("Thành phố Hà Nội", None, "Phường Ngọc Hà", now)]
    rows = [change(number, str(number), 1, "x", place) for number, place in enumerate([*inside, *outside])]
    held = row_reasons(rows, units_of({"00004"}))
    assert held == dict.fromkeys(range(len(inside), len(rows)), "API-SCOPE")


def test_population_messages_are_an_extract_like_any_other(place: Settings, tmp_path: Path) -> None:
    person = (
        "<CongDan><SoDinhDanh>0103190000{n:02d}</SoDinhDanh><HoVaTen><Ten>LÒ THỊ MAI</Ten></HoVaTen><GioiTinh>2</GioiTinh>"
        "<NgayThangNamSinh><NgayThangNam>20190305</NgayThangNam></NgayThangNamSinh></CongDan>"
    )
    people = "".join(person.format(n=n) for n in range(7))
    path = tmp_path / "goi-tin.xml"
    path.write_text(f'<CongdanCollection SoCongDan="7">{people}</CongdanCollection>', encoding="utf-8")
    assert intake.load_persons(place, run_of(tmp_path, population=path)) == {"new": 1, "rows": 7}
    with connect(Role.CHECKER, place) as connection:
        assert connection.execute("select count(*) from raw.population__persons").fetchone() == (7,)
    path.write_text(f'<CongdanCollection SoCongDan="8">{people}</CongdanCollection>', encoding="utf-8")
    with pytest.raises(InputRefusedError, match="states 8 citizens and holds 7"):
        intake.load_persons(place, run_of(tmp_path, population=path))
