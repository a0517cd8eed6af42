"""``childdb status``: runs, gates, deliveries, the ledger equation, open requests and reviews."""

from __future__ import annotations

import argparse

from childdb.cli import emit
from childdb.database import open_database
from childdb.errors import ExitStatus
from childdb.quality.status import read_status, status_lines
from childdb.settings import load_settings
from childdb.worklists.service import steward

HELP = "runs, gates, deliveries, the ledger equation, open requests and reviews"


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no options."""


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Tell the state; the exit status says whether it could be told, not whether it is good."""
    settings = load_settings()
    with open_database(settings), steward(settings) as connection:
        status = read_status(connection)
    emit(arguments, status.as_json(), status_lines(status))
    return ExitStatus.DONE
