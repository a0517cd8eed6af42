"""Faults of the embedded server, for tests of what survives them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from childdb.database.server import server_folder
from childdb.settings import Settings


def kill_postgres(settings: Settings) -> None:
    """Kill the server and every process it started at once, as a power cut would; return when it is gone."""
    pid = int((server_folder(settings) / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    # The server first: it would tell the others to end in order.
    for process in (pid, *map(int, started)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
