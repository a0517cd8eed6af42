"""The stand-in answers as its interface says, and fails as it is told to."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from childdb.errors import ConfigurationError, EnvironmentFailedError
from childdb.sandbox.server import make_server, software_of
from childdb.sandbox.software import Software

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def server(nations: dict[str, Path]) -> Iterator[ThreadingHTTPServer]:
    running = make_server(nations["default"], 0, slow_seconds=0.3)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


class Client:
    """A plain client of one server."""

    def __init__(self, server: ThreadingHTTPServer, data: Path) -> None:
        self.port = int(server.server_address[1])
        self.account = json.loads((data / "software" / "account.json").read_text())
        self.token = ""

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def login(self) -> int:
        status, _, body = self.ask("POST", "/api/auth/login", self.account)
        self.token = json.loads(body).get("token", "")
        return status

    def get(self, path: str) -> dict[str, Any]:
        status, _, body = self.ask("GET", path)
        assert status == 200
        found: dict[str, Any] = json.loads(body)
        return found


@pytest.fixture
def client(server: ThreadingHTTPServer, nations: dict[str, Path]) -> Client:
    made = Client(server, nations["default"])
    assert made.login() == 200
    return made


def test_nothing_is_given_without_a_token(client: Client) -> None:
    client.token = "other"
    assert client.ask("GET", "/api/communes")[0] == 401
    assert client.ask("POST", "/api/auth/login", {"username": "x", "password": "y"})[0] == 401


def test_every_list_can_be_found_and_downloaded(client: Client, nations: dict[str, Path]) -> None:
    found = {}
    for commune in client.get("/api/communes")["items"]:
        assert commune["commune_name"] and len(commune["province_code"]) == 2
        for export in client.get(f"/api/communes/{commune['commune_code']}/exports")["items"]:
            found[export["file_name"]] = export
    assert set(found) == {path.name for path in (nations["default"] / "exports").iterdir()}
    export = found[sorted(found)[0]]
    status, headers, body = client.ask("GET", f"/api/exports/{export['export_id']}/file")
    assert (
        status == 200 and len(body) == export["size"] and hashlib.sha256(body).hexdigest() == export["sha256"]
    )
    assert headers["ETag"] == f'"{export["sha256"]}"'


def test_pages_hold_every_record_once_in_order(client: Client) -> None:
    seen: list[tuple[str, str]] = []
    cursor, total = "", -1
    while True:
        page = client.get(f"/api/children?limit=400{'&cursor=' + cursor if cursor else ''}")
        total = page["total"]
        seen += [(item["changed_at"], item["ma_tre"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert len(seen) == total == len(set(seen)) and seen == sorted(seen)
    since = seen[len(seen) // 2][0]
    later = client.get(f"/api/children?limit=1000&changed_since={since.replace('+', '%2B')}")
    assert later["total"] == sum(changed >= since for changed, _ in seen)


def test_a_folder_with_a_part_of_the_lists_offers_the_records_of_those_communes(
    nations: dict[str, Path], tmp_path: Path
) -> None:
    whole = Software(nations["default"])
    part = tmp_path / "part"
    shutil.copytree(nations["default"], part)
    lists = (part / "truth" / "files.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (part / "truth" / "files.csv").write_text("".join(lists[:3]), encoding="utf-8")
    offered = Software(part)
    codes = {commune["commune_code"] for commune in offered.communes()}
    assert codes < {commune["commune_code"] for commune in whole.communes()}
    assert 0 < count(offered) < count(whole)


def count(software: Software) -> int:
    return int(software.children("", None, 1)["total"])


def test_planned_faults_happen_once_each(client: Client) -> None:
    def plan(kind: str) -> None:
        assert client.ask("POST", "/sandbox/faults", {"kind": kind, "times": 1})[0] == 200

    for kind, status in (("429", 429), ("500", 500), ("redirect", 302)):
        plan(kind)
        answer = client.ask("GET", "/api/communes")
        assert answer[0] == status and (kind != "429" or answer[1]["Retry-After"] == "1")
        assert client.ask("GET", "/api/communes")[0] == 200
    plan("html_login")
    status, headers, body = client.ask("GET", "/api/communes")
    assert status == 200 and headers["Content-Type"].startswith("text/html") and b"<html>" in body
    plan("cut")
    with pytest.raises(http.client.IncompleteRead):
        client.ask("GET", "/api/communes")
    plan("slow")
    begun = time.monotonic()
    assert client.ask("GET", "/api/communes")[0] == 200 and time.monotonic() - begun >= 0.3
    plan("token_expired")
    assert client.ask("GET", "/api/communes")[0] == 401
    assert client.login() == 200 and client.ask("GET", "/api/communes")[0] == 200
    assert client.ask("POST", "/sandbox/faults", {"kind": "unheard of"})[0] == 400


def test_paging_faults(client: Client, server: ThreadingHTTPServer) -> None:
    first = client.get("/api/children?limit=100")
    software_of(server).faults.add("total_changes", 1)
    assert client.get("/api/children?limit=100")["total"] == first["total"] + 1
    software_of(server).faults.add("repeat_page", 1)
    second = client.get(f"/api/children?limit=100&cursor={first['next_cursor']}")
    assert second["next_cursor"] == first["next_cursor"]
    assert client.ask("GET", "/api/children?cursor=%21%21")[0] == 400


def test_tls_is_trusted_by_its_own_certificate_only(nations: dict[str, Path]) -> None:
    running = make_server(nations["none"], 0, tls=True)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        port = int(running.server_address[1])
        trusted = ssl.create_default_context(cafile=str(nations["none"] / "software" / "server.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusted, timeout=10)
        connection.request("GET", "/api/communes")
        assert connection.getresponse().status == 401
        connection.close()
        with pytest.raises(ssl.SSLError):
            http.client.HTTPSConnection(
                "127.0.0.1", port, context=ssl.create_default_context(), timeout=10
            ).request("GET", "/")
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def test_a_port_in_use_and_an_empty_folder_are_told(
    server: ThreadingHTTPServer, nations: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(EnvironmentFailedError, match="in use"):
        make_server(nations["none"], int(server.server_address[1]))
    with pytest.raises(ConfigurationError, match="no exports"):
        make_server(tmp_path, 0)
