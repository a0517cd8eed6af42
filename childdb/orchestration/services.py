"""The scheduler's processes: started in sessions of their own, found again, stopped whole."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from childdb.database import Database
from childdb.errors import EnvironmentFailedError
from childdb.orchestration.airflow_api import AirflowApi
from childdb.orchestration.airflow_home import (
    SERVICE_ACCOUNT,
    account_passwords,
    airflow_environment,
    write_airflow_home,
)
from childdb.settings import Settings
from childdb.workspace import Workspace

START_SECONDS = 180.0
SERVED = "served.port"


@dataclass(frozen=True)
class Service:
    """One process of the scheduler and the words that start it."""

    name: str
    words: tuple[str, ...]


def _services(port: int) -> tuple[Service, ...]:
    return (
        Service("api-server", ("api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")),
        Service("scheduler", ("scheduler", "--skip-serve-logs")),
        Service("dag-processor", ("dag-processor",)),
    )


def choose_port(wanted: int | None, what: str) -> int:
    """Return the wanted port of loopback if it is free, or any free one when none is wanted.

    Raises:
        EnvironmentFailedError: the wanted port is in use.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError:
            raise EnvironmentFailedError(
                f"Port {wanted} for {what} is in use. Stop the other program or choose another port, then repeat.",
                f"Cổng {wanted} ({what}) đang có chương trình khác dùng. Hãy dừng chương trình đó hoặc chọn cổng khác.",
            ) from None
        return int(probe.getsockname()[1])


@contextmanager
def scheduler(settings: Settings, database: Database) -> Iterator[AirflowApi]:
    """Yield the interface of a running scheduler; one that ``make up`` serves is left running."""
    served = served_api(settings)
    if served:
        yield served
        return
    stop_services(settings)
    api = start_services(settings, database)
    try:
        yield api
    finally:
        stop_services(settings)


def served_api(settings: Settings) -> AirflowApi | None:
    """Return the interface of the scheduler that ``make up`` serves, if it does and is healthy."""
    mark = Workspace(settings.home).airflow / SERVED
    if not mark.exists() or not are_services_running(settings):
        return None
    api = _api(settings, int(mark.read_text()))
    return api if api.is_healthy() else None


def mark_served(settings: Settings, api: AirflowApi) -> None:
    """Note that the scheduler's processes are to stay after this command."""
    (Workspace(settings.home).airflow / SERVED).write_text(api.base.rsplit(":", 1)[1])


def _api(settings: Settings, port: int) -> AirflowApi:
    return AirflowApi(
        f"http://127.0.0.1:{port}", SERVICE_ACCOUNT, account_passwords(settings)[SERVICE_ACCOUNT]
    )


def start_services(settings: Settings, database: Database) -> AirflowApi:
    """Start the scheduler's processes and return its interface once it is healthy."""
    port = choose_port(settings.scheduler_port, "the scheduler (CHILDDB_SCHEDULER_PORT)")
    write_airflow_home(settings, database, port)
    _migrate(settings)
    for service in _services(port):
        _start(settings, service)
    api = _api(settings, port)
    _await_health(settings, api)
    return api


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "airflow", *words]


def _migrate(settings: Settings) -> None:
    workspace = Workspace(settings.home)
    with open(workspace.logs / "airflow-migrate.log", "ab") as log:
        finished = subprocess.run(
            _command(["db", "migrate"]),
            env=airflow_environment(settings),
            stdout=log,
            stderr=log,
            check=False,
            cwd=workspace.airflow,
        )
    if finished.returncode != 0:
        raise EnvironmentFailedError(
            f"The scheduler's own database could not be prepared. See {workspace.logs / 'airflow-migrate.log'}, "
            "check that the database server runs and has space, then repeat.",
        )


def _pid_file(settings: Settings, name: str) -> Path:
    return Workspace(settings.home).airflow / f"{name}.session"


def _start(settings: Settings, service: Service) -> None:
    workspace = Workspace(settings.home)
    with open(workspace.logs / f"airflow-{service.name}.log", "ab") as log:
        process = subprocess.Popen(
            _command(service.words),
            env=airflow_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=workspace.airflow,
        )
    _pid_file(settings, service.name).write_text(f"{process.pid} {_start_time(process.pid)}\n")


def _start_time(pid: int) -> str:
    """Return when a process started, in clock ticks since boot: with the id it names one process only."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""


def _await_health(settings: Settings, api: AirflowApi) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if api.is_healthy():
            return
        dead = dead_services(settings)
        if dead:
            raise EnvironmentFailedError(
                f"The scheduler's process '{dead[0]}' ended at its start. See the logs in "
                f"{Workspace(settings.home).logs}, then repeat the command.",
            )
        time.sleep(0.5)
    raise EnvironmentFailedError(
        f"The scheduler was not ready after {START_SECONDS:.0f} seconds. The machine may be overloaded: repeat later.",
    )


def dead_services(settings: Settings) -> list[str]:
    """Return the names of the scheduler's processes that were started and run no more."""
    return [s.name for s in _services(0) if (known := _recorded(settings, s.name)) and not _is_alive(*known)]


def _recorded(settings: Settings, name: str) -> tuple[int, str] | None:
    try:
        pid, started = _pid_file(settings, name).read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid), started


def _is_alive(pid: int, started: str) -> bool:
    if _start_time(pid) != started:
        return False
    with contextlib.suppress(OSError, ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def are_services_running(settings: Settings) -> bool:
    """Whether every process of the scheduler runs."""
    return all((known := _recorded(settings, s.name)) and _is_alive(*known) for s in _services(0))


def stop_services(settings: Settings) -> None:
    """Stop the scheduler's processes with everything they started, also after a crash of childdb itself."""
    sessions = [
        known[0] for s in _services(0) if (known := _recorded(settings, s.name)) and _owns(settings, *known)
    ]
    for sent, seconds in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        _signal_members(sessions, sent)
        deadline = time.monotonic() + seconds
        while _members(sessions) and time.monotonic() < deadline:
            _reap(sessions)
            time.sleep(0.2)
    for service in _services(0):
        _pid_file(settings, service.name).unlink(missing_ok=True)
    (Workspace(settings.home).airflow / SERVED).unlink(missing_ok=True)


def _owns(settings: Settings, pid: int, started: str) -> bool:
    """Whether a session is still ours: its leader lives, or some member carries this workspace's home."""
    if _start_time(pid) == started:
        return True
    mark = f"AIRFLOW_HOME={Workspace(settings.home).airflow}".encode()
    for member in _members([pid]):
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{member}/environ").read_bytes().split(b"\0"):
                return True
    return False


def _members(sessions: Sequence[int]) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[3]) in sessions and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def _signal_members(sessions: Sequence[int], sent: signal.Signals) -> None:
    for member in _members(sessions):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, sent)


def _reap(sessions: Sequence[int]) -> None:
    for session in sessions:
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(session, os.WNOHANG)
