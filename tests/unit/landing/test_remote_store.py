"""Landing in an S3-compatible store: a real server of that protocol on the loopback."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from childdb.errors import ConfigurationError, EnvironmentFailedError, InputRefusedError
from childdb.landing import land_file, opened_landed
from childdb.landing.remote import RemoteStore, open_remote

KEY = bytes(range(32))
CONTENT = b"invented list of children " * 400_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks S3, with an empty bucket."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = "from moto.moto_server.werkzeug_app import *; from moto.server import main; main(['-H','127.0.0.1','-p','%d'])"
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    process = subprocess.Popen([sys.executable, "-c", program % port], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _make_bucket(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _make_bucket(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(
                urllib.request.Request(f"{address}/landing", method="PUT"), timeout=5
            ).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the S3 server did not come up")


@pytest.fixture
def remote(server: str, tmp_path: Path) -> RemoteStore:
    (tmp_path / "keys").write_text("invented\ninvented-secret\n", encoding="ascii")
    return open_remote(f"s3://landing/xa/{tmp_path.name}?endpoint={server}", tmp_path / "keys")


def landed(remote: RemoteStore, folder: Path, content: bytes) -> tuple[str, bool]:
    (folder / "list.xlsx").write_bytes(content)
    (folder / "store").mkdir(exist_ok=True)
    found = land_file(folder / "list.xlsx", folder / "store", KEY, remote=remote, size_limit=10**9)
    return found.sha256, found.is_new


def test_bytes_go_in_once_sealed_and_come_back_checked(remote: RemoteStore, tmp_path: Path) -> None:
    sha256, is_new = landed(remote, tmp_path, CONTENT)
    assert (sha256, is_new) == (hashlib.sha256(CONTENT).hexdigest(), True)
    assert landed(remote, tmp_path, CONTENT) == (sha256, False)
    with remote.open(sha256) as stored:
        sealed = stored.read()
    assert CONTENT[:100] not in sealed
    with opened_landed(tmp_path / "store", sha256, KEY, tmp_path, remote) as path:
        assert path.read_bytes() == CONTENT
    assert not list(tmp_path.glob(f"{sha256[:16]}*"))
    assert not list((tmp_path / "store").iterdir())


def test_what_is_refused_leaves_nothing_behind(remote: RemoteStore, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(CONTENT)
    with pytest.raises(InputRefusedError, match="limit"):
        land_file(tmp_path / "big", tmp_path, KEY, remote=remote, size_limit=1000)
    from pyarrow.fs import FileSelector

    selector = FileSelector(remote.base, recursive=True, allow_not_found=True)
    assert not [info for info in remote.filesystem.get_file_info(selector) if info.is_file]


def test_a_changed_object_is_found(remote: RemoteStore, tmp_path: Path) -> None:
    sha256, _ = landed(remote, tmp_path, CONTENT)
    with remote.open(sha256) as stored:
        sealed = bytearray(stored.read())
    sealed[len(sealed) // 2] ^= 1
    with remote.filesystem.open_output_stream(f"{remote.base}/{sha256[:2]}/{sha256}") as sink:
        sink.write(bytes(sealed))
    with (
        pytest.raises(EnvironmentFailedError, match="damaged"),
        opened_landed(tmp_path / "store", sha256, KEY, tmp_path, remote),
    ):
        pass


def test_a_store_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a\nb\n", encoding="ascii")
    away = open_remote("s3://landing/x?endpoint=http://127.0.0.1:9", tmp_path / "keys")
    with pytest.raises(EnvironmentFailedError, match="does not answer"):
        landed(away, tmp_path, b"x")


@pytest.mark.parametrize(
    "url", ["https://bucket", "s3://", "s3://b?endpoint=http://store.example.org", "s3://b?verify=false"]
)
def test_addresses_that_cannot_be_trusted_are_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a\nb\n", encoding="ascii")
    with pytest.raises(ConfigurationError):
        open_remote(url, tmp_path / "keys")


def test_a_key_file_without_two_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("one\n", encoding="ascii")
    for path in (tmp_path / "keys", tmp_path / "none", None):
        with pytest.raises(ConfigurationError):
            open_remote("s3://b?endpoint=https://store.example.org", path)
