"""``childdb quarantine``: what is held, let go by a person, or answered by a new delivery."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from psycopg import Connection

from childdb.cli import emit
from childdb.commands.columns import decider_of
from childdb.commands.review import today
from childdb.database import Role, connect, open_database
from childdb.errors import ExitStatus, UsageError
from childdb.flow.intake import open_store
from childdb.loading.clean import clean_batch
from childdb.loading.decisions import (
    CONFIRMABLE,
    approved_mappings,
    quarantined,
    record_release,
    record_resent,
    reload_held,
)
from childdb.quality.holds import decide_holds, gate_holds
from childdb.reading import ReadOptions, read_file
from childdb.settings import Settings, load_settings
from connectors.registry import load_registry

HELP = "let held rows go, or note that they were sent again"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the three verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="held files and rows with reason and age")
    listing.add_argument("--dataset", default="treem__children")
    release = verbs.add_parser(
        "release",
        help="let go a held file after its count was confirmed, held rows, or what a gate's rule holds",
    )
    release.add_argument("batch", help="batch; for a gate's rule also a release, or the word identity")
    release.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="RULE",
        help="a gate's rule that may pass; repeat for more",
    )
    hold = verbs.add_parser("hold", help="hold again what was let through a gate")
    hold.add_argument("batch", help="batch, release, or the word identity")
    hold.add_argument("--rule", action="append", required=True, metavar="RULE")
    release.add_argument("--rows", type=int, help="the number of children the sender confirmed for the file")
    release.add_argument(
        "--row", action="append", default=[], metavar="[SHEET:]NUMBER", help="one held row; repeat for more"
    )
    resend = verbs.add_parser("resend", help="link held rows to the delivery that brought them again")
    resend.add_argument("batch")
    resend.add_argument("--replaced-by", required=True, metavar="BATCH")
    for verb in (release, hold, resend):
        verb.add_argument("--by", required=True, help="name of the person who decides")
        verb.add_argument("--reason", required=True, help="why, in at least ten characters")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Do one of the three."""
    settings = load_settings()
    with open_database(settings):
        if arguments.verb == "list":
            return _list(arguments, settings)
        if arguments.verb == "resend":
            return _resend(arguments, settings)
        if arguments.verb == "hold" or arguments.rule:
            return _decide_rules(arguments, settings)
        return _release_rows(arguments, settings) if arguments.row else _release_file(arguments, settings)


