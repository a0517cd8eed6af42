"""``childdb diff``: why figures changed between two releases, by causes that add up exactly."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from childdb.cli import emit
from childdb.database import Role, open_database
from childdb.errors import ExitStatus
from childdb.releases.cells import Cell, area_level_of, protect
from childdb.releases.difference import CAUSES, Change, difference
from childdb.settings import load_settings

HELP = "why figures changed between two releases"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("first", help="the earlier release")
    parser.add_argument("second", help="the later release")
    parser.add_argument(
        "--area", metavar="CODE", default="VN", help="VN, a province, a commune or a former district"
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="exact counts, for those with the right to them; not to leave the house",
    )


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Print the changes with their causes."""
    geography, level = area_level_of(arguments.area)
    cell = Cell(geography, level, arguments.area)
    with open_database(load_settings()) as database, database.connect(Role.STEWARD) as connection:
        changes = difference(connection, arguments.first, arguments.second, cell)
    entries = [_entry(change, arguments.exact) for change in changes]
    payload = {
        "first": arguments.first,
        "second": arguments.second,
        "area_code": arguments.area,
        "changes": entries,
    }
    emit(arguments, payload, _lines(entries))
    return ExitStatus.DONE if all(change.adds_up for change in changes) else ExitStatus.STOPPED


def _entry(change: Change, exact: bool) -> dict[str, Any]:
    head: dict[str, Any] = {
        "indicator_set": change.indicator.indicator_set,
        "indicator_code": change.indicator.indicator_code,
        "part": change.part,
    }
    if exact:
        causes = {cause.code: cause.net for cause in change.causes}
        return head | {
            "before": change.before,
            "after": change.after,
            "causes": causes,
            "adds_up": change.adds_up,
        }
    told = change.protected_causes()
    before, after = protect(change.before), protect(change.after)
    return head | {"before": before, "after": after, "causes": told, "adds_up": change.adds_up}


def _lines(entries: list[dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        before, after = ("<10" if entry[name] is None else entry[name] for name in ("before", "after"))
        yield f"{entry['indicator_set']}/{entry['indicator_code']} {entry['part']}: {before} → {after}"
        for code, net in (entry["causes"] or {}).items():
            yield f"  {net:+d}  {CAUSES[code][0]} / {CAUSES[code][1]}"
