"""What the machine may do to a run: no room on a disk, a port in use; and serving, which is up and then gone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.job_support import Job, open_job

pytestmark = pytest.mark.flow
MIB = 1 << 20


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with open_job(tmp_path_factory.mktemp("job"), children=600, seed=5, communes=6) as opened:
        yield opened


@contextmanager
def small_disk(size_mib: int) -> Iterator[Path]:
    """Yield a folder that every account may enter, on a disk of its own that holds very little."""
    folder = Path(tempfile.mkdtemp(prefix="childdb-small-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def fill(folder: Path, *, leave: int) -> Path:
    """Write until only that many bytes are left, and return the file to remove again."""
    ballast = folder / "ballast"
    free = shutil.disk_usage(folder).free
    with open(ballast, "wb") as file:
        for _ in range(max(0, free - leave) // 4096):
            file.write(b"\1" * 4096)
    return ballast


def run(job: Job) -> subprocess.CompletedProcess[str]:
    population = str(job.nation / "population" / "population.parquet")
    return job.command("run", "--drop", str(job.nation / "exports"), "--population", population)


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


@root_only
@pytest.mark.parametrize("leave", [20_000, 1_500_000, 6_000_000])
def test_a_full_disk_is_one_sentence_and_the_next_run_ends(tmp_path: Path, leave: int) -> None:
    with (
        small_disk(64) as disk,
        open_job(tmp_path, children=300, seed=6, communes=4, CHILDDB_HOME=str(disk / "var")) as job,
    ):
        assert job.command("release", "list").returncode == 0
        ballast = fill(disk, leave=leave)
        done = run(job)
        assert done.returncode == 4, done.stderr
        assert "The disk is full." in done.stderr.splitlines()[-2]
        assert "Traceback" not in done.stderr
        ballast.unlink()
        assert run(job).returncode == 0


@root_only
def test_a_full_disk_of_the_database_is_the_same_sentence(tmp_path: Path) -> None:
    with (
        small_disk(700) as disk,
        open_job(tmp_path, children=300, seed=6, communes=4, CHILDDB_SYSTEM_DIR=str(disk / "system")) as job,
    ):
        if job.settings.database_url:
            return  # that disk is its operator's
        assert job.command("release", "list").returncode == 0
        ballast = fill(disk, leave=3 * MIB)
        done = run(job)
        assert done.returncode == 4, done.stderr
        assert "The disk is full." in done.stderr
        assert "Traceback" not in done.stderr
        ballast.unlink()
        assert run(job).returncode == 0


def test_serving_is_up_with_portal_and_scheduler_and_then_gone(job: Job) -> None:
    assert run(job).returncode == 0
    release = json.loads(job.command("release", "list", "--json").stdout)["releases"][0]["release_id"]
    up = json.loads(job.command("serve", "up", "--json").stdout)
    try:
        assert status_of(f"{up['portal']}/vi") == 200
        assert status_of(f"{up['scheduler']}/api/v2/monitor/health") == 200
        again = json.loads(job.command("serve", "up", "--json").stdout)
        assert status_of(f"{again['portal']}/vi") == 200
        for name in job.settings.approver_names:
            assert job.command("release", "approve", release, "--as", name).returncode == 0
        assert release in json.dumps(json_of(f"{again['portal']}/api/releases"))
    finally:
        assert job.command("serve", "down").returncode == 0
    for address in (again["portal"], again["scheduler"]):
        with pytest.raises(urllib.error.URLError):
            status_of(address)
    assert not left_over(job)


def test_a_portal_port_in_use_is_one_sentence(job: Job) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        blocked = Job(job.settings, job.nation, job.environment | {"CHILDDB_PORTAL_PORT": port})
        done = blocked.command("serve", "up")
    assert done.returncode == 4
    assert f"Port {port}" in done.stderr
    assert job.command("serve", "down").returncode == 0


def status_of(address: str) -> int:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return int(answer.status)


def left_over(job: Job) -> list[str]:
    """Return the commands of processes that still work in the workspace."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(job.settings.home) in line]


def json_of(address: str) -> object:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return json.load(answer)
