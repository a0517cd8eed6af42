"""``childdb review``: candidate pairs that wait for a person, decisions, undo."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date, datetime

from childdb.cli import emit
from childdb.database import Role, open_database
from childdb.errors import ExitStatus
from childdb.flow.decisions import decide, open_pairs, undo
from childdb.identity.decisions import DecisionKind
from childdb.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per act."""
    acts = parser.add_subparsers(dest="act", required=True)
    listing = acts.add_parser("list", help="pairs that wait, the most doubtful first")
    listing.add_argument("--limit", type=int, default=50, metavar="N")
    for name, text in (("same", "the row is this person"), ("different", "the row is not this person")):
        act = acts.add_parser(name, help=text)
        act.add_argument("record", help="the row's id, as 'list' shows it")
        act.add_argument("--actor", required=True, metavar="NAME")
        act.add_argument("--reason", required=True, metavar="TEXT")
    back = acts.add_parser("undo", help="undo a decision; it stays on record")
    back.add_argument("decision")
    back.add_argument("--actor", required=True, metavar="NAME")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Do the act asked for."""
    settings = load_settings()
    role = Role.STEWARD if arguments.act == "list" else Role.MATCHER
    with open_database(settings) as database, database.connect(role) as connection:
        if arguments.act == "list":
            pairs = open_pairs(connection, arguments.limit)
            lines = [f"{p.record_id}  p={p.match_probability:.3f}  {p.commune_id or '-'}" for p in pairs]
            nothing = ["Không có cặp nào chờ xem / nothing waits for review"]
            emit(arguments, {"pairs": [asdict(pair) for pair in pairs]}, lines or nothing)
            return ExitStatus.DONE
        on = today()
        if arguments.act == "undo":
            undo(connection, arguments.decision, actor=arguments.actor, on=on)
            emit(arguments, {"undone": arguments.decision}, [f"{arguments.decision}: đã hủy / undone"])
            return ExitStatus.DONE
        kind = DecisionKind.MUST_LINK if arguments.act == "same" else DecisionKind.CANNOT_LINK
        decision = decide(
            connection, arguments.record, kind, actor=arguments.actor, reason=arguments.reason, on=on
        )
    emit(
        arguments,
        {"decision_id": decision},
        [f"{decision} (có hiệu lực từ lượt chạy sau / in force from the next run)"],
    )
    return ExitStatus.DONE


def today() -> date:
    """Return the day a person decides on: a fact about the decision, not about the data."""
    return datetime.now().astimezone().date()
