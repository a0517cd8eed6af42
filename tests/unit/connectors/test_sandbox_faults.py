"""The entry software's stand-in fails in each of its ways: the pull resumes or stops whole, and the next run completes it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from childdb.errors import ExitStatus
from childdb.sandbox.generate import Order, generate
from childdb.sandbox.server import make_server, software_of
from childdb.sandbox.software import FAULTS, Software
from connectors.http import Clock, HttpClient, HttpPolicy, PullStoppedError
from connectors.treem import ChangePull, TreemClient


@dataclass(frozen=True)
class StandIn:
    """A running stand-in and how to reach it."""

    url: str
    software: Software
    data: Path

    def client(self, *, ca_file: Path | None = None, page_deadline: float = 5.0) -> TreemClient:
        account = json.loads((self.data / "software" / "account.json").read_text(encoding="utf-8"))
        policy = HttpPolicy(
            base_url=self.url, ca_file=ca_file, attempts=3, first_wait=0.01, longest_wait=0.02,
            page_deadline=page_deadline, read_timeout=page_deadline,
        )  # fmt: skip
        clock = Clock(sleep=lambda seconds: None, jitter=lambda: 0.5)
        return TreemClient(HttpClient(policy, clock), account["username"], lambda: account["password"])

    def versions(self) -> int:
        """Return how many versions of children there are to pull."""
        return len({(record["ma_tre"], record["version"]) for record in self.software._records})


@contextmanager
def running(data: Path, *, tls: bool = False) -> Iterator[StandIn]:
    server = make_server(data, 0, tls=tls, slow_seconds=0.6)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    try:
        yield StandIn(f"{scheme}://127.0.0.1:{server.server_address[1]}", software_of(server), data)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stand-in")
    generate(Order(240, 11, "default", 4), folder, lambda done, total: None)
    return folder


@pytest.fixture(scope="module")
def stand_in(nation: Path) -> Iterator[StandIn]:
    with running(nation) as found:
        yield found


PASSING = {
    "429": "BI125", "500": "BI126", "slow": "BI139", "cut": "BI128", "html_login": "BI121", "token_expired": "BI124",
    "total_changes": "BI131",
}  # fmt: skip
STOPPING = {"redirect": ("BI123", "API-REDIRECT"), "repeat_page": ("BI130", "API-LOOP")}
LASTING = {
    "429": "API-THROTTLE", "500": "API-TRANSIENT", "slow": "API-TRANSIENT", "cut": "API-TRUNCATED",
    "html_login": "API-LOGIN", "token_expired": "API-AUTH", "total_changes": "API-DRIFT", "redirect": "API-REDIRECT",
    "repeat_page": "API-LOOP",
}  # fmt: skip


def test_every_fault_of_the_stand_in_is_shown() -> None:
    assert set(FAULTS) == set(LASTING) == {*PASSING, *STOPPING}


def marked(fault: str, name: str) -> object:
    return pytest.param(fault, marks=pytest.mark.bad_input(name), id=f"{name}-{fault}")


@pytest.mark.parametrize("fault", [marked(fault, name) for fault, name in PASSING.items()])
def test_a_fault_that_passes_costs_no_record(stand_in: StandIn, fault: str, tmp_path: Path) -> None:
    stand_in.software.faults.add(fault, 1)
    pull = ChangePull(stand_in.client(page_deadline=0.3 if fault == "slow" else 5.0), tmp_path, limit=20)
    _, summary = pull.run("2018-01-01")
    assert summary.records == stand_in.versions()


@pytest.mark.parametrize("fault", [marked(fault, name) for fault, (name, _) in STOPPING.items()])
def test_a_fault_that_may_not_pass_stops_at_once(stand_in: StandIn, fault: str, tmp_path: Path) -> None:
    stand_in.software.faults.add(fault, 2)  # the first page of a pull has nothing to repeat
    with pytest.raises(PullStoppedError) as stop:
        ChangePull(stand_in.client(), tmp_path, limit=20).run("2018-01-01")
    stand_in.software.faults.__init__()  # type: ignore[misc]
    assert stop.value.code == STOPPING[fault][1]
    assert not (tmp_path / "changes.jsonl").exists()
    _, summary = ChangePull(stand_in.client(), tmp_path, limit=20).run("2018-01-01")
    assert summary.records == stand_in.versions()


@pytest.mark.parametrize("fault", sorted(LASTING))
def test_a_fault_that_lasts_stops_whole_says_why_and_the_next_run_completes_it(
    stand_in: StandIn, fault: str, tmp_path: Path
) -> None:
    deadline = 0.3 if fault == "slow" else 5.0
    client = stand_in.client(page_deadline=deadline)
    client.page("2018-01-01", None, 60)
    stand_in.software.faults.add(fault, 50)
    with pytest.raises(PullStoppedError) as stop:
        ChangePull(client, tmp_path, limit=20).run("2018-01-01")
    stand_in.software.faults.__init__()  # type: ignore[misc]
    assert stop.value.code == LASTING[fault]
    assert stop.value.exit_status in (ExitStatus.ENVIRONMENT, ExitStatus.STOPPED)
    assert not (tmp_path / "changes.jsonl").exists()
    path, summary = ChangePull(stand_in.client(), tmp_path, limit=20).run("2018-01-01")
    assert summary.records == stand_in.versions()
    assert len(path.read_text(encoding="utf-8").splitlines()) == summary.records


@pytest.mark.parametrize("fault", ["429", "500", "cut", "token_expired", "html_login", "slow"])
def test_a_workbook_comes_whole_or_not_at_all(stand_in: StandIn, fault: str, tmp_path: Path) -> None:
    client = stand_in.client(page_deadline=0.3 if fault == "slow" else 5.0)
    export = client.exports(client.communes()[0])[0]
    stand_in.software.faults.add(fault, 1)
    client.download(export, tmp_path / "list")
    assert hashlib.sha256((tmp_path / "list").read_bytes()).hexdigest() == export.sha256


@pytest.mark.bad_input("BI127")
def test_the_stand_in_s_certificate_is_trusted_only_where_it_is_named(nation: Path) -> None:
    with running(nation, tls=True) as found:
        with pytest.raises(PullStoppedError, match="API-TLS"):
            found.client().communes()
        assert len(found.client(ca_file=nation / "software" / "server.crt").communes()) >= 4
