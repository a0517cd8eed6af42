"""The population service as second channel: a stand-in over a socket, a daily quota, a log without values, the same loop."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from childdb.cli import main
from childdb.errors import ConfigurationError, UsageError
from childdb.sandbox.population_service import CitizenFile, make_population_server
from childdb.settings import Settings
from childdb.vault.keys import load_keys
from childdb.worklists.service import export_lists, provided_numbers, request_status, verify_by_service
from childdb.worklists.service_channel import ChannelReport, Errand
from childdb.workspace import Workspace
from connectors.http import Clock
from connectors.population_service import citizen_of, sent_name
from tests.integration.gates_support import Warehouse
from tests.integration.requests_support import child, fill, open_lists, right_number, steward

ERRAND = Errand("đối chiếu số định danh theo công văn 2513", "Cán bộ A", date(2026, 3, 2), 100, 1000)
TOKEN = "token-of-the-stand-in"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_lists() as opened:
        yield opened


def kids(count: int = 6) -> list[dict[str, Any]]:
    """Children with a number on record that nothing has confirmed."""
    children = [child(n, ho_ten_tre=f"Lò Thị Ánh {chr(65 + n)}") for n in range(count)]
    return [c | {"so_dinh_danh": right_number(c), "so_dinh_danh_raw": right_number(c)} for c in children]


def person(one: dict[str, Any], **changes: Any) -> dict[str, Any]:
    known = {
        "personal_id_no": one["so_dinh_danh"],
        "full_name": one["ho_ten_tre"],
        "sex": "1" if one["gioi_tinh"] == "male" else "2",
        "birth_date": one["ngay_sinh"],
        "ethnic_group_text": "01",
    }
    return known | changes


@contextmanager
def service(
    warehouse: Warehouse, tmp_path: Path, people: list[dict[str, Any]], **more: Any
) -> Iterator[Settings]:
    citizens = CitizenFile(people, token=TOKEN, **more)
    server = make_population_server(citizens)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (tmp_path / "token").write_text(TOKEN)
    try:
        yield replace(
            warehouse.settings,
            population_service_url=f"http://127.0.0.1:{server.server_address[1]}",
            population_service_unit="000.00.00.G23",
            population_service_officer="CB01",
            population_service_procedure="1.000001",
            population_service_token_file=tmp_path / "token",
        )
    finally:
        server.shutdown()
        server.server_close()


def ask(settings: Settings, errand: Errand = ERRAND) -> ChannelReport:
    return verify_by_service(settings, errand, Clock(sleep=lambda _: None))


def numbers(warehouse: Warehouse) -> dict[str, str]:
    with steward(warehouse) as connection:
        keys = load_keys(Workspace(warehouse.settings.home), may_create=False)
        return dict(provided_numbers(connection, keys))


@pytest.mark.parametrize("shape", ["standard", "live"])
def test_confirmed_numbers_join_the_loop_and_are_asked_once(
    warehouse: Warehouse, tmp_path: Path, shape: str
) -> None:
    children = kids()
    fill(warehouse, children)
    export_lists(warehouse.settings)
    people = [person(c) for c in children[:4]] + [person(children[4], birth_date="2001-01-01")]
    with service(warehouse, tmp_path, people, shape=shape) as settings:
        report = ask(settings)
        assert (report.asked, dict(report.outcomes)) == (6, {"applied": 4, "not_found": 2})
        assert ask(settings).asked == 0
    assert numbers(warehouse) == {f"child-{c['n']}": right_number(c) for c in children[:4]}
    assert export_lists(warehouse.settings).row_count == 2
    with steward(warehouse) as connection:
        assert all(line.holds for line in request_status(connection).balances)


def test_person_of_another_sex_is_held_and_nothing_is_applied(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids(1)
    fill(warehouse, children)
    export_lists(warehouse.settings)
    with service(warehouse, tmp_path, [person(children[0], sex="2")]) as settings:
        assert dict(ask(settings).outcomes) == {"held": 1}
    assert numbers(warehouse) == {}
    assert warehouse.rows("select reason_code from quality.service_replies") == [
        ("NUMBER-CONTRADICTS-REGISTRY",)
    ]


def test_daily_quota_holds_over_repeats_and_the_next_day_goes_on(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    children = kids()
    fill(warehouse, children)
    export_lists(warehouse.settings)
    short = replace(ERRAND, daily_quota=4)
    with service(warehouse, tmp_path, [person(c) for c in children]) as settings:
        assert ask(settings, replace(short, limit=3)).quota_left == 1
        assert (ask(settings, short).asked, ask(settings, short).asked) == (1, 0)
        assert ask(settings, replace(short, day=date(2026, 3, 3))).asked == 2
    assert len(numbers(warehouse)) == 6


def test_service_that_fails_stops_and_the_repeat_goes_on(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids(3)
    fill(warehouse, children)
    export_lists(warehouse.settings)
    people = [person(c) for c in children]
    with service(warehouse, tmp_path, people, quota=1) as settings:
        report = ask(settings)
        assert (report.asked, report.stopped) == (2, "API-THROTTLE")
    with service(warehouse, tmp_path, people) as settings:
        assert dict(ask(settings).outcomes) == {"applied": 2}
    assert len(numbers(warehouse)) == 3


def test_log_names_purpose_and_person_asking_and_holds_no_value(
    warehouse: Warehouse, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    children = kids(2)
    fill(warehouse, children)
    export_lists(warehouse.settings)
    with service(warehouse, tmp_path, [person(c) for c in children]) as settings:
        ask(settings)
    assert warehouse.rows("select distinct purpose, asked_by, asked_on from quality.service_lookups") == [
        (ERRAND.purpose, ERRAND.actor, ERRAND.day)
    ]
    stored = "".join(
        str(warehouse.rows(f"select t::text from quality.{table} as t"))
        for table in ("service_lookups", "service_replies", "request_answers", "work_item_events")
    )
    printed = "".join(capfd.readouterr())
    for one in children:
        for value in (right_number(one), one["ho_ten_tre"], sent_name(one["ho_ten_tre"]), one["ngay_sinh"]):
            assert value not in stored + printed
    with warehouse.admin() as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute("delete from quality.service_lookups")


def test_look_up_without_purpose_or_settings_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    fill(warehouse, kids(1))
    with service(warehouse, tmp_path, []) as settings, pytest.raises(UsageError):
        ask(settings, replace(ERRAND, purpose="x"))
    with pytest.raises(ConfigurationError, match="CHILDDB_POPULATION_SERVICE_URL"):
        ask(warehouse.settings)
    assert warehouse.rows("select count(*) from quality.service_lookups") == [(0,)]


def test_command_asks_and_tells_counts(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    children = kids(2)
    fill(warehouse, children)
    export_lists(warehouse.settings)
    with service(warehouse, tmp_path, [person(children[0])]) as settings:
        for name, value in settings.as_environment().items():
            monkeypatch.setenv(name, value)
        words = ["--by", "Cán bộ A", "--purpose", "đối chiếu số định danh"]
        assert main(["requests", "verify", *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outcomes"] == {"applied": 1, "not_found": 1}


def test_replies_are_read_in_both_shapes_and_requests_carry_the_services_fields() -> None:
    one = kids(1)[0]
    message = {
        "MaYeuCau": "1", "MaDVC": "1", "MaTichHop": "037", "MaDonVi": "1", "MaCanBo": "1",
        "SoDinhDanh": one["so_dinh_danh"], "HoVaTen": sent_name(one["ho_ten_tre"]).replace(" ", ""),
        "NgayThangNamSinh": {"Nam": one["ngay_sinh"][:4]},
    }  # fmt: skip
    for shape in ("standard", "live"):
        citizens = CitizenFile([person(one)], token=TOKEN, shape=shape)
        _, reply = citizens.answer(message)
        found = citizen_of(reply)
        assert found is not None
        assert (found.sex, found.birth_date, found.ethnic_group_code) == (
            "male",
            date.fromisoformat(one["ngay_sinh"]),
            "01",
        )
        assert sent_name(found.name) == sent_name(one["ho_ten_tre"])
        assert citizen_of(citizens.answer(message | {"HoVaTen": "NGUOI KHAC"})[1]) is None
        assert citizens.answer(message | {"MaCanBo": ""})[0] == 400
