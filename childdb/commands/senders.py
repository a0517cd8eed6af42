"""``childdb senders``: which communes have not sent their list, by deadline, through the change of communes."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict
from datetime import date

from childdb.cli import emit
from childdb.database import Role, connect, open_database
from childdb.errors import ExitStatus, UsageError
from childdb.loading.senders import judge_senders, last_deadline, sent_lists
from childdb.settings import load_settings
from connectors.registry import load_registry

HELP = "who has not sent"
_SHOWN = 50


def configure(parser: argparse.ArgumentParser) -> None:
    """Take the day to judge by, and a province to look at."""
    parser.add_argument(
        "--as-of", type=date.fromisoformat, help="day to judge by; default: date of the newest list"
    )
    parser.add_argument("--dataset", default="treem__children")
    parser.add_argument("--province", help="code of one province")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Say who sent, who sent in part, whose list is held and whose is missing."""
    registry = load_registry()
    if arguments.dataset not in registry:
        raise UsageError(f"There is no dataset {arguments.dataset}; known are {', '.join(sorted(registry))}.")
    settings = load_settings()
    with open_database(settings), connect(Role.LOADER, settings) as connection:
        sent = sent_lists(connection, arguments.dataset)
    as_of = arguments.as_of or max((entry.file_date for entry in sent), default=None)
    if as_of is None:
        raise UsageError("No list was taken in yet; name the day to judge by with --as-of.")
    window = last_deadline(registry[arguments.dataset], as_of)
    if window is None:
        raise UsageError(f"Dataset {arguments.dataset} has no deadline before {as_of.isoformat()}.")
    states = judge_senders(sent, window[0], as_of)
    states = [state for state in states if arguments.province in (None, state.province_code)]
    counts = Counter(state.state for state in states)
    missing = [state for state in states if state.state != "sent"]
    lines = [
        f"Hạn nộp / Deadline {window[1].isoformat()}: "
        + ", ".join(f"{k} {v}" for k, v in sorted(counts.items()))
    ]
    lines += [f"  {state.commune_id}  {state.state:<8} {state.commune_name}" for state in missing[:_SHOWN]]
    lines += [f"  … {len(missing) - _SHOWN} nữa / more (--json, --province)"] if len(missing) > _SHOWN else []
    payload = {
        "as_of": as_of, "deadline": window[1], "counts": dict(counts), "senders": [asdict(state) for state in states],
    }  # fmt: skip
    emit(arguments, payload, lines)
    return ExitStatus.DONE
