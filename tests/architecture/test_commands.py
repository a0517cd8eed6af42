"""The commands that scripts outside rely on exist, with their sub-commands and options."""

from __future__ import annotations

import argparse
import importlib

import pytest

from childdb.cli import COMMANDS

# What was promised to the outside: command → sub-commands or options. It changes only with a changelog line that says so.
PROMISED: dict[str, tuple[str, ...]] = {
    "run": ("--drop", "--population", "--period", "--as-of"),
    "clean": ("--out", "--as-of"),
    "match": ("--register", "--population", "--out", "--threads", "--memory", "--rules", "--model"),
    "status": (),
    "indicator": ("--set", "--area", "--period", "--release"),
    "explain": (),
    "diff": (),
    "columns": ("approve",),
    "quarantine": ("release", "resend"),
    "receipts": (),
    "senders": (),
    "rules": ("try",),
    "place": ("--on",),
    "requests": ("export", "import", "status"),
    "feedback": (),
    "review": (),
    "release": ("build", "approve", "rebuild", "verify", "withdraw"),
    "sandbox": ("generate", "serve"),
    "doctor": (),
}


def words_of(parser: argparse.ArgumentParser) -> set[str]:
    """Return options and sub-commands of a parser, all levels."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            found.update(action.choices)
            for child in action.choices.values():
                found |= words_of(child)
    return found


@pytest.mark.parametrize("command", sorted(PROMISED.keys() | COMMANDS.keys()))
def test_promised_command_exists(command: str) -> None:
    assert command in COMMANDS, f"'childdb {command}' is promised: add it to childdb.cli.COMMANDS"
    try:
        module = importlib.import_module(f"childdb.commands.{command}")
    except ModuleNotFoundError:
        pytest.fail(
            f"'childdb {command}' is promised: write childdb/commands/{command}.py with configure and execute"
        )
    parser = argparse.ArgumentParser()
    module.configure(parser)
    missing = [word for word in PROMISED.get(command, ()) if word not in words_of(parser)]
    assert not missing, (
        f"'childdb {command}' promises {missing}: add them, or note the change in CHANGELOG.md"
    )
    assert callable(module.execute)
    assert COMMANDS[command], f"childdb.cli.COMMANDS['{command}'] has no line of help"


def test_no_command_module_without_command() -> None:
    from tests.architecture.repository import python_files

    modules = {path.stem for path in python_files("childdb") if path.parent.as_posix() == "childdb/commands"}
    assert not modules - COMMANDS.keys() - {"__init__"}, (
        "register the command in childdb.cli.COMMANDS, or remove it"
    )


def test_generate_takes_what_the_contract_says() -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module("childdb.commands.sandbox").configure(parser)
    known = parser.parse_args(
        ["generate", "--children", "10", "--seed", "1", "--profile", "none", "--out", "somewhere"]
    )
    assert known.children == 10
