"""Answers taken in: each file in one transaction, each row with its end and its reason, nothing twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from psycopg import Connection

from childdb.errors import EnvironmentFailedError
from childdb.loading.ahead import in_order
from childdb.vault.keys import Keys, Purpose
from childdb.vault.numbers import lookup_index
from childdb.worklists import answer_store as store
from childdb.worklists.answer_sheet import AnswerRow, AnswerSheet, Unreadable
from childdb.worklists.answers import AnswerReader
from childdb.worklists.imported import FileReport, RowReport
from childdb.worklists.judging import (
    APPLIED,
    HELD,
    REFUSED,
    Knowledge,
    RegisteredPerson,
    RowVerdict,
    SentRow,
    answer_mark,
    judge_answer,
    judge_key,
)
from childdb.worklists.model import ItemState, ListedChild
from childdb.worklists.rowkeys import split_key


class FactSource(Protocol):
    """Gives what answers are compared with."""

    def children_by_id(self, child_ids: Iterable[str]) -> Mapping[str, ListedChild]:
        """Return the counted children among those asked for."""

    def persons_by_number(self, numbers: Iterable[str]) -> Mapping[str, RegisteredPerson]:
        """Return who the population extract knows under each number."""


@dataclass(frozen=True, slots=True)
class Importer:
    """What an import works with: the steward's connection, the keys, and where facts come from."""

    connection: Connection
    keys: Keys
    facts: FactSource
    actor: str

    @property
    def list_key(self) -> bytes:
        """Key of the row keys and hashes."""
        return self.keys.derive(Purpose.LISTS)


def import_answers(importer: Importer, paths: Sequence[Path]) -> list[FileReport]:
    """Take in files of answers, in the order of their names; each is committed by itself.

    The next file is read in its own process while one is judged and stored. Nothing is reported before all is on disk.
    """
    with AnswerReader() as reader:
        ahead = in_order(sorted(paths), partial(_read, reader), width=1)
        reports = [_import(importer, path, digest, sheet) for path, (digest, sheet) in ahead]
    store.wait_for_disk(importer.connection)
    return reports


def _read(reader: AnswerReader, path: Path) -> tuple[str, AnswerSheet | Unreadable]:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EnvironmentFailedError(
            f"An answer cannot be opened: {error.strerror}. Check the path and the rights, then repeat the command.",
            f"Không mở được tệp trả lời: {error.strerror}. Hãy kiểm tra đường dẫn và quyền, rồi chạy lại lệnh.",
        ) from None
    return digest, reader.read(path)


def _import(importer: Importer, path: Path, digest: str, sheet: AnswerSheet | Unreadable) -> FileReport:
    """Take in one file; the same bytes again give the same report and change nothing."""
    with importer.connection.transaction():
        store.lock_answers(importer.connection)
        store.commit_without_waiting(importer.connection)
        known = store.known_file(importer.connection, path, digest)
        if known is not None:
            return known
        report = _take_in(importer, sheet, path, digest)
        if report.outcome == "read":
            store.record_file(importer.connection, report)
        return report


def _take_in(importer: Importer, sheet: AnswerSheet | Unreadable, path: Path, digest: str) -> FileReport:
    if isinstance(sheet, Unreadable):
        return _refused(path, digest, sheet.reason_code)
    keys = [parts[0] for row in sheet.rows if (parts := split_key(row.key_text))]
    sent = store.sent_rows(importer.connection, keys)
    if not sent and not _is_known_batch(importer, sheet):
        return _refused(path, digest, "BATCH-UNKNOWN")
    answered = [row for row in sheet.rows if row.is_answered or not row.key_text]
    if not answered:
        return _refused(path, digest, "ANSWER-EMPTY")
    commune = _commune(sheet, sent)
    verdicts = _judge(importer, answered, sent, commune)
    store.apply_verdicts(
        importer.connection, importer.keys, store.Source(digest, sheet), verdicts, importer.actor
    )
    lists = {
        (entry.batch_id, entry.item_class.value) for entry in sent.values() if entry.commune_id == commune
    }
    batch, item_class = next(iter(sorted(lists)), (None, None))
    rows = tuple(
        RowReport(v.row.row_no, v.sent.row_key if v.sent else None, v.outcome, v.reason_code)
        for v in verdicts
    )
    return FileReport(
        path, digest, "read", "READ", batch, commune, item_class, len(sheet.rows) - len(answered), rows
    )


def _is_known_batch(importer: Importer, sheet: AnswerSheet) -> bool:
    return sheet.manifest is not None and store.batch_exists(importer.connection, sheet.manifest.batch_id)


