"""`childdb place CODE|TEXT --on DATE`: what a place was on that day and what it is now."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from typing import Any

from childdb.cli import emit
from childdb.errors import ExitStatus
from childdb.places.lookup import look_up

HELP = "what a place was on a day, and what it is now"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "place", metavar="CODE|TEXT", help="a unit's code, or its text with district and province"
    )
    parser.add_argument(
        "--on", required=True, type=_day, metavar="DATE", help="the day that counts (YYYY-MM-DD)"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a date is written YYYY-MM-DD") from None


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Print the answer; 1 if the place is undecided or unknown."""
    answer = look_up(arguments.place, arguments.on)
    emit(arguments, answer, _lines(answer))
    return ExitStatus.DONE if answer["status"] == "decided" else ExitStatus.STOPPED


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    words = {
        "decided": "xác định / decided",
        "undecided": "chưa xác định / undecided",
        "unknown": "không có / unknown",
    }
    yield f"Ngày {answer['on']}: {words[answer['status']]}"
    for unit in [answer["unit"]] if answer["unit"] else answer["candidates"]:
        yield f"  {_line(unit)}"
    now = [answer["now"]] if answer["now"] else answer["now_candidates"]
    if now:
        yield "Hiện nay / now:"
    for unit in now:
        yield f"  {_line(unit)}"


def _line(unit: dict[str, Any]) -> str:
    parts = (unit["name"], unit.get("district"), unit.get("province"))
    return f"{unit.get('commune_id') or unit.get('province_id')}  " + ", ".join(
        part for part in parts if part
    )