def _list(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    with connect(Role.LOADER, settings) as connection:
        held = quarantined(connection, arguments.dataset)
    with connect(Role.CHECKER, settings) as connection:
        stopped = gate_holds(connection)
    dataset = load_registry().get(arguments.dataset)
    if dataset is None:
        raise UsageError(f"There is no dataset of this name; known are {', '.join(sorted(load_registry()))}.")
    owner, limit = dataset.quarantine_owner, dataset.quarantine_age_limit_days
    lines = [
        f"{entry.batch_id}  {entry.status}  {entry.reason_code}  {entry.rows} dòng/rows  {entry.age_days} ngày/days"
        f"  {owner}"
        + ("  QUÁ HẠN/OVERDUE" if entry.age_days > limit else "")
        + (f"  -> {entry.resent_as}" if entry.resent_as else "")
        for entry in held
    ]
    lines += [
        f"{entry.scope_key}  {entry.rule_id}  {entry.failed}/{entry.evaluated}  {entry.what_vi} {entry.resolve_vi}"
        for entry in stopped
    ]
    emit(
        arguments,
        {
            "held": [
                asdict(entry) | {"owner": owner, "is_overdue": entry.age_days > limit} for entry in held
            ],
            "gates": [asdict(entry) for entry in stopped],
            "age_limit_days": limit,
        },
        lines or ["Không có gì bị giữ / Nothing is held."],
    )
    return ExitStatus.DONE


def _resend(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    with connect(Role.LOADER, settings) as connection:
        rows = record_resent(connection, arguments.batch, arguments.replaced_by, decider_of(arguments))
    text = f"{rows} dòng được nối với lô mới / {rows} rows linked to their new delivery."
    emit(arguments, {"batch_id": arguments.batch, "replaced_by": arguments.replaced_by, "rows": rows}, [text])
    return ExitStatus.DONE


def _decide_rules(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    release = arguments.verb == "release"
    with connect(Role.CHECKER, settings) as connection:
        rules = decide_holds(
            connection, arguments.batch, arguments.rule, release=release, decided_by=arguments.by,
            reason=arguments.reason, decided_on=today(),
        )  # fmt: skip
    word = "được cho qua / may pass" if release else "bị giữ lại / held again"
    text = f"{', '.join(rules)}: {word}; {arguments.batch} được kiểm tra lại ở lượt chạy sau / is judged again by the next run."
    emit(arguments, {"scope": arguments.batch, "rules": rules, "decision": arguments.verb}, [text])
    return ExitStatus.DONE


def _release_file(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    decider = decider_of(arguments)
    with connect(Role.LOADER, settings) as connection:
        row = _batch(connection, arguments.batch)
    status, reason_code, sha256, name, dataset = row
    if reason_code == "GATE":
        raise UsageError(
            f"Batch {arguments.batch} is held by a gate: name its rules with --rule; 'childdb quarantine list' shows them.",
            f"Lô {arguments.batch} bị cổng kiểm tra giữ: hãy nêu quy tắc bằng --rule; xem 'childdb quarantine list'.",
        )
    if status == "held" and reason_code == "DEL-SCOPE":
        return _release_foreign(arguments, settings)
    if status != "held" or reason_code not in CONFIRMABLE or arguments.rows is None:
        raise UsageError(
            f"Batch {arguments.batch} is {status} for {reason_code}; --rows NUMBER lets go what is held for "
            f"{', '.join(sorted(CONFIRMABLE))}. Headers are approved with 'childdb columns approve'; every other hold "
            "needs a corrected file."
        )
    with open_store(settings).opened(sha256) as path, connect(Role.LOADER, settings) as connection:
        options = ReadOptions(
            dataset=dataset, file_name=name, confirmed_row_count=arguments.rows, hold_unknown_headers=True,
            approved_mappings=approved_mappings(connection, dataset),
        )  # fmt: skip
        reading = reload_held(
            connection, arguments.batch, lambda where, how: read_file(where, options=how), path, options
        )
        found = reading.rows.num_rows
        if not reading.outcome.is_loaded or found != arguments.rows:
            raise UsageError(
                f"The file holds {found} child rows and is still held for {reading.reason_code}; nothing changed."
            )
        record_release(
            connection, arguments.batch, decider, reason_code=reason_code, confirmed=arguments.rows
        )
    text = f"{found} dòng đi tiếp ở lượt chạy sau / {found} rows go on with the next run."
    emit(arguments, {"batch_id": arguments.batch, "released_rows": found}, [text])
    return ExitStatus.DONE


def _release_foreign(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Let a list go that another commune than its own has sent: a person knows why it did."""
    with connect(Role.LOADER, settings) as connection:
        record_release(connection, arguments.batch, decider_of(arguments), reason_code="DEL-SCOPE")
        row = connection.execute(
            "update ops.batches set gate_passed = true where batch_id = %s returning quarantined",
            [arguments.batch],
        ).fetchone()
    rows = int(row[0]) if row else 0
    text = f"{rows} dòng đi tiếp ở lượt chạy sau / {rows} rows go on with the next run."
    emit(arguments, {"batch_id": arguments.batch, "released_rows": rows}, [text])
    return ExitStatus.DONE


def _release_rows(arguments: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Let single rows go: the batch is cleaned again with them, in one transaction with the decision."""
    decider, rows = decider_of(arguments), [_place(word) for word in arguments.row]
    with connect(Role.LOADER, settings) as connection:
        status, reason_code, *_ = _batch(connection, arguments.batch)
        held = {
            (row[0] or None, int(row[1]))
            for row in connection.execute(
                "select nullif(_sheet, ''), _row_no from raw.treem__children where _batch_id = %s and _outcome = 'quarantined'",
                [arguments.batch],
            )
        }
    missing = [place for place in rows if place not in held]
    if missing or status not in ("loaded", "judged"):
        raise UsageError(
            f"Batch {arguments.batch} is {status}; {len(missing)} of {len(rows)} rows are not held by the reader. "
            "Rows that cleaning holds need a corrected file ('childdb quarantine resend')."
        )
    with connect(Role.CLEANER, settings) as connection:
        record_release(connection, arguments.batch, decider, reason_code=reason_code, rows=rows)
        if status == "judged":
            clean_batch(connection, arguments.batch, _as_of(connection, arguments.batch))
    text = f"{len(rows)} dòng được nhận / {len(rows)} rows let go."
    emit(arguments, {"batch_id": arguments.batch, "released_rows": len(rows)}, [text])
    return ExitStatus.DONE


def _as_of(connection: Connection, batch_id: str):  # type: ignore[no-untyped-def]
    row = connection.execute("select file_date from ops.batches where batch_id = %s", [batch_id]).fetchone()
    return row[0] if row else None


def _place(word: str) -> tuple[str | None, int]:
    sheet, sign, number = word.rpartition(":")
    if not number.isdigit():
        raise UsageError(
            "--row takes a row number, with the sheet's name and a colon before it where there is one."
        )
    return (sheet if sign else None), int(number)


def _batch(connection: Connection, batch_id: str) -> tuple[str, str | None, str, str, str]:
    row = connection.execute(
        "select status, reason_code, file_sha256, file_name_text, dataset from ops.batches where batch_id = %s",
        [batch_id],
    ).fetchone()
    if row is None:
        raise UsageError(f"Batch {batch_id} is not in the ledger.")
    return row[0], row[1], row[2], row[3], row[4]
