"""Fix lists that come back: read like any export, judged by the same cleaning rules, items closed where they are mended."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg import Connection

from childdb.cleaning import clean
from childdb.cleaning.identifiers import RULE_DUPLICATE
from childdb.cleaning.repeats import RULE_REPEAT
from childdb.errors import EnvironmentFailedError
from childdb.reading import FileReading, ReadOptions, read_file
from childdb.worklists.feedback import FIX_CLASS, KEY_CAPTION
from childdb.worklists.fixes import FIX_LIST, close_mended, fix_item_id
from childdb.worklists.rowkeys import row_hash, split_key

STILL = ("warning", "error")
WHOLE_FILE = (RULE_REPEAT, RULE_DUPLICATE)
"""Rules that compare rows with each other: a list of some rows proves nothing, the next export does."""


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """The end of one returned row."""

    row_no: int
    outcome: str
    """`applied` (something was mended), `held` (nothing was), `refused` (no row of ours)."""
    reason_code: str
    closed: int = 0


@dataclass(frozen=True, slots=True)
class ReturnedList:
    """The end of one returned list."""

    path: Path
    file_sha256: str
    outcome: str
    reason_code: str
    commune_id: str | None
    rows: tuple[ReturnedRow, ...]
    is_repeat: bool = False

    @property
    def closed(self) -> int:
        """Items that the list closed."""
        return sum(row.closed for row in self.rows)


@dataclass(frozen=True, slots=True)
class _SentRow:
    row_hash: str
    list_id: str
    commune_id: str
    child_id: str


def take_back(
    connection: Connection, list_key: bytes, paths: Sequence[Path], actor: str
) -> list[ReturnedList]:
    """Take in returned fix lists, in the order of their names; each is committed by itself, the same bytes once."""
    ends = []
    for path in sorted(paths):
        with connection.transaction():
            connection.execute("lock table quality.fix_files in exclusive mode")
            ends.append(_take_one(connection, list_key, path, actor))
    return ends


def _take_one(connection: Connection, list_key: bytes, path: Path, actor: str) -> ReturnedList:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EnvironmentFailedError(
            f"A returned list cannot be opened: {error.strerror}. Check the path and the rights, then repeat the command.",
            f"Không mở được danh sách gửi lại: {error.strerror}. Hãy kiểm tra đường dẫn và quyền, rồi chạy lại lệnh.",
        ) from None
    known = connection.execute(
        "select commune_id from quality.fix_files where file_sha256 = %s", [digest]
    ).fetchone()
    if known is not None:
        return ReturnedList(path, digest, "read", "READ", known[0], (), is_repeat=True)
    reading = read_file(path, options=ReadOptions(file_name=path.name))
    if not reading.outcome.is_loaded:
        return ReturnedList(path, digest, "refused", reading.reason_code or "FILE-TYPE", None, ())
    keys = _keys(reading)
    sent = _sent(connection, keys.values())
    if not sent:
        return ReturnedList(path, digest, "refused", "ANSWER-NOT-A-LIST", None, ())
    return _judge(connection, list_key, (path, digest), reading, keys, sent, actor)


def _keys(reading: FileReading) -> dict[int, str]:
    """Return row number → key text of every row read."""
    found = {}
    for row_no, extra in zip(
        reading.rows["row_no"].to_pylist(), reading.rows["_extra"].to_pylist(), strict=True
    ):
        found[int(row_no)] = str(json.loads(extra).get(KEY_CAPTION, "")) if extra else ""
    return found


def _sent(connection: Connection, keys: Iterable[str]) -> dict[str, _SentRow]:
    wanted = sorted({parts[0] for text in keys if (parts := split_key(text))})
    rows = connection.execute(
        "select row_key, row_hash, list_id, commune_id, child_id from quality.fix_rows where row_key = any(%s)",
        [wanted],
    )
    return {key: _SentRow(*rest) for key, *rest in rows}


def _judge(
    connection: Connection,
    list_key: bytes,
    file: tuple[Path, str],
    reading: FileReading,
    keys: Mapping[int, str],
    sent: Mapping[str, _SentRow],
    actor: str,
) -> ReturnedList:
    counts = Counter(entry.commune_id for entry in sent.values())
    commune = min(counts, key=lambda unit: (-counts[unit], unit))
    lists = sorted({entry.list_id for entry in sent.values() if entry.commune_id == commune})
    day = _day(connection)
    wrong = _still_wrong(reading, day)
    texts = {int(row["row_no"]): row for row in reading.rows.to_pylist()}
    ends = []
    for row_no, text in sorted(keys.items()):
        found, code = _check(text, list_key, sent, commune)
        if found is None:
            ends.append(ReturnedRow(row_no, "refused", code))
            continue
        mended = _mended(connection, found.child_id, wrong.get(row_no, set()), texts[row_no])
        closed = close_mended(connection, mended, found.list_id, day, actor)
        end = ("applied", "MENDED-IN-LIST") if closed else ("held", "NOTHING-MENDED")
        ends.append(ReturnedRow(row_no, *end, closed))
    path, digest = file
    result = ReturnedList(path, digest, "read", "READ", commune, tuple(ends))
    connection.execute(
        "insert into quality.fix_files (file_sha256, list_id, commune_id, row_count, closed_count) values (%s, %s, %s, %s, %s)",
        [digest, lists[-1] if lists else None, commune, len(ends), result.closed],
    )
    return result


def _check(
    text: str, list_key: bytes, sent: Mapping[str, _SentRow], commune: str
) -> tuple[_SentRow | None, str]:
    """Return the row as it was sent; None with the reason where it is no row of this list."""
    parts = split_key(text)
    if not text:
        return None, "ROW-ADDED"
    found = sent.get(parts[0]) if parts else None
    if parts is None or found is None:
        return None, "KEY-UNKNOWN"
    digest = row_hash(list_key, parts[0], found.commune_id, FIX_CLASS, (found.child_id,))
    if parts[1] != found.row_hash or digest != found.row_hash:
        return None, "KEY-ALTERED"
    return (found, "") if found.commune_id == commune else (None, "WRONG-COMMUNE")


def _day(connection: Connection) -> date:
    row = connection.execute(
        "select max(last_event_date) from quality.work_items where item_class = %s", [FIX_LIST]
    ).fetchone()
    return row[0] if row and row[0] else date(2022, 7, 14)


def _still_wrong(reading: FileReading, day: date) -> dict[int, set[tuple[str, str]]]:
    """Return per row what the cleaning rules still find; a rule about the whole file finds nothing in a part of it."""
    findings = clean(reading, as_of=day).findings
    found: dict[int, set[tuple[str, str]]] = {}
    for entry in findings.select(["row_no", "column", "rule_id", "severity"]).to_pylist():
        if entry["row_no"] is not None and entry["severity"] in STILL:
            found.setdefault(int(entry["row_no"]), set()).add((entry["column"] or "", entry["rule_id"]))
    return found


def _mended(
    connection: Connection, child_id: str, wrong: set[tuple[str, str]], row: Mapping[str, object]
) -> list[str]:
    """Return the child's items that the row mends: the cell is filled and no rule speaks about it any more."""
    rows = connection.execute(
        "select f.column_name, f.rule_id from quality.findings as f inner join clean.treem__children as r "
        "on f.batch_id = r._batch_id and f.sheet is not distinct from r.sheet and f.row_no = r.row_no "
        "inner join identity.record_links as l on r.record_id = l.record_id "
        "where l.child_id = %s and f.severity = any(%s) and not f.rule_id = any(%s)",
        [child_id, list(STILL), list(WHOLE_FILE)],
    )
    columns = {column for column, _ in wrong}
    return [
        fix_item_id(child_id, column, rule)
        for column, rule in set(rows)
        if (column or "") not in columns and (not column or row.get(column))
    ]
