"""The entry software misbehaves: the pull resumes or stops whole, says why, and the next run completes it."""

from __future__ import annotations

import ast
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faulty_source import Served, Source, serve

from childdb.errors import ConfigurationError, ExitStatus
from connectors.http import Clock, HttpClient, HttpPolicy, PullStoppedError
from connectors.treem import ChangePull, TreemClient

TRIES = {"attempts": 3, "first_wait": 0.01, "longest_wait": 0.02, "page_deadline": 0.6, "read_timeout": 1.0}


class Waits:
    """A clock whose sleeping costs nothing and is remembered."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(
            sleep=self.slept.append,
            wall=lambda: datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC),
            jitter=lambda: 0.5,
        )


def client_of(served: Served, waits: Waits | None = None, **changes: object) -> TreemClient:
    policy = HttpPolicy(base_url=served.url, **{**TRIES, **changes})  # type: ignore[arg-type]
    return TreemClient(HttpClient(policy, (waits or Waits()).clock()), "loader", lambda: "invented")


def test_workbooks_are_listed_and_fetched(served: Served, tmp_path: Path) -> None:
    client = client_of(served)
    (commune,) = client.communes()
    (export,) = client.exports(commune)
    client.download(export, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == served.source.files["e1"]
    assert served.source.logins == 1


@pytest.mark.parametrize(
    "fault", ["429", "429-date", "500", "503", "cut", "cut-gzip", "reset", "slow", "html", "forget"]
)
def test_a_passing_fault_is_survived(served: Served, fault: str) -> None:
    waits = Waits()
    client = client_of(served, waits)
    client.communes()
    served.source.faults.append(fault)
    assert [commune.code for commune in client.communes()] == ["02647"]
    if fault.startswith("429"):
        assert max(waits.slept) >= (1.0 if fault == "429" else 5.0)


STOPS = {
    "html": ("html", 2, "API-LOGIN"), "html-as-json": ("html-as-json", 2, "API-LOGIN"), "empty": ("empty", 1, "API-JSON"),
    "error-200": ("error-200", 1, "API-SCHEMA"), "redirect": ("redirect", 1, "API-REDIRECT"), "bomb": ("bomb", 1, "API-BOMB"),
    "duplicate-keys": ("duplicate-keys", 1, "API-JSON"), "nan": ("nan", 1, "API-JSON"),
    "429-years": ("429-years", 1, "API-THROTTLE"), "500 for ever": ("500", 3, "API-TRANSIENT"),
    "cut for ever": ("cut", 3, "API-TRUNCATED"), "slow for ever": ("slow", 3, "API-TRANSIENT"),
    "token refused twice": ("forget", 2, "API-AUTH"),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPS)
def test_a_lasting_fault_stops_with_its_reason(served: Served, case: str) -> None:
    fault, times, code = STOPS[case]
    client = client_of(served)
    client.communes()
    served.source.faults.extend([fault] * times)
    with pytest.raises(PullStoppedError) as stop:
        client.communes()
    assert stop.value.code == code
    assert "token" not in stop.value.message_en and "invented" not in stop.value.message_en
    served.source.faults.clear()
    assert client.communes()


def test_foreign_redirect_never_sees_the_token(served: Served) -> None:
    client = client_of(served)
    client.communes()
    served.source.faults.append("redirect")
    with pytest.raises(PullStoppedError, match="API-REDIRECT"):
        client.communes()


def test_a_certificate_nobody_vouches_for_stops(certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server, served = serve(Source(), context)
    try:
        for ca_file in (None, certificate[0]):  # unknown authority, then known authority but another host
            with pytest.raises(PullStoppedError) as stop:
                client_of(served, ca_file=ca_file).communes()
            assert stop.value.code == "API-TLS"
    finally:
        server.shutdown()
        server.server_close()


def test_no_setting_turns_certificate_checks_off() -> None:
    source = Path(__file__).parents[3].joinpath("connectors/http.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    values = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Attribute) and t.attr == "verify" for t in node.targets)
    ]
    assert values
    assert not any(
        isinstance(part, ast.Constant) and part.value is False for value in values for part in ast.walk(value)
    )
    assert not any(isinstance(node, ast.keyword) and node.arg == "verify" for node in ast.walk(tree))


def test_addresses_that_cannot_be_trusted_are_refused() -> None:
    for address in ("http://example.org", "ftp://example.org", "https://user:secret@example.org"):
        with pytest.raises(ConfigurationError):
            HttpPolicy(base_url=address)


def test_changes_are_pulled_page_by_page(served: Served, tmp_path: Path) -> None:
    served.source.rows[3]["deleted"] = True
    path, summary = ChangePull(client_of(served), tmp_path, limit=10).run("2026-01-01")
    assert (summary.records, summary.deleted) == (25, 1)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 25
    assert "changed_since=2025-12-31" in served.source.asked[0]


def test_an_interrupted_pull_resumes_at_its_page(served: Served, tmp_path: Path) -> None:
    def fail_on_second(page: int) -> None:
        if page == 2:
            served.source.faults.extend(["500"] * 3)

    served.source.on_page = fail_on_second
    with pytest.raises(PullStoppedError, match="API-TRANSIENT") as stop:
        ChangePull(client_of(served), tmp_path, limit=10).run("2026-01-01")
    assert stop.value.exit_status is ExitStatus.ENVIRONMENT
    served.source.on_page = None
    served.source.asked.clear()
    _, summary = ChangePull(client_of(served), tmp_path, limit=10).run("2026-01-01")
    assert summary.records == 25
    assert ["cursor=20" in path for path in served.source.asked] == [True]


def test_a_total_that_moves_once_is_pulled_again(served: Served, tmp_path: Path) -> None:
    def grow(page: int) -> None:
        if page == 2:
            served.source.rows.append({**served.source.rows[0], "ma_tre": "2499999999"})

    served.source.on_page = grow
    _, summary = ChangePull(client_of(served), tmp_path, limit=10).run("2026-01-01")
    assert summary.records == 26


def test_a_total_that_never_rests_stops_after_three_pulls(served: Served, tmp_path: Path) -> None:
    def grow(page: int) -> None:
        served.source.rows.append({**served.source.rows[0], "ma_tre": f"25{page:08d}"})

    served.source.on_page = grow
    with pytest.raises(PullStoppedError, match="API-DRIFT"):
        ChangePull(client_of(served), tmp_path, limit=10).run("2026-01-01")
    served.source.on_page = None
    _, summary = ChangePull(client_of(served), tmp_path, limit=10).run("2026-01-01")
    assert summary.records == len(served.source.rows)


def test_a_page_loop_stops_at_the_first_repeat(served: Served, tmp_path: Path) -> None:
    client = client_of(served)
    first = client.page("2026-01-01", None, 10)
    looping = replace(first, next_cursor="10")
    client.page = lambda since, cursor, limit: looping  # type: ignore[method-assign]
    with pytest.raises(PullStoppedError, match="API-LOOP"):
        ChangePull(client, tmp_path, limit=10).run("2026-01-01")
    assert not list(tmp_path.glob("page-*"))


def test_an_empty_page_before_the_end_stops(served: Served, tmp_path: Path) -> None:
    client = client_of(served)
    client.page = lambda since, cursor, limit: replace(  # type: ignore[method-assign]
        TreemClient.page(client, since, None, 10), items=(), next_cursor=None
    )
    with pytest.raises(PullStoppedError, match="API-SCHEMA"):
        ChangePull(client, tmp_path, limit=10).run("2026-01-01")


def test_versions_are_kept_once_and_conflicts_reported(served: Served, tmp_path: Path) -> None:
    same, other = dict(served.source.rows[0]), {**served.source.rows[0], "ghi_chu": "khác"}
    served.source.rows.extend([same, other])
    _, summary = ChangePull(client_of(served), tmp_path, limit=50).run("2026-01-01")
    assert (summary.repeated, len(summary.conflicts), summary.records) == (1, 1, 26)


def test_a_workbook_that_differs_from_its_announcement_is_not_kept(served: Served, tmp_path: Path) -> None:
    client = client_of(served)
    (export,) = client.exports(client.communes()[0])
    served.source.files["e1"] = b"other bytes"
    with pytest.raises(PullStoppedError, match="API-DRIFT"):
        client.download(export, tmp_path / "a")
    assert not (tmp_path / "a").exists()
