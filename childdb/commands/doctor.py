"""``childdb doctor``: say whether this machine and configuration can run, and what to do if not."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from childdb.cli import emit
from childdb.database import Role, open_database
from childdb.errors import ChilddbError, ExitStatus
from childdb.orchestration.services import choose_port
from childdb.settings import Settings, load_settings
from childdb.vault.keys import open_keys
from childdb.workspace import Workspace

FREE_BYTES = 2 * 1024**3
MEMORY_BYTES = 3 * 1024**3


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is well, and what to do if not."""

    name: str
    is_well: bool
    message: str


def configure(parser: argparse.ArgumentParser) -> None:
    """The command has no options of its own."""


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Look at everything, print it and say whether childdb can run."""
    settings = load_settings()
    checks = list(_checks(settings))
    well = all(check.is_well for check in checks)
    lines = [f"{'✓' if check.is_well else '✗'} {check.name}: {check.message}" for check in checks]
    emit(arguments, {"can_run": well, "checks": [asdict(check) for check in checks]}, lines)
    return ExitStatus.DONE if well else ExitStatus.ENVIRONMENT


def _checks(settings: Settings) -> Iterator[Check]:
    yield _attempt("workspace", lambda: f"{Workspace(settings.home).prepare().home} can be written")
    yield _python()
    yield _disk(settings)
    yield _memory()
    yield _attempt("portal port", lambda: _port(settings.portal_port, "the portal"))
    yield _attempt("scheduler port", lambda: _port(settings.scheduler_port, "the scheduler"))
    yield _attempt("database", lambda: _database(settings))


def _attempt(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except ChilddbError as error:
        return Check(name, False, error.message_en)
    except OSError as error:
        return Check(name, False, f"{error.strerror}; free space or give rights, then look again")


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("python", sys.version_info[:2] == (3, 11), f"{version} (3.11 is needed)")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.home if settings.home.exists() else settings.home.parent).free
    return Check(
        "disk", free >= FREE_BYTES, f"{free // 1024**2} MiB free, {FREE_BYTES // 1024**2} MiB are needed"
    )


def _memory() -> Check:
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Check(
        "memory", size >= MEMORY_BYTES, f"{size // 1024**2} MiB, {MEMORY_BYTES // 1024**2} MiB are needed"
    )


def _port(wanted: int | None, what: str) -> str:
    return f"{choose_port(wanted, what)} is free"


def _database(settings: Settings) -> str:
    with open_database(settings) as database, database.connect(Role.MATCHER) as connection:
        open_keys(Workspace(settings.home), connection)
        version = connection.info.server_version // 10000
    return f"PostgreSQL {version}, prepared, and the key fits"
