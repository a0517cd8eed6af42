"""``childdb explain``: the passport of a released figure, or every figure that counted a child."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any

from childdb.cli import emit
from childdb.database import Role, open_database
from childdb.errors import ExitStatus
from childdb.releases.passport import Passport, cells_of_child, passport
from childdb.settings import load_settings

HELP = "the passport of a released figure"
CELL = re.compile(r"[0-9a-f]{16}")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("release", help="the release, such as r2026-0123456789ab")
    parser.add_argument(
        "cell", help="cell_id of a figure; or the key of a child, for every cell that counted it"
    )


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Print the passport."""
    with open_database(load_settings()) as database, database.connect(Role.STEWARD) as connection:
        if not CELL.fullmatch(arguments.cell):
            cells = cells_of_child(connection, arguments.release, arguments.cell)
            emit(arguments, {"release_id": arguments.release, "cells": cells}, cells)
            return ExitStatus.DONE
        found = passport(connection, arguments.release, arguments.cell)
    emit(arguments, found.as_document(), _lines(found))
    return ExitStatus.STOPPED if found.agrees is False else ExitStatus.DONE


def _lines(found: Passport) -> Iterator[str]:
    figure, document = found.figure.columns, found.as_document()
    yield f"{figure['indicator_set']}/{figure['indicator_code']} {figure['geography']} {figure['area_code']}"
    yield f"  Giá trị / value: {figure['value']} {figure['unit']} ({figure['status']})"
    fields = document["definition"]
    if fields:
        yield f"  {fields['name_vi']} · {fields['legal_basis']} · v{figure['definition_version']}"
        yield f"  {fields['concept_vi']}"
    for part, measure in document["measures"].items():
        yield f"  {part}: {measure['measure']} — {measure['rule']}"
    yield "  Mô hình / models: " + " → ".join(document["models"])
    yield f"  Số chính xác / exact counts: {found.exact_numerator} / {found.exact_denominator}"
    yield from _evidence(found, document)


def _evidence(found: Passport, document: dict[str, Any]) -> Iterator[str]:
    if found.agrees is None:
        yield "  Kho dữ liệu không còn giữ các dòng của bản này / the rows of this release are no longer held."
        return
    words = "khớp / agrees" if found.agrees else "KHÔNG khớp / does NOT agree"
    yield f"  Tính lại từ các dòng / recomputed from the rows: {words}"
    for file in document["files"]:
        yield f"  {file['file_date']} {file['file_sha256']} #{file['sheet_ordinal']}: {file['rows']}"
    for decision in document["match_decisions"]:
        yield f"  định danh / matching: {decision['decision']} {decision['rule_id']} × {decision['children']}"
