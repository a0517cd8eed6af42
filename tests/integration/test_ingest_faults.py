"""Killed at every named step, the database killed under a COPY and a commit, an answer lost: nothing lost, nothing twice."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ingest_support as site
import psycopg
import pytest
from workspaces import disposable_workspace

from childdb.database import Database, Role, connect, open_database
from childdb.database.access import attach, start_server
from childdb.database.bootstrap import ADMIN
from childdb.errors import ChilddbError
from childdb.landing import sweep
from childdb.settings import Settings
from childdb.steps import Step
from childdb.workspace import Workspace
from tests.integration.server_faults import kill_postgres

IN_EVERY_RUN = {
    Step.LAND_SYNCED,
    Step.LAND_NAMED,
    Step.LAND_RECORDED,
    Step.LOAD_COPYING,
    Step.LOAD_RECORDED,
    Step.CLEAN_RECORDED,
}
"""Steps whose kill every run of the tests shows; the others are killed by ``make test-flow``."""


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five deliveries: two good lists, one with a held row, one held whole, one refused; and a repeat."""
    folder = tmp_path_factory.mktemp("drop")
    site.write(folder / "a.xlsx", [site.kid(n) for n in range(1, 8)], title="Tính đến ngày 30/09/2025")
    site.write(folder / "b.xlsx", [site.kid(n, commune="B") for n in range(20, 26)])
    odd = [site.kid(n, updated="05/12/2025") for n in range(1, 6)]
    odd[2][1] = "#REF!"
    site.write(folder / "c.xlsx", odd)
    site.write(folder / "d.xlsx", [site.kid(n) for n in range(1, 4)], title="Danh sách gồm có 9 trẻ")
    (folder / "e.xlsx").write_bytes(b"PK\x03\x04 cut")
    (folder / "f.xlsx").write_bytes((folder / "a.xlsx").read_bytes())
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A site with a server of its own, because it is killed."""
    folder = tmp_path_factory.mktemp("site")
    with disposable_workspace(folder, {"CHILDDB_THREADS": "1"}, embedded=True) as settings:
        yield settings


@pytest.fixture
def database(home: Settings) -> Iterator[Database]:
    """The site's warehouse, empty."""
    with open_database(home) as opened:
        site.empty(home, opened)
        yield opened


@pytest.fixture(scope="module")
def undisturbed(home: Settings, drop: Path) -> dict[str, Any]:
    """The state that taking the files in without any fault gives."""
    start_server(home)
    with open_database(home) as opened:
        site.empty(home, opened)
        site.take_in(home, drop)
        site.check_ledger(home)
        return site.state(home)


def test_the_site_knows_every_end_of_a_file(undisturbed: dict[str, Any]) -> None:
    ends = sorted((row[1], row[2]) for row in undisturbed["batches"])
    assert ends == [
        ("held", "quarantine_file"), ("judged", "accept"), ("judged", "accept_flagged"), ("judged", "accept_flagged"),
        ("refused", "reject_file"),
    ]  # fmt: skip


@pytest.mark.bad_input("BI141")
@pytest.mark.parametrize(
    "step",
    [pytest.param(s.value, marks=[] if s in IN_EVERY_RUN else [pytest.mark.flow]) for s in Step],
)
def test_killed_at_a_named_step(
    step: str, home: Settings, database: Database, drop: Path, undisturbed: dict[str, Any]
) -> None:
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(["ingest_support", "childdb.loading.clean", "childdb.reading"])
    worker = workers.Process(target=site.die_at, args=(step, home, drop))
    worker.start()
    worker.join(120)
    assert worker.exitcode == -signal.SIGKILL, (
        f"the process ended with {worker.exitcode}: is the step reached?"
    )
    site.check_ledger(home)
    site.take_in(home, drop)
    site.check_ledger(home)
    assert site.state(home) == undisturbed
    workspace = Workspace(home.home)
    sweep(workspace.landing, workspace.scratch, seconds=0)
    assert not list(workspace.landing.glob(".*"))
    assert not list(workspace.scratch.iterdir())


@pytest.mark.bad_input("BI142")
@pytest.mark.parametrize(
    "step",
    [
        Step.LOAD_COPYING,
        pytest.param(Step.LOAD_RECORDED, marks=pytest.mark.flow),
        pytest.param(Step.CLEAN_COPIED, marks=pytest.mark.flow),
    ],
)
def test_postgresql_killed_inside_a_transaction(
    step: Step, home: Settings, database: Database, drop: Path, undisturbed: dict[str, Any]
) -> None:
    killed: list[Step] = []

    def kill(reached: Step) -> None:
        if reached is step and not killed:
            killed.append(reached)
            kill_postgres(home)

    with site.listening(kill), pytest.raises((psycopg.Error, ChilddbError)):
        site.take_in(home, drop)
    assert killed
    start_server(home)
    site.check_ledger(home)
    site.take_in(home, drop)
    assert site.state(home) == undisturbed


def _through(proxy: site.Proxy, settings: Settings) -> Settings:
    """Return settings whose way to the database leads through a proxy."""
    password = attach(settings).passwords[ADMIN]
    url = f"postgresql://{ADMIN}:{password}@127.0.0.1:{proxy.port}/{attach(settings).name}"
    return replace(settings, database_url=url)


@pytest.mark.bad_input("BI143")
@pytest.mark.parametrize(
    ("fault", "commit"),
    [
        ("answer lost", 9),
        *(pytest.param("answer lost", commit, marks=pytest.mark.flow) for commit in (0, 5, 14, 17)),
        *(pytest.param("database killed", commit, marks=pytest.mark.flow) for commit in (0, 9, 14)),
    ],
)
def test_a_commit_whose_answer_never_comes(
    fault: str, commit: int, home: Settings, database: Database, drop: Path, undisturbed: dict[str, Any]
) -> None:
    is_killed = fault == "database killed"
    proxy = site.Proxy(
        attach(home).port, (lambda: kill_postgres(home)) if is_killed else lambda: None, skip=commit
    )
    try:
        with pytest.raises((psycopg.Error, ChilddbError)):
            site.take_in(_through(proxy, home), drop)
    finally:
        proxy.close()
    assert proxy.fired > commit
    assert proxy.done.wait(60)
    if is_killed:
        start_server(home)
    time.sleep(0.2)
    site.check_ledger(home)
    site.take_in(home, drop)
    site.check_ledger(home)
    assert site.state(home) == undisturbed


@pytest.mark.bad_input("BI108")
def test_the_same_bytes_again_change_nothing_and_are_told(
    home: Settings, database: Database, drop: Path, undisturbed: dict[str, Any]
) -> None:
    for _ in range(2):
        site.take_in(home, drop)
    assert site.state(home) == undisturbed
    with connect(Role.LOADER, home) as connection:
        told = connection.execute(
            "select outcome, reason_code, count(*) from ops.deliveries where outcome = 'duplicate' group by 1, 2"
        ).fetchall()
    assert told == [("duplicate", "DEL-DUPLICATE", 7)]
