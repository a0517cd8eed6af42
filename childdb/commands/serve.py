"""``childdb serve``: serve what the last run left, or stop serving it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from childdb.cli import emit
from childdb.database.access import ready_database, start_server, stop_server
from childdb.errors import EnvironmentFailedError, ExitStatus
from childdb.orchestration.demo import demo_settings
from childdb.orchestration.services import choose_port, mark_served, served_api, start_services, stop_services
from childdb.settings import Settings, load_settings, process_environment
from childdb.workspace import Workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("action", choices=("up", "down"), help="serve, or stop serving")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Serve database, scheduler and portal on loopback, or stop them."""
    settings = load_settings()
    Workspace(settings.home).prepare()
    if not settings.approver_names and (Workspace(settings.home).sandbox).exists():
        settings = demo_settings(settings)
    return _up(arguments, settings) if arguments.action == "up" else _down(arguments, settings)


def _up(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    _down_portal(settings)
    start_server(settings)
    database = ready_database(settings)
    api = served_api(settings)
    if api is None:
        stop_services(settings)
        api = start_services(settings, database)
        mark_served(settings, api)
    portal = _start_portal(settings)
    accounts = Workspace(settings.home).secrets / "accounts.json"
    lines = [
        f"Cổng thông tin / portal:      {portal}/vi",
        f"Bộ lập lịch / scheduler:      {api.base}   (tài khoản / accounts: {accounts})",
        "Dừng / stop: make down",
    ]
    emit(arguments, {"portal": portal, "scheduler": api.base}, lines)
    return ExitStatus.DONE


def _down(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    _down_portal(settings)
    stop_services(settings)
    stop_server(settings)
    emit(arguments, {"stopped": True}, ["Đã dừng / stopped."])
    return ExitStatus.DONE


def _pid_file(settings: Settings) -> Path:
    return Workspace(settings.home).secrets / "portal.pid"


def _start_portal(settings: Settings) -> str:
    port = choose_port(settings.portal_port, "the portal (CHILDDB_PORTAL_PORT)")
    workspace = Workspace(settings.home)
    environment = process_environment() | settings.as_environment()
    with open(workspace.logs / "portal.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "childdb.portal", "--host", "127.0.0.1", "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment,
        )  # fmt: skip
    _pid_file(settings).write_text(str(process.pid))
    _await_portal(port, process, workspace)
    return f"http://127.0.0.1:{port}"


def _await_portal(port: int, process: subprocess.Popen[bytes], workspace: Workspace) -> None:
    import socket

    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise EnvironmentFailedError(f"The portal did not start. See {workspace.logs / 'portal.log'}.")


def _down_portal(settings: Settings) -> None:
    path = _pid_file(settings)
    with contextlib.suppress(OSError, ValueError):
        pid = int(path.read_text())
        if b"childdb.portal" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
    path.unlink(missing_ok=True)
