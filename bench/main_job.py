"""The main job as a newcomer meets it: an empty clone, an empty HOME, `make demo` twice; time, and memory of all processes.

    python -m bench.main_job --account nobody --json

Memory is the proportional share (PSS) of every process that works in the clone's folder, the embedded database
included, added up twice a second: pages that several processes share are counted once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("PATH", "LANG", "PIP_", "SSL_", "REQUESTS_CA", "HTTP", "http", "NO_PROXY", "no_proxy")
"""What a newcomer's machine has too: where programs are, and how it reaches its package index."""


@dataclass(frozen=True)
class Start:
    """One start of ``make demo``."""

    seconds: float
    exit_status: int
    peak_gib: float
    answer: str
    """Release and manifest hash, as printed in the last line."""


def main() -> int:
    """Measure both starts and print them."""
    parser = argparse.ArgumentParser(prog="python -m bench.main_job", description=__doc__)
    parser.add_argument("--account", help="an ordinary account to run as (root only)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="childdb-newcomer-"))
    try:
        starts = _measure(folder, arguments.account)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    result = {
        "account": arguments.account or pwd.getpwuid(os.geteuid()).pw_name,
        "load": os.getloadavg()[0],
        "starts": [asdict(start) for start in starts],
    }
    print(json.dumps(result, indent=1) if arguments.json else "\n".join(map(str, starts)))
    return int(any(start.exit_status for start in starts))


def _measure(folder: Path, account: str | None) -> list[Start]:
    clone = folder / "childdb"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    (folder / "home").mkdir()
    folder.chmod(0o755)
    if account:
        subprocess.run(["chown", "-R", account, str(folder)], check=True)
    starts = [_start(folder, clone, account) for _ in range(2)]
    subprocess.run(_as(account, ["make", "clean"]), cwd=clone, env=_environment(folder), check=False)
    return starts


def _as(account: str | None, words: list[str]) -> list[str]:
    if account is None:
        return words
    return [
        "setpriv",
        f"--reuid={account}",
        f"--regid={pwd.getpwnam(account).pw_gid}",
        "--clear-groups",
        *words,
    ]


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    system = {"CHILDDB_SYSTEM_DIR": str(folder / "system")}
    return kept | system | {"HOME": str(folder / "home"), "TMPDIR": str(folder)}


def _start(folder: Path, clone: Path, account: str | None) -> Start:
    began = time.monotonic()
    process = subprocess.Popen(
        _as(account, ["make", "demo"]), cwd=clone, env=_environment(folder), stdout=subprocess.PIPE, text=True
    )
    watch = Watch(folder)
    watch.start()
    output, _ = process.communicate()
    seconds = time.monotonic() - began
    watch.stop()
    last = output.strip().splitlines()[-1:] or [""]
    return Start(round(seconds, 1), process.returncode, round(watch.peak / 2**30, 2), last[0])


class Watch(threading.Thread):
    """Adds up the memory of all processes that work below a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = str(folder)
        self.peak = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Look twice a second until stopped."""
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, sum(self._share(process) for process in psutil.process_iter()))

    def stop(self) -> None:
        """End the watch."""
        self._ended.set()
        self.join()

    def _share(self, process: psutil.Process) -> int:
        with contextlib.suppress(psutil.Error, OSError):
            words = " ".join([process.cwd(), *process.cmdline()])
            if self.folder in words and process.pid != os.getpid():
                return int(process.memory_full_info().pss)
        return 0


if __name__ == "__main__":
    sys.exit(main())
