"""Answers in the database: looked up in bulk, written once, numbers sealed in the vault."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from childdb.vault.keys import Keys, Purpose
from childdb.vault.numbers import lookup_index, seal
from childdb.worklists.answer_sheet import AnswerSheet
from childdb.worklists.imported import FileReport, RowReport
from childdb.worklists.judging import APPLIED, RowVerdict, SentRow, answer_mark, default_day
from childdb.worklists.model import AnswerOutcome, ItemClass, ItemState

ANSWERS_LOCK = 250_714
ADD_ANSWERS = (
    "copy quality.request_answers (answer_id, file_sha256, row_no, row_key, item_id, batch_id, outcome, "
    "reason_code, result_code, has_number, answer_mark, answered_date, event_date) from stdin"
)
ADD_NUMBERS = (
    "copy vault.provided_numbers (answer_id, child_id, number_index, number_sealed, key_version, "
    "signer_sealed, note_sealed, batch_id, row_key, row_no, answered_date) from stdin"
)
ADD_EVENTS = "copy quality.work_item_events (item_id, event, batch_id, answer_id, reason_code, event_date, actor) from stdin"


@dataclass(frozen=True, slots=True, repr=False)
class Source:
    """The file an answer came in."""

    file_sha256: str
    sheet: AnswerSheet


def lock_answers(connection: Connection) -> None:
    """Take the one right to apply answers until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", [ANSWERS_LOCK])


def commit_without_waiting(connection: Connection) -> None:
    """Let the commit of this transaction not wait for the disk; ``wait_for_disk`` has to follow."""
    connection.execute("set local synchronous_commit to off")


def wait_for_disk(connection: Connection) -> None:
    """Return when every file committed before is safe on disk: one wait for all of them."""
    with connection.transaction():
        # Only a commit that has something to write waits, and with it all that was written before.
        connection.execute("select pg_logical_emit_message(true, 'childdb', 'answers')")


def batch_exists(connection: Connection, batch_id: str) -> bool:
    """Return whether a batch was sent from here."""
    found = connection.execute(
        "select 1 from quality.request_batches where batch_id = %s", [batch_id]
    ).fetchone()
    return found is not None


def sent_rows(connection: Connection, keys: Iterable[str]) -> dict[str, SentRow]:
    """Return the rows of any batch that have one of these keys."""
    rows = connection.execute(
        "select r.row_key, r.row_hash, r.batch_id, r.item_id, w.child_id, r.commune_id, r.item_class, w.state, "
        "(select a.answer_mark from quality.request_answers as a where a.item_id = r.item_id "
        " and a.outcome = 'applied' and not exists (select 1 from vault.provided_numbers as p "
        " where p.answer_id = a.answer_id and p.is_reversed) order by a.recorded_at desc limit 1) "
        "from quality.request_rows as r inner join quality.work_items as w on r.item_id = w.item_id "
        "where r.row_key = any(%s)",
        [sorted(set(keys))],
        prepare=False,
    )
    return {row[0]: _sent_row(row) for row in rows}


def _sent_row(row: Sequence[Any]) -> SentRow:
    key, digest, batch, item, child, commune, item_class, state, mark = row
    return SentRow(
        key,
        digest,
        batch,
        item,
        child,
        commune,
        ItemClass(item_class),
        ItemState(state),
        bytes(mark) if mark else None,
    )


def holders(connection: Connection, indexes: Mapping[str, bytes]) -> dict[str, frozenset[str]]:
    """Return which children have each number already, from matching or from earlier answers."""
    numbers = {index: number for number, index in indexes.items()}
    # One index look-up per number: a plan over the whole list would read the tables for every file.
    rows = connection.execute(
        "select wanted.number_index, held.child_id from unnest(%s::bytea[]) as wanted (number_index) "
        "cross join lateral (select c.child_id from vault.child_numbers as c "
        "where c.number_index = wanted.number_index union select p.child_id from vault.provided_numbers as p "
        "where p.number_index = wanted.number_index and not p.is_reversed) as held",
        [list(numbers)],
    )
    found: dict[str, set[str]] = {}
    for index, child_id in rows:
        found.setdefault(numbers[bytes(index)], set()).add(child_id)
    return {number: frozenset(children) for number, children in found.items()}


