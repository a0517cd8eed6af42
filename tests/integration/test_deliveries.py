"""Deliveries in any order, repeated, corrected, late, of another sender or at the same moment: one final state, each told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import ingest_support as site
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from childdb.cli import main
from childdb.database import Database, Role, connect
from childdb.errors import ConfigurationError, EnvironmentFailedError
from childdb.flow import intake
from childdb.flow.runs import Run
from childdb.loading import raw
from childdb.loading.clean import clean_batch
from childdb.orchestration.run import only_one_run
from childdb.settings import Settings
from childdb.workspace import Workspace

SEPTEMBER, DECEMBER = "Tính đến ngày 30/09/2025", "Tính đến ngày 31/12/2025"
SENT = [site.kid(n) for n in range(1, 6)]
NUMBER = itertools.count()


@pytest.fixture
def place(warehouse: Database, warehouse_settings: Settings) -> Iterator[Settings]:
    """The shared warehouse, empty before and after."""
    site.empty(warehouse_settings, warehouse)
    yield warehouse_settings
    site.empty(warehouse_settings, warehouse)


def deliver(settings: Settings, folder: Path, rows: list[list[Any]], title: str, *, under: str = "") -> str:
    """Deliver one list in a drop folder of its own and return its batch."""
    drop = folder / f"drop-{next(NUMBER)}"
    path = site.write(drop / under / "list.xlsx", rows, title=title)
    site.take_in(settings, drop)
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select batch_id from ops.deliveries order by delivery_no desc limit 1"
        ).fetchone()
    assert row is not None, path
    return str(row[0])


def told(settings: Settings, batch_id: str) -> dict[str, Any]:
    """Return what the ledger says of a batch and of its arrival."""
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select b.status, b.outcome, b.reason_code, b.accepted, b.quarantined, b.superseded_by, d.reason_code "
            "from ops.batches as b inner join ops.deliveries as d on b.batch_id = d.batch_id where b.batch_id = %s "
            "order by d.delivery_no limit 1",
            [batch_id],
        ).fetchone()
    assert row is not None
    names = ("status", "outcome", "reason_code", "accepted", "quarantined", "superseded_by", "delivery")
    return dict(zip(names, row, strict=True))


@pytest.mark.bad_input("BI109")
def test_same_rows_in_other_bytes_are_a_new_batch_without_a_change(place: Settings, tmp_path: Path) -> None:
    first = deliver(place, tmp_path, SENT, DECEMBER)
    second = deliver(place, tmp_path, [*SENT[3:], *SENT[:3]], f"{DECEMBER} (in lại)")
    assert second != first
    answer = told(place, second)
    assert (answer["delivery"], answer["outcome"]) == ("DEL-SAME-CONTENT", "accept_flagged")
    assert answer["accepted"] == told(place, first)["accepted"] == 5


@pytest.mark.bad_input("BI110")
def test_a_corrected_list_supersedes_the_old_one_which_stays_readable(
    place: Settings, tmp_path: Path
) -> None:
    old = deliver(place, tmp_path, SENT, SEPTEMBER)
    new = deliver(place, tmp_path, SENT[:4], DECEMBER)
    assert told(place, new)["delivery"] == "DEL-CORRECTION"
    assert told(place, new)["superseded_by"] is None
    assert told(place, old)["superseded_by"] == new
    with connect(Role.CHECKER, place) as connection:
        counts = connection.execute(
            "select _batch_id, count(*) from clean.treem__children group by 1 order by 2"
        ).fetchall()
    assert counts == [(new, 4), (old, 5)]


@pytest.mark.bad_input("BI111")
def test_an_older_list_that_comes_later_changes_nothing_that_counts(place: Settings, tmp_path: Path) -> None:
    new = deliver(place, tmp_path, SENT[:4], DECEMBER)
    old = deliver(place, tmp_path, SENT, SEPTEMBER)
    assert told(place, old)["delivery"] == "DEL-ORDER"
    assert (told(place, old)["superseded_by"], told(place, new)["superseded_by"]) == (new, None)


@pytest.mark.bad_input("BI112")
def test_a_list_of_another_commune_than_its_sender_is_held_until_a_person_lets_it_go(
    place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing").mkdir()
    foreign = deliver(place, tmp_path, SENT, DECEMBER, under="02000")
    answer = told(place, foreign)
    assert (answer["status"], answer["outcome"], answer["reason_code"]) == (
        "held",
        "quarantine_file",
        "DEL-SCOPE",
    )
    assert (answer["accepted"], answer["quarantined"]) == (0, 5)
    with connect(Role.CHECKER, place) as connection:
        assert connection.execute("select count(*) from clean.treem__children").fetchone() == (0,)
        own = connection.execute(
            "select reason_code from quality.findings where batch_id = %s and stage = 'cleaning'", [foreign]
        ).fetchall()
    assert own == [("DEL-SCOPE",)]
    site.check_ledger(place)
    monkeypatch.setenv("CHILDDB_HOME", str(place.home))
    for name, value in place.as_environment().items():
        monkeypatch.setenv(name, value)
    words = ("quarantine", "release", foreign, "--by", "Cán bộ A", "--reason", "Xã mới gửi thay cho xã cũ")
    assert main(list(words)) == 0
    site.take_in(place, tmp_path / "nothing")
    assert (told(place, foreign)["status"], told(place, foreign)["accepted"]) == ("judged", 5)
    site.check_ledger(place)


def test_a_list_in_the_folder_of_its_own_commune_is_taken(place: Settings, tmp_path: Path) -> None:
    other = deliver(place, tmp_path, SENT, SEPTEMBER)
    with connect(Role.CHECKER, place) as connection:
        row = connection.execute(
            "select split_part(sender_commune_id, '@', 1) from ops.batches where batch_id = %s", [other]
        ).fetchone()
    assert row is not None
    own = deliver(place, tmp_path, SENT[:4], DECEMBER, under=str(row[0]))
    assert told(place, own)["status"] == "judged"


@pytest.mark.bad_input("BI116")
def test_a_stated_count_that_is_not_found_holds_the_list(place: Settings, tmp_path: Path) -> None:
    answer = told(place, deliver(place, tmp_path, SENT, "Danh sách gồm có 6 trẻ"))
    assert (answer["outcome"], answer["reason_code"], answer["quarantined"]) == (
        "quarantine_file",
        "DEL-COUNT",
        5,
    )


@pytest.mark.bad_input("BI120")
def test_a_sender_whose_clock_is_a_year_off_changes_no_time_of_ours(place: Settings, tmp_path: Path) -> None:
    drop = tmp_path / "clock"
    path = site.write(drop / "list.xlsx", SENT, title=DECEMBER)
    import os

    os.utime(path, (0, 0))
    site.take_in(place, drop)
    with connect(Role.CHECKER, place) as connection:
        row = connection.execute(
            "select received_at > now() - interval '1 hour', file_date from ops.batches"
        ).fetchone()
    assert row == (True, date(2025, 12, 31))


@pytest.mark.bad_input("BI118")
def test_two_lists_of_one_commune_at_the_same_moment_are_judged_one_after_the_other(
    place: Settings, tmp_path: Path
) -> None:
    drop = tmp_path / "both"
    site.write(drop / "a.xlsx", SENT, title=SEPTEMBER)
    site.write(drop / "b.xlsx", SENT[:4], title=DECEMBER)
    run = Run("run-of-a-test", str(drop), None, False, None, site.AS_OF)
    intake.land_deliveries(place, run)
    intake.load_raw(place, run)
    with connect(Role.CHECKER, place) as connection:
        first, second = (row[0] for row in connection.execute("select batch_id from ops.batches order by 1"))
    with connect(Role.CLEANER, place) as one:
        clean_batch(one, first, site.AS_OF)
        other = threading.Thread(target=_clean_alone, args=(place, second))
        other.start()
        assert _waits_for_a_lock(place)
    other.join(60)
    site.check_ledger(place)
    superseded = sorted(told(place, batch)["superseded_by"] or "" for batch in (first, second))
    assert superseded[0] == ""
    assert superseded[1] in (first, second)


def _clean_alone(settings: Settings, batch_id: str) -> None:
    with connect(Role.CLEANER, settings) as connection:
        clean_batch(connection, batch_id, site.AS_OF)


def _waits_for_a_lock(settings: Settings) -> bool:
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connect(Role.CHECKER, settings) as connection:
            row = connection.execute(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            ).fetchone()
        if row and row[0]:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.bad_input("BI145")
def test_a_second_run_leaves_with_already_running(place: Settings) -> None:
    with (
        only_one_run(place),
        pytest.raises(EnvironmentFailedError, match="already going on"),
        only_one_run(place),
    ):
        pass


LISTS: dict[str, tuple[list[list[Any]], str]] = {
    "a-old": (SENT, SEPTEMBER),
    "a-new": ([*SENT[:3], site.kid(9, name="Vui")], DECEMBER),
    "a-corrected": ([*SENT[:3], site.kid(9, name="Vui", updated="20/12/2025")], f"{DECEMBER} "),
    "b": ([site.kid(n, commune="B") for n in range(20, 24)], DECEMBER),
    "short": (SENT, "Danh sách gồm có 9 trẻ"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of each list, the same for every history."""
    folder = tmp_path_factory.mktemp("lists")
    made = {
        name: site.write(folder / f"{name}.xlsx", rows, title=title).read_bytes()
        for name, (rows, title) in LISTS.items()
    }
    return made | {"broken": b"PK\x03\x04 cut"}


