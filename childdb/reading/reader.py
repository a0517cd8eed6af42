"""Reading one file from a path: copied once while hashed, parsed in a child process, accounted for row by row."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import stat
import tempfile
import threading
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from childdb.errors import EnvironmentFailedError
from childdb.findings import Finding, Severity
from childdb.reading.assemble import rows_schema
from childdb.reading.checks import header_codes
from childdb.reading.column_map import load_column_map
from childdb.reading.model import FileKind, FileProfile, FileReading, Outcome, ReadOptions
from childdb.reading.pool import ReadingPool
from childdb.reading.reasons import FileStopped, make_finding, worst_reason

_STEP = 1 << 20
_pools: dict[tuple[int, int], ReadingPool] = {}
_pools_lock = threading.Lock()
_ODD_NAME = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]|\.\.|^[-.]|[. ]$|[{}$%<>|;\"'`*?]"
)
_DEVICE_NAME = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)


@dataclass(frozen=True, slots=True)
class Copy:
    """Our own copy of a sender's bytes; everything later reads the copy."""

    path: Path
    sha256: str
    size: int


def read_file(path: Path, *, options: ReadOptions | None = None) -> FileReading:
    """Return one file as read; whatever the file is, the answer is one of the five outcomes.

    Raises:
        EnvironmentFailedError: when the machine failed (disk full, no process could be started); repeat it then.
    """
    options = options or ReadOptions()
    options = replace(options, file_name=options.file_name or path.name)
    with tempfile.TemporaryDirectory(prefix="childdb-read-", dir=options.work_dir) as folder:
        try:
            copy = copy_regular_file(path, Path(folder) / "file", options.limits.file_bytes)
            check_sidecar(path, copy)
        except FileStopped as stop:
            return _stopped(
                options, "", stop.outcome, [make_finding(stop.code, limit=options.limits.file_bytes >> 20)]
            )
        return read_copy(copy, options)


def read_copy(copy: Copy, options: ReadOptions) -> FileReading:
    """Return the reading of bytes that are already our own copy."""
    seconds = options.limits.seconds_floor + options.limits.seconds_per_10_mb * copy.size / 10_000_000
    if copy.size == 0:
        return _stopped(options, copy.sha256, Outcome.REJECT_FILE, [make_finding("FILE-EMPTY")])
    answer = shared_pool(options).read(copy.path, options, seconds)
    if answer.failure == "start":
        raise EnvironmentFailedError(
            "No reading process could be started; check free memory, then repeat the command."
        )
    if answer.answer is None:
        return _stopped(options, copy.sha256, Outcome.REJECT_FILE, [make_finding("INF-OOM")])
    return _reading(answer.answer, answer.rows, options, copy)


def copy_regular_file(path: Path, target: Path, largest: int) -> Copy:
    """Return our copy of a regular file, hashed on the way; links, devices and growing files are not taken."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise FileStopped("FILE-UNSTABLE") from None
        raise FileStopped("INJ-LINK") from None
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise FileStopped("INJ-LINK")
    with os.fdopen(descriptor, "rb") as source:
        if before.st_size > largest:
            raise FileStopped("FILE-SIZE")
        digest, size = hashlib.sha256(), 0
        with target.open("xb") as sink:
            while chunk := source.read(_STEP):
                size += len(chunk)
                if size > largest:
                    raise FileStopped("FILE-SIZE")
                digest.update(chunk)
                sink.write(chunk)
        after = os.fstat(source.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise FileStopped("FILE-UNSTABLE")
    return Copy(target, digest.hexdigest(), size)


def check_sidecar(path: Path, copy: Copy) -> None:
    """Raise when a checksum file lies beside the sender's file and disagrees with the bytes."""
    sidecar = path.with_name(path.name + ".sha256")
    try:
        descriptor = os.open(sidecar, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(descriptor, "rb") as source:
        found = re.search(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])", source.read(4096))
    if found is None or found[0].decode("ascii").lower() != copy.sha256:
        raise FileStopped("DEL-CHECKSUM")


def shared_pool(options: ReadOptions) -> ReadingPool:
    """Return the pool of this process for the given limits; its children end with us."""
    key = (options.limits.child_memory_bytes, options.limits.open_files)
    with _pools_lock:
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = ReadingPool(max(1, min(4, os.cpu_count() or 1)), *key)
            atexit.register(pool.close)
        return pool


def _stopped(options: ReadOptions, sha256: str, outcome: Outcome, findings: list[Finding]) -> FileReading:
    schema = rows_schema(load_column_map(options.dataset))
    stamped = [replace(finding, file_sha256=sha256, severity=Severity.ERROR) for finding in findings]
    return FileReading(
        file_name=options.file_name or "",
        file_sha256=sha256,
        outcome=outcome,
        reason_code=findings[0].reason_code,
        physical_rows=0,
        header_footer_rows=0,
        rows=schema.empty_table(),
        findings=stamped,
    )


def _reading(answer: dict[str, Any], rows: pa.Table | None, options: ReadOptions, copy: Copy) -> FileReading:
    findings = [Finding(**{**plain, "severity": Severity(plain["severity"])}) for plain in answer["findings"]]
    if "stopped" in answer:
        return _stopped(options, copy.sha256, Outcome(answer["outcome"]), findings)
    schema = rows_schema(load_column_map(options.dataset))
    physical, header_footer = int(answer["physical_rows"]), int(answer["header_footer_rows"])
    outcome, reason = Outcome(answer["outcome"]), answer["reason_code"]
    if rows is None or not rows.schema.equals(schema) or not _adds_up(outcome, physical, header_footer, rows):
        return _stopped(options, copy.sha256, Outcome.REJECT_FILE, [make_finding("INF-OOM")])
    findings.extend(make_finding(code) for code in sorted(_name_codes(options.file_name or "")))
    if outcome.is_loaded:
        reason = worst_reason(finding.reason_code for finding in findings)
        outcome = Outcome.ACCEPT_FLAGGED if reason else Outcome.ACCEPT
    return FileReading(
        file_name=options.file_name or "",
        file_sha256=copy.sha256,
        outcome=outcome,
        reason_code=reason,
        physical_rows=physical,
        header_footer_rows=header_footer,
        rows=rows,
        findings=[replace(finding, file_sha256=copy.sha256) for finding in findings],
        profile=_profile(json.loads(answer["profile"]), copy.size),
    )


def _adds_up(outcome: Outcome, physical: int, header_footer: int, rows: pa.Table) -> bool:
    """Return whether every physical row has its place; the data rows of a refused file are in no table."""
    if outcome is Outcome.REJECT_FILE:
        return int(rows.num_rows) == 0 and physical >= header_footer
    return physical == header_footer + int(rows.num_rows)


def _profile(plain: dict[str, Any], size: int) -> FileProfile:
    stated = plain.pop("stated_date")
    kind = FileKind(plain.pop("kind"))
    plain.pop("size_bytes")
    listed = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return FileProfile(
        **{**plain, **listed},
        kind=kind,
        size_bytes=size,
        stated_date=date.fromisoformat(stated) if stated else None,
    )


def _name_codes(name: str) -> set[str]:
    """Return what is unusual about a sender's file name."""
    codes = header_codes([name]) - {"INJ-IDENTIFIER"}
    if (
        _ODD_NAME.search(name)
        or _DEVICE_NAME.match(name)
        or len(name.encode("utf-8", "surrogatepass")) >= 250
    ):
        codes.add("INJ-FILENAME")
    return codes
