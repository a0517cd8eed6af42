"""Runs once before the other processes: roles and migrations, keys, the scheduler's configuration and its database."""

from __future__ import annotations

import subprocess
import sys

from childdb.database.access import ready_database
from childdb.errors import ChilddbError, ExitStatus
from childdb.orchestration.airflow_home import airflow_environment, write_airflow_home
from childdb.settings import load_settings
from childdb.workspace import Workspace

API_PORT = 8080


def main() -> int:
    """Prepare workspace, database and scheduler; return the exit status."""
    settings = load_settings()
    Workspace(settings.home).prepare()
    if len(set(settings.approver_names)) < 2:
        print(
            "childdb: CHILDDB_APPROVERS must name two people; no release can be approved before.",
            file=sys.stderr,
        )
    write_airflow_home(settings, ready_database(settings), API_PORT)
    finished = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=airflow_environment(settings), check=False
    )
    return int(ExitStatus.DONE if finished.returncode == 0 else ExitStatus.ENVIRONMENT)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ChilddbError as error:
        print(f"childdb: {error.message_en}", file=sys.stderr)
        sys.exit(int(error.exit_status))
