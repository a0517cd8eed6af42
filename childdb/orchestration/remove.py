"""``make clean``: stop what runs and remove what lies outside the checkout."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys

from childdb.database.access import stop_server
from childdb.database.server import server_folder
from childdb.errors import ChilddbError
from childdb.orchestration.services import stop_services
from childdb.settings import Settings, load_settings


def main() -> int:
    """Stop the workspace's processes and remove the embedded server's folder."""
    settings = load_settings()
    if settings.home.exists():
        with contextlib.suppress(ChilddbError):
            stop_services(settings)
        with contextlib.suppress(ChilddbError):
            stop_server(settings)
        remove_server_folder(settings)
    return 0


def remove_server_folder(settings: Settings) -> None:
    """Remove what the embedded server keeps outside the workspace, when childdb runs as root."""
    if os.geteuid() == 0:
        shutil.rmtree(server_folder(settings), ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