@st.composite
def histories(draw: st.DrawFn) -> list[list[str]]:
    """Draw runs of deliveries: every file at least once, in any order, some again, spread over one to three runs."""
    names = [*LISTS, "broken"]
    order = draw(st.permutations([*names, *draw(st.lists(st.sampled_from(names), max_size=4))]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=2)))
    return [list(order[a:b]) for a, b in itertools.pairwise([0, *cuts, len(order)])]


def live(
    settings: Settings, folder: Path, files: dict[str, bytes], history: list[list[str]]
) -> dict[str, Any]:
    """Return the state after a history."""
    for names in history:
        drop = folder / f"run-{next(NUMBER)}"
        drop.mkdir()
        for place, name in enumerate(names):
            (drop / f"{place:02d}.xlsx").write_bytes(files[name])
        site.take_in(settings, drop)
        site.check_ledger(settings)
    return site.state(settings)


@pytest.fixture(scope="module")
def in_order(
    warehouse: Database,
    warehouse_settings: Settings,
    files: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """The state when every file comes once, oldest first, in a run of its own."""
    site.empty(warehouse_settings, warehouse)
    folder = tmp_path_factory.mktemp("in-order")
    return live(warehouse_settings, folder, files, [[name] for name in [*LISTS, "broken"]])


@seed(20261122)
@settings(
    max_examples=6, deadline=None, derandomize=False, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(history=histories())
def test_any_history_of_deliveries_gives_one_state(
    warehouse: Database,
    warehouse_settings: Settings,
    in_order: dict[str, Any],
    files: dict[str, bytes],
    tmp_path: Path,
    history: list[list[str]],
) -> None:
    site.empty(warehouse_settings, warehouse)
    assert live(warehouse_settings, tmp_path, files, history) == in_order


@pytest.mark.parametrize("table", ["raw.treem__children", "clean.treem__children"])
def test_any_single_row_taken_away_turns_the_checks_red(place: Settings, warehouse: Database, table: str, files: dict[str, bytes], tmp_path: Path) -> None:  # fmt: skip
    live(place, tmp_path, files, [[*LISTS, "broken"]])
    with psycopg.connect(warehouse.admin_url, autocommit=True) as owner:
        owner.execute(f"set role {warehouse.name}_owner")
        places = [row[0] for row in owner.execute(f"select ctid::text from {table}")]
        assert len(places) >= 15
        for number, where in enumerate(places):
            if number % 5:
                continue
            kept = owner.execute(f"delete from {table} where ctid = %s::tid returning *", [where]).fetchone()
            assert kept is not None
            with pytest.raises(AssertionError):
                site.check_ledger(place)
            marks = ", ".join(["%s"] * len(kept))
            owner.execute(f"insert into {table} values ({marks})", list(kept))
            site.check_ledger(place)


@pytest.mark.parametrize("lost", [0, 2, 4])
def test_a_row_lost_on_the_way_into_the_database_stops_the_load(
    place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    whole = raw.copy_table

    def leaky(connection: Any, table: str, rows: pa.Table, **options: Any) -> int:
        kept = [number for number in range(rows.num_rows) if number != lost] if table == raw.TABLE else None
        return whole(connection, table, rows.take(kept) if kept is not None else rows, **options)

    monkeypatch.setattr(raw, "copy_table", leaky)
    with pytest.raises(psycopg.errors.RaiseException, match="the raw table holds 4 rows, the ledger says 5"):
        deliver(place, tmp_path, SENT, DECEMBER)
    monkeypatch.undo()
    assert told(place, deliver(place, tmp_path, SENT, DECEMBER))["accepted"] == 5


def test_who_has_not_sent_is_kept_by_deadline_through_the_change_of_communes(
    place: Settings, tmp_path: Path
) -> None:
    deliver(place, tmp_path, SENT, DECEMBER)
    with connect(Role.PORTAL, place) as connection:
        due = connection.execute(
            "select deadline, count(*), count(*) filter (where state = 'missing'), count(*) filter (where state = 'sent') "
            "from ops.sender_states group by 1"
        ).fetchall()
        waiting = connection.execute("select count(*) from ops.who_has_not_sent").fetchone()
    assert due == [(date(2025, 12, 25), 3321, 3320, 1)]
    assert waiting == (3320,)
    deliver(place, tmp_path, [site.kid(1)], SEPTEMBER)
    with connect(Role.PORTAL, place) as connection:
        assert connection.execute("select count(*) from ops.sender_states").fetchone() == (3321,)


@pytest.mark.bad_input("BI149")
def test_a_migration_that_breaks_off_leaves_nothing_and_can_be_repeated(
    place: Settings, warehouse: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from childdb.database import bootstrap

    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in bootstrap.MIGRATIONS.glob("*.sql"):
        (folder / path.name).write_bytes(path.read_bytes())
    broken = folder / "29991231000000_break_off.sql"
    broken.write_text("create table ops.half_done (a int); select 1 / 0;", encoding="utf-8")
    monkeypatch.setattr(bootstrap, "MIGRATIONS", folder)
    arguments = (warehouse.admin_url, warehouse.name, warehouse.passwords, Workspace(place.home).workspace_id)
    with pytest.raises(psycopg.errors.DivisionByZero):
        bootstrap.prepare_database(*arguments)
    with connect(Role.CHECKER, place) as connection:
        assert connection.execute("select to_regclass('ops.half_done')").fetchone() == (None,)
    broken.unlink()
    bootstrap.prepare_database(*arguments)
    monkeypatch.undo()
    with psycopg.connect(warehouse.admin_url) as owner:
        owner.execute(f"set role {warehouse.name}_owner")
        owner.execute(
            "insert into ops.migrations (name, sha256) values ('29991231000001_of_a_newer_childdb', 'x')"
        )
        owner.commit()
        try:
            with pytest.raises(ConfigurationError, match="newer childdb"):
                bootstrap.prepare_database(*arguments)
        finally:
            owner.execute("delete from ops.migrations where name like '29991231%'")
