"""A process of its own that opens answered workbooks: limited memory and time, no network, no secrets.

One path a line comes in, one JSON object a line goes out: the answered list, or why there is none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from childdb.reading.confine import cut_network, limit_processor_time, limit_resources
from childdb.reading.grid import Grid
from childdb.reading.model import FileKind, ReadOptions
from childdb.reading.reasons import FileStopped
from childdb.reading.sniff import sniff_kind
from childdb.reading.workbook import read_workbook
from childdb.worklists.answer_sheet import Document, find_sheet, to_document

MAX_ROWS = 20_000
"""No commune's list is longer; a longer answer is not one of ours."""
MEMORY_BYTES = 1024**3
SECONDS = 60.0
_OPEN_FILES = 64


def read_answer(path: Path) -> Document:
    """Return the answer among the visible sheets of a workbook, or the reason why there is none."""
    try:
        if sniff_kind(path.read_bytes()) is not FileKind.XLSX:
            return {"stopped": "FILE-TYPE"}
        raw = read_workbook(path, ReadOptions(file_name=path.name))
    except FileStopped as stop:
        return {"stopped": stop.code}
    except MemoryError:
        return {"stopped": "INF-OOM"}
    if any(grid.row_count > MAX_ROWS for grid in raw.grids):
        return {"stopped": "ANSWER-TOO-LONG"}
    return to_document(find_sheet([{"name": grid.sheet, "rows": _rows(grid)} for grid in raw.grids]))


def _rows(grid: Grid) -> list[dict[str, Any]]:
    columns = [str(number) for number in grid.column_nos]
    rows = []
    for place, row_no in enumerate(grid.row_nos):
        texts = grid.row_texts(place)
        rows.append(
            {"row_no": int(row_no), "cells": {c: t for c, t in zip(columns, texts, strict=True) if t}}
        )
    return rows


def main() -> None:
    """Serve paths from standard input until it ends."""
    orders = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    limit_resources(MEMORY_BYTES, _OPEN_FILES)
    cut_network()
    for line in orders:
        limit_processor_time(SECONDS)
        answer = read_answer(Path(json.loads(line)))
        answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
