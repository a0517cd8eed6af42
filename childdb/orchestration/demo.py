"""``make demo``: the whole main job on the synthetic nation, through the real scheduler."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from childdb.cli import leave_in_order, report
from childdb.errors import ChilddbError, EnvironmentFailedError, machine_error
from childdb.flow.runs import Run
from childdb.flow.summary import lines, manifest_digest, places, summarise
from childdb.orchestration.approval import answer
from childdb.orchestration.run import Ending, drive, new_run_id, opened
from childdb.orchestration.services import choose_port
from childdb.settings import Settings, load_settings, process_environment
from childdb.workspace import Workspace, write_private

CHILDREN = 20_000
SEED = 2026
PROFILE = "default"
APPROVERS = ("sandbox_approver_1", "sandbox_approver_2")
SERVED_SHARE = 2


def main() -> int:
    """Run the demonstration and return its exit status."""
    signal.signal(signal.SIGTERM, leave_in_order)
    try:
        return int(_demonstrate(demo_settings(load_settings())))
    except ChilddbError as error:
        return report(error, as_json=False)
    except OSError as error:
        return report(machine_error(error), as_json=False)


def demo_settings(settings: Settings) -> Settings:
    """Return the settings of the demonstration: two approvers that exist in the sandbox only."""
    return dataclasses.replace(settings, approvers=",".join(APPROVERS))


def _demonstrate(settings: Settings) -> int:
    workspace = Workspace(settings.home).prepare()
    _say(f"1/4 Dân số tổng hợp / the synthetic nation: {CHILDREN} children, seed {SEED}, errors '{PROFILE}'")
    nation = _nation(workspace)
    with _entry_software(settings, workspace, nation) as pulling:
        _say("2/4 Chạy quy trình / the main job, through the scheduler")
        with opened(pulling) as (database, api):
            ending = drive(pulling, database, api, _run(workspace, nation))
            if ending.error is not None:
                raise ending.error
            _say("3/4 Phê duyệt / approval")
            if ending.status == "awaiting_approval":
                _approve(pulling, database, api, ending)
            summary = summarise(settings, database)
    _say("4/4 Kết quả / results")
    for line in (*lines(summary), *places(settings, ending.release_id)):
        print(line)
    assert ending.release_id is not None  # noqa: S101 - a run without an error has a release
    print(f"{ending.release_id} {manifest_digest(settings, ending.release_id)}")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _nation(workspace: Workspace) -> Path:
    """Return the folder of the synthetic nation, generated once for these parameters."""
    folder = workspace.sandbox / f"{CHILDREN}-{SEED}-{PROFILE}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        words = [
            "sandbox",
            "generate",
            "--children",
            str(CHILDREN),
            "--seed",
            str(SEED),
            "--profile",
            PROFILE,
        ]
        _command(*words, "--out", str(folder))
        (folder / "complete").touch()
    _split(workspace, folder)
    return folder


def _split(workspace: Workspace, nation: Path) -> None:
    """Give every second export to the entry software's stand-in and the others to the drop folder."""
    drop, served = workspace.sandbox / "drop", workspace.sandbox / "served"
    for folder in (drop, served):
        shutil.rmtree(folder, ignore_errors=True)
    drop.mkdir(parents=True)
    shutil.copytree(nation, served, ignore=shutil.ignore_patterns("population", "register"))
    with open(nation / "truth" / "files.csv", encoding="utf-8", newline="") as file:
        files = list(csv.DictReader(file))
    kept = files[::SERVED_SHARE]
    with open(served / "truth" / "files.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, files[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    names = {entry["file_name"] for entry in kept}
    for export in sorted((nation / "exports").iterdir()):
        if export.name not in names:
            shutil.copy2(export, drop)
            (served / "exports" / export.name).unlink()


def _command(*words: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "childdb.cli", *words], stdout=subprocess.DEVNULL, check=False
    )
    if finished.returncode != 0:
        raise EnvironmentFailedError(
            f"'childdb {' '.join(words[:2])}' failed with status {finished.returncode}."
        )


@contextmanager
def _entry_software(settings: Settings, workspace: Workspace, nation: Path) -> Iterator[Settings]:
    """Yield settings that pull from the stand-in, which runs as long as the context."""
    port = choose_port(None, "the entry software's stand-in")
    served = workspace.sandbox / "served"
    account = json.loads((served / "software" / "account.json").read_text(encoding="utf-8"))
    secret = workspace.secrets / "sandbox-password"
    write_private(secret, account["password"].encode())
    with open(workspace.logs / "sandbox-server.log", "ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "childdb.cli",
                "sandbox",
                "serve",
                "--data",
                str(served),
                "--port",
                str(port),
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=process_environment(),
        )
    try:
        _await_port(port, process)
        address = f"http://127.0.0.1:{port}"
        yield dataclasses.replace(
            settings, treem_url=address, treem_username=account["username"], treem_password_file=secret
        )
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    import socket

    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise EnvironmentFailedError("The entry software's stand-in did not start; see logs/sandbox-server.log.")


def _run(workspace: Workspace, nation: Path) -> Run:
    population = nation / "population" / "population.parquet"
    return Run(new_run_id(), str(workspace.sandbox / "drop"), str(population), True, None, None)


def _approve(settings: Settings, database: object, api: object, ending: Ending) -> None:
    for name in APPROVERS:
        state = answer(settings, database, api, str(ending.release_id), name)  # type: ignore[arg-type]
        _say(f"  ✓ {name} (tài khoản thử nghiệm / a sandbox-only account): {state}")


if __name__ == "__main__":
    sys.exit(main())
