"""``childdb columns``: headers nobody has seen before, and a person's decision how they are read."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from childdb.cli import emit
from childdb.database import Role, connect, open_database
from childdb.errors import ExitStatus, UsageError
from childdb.flow.intake import open_store
from childdb.loading.decisions import (
    Decider,
    HeldHeader,
    approve_columns,
    approved_mappings,
    held_headers,
    reload_held,
)
from childdb.reading import ReadOptions, read_file
from childdb.reading.column_map import load_column_map
from childdb.settings import Settings, load_settings

HELP = "approve how the columns of a new header are read"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the two verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="held files whose header waits for a decision")
    listing.add_argument("--dataset", default="treem__children")
    approve = verbs.add_parser("approve", help="adopt the proposal for a held file, with changes if any")
    approve.add_argument("batch", help="batch id, as listed")
    approve.add_argument("--by", required=True, help="name of the person who decides")
    approve.add_argument("--reason", required=True, help="why, in at least ten characters")
    approve.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="HEADING=COLUMN",
        help="read a heading as another column; empty: none",
    )
    approve.add_argument("--dataset", default="treem__children")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """List proposals, or store a decision and read the file again under it."""
    settings = load_settings()
    with open_database(settings):
        with connect(Role.LOADER, settings) as connection:
            waiting = held_headers(connection, arguments.dataset)
        if arguments.verb == "list":
            return _list(arguments, waiting)
        return _approve(arguments, settings, waiting)


def _list(arguments: argparse.Namespace, waiting: list[HeldHeader]) -> ExitStatus:
    lines = [f"{len(waiting)} tệp chờ duyệt tiêu đề / files wait for their header to be approved"]
    for held in waiting:
        lines.append(f"{held.batch_id}")
        lines += [f"    {header!a} -> {column}" for header, column in sorted(held.proposal.items())]
    emit(arguments, {"headers": [asdict(held) for held in waiting]}, lines)
    return ExitStatus.DONE


def _approve(arguments: argparse.Namespace, settings: Settings, waiting: list[HeldHeader]) -> ExitStatus:
    held = next((held for held in waiting if held.batch_id == arguments.batch), None)
    if held is None:
        raise UsageError(
            "No header of this batch waits for approval; 'childdb columns list' shows those that do."
        )
    changes = _changes(arguments.set)
    decider = decider_of(arguments)
    columns = load_column_map(arguments.dataset).columns
    with connect(Role.LOADER, settings) as connection:
        count = approve_columns(connection, arguments.dataset, held, changes, columns, decider)
    reread = 0
    store = open_store(settings)
    for other in waiting:
        if other.signature == held.signature:
            reread += _read_again(settings, store, arguments.dataset, other)
    payload = {"approved": count, "signature": held.signature, "files_released": reread}
    emit(
        arguments,
        payload,
        [
            f"Đã duyệt {count} tiêu đề, {reread} tệp đi tiếp / {count} headings approved, {reread} files go on."
        ],
    )
    return ExitStatus.DONE


def _read_again(settings: Settings, store: object, dataset: str, held: HeldHeader) -> int:
    sha256 = _sha256_of(settings, held.batch_id)
    with store.opened(sha256) as path, connect(Role.LOADER, settings) as connection:  # type: ignore[attr-defined]
        options = ReadOptions(
            dataset=dataset, file_name=held.file_name, hold_unknown_headers=True,
            approved_mappings=approved_mappings(connection, dataset),
        )  # fmt: skip
        reading = reload_held(
            connection, held.batch_id, lambda where, how: read_file(where, options=how), path, options
        )
    return int(reading.outcome.is_loaded)


def _sha256_of(settings: Settings, batch_id: str) -> str:
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select file_sha256 from ops.batches where batch_id = %s", [batch_id]
        ).fetchone()
    if row is None:
        raise UsageError(f"Batch {batch_id} is not in the ledger.")
    return str(row[0])


def _changes(words: list[str]) -> dict[str, str]:
    changes = {}
    for word in words:
        header, sign, column = word.rpartition("=")
        if not sign:
            raise UsageError("--set takes HEADING=COLUMN.")
        changes[header] = column.strip()
    return changes


def decider_of(arguments: argparse.Namespace) -> Decider:
    """Return who decides and why; a decision without a reason is none."""
    if not arguments.by.strip() or len(arguments.reason.strip()) < 10:
        raise UsageError("A decision needs the name of the person and a reason of at least ten characters.")
    return Decider(arguments.by.strip(), arguments.reason.strip())
