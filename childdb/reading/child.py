"""The reading process: takes one order a line, parses one file within limits, answers one line.

Started by ``childdb.reading.pool`` as ``python -m childdb.reading.child``. It gets no secrets, has no network and may
die at any moment; the parent trusts nothing it says beyond what it can check.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from childdb.reading.assemble import Assembler, Reading
from childdb.reading.column_map import load_column_map
from childdb.reading.confine import cut_network, limit_processor_time, limit_resources
from childdb.reading.delimited import read_delimited
from childdb.reading.legacy import read_html, read_legacy, read_records
from childdb.reading.model import FileKind, Limits, ReadOptions
from childdb.reading.profiling import profile_json
from childdb.reading.reasons import FileStopped, make_finding
from childdb.reading.sniff import check_name, holds_malware_mark, sniff_kind
from childdb.reading.workbook import RawFile, read_workbook

_HEAD_BYTES = 1 << 20


def read_bytes_of(path: Path, options: ReadOptions) -> Reading:
    """Return the reading of a file; ``FileStopped`` tells why there is none."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if holds_malware_mark(head):
            raise FileStopped("FILE-MALWARE")
        kind = sniff_kind(head if len(head) < _HEAD_BYTES or head.strip() else head + stream.read())
    if kind is FileKind.XLS:
        kind = sniff_kind(path.read_bytes())
    check_name(kind, options.file_name or path.name, options)
    raw = _read_raw(path, kind, options)
    column_map = load_column_map(options.dataset)
    return Assembler(raw, kind, options, column_map).run()


def _read_raw(path: Path, kind: FileKind, options: ReadOptions) -> RawFile:
    if kind is FileKind.XLSX:
        return read_workbook(path, options)
    if kind is FileKind.XLS:
        return read_legacy(path, options)
    data = path.read_bytes()
    if kind is FileKind.HTML:
        return read_html(data, options)
    if kind is FileKind.JSONL:
        return read_records(data, options)
    return read_delimited(data, options, load_column_map(options.dataset))


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one order; rows go to the file the order names."""
    options = _options(order["options"])
    limit_processor_time(order["seconds"])
    try:
        reading = read_bytes_of(Path(order["path"]), options)
    except FileStopped as stop:
        finding = make_finding(stop.code, limit=options.limits.file_bytes >> 20, **stop.counts)
        return {"stopped": stop.code, "outcome": stop.outcome.value, "findings": [asdict(finding)]}
    except (MemoryError, pa.ArrowMemoryError):
        return {"stopped": "INF-OOM", "outcome": "reject_file", "findings": [asdict(make_finding("INF-OOM"))]}
    with pa.OSFile(order["rows_path"], "wb") as sink, pa.ipc.new_file(sink, reading.rows.schema) as writer:
        writer.write_table(reading.rows)
    return {
        "outcome": reading.outcome.value,
        "reason_code": reading.reason_code,
        "physical_rows": reading.physical_rows,
        "header_footer_rows": reading.header_footer_rows,
        "findings": [asdict(finding) for finding in reading.findings],
        "profile": profile_json(reading.profile),
    }


def _options(plain: dict[str, Any]) -> ReadOptions:
    known = {field.name for field in fields(ReadOptions)} - {"limits", "work_dir"}
    return ReadOptions(limits=Limits(**plain["limits"]), **{name: plain[name] for name in known})


def main() -> None:
    """Serve orders from standard input until it ends."""
    memory, open_files = int(sys.argv[1]), int(sys.argv[2])
    orders = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    load_column_map("treem__children")
    limit_resources(memory, open_files)
    enforced = cut_network()
    answers.write(json.dumps({"ready": True, "network_cut": enforced}) + "\n")
    answers.flush()
    for line in orders:
        answers.write(json.dumps(answer(json.loads(line)), ensure_ascii=False) + "\n")
        answers.flush()
        gc.collect()


if __name__ == "__main__":
    main()