def _refused(path: Path, digest: str, reason: str) -> FileReport:
    return FileReport(path, digest, "refused", reason, None, None, None, 0, ())


def _commune(sheet: AnswerSheet, sent: Mapping[str, SentRow]) -> str | None:
    """The list's own commune: as its hidden row says, else the one most of its rows belong to."""
    communes = Counter(entry.commune_id for entry in sent.values())
    if sheet.manifest is not None:
        for commune in sorted(communes):
            if commune.split("@")[0] == sheet.manifest.commune_code:
                return commune
        return sheet.manifest.commune_code if communes else None
    return min(communes, key=lambda commune: (-communes[commune], commune)) if communes else None


def _judge(
    importer: Importer, rows: Sequence[AnswerRow], sent: Mapping[str, SentRow], commune: str | None
) -> list[RowVerdict]:
    checked = [judge_key(row, importer.list_key, sent, commune) for row in rows]
    right = [(row, found) for row, found in zip(rows, checked, strict=True) if isinstance(found, SentRow)]
    known = _knowledge(importer, sent, right)
    judged = iter([judge_answer(row, found, known) for row, found in right])
    verdicts = [entry if isinstance(entry, RowVerdict) else next(judged) for entry in checked]
    verdicts = _compare_with_earlier(importer, verdicts)
    return _compare_with_each_other(importer, verdicts)


def _knowledge(
    importer: Importer, sent: Mapping[str, SentRow], right: Sequence[tuple[AnswerRow, SentRow]]
) -> Knowledge:
    children = importer.facts.children_by_id({found.child_id for _, found in right})
    bare = Knowledge(sent, children, {}, {})
    numbers = {verdict.number for row, found in right if (verdict := judge_answer(row, found, bare)).number}
    wanted = sorted(number for number in numbers if number)
    lookup = importer.keys.derive(Purpose.LOOKUP)
    holders = store.holders(importer.connection, {number: lookup_index(lookup, number) for number in wanted})
    return Knowledge(sent, children, holders, importer.facts.persons_by_number(wanted))


def _compare_with_earlier(importer: Importer, verdicts: Sequence[RowVerdict]) -> list[RowVerdict]:
    """Late, repeated and contradicting answers: what was applied first stays."""
    return [_against_earlier(importer.list_key, verdict) for verdict in verdicts]


def _against_earlier(key: bytes, verdict: RowVerdict) -> RowVerdict:
    sent = verdict.sent
    if sent is None or verdict.outcome is not APPLIED:
        return verdict
    if sent.earlier_mark is not None:
        if sent.earlier_mark == answer_mark(key, verdict):
            return replace(verdict, outcome=REFUSED, reason_code="ANSWER-REPEATED", number=None)
        return replace(verdict, outcome=HELD, reason_code="ANSWER-CONTRADICTS", number=None)
    if sent.state in (ItemState.CLOSED, ItemState.WITHDRAWN):
        return replace(verdict, outcome=HELD, reason_code="ITEM-CLOSED", number=None)
    return verdict


def _compare_with_each_other(importer: Importer, verdicts: Sequence[RowVerdict]) -> list[RowVerdict]:
    """The same row twice, and one number for two children: inside a file no row comes first."""
    marks: dict[str, set[bytes]] = {}
    owners: dict[str, set[str]] = {}
    for verdict in verdicts:
        if verdict.sent is not None and verdict.outcome is APPLIED:
            marks.setdefault(verdict.sent.item_id, set()).add(answer_mark(importer.list_key, verdict))
            if verdict.number:
                owners.setdefault(verdict.number, set()).add(verdict.sent.child_id)
    seen: set[str] = set()
    return [_inside_file(verdict, marks, owners, seen) for verdict in verdicts]


def _inside_file(
    verdict: RowVerdict, marks: Mapping[str, set[bytes]], owners: Mapping[str, set[str]], seen: set[str]
) -> RowVerdict:
    if verdict.sent is None or verdict.outcome is not APPLIED:
        return verdict
    if len(marks[verdict.sent.item_id]) > 1:
        return replace(verdict, outcome=HELD, reason_code="ROW-TWICE", number=None)
    if verdict.number and len(owners[verdict.number]) > 1:
        return replace(verdict, outcome=HELD, reason_code="NUMBER-TWICE", number=None)
    if verdict.sent.item_id in seen:
        return replace(verdict, outcome=REFUSED, reason_code="ANSWER-REPEATED", number=None)
    seen.add(verdict.sent.item_id)
    return verdict
