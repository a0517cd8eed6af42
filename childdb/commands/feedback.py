"""``childdb feedback``: each commune's work list as a workbook in its own import layout."""

from __future__ import annotations

import argparse

from childdb.cli import emit
from childdb.database import open_database
from childdb.errors import ExitStatus
from childdb.settings import load_settings
from childdb.worklists.feedback import write_fix_lists
from childdb.worklists.service import steward
from childdb.workspace import Workspace

HELP = "each commune's work list as a workbook in its own import layout"


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no options: every commune with rows to correct gets its list."""


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Write the lists and say where they are."""
    settings = load_settings()
    folder = Workspace(settings.home).prepare().lists / "feedback"
    with open_database(settings), steward(settings) as connection:
        lists = write_fix_lists(connection, folder)
    payload = {
        "folder": str(folder),
        "lists": [
            {
                "path": str(entry.path),
                "commune_id": entry.commune_id,
                "rows": entry.row_count,
                "marks": entry.mark_count,
            }
            for entry in lists
        ],
    }
    rows = sum(entry.row_count for entry in lists)
    emit(arguments, payload, [f"{len(lists)} danh sách, {rows} dòng cần sửa, tại {folder}"])
    return ExitStatus.DONE
