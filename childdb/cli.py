"""The command ``childdb``: finds the module of a command, runs it and turns errors into sentences."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any

from childdb.errors import ChilddbError, ExitStatus, machine_error

COMMANDS: Mapping[str, str] = {
    "run": "run the main job on files someone else made",
    "clean": "read and standardise exports, without a database",
    "match": "match a register with a population extract, without a database",
    "status": "runs, gates, deliveries, the ledger equation, open requests and reviews",
    "indicator": "released figures with definition, law, version and status",
    "explain": "the passport of a released figure",
    "diff": "why figures changed between two releases",
    "columns": "approve how the columns of a new header are read",
    "quarantine": "let held rows go, or note that they were sent again",
    "receipts": "what each sender was told",
    "senders": "who has not sent",
    "rules": "try a changed cleaning rule on data already landed",
    "place": "what a place was on a day, and what it is now",
    "requests": "lists to the commune police and their signed answers",
    "feedback": "each commune's work list in its own layout",
    "review": "candidate pairs, decisions, undo",
    "link": "why a row is tied to a person, samples to check, who is missed more often",
    "release": "build, approve, rebuild, verify or withdraw a release",
    "sandbox": "the synthetic nation and the entry software's stand-in",
    "serve": "serve what the last run left: database, scheduler, portal",
    "doctor": "say whether this machine and configuration can run",
}


def emit(arguments: argparse.Namespace, payload: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print the answer of a command: one JSON object with ``--json``, else lines for people."""
    if getattr(arguments, "json", False):
        print(json.dumps(payload, ensure_ascii=False, default=str))
    else:
        for line in lines:
            print(line)


def report(error: ChilddbError, as_json: bool) -> int:
    """Print an error as one sentence per language, or as one JSON object, and return its exit status."""
    if as_json:
        body = {
            "message_en": error.message_en,
            "message_vi": error.message_vi,
            "exit_status": int(error.exit_status),
        }
        print(json.dumps({"error": body}, ensure_ascii=False))
    print(f"childdb: {error.message_en}", file=sys.stderr)
    if error.message_vi != error.message_en:
        print(f"childdb: {error.message_vi}", file=sys.stderr)
    return int(error.exit_status)


def _parser(command: str) -> argparse.ArgumentParser:
    module = importlib.import_module(f"childdb.commands.{command}")
    parser = argparse.ArgumentParser(prog=f"childdb {command}", description=COMMANDS[command])
    module.configure(parser)
    _add_json(parser)
    parser.set_defaults(execute=module.execute)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    """Give a parser, and each of its sub-commands, the switch ``--json``."""
    children = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not children:
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    for action in children:
        for child in {id(value): value for value in action.choices.values()}.values():
            _add_json(child)


def _usage() -> str:
    rows = "\n".join(f"  {name:<11} {text}" for name, text in COMMANDS.items())
    return f"usage: childdb COMMAND [options]\n\n{rows}\n\n'childdb COMMAND --help' says more."


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_usage())
        return int(ExitStatus.DONE if words else ExitStatus.USAGE)
    if words[0] not in COMMANDS:
        print(f"childdb: '{words[0]}' is not a command.\n{_usage()}", file=sys.stderr)
        return int(ExitStatus.USAGE)
    return _run(words)


def _run(words: list[str]) -> int:
    as_json = "--json" in words
    with contextlib.suppress(ValueError):  # only the main thread may say so
        signal.signal(signal.SIGTERM, leave_in_order)
    try:
        parsed = _parser(words[0]).parse_args(words[1:])
        return int(parsed.execute(parsed))
    except ChilddbError as error:
        return report(error, as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitStatus.ENVIRONMENT)
    except OSError as error:
        return report(machine_error(error), as_json)


def leave_in_order(signal_number: int, frame: FrameType | None) -> None:
    """End the process in order: what it started is stopped on the way out."""
    sys.exit(128 + signal_number)


if __name__ == "__main__":
    sys.exit(main())