def apply_verdicts(
    connection: Connection, keys: Keys, source: Source, verdicts: Sequence[RowVerdict], actor: str
) -> None:
    """Write every answered row, the numbers of the applied ones, and the events of their items."""
    days = _batch_days(connection, verdicts)
    first_day = min(days.values(), default=date(2022, 7, 14))
    answers, numbers, events = [], [], []
    for verdict in verdicts:
        sent = verdict.sent
        day = default_day(
            source.sheet.answered_date, (days.get(sent.batch_id) if sent else None) or first_day
        )
        answer = hashlib.sha256(f"{source.file_sha256}|{verdict.row.row_no}".encode()).hexdigest()[:24]
        answers.append(_answer(keys, source, verdict, answer, day))
        if sent is None:
            continue
        if verdict.outcome is APPLIED and verdict.number:
            numbers.append(_sealed_number(keys, source, verdict, sent, answer))
        events.append((sent.item_id, _event(verdict), sent.batch_id, answer, verdict.reason_code, day, actor))
    _write_rows(connection, ADD_ANSWERS, answers)
    _write_rows(connection, ADD_NUMBERS, numbers)
    _write_rows(connection, ADD_EVENTS, events)


def _write_rows(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _batch_days(connection: Connection, verdicts: Sequence[RowVerdict]) -> dict[str, date]:
    batches = sorted({verdict.sent.batch_id for verdict in verdicts if verdict.sent})
    rows = connection.execute(
        "select batch_id, as_of_date from quality.request_batches where batch_id = any(%s)", [batches]
    )
    return {str(batch): day for batch, day in rows}


def _answer(keys: Keys, source: Source, verdict: RowVerdict, answer: str, day: date) -> tuple[object, ...]:
    sent = verdict.sent
    mark = answer_mark(keys.derive(Purpose.LISTS), verdict) if verdict.outcome is APPLIED else None
    return (
        answer, source.file_sha256, verdict.row.row_no, sent and sent.row_key, sent and sent.item_id,
        sent and sent.batch_id, verdict.outcome.value, verdict.reason_code,
        verdict.result.name.lower() if verdict.result else None, bool(verdict.row.number_text), mark,
        source.sheet.answered_date, day,
    )  # fmt: skip


def _event(verdict: RowVerdict) -> str:
    if verdict.outcome is not APPLIED:
        return verdict.outcome.value
    return "applied" if verdict.number else "answered"


def _sealed_number(
    keys: Keys, source: Source, verdict: RowVerdict, sent: SentRow, answer: str
) -> tuple[object, ...]:
    number, read_back = verdict.number or "", keys.derive(Purpose.READ_BACK)
    signer, note = source.sheet.signer, verdict.row.note_text
    return (
        answer, sent.child_id, lookup_index(keys.derive(Purpose.LOOKUP), number), seal(read_back, number, answer),
        keys.version, seal(read_back, signer, f"{answer}/signer") if signer else None,
        seal(read_back, note, f"{answer}/note") if note else None, sent.batch_id, sent.row_key,
        verdict.row.row_no, source.sheet.answered_date,
    )  # fmt: skip


def record_file(connection: Connection, report: FileReport) -> None:
    """Remember a file by its hash."""
    connection.execute(
        "insert into quality.request_files (file_sha256, outcome, reason_code, batch_id, commune_id, item_class, "
        "row_count, unanswered_count) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            report.file_sha256, report.outcome, report.reason_code, report.batch_id, report.commune_id,
            report.item_class, len(report.rows), report.unanswered,
        ],
    )  # fmt: skip


def known_file(connection: Connection, path: Path, digest: str) -> FileReport | None:
    """Return what became of a file that was taken in before; None for a new one."""
    found = connection.execute(
        "select outcome, reason_code, batch_id, commune_id, item_class, unanswered_count "
        "from quality.request_files where file_sha256 = %s",
        [digest],
    ).fetchone()
    if found is None:
        return None
    rows = connection.execute(
        "select row_no, row_key, outcome, reason_code from quality.request_answers where file_sha256 = %s order by row_no",
        [digest],
    )
    ends = tuple(
        RowReport(number, key, AnswerOutcome(outcome), reason) for number, key, outcome, reason in rows
    )
    outcome, reason, batch, commune, item_class, unanswered = found
    return FileReport(
        path, digest, outcome, reason, batch, commune, item_class, unanswered, ends, is_repeat=True
    )
