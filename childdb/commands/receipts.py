"""``childdb receipts``: what each sender was told, as workbooks and JSON."""

from __future__ import annotations

import argparse
from pathlib import Path

from childdb.cli import emit
from childdb.database import Role, connect, open_database
from childdb.errors import ExitStatus
from childdb.loading.receipts import issue_receipts
from childdb.settings import load_settings
from childdb.workspace import Workspace

HELP = "what each sender was told"


def configure(parser: argparse.ArgumentParser) -> None:
    """Take a batch, or all, and where to write."""
    parser.add_argument("--batch", help="one batch only")
    parser.add_argument("--dataset", default="treem__children")
    parser.add_argument("--out", type=Path, help="folder; default: lists/receipts of the workspace")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Write the receipts and say how many there are of each outcome."""
    settings = load_settings()
    workspace = Workspace(settings.home).prepare()
    folder = arguments.out or workspace.lists / "receipts"
    with open_database(settings), connect(Role.LOADER, settings) as connection:
        rows = connection.execute(
            "select batch_id from ops.batches where dataset = %s and outcome is not null "
            "and (%s::text is null or batch_id = %s) order by batch_id",
            [arguments.dataset, arguments.batch, arguments.batch],
        ).fetchall()
        issued = issue_receipts(connection, folder, [str(row[0]) for row in rows])
    counts: dict[str, int] = {}
    for receipt in issued.values():
        counts[receipt.outcome] = counts.get(receipt.outcome, 0) + 1
    lines = [f"{outcome}: {count}" for outcome, count in sorted(counts.items())]
    receipts = [{**receipt.as_json(), "items": len(receipt.items)} for receipt in issued.values()]
    emit(arguments, {"folder": str(folder), "outcomes": counts, "receipts": receipts}, [*lines, str(folder)])
    return ExitStatus.DONE
