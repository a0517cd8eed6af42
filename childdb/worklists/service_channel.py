"""The population service as second channel of the requests: numbers on record are verified one by one, within a daily quota.

A question is logged with its purpose before it is asked. What the service confirms is judged by the same rules as an answer
of the police and has the same life: evidence for matching, reversible, never twice.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from psycopg import Connection

from childdb.errors import UsageError
from childdb.vault.keys import Keys, Purpose
from childdb.vault.numbers import lookup_index, seal
from childdb.worklists import answer_store as store
from childdb.worklists.answer_sheet import AnswerRow
from childdb.worklists.imports import FactSource
from childdb.worklists.judging import (
    APPLIED,
    HELD,
    Knowledge,
    RegisteredPerson,
    RowVerdict,
    SentRow,
    answer_mark,
    judge_answer,
)
from childdb.worklists.model import ItemClass, ItemState, ListedChild, Result
from connectors.http import PullStoppedError
from connectors.population_service import Citizen, LookUp

CHUNK = 500


class Service(Protocol):
    """Answers one question about one person."""

    def ask(self, question: LookUp) -> Citizen | None:
        """Return the person whose number, name and birth date all agree; None if there is none."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Why somebody asks, who, on which day, and how often at most."""

    purpose: str
    actor: str
    day: date
    limit: int
    daily_quota: int


@dataclass(slots=True)
class ChannelReport:
    """What was asked and what came of it; `stopped` is the reason where the service gave up before the end."""

    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    quota_left: int = 0
    stopped: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class _Question:
    sent: SentRow
    child: ListedChild
    mark: bytes
    request_no: str


def verify_numbers(
    connection: Connection, keys: Keys, facts: FactSource, service: Service, errand: Errand
) -> ChannelReport:
    """Ask about open items whose child has an unconfirmed number, oldest item first; each question is one transaction.

    Raises:
        UsageError: nobody asks, or for no purpose.
    """
    if not errand.actor.strip() or len(errand.purpose.strip()) < 10:
        raise UsageError(
            "A look-up needs the name of the person (--by) and a purpose of at least ten characters (--purpose).",
            "Tra cứu cần tên người tra cứu (--by) và mục đích ít nhất mười ký tự (--purpose).",
        )
    report = ChannelReport()
    for question in _questions(connection, keys, facts, errand.day):
        if report.asked >= errand.limit or not _log(connection, question, errand):
            break
        report.asked += 1
        outcome, reason = _ask(connection, keys, facts, service, question, errand)
        report.outcomes[outcome] += 1
        if outcome == "failed":
            report.stopped = reason
            break
    report.quota_left = max(errand.daily_quota - _asked_on(connection, errand.day), 0)
    connection.commit()
    return report


def _questions(connection: Connection, keys: Keys, facts: FactSource, day: date) -> Iterator[_Question]:
    rows = connection.execute(
        "select item_id, child_id, commune_id, item_class, state from quality.work_items "
        "where item_class = 'wrong_format' and 'number_unconfirmed' = any(reasons) and state in ('open', 'sent', 'answered') "
        "order by first_opened_date, item_id"
    ).fetchall()
    asked = {
        (str(item), bytes(mark))
        for item, mark in connection.execute(
            "select l.item_id, l.question_mark from quality.service_lookups as l "
            "inner join quality.service_replies as r on l.request_no = r.request_no where r.outcome <> 'failed'"
        )
    }
    tries = Counter(str(row[0]) for row in connection.execute("select item_id from quality.service_lookups"))
    connection.commit()
    key = keys.derive(Purpose.LISTS)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        children = facts.children_by_id({str(row[1]) for row in part})
        for item, child_id, commune, item_class, state in part:
            child = children.get(child_id)
            if (
                child is None
                or not child.number
                or not child.name
                or not (child.birth_date or child.birth_year)
            ):
                continue
            mark = _mark(key, child)
            if (item, mark) not in asked:
                sent = SentRow(
                    "", "", "", item, child_id, commune, ItemClass(item_class), ItemState(state), None
                )
                yield _Question(sent, child, mark, _request_no(item, mark, tries[item], day))


def _mark(key: bytes, child: ListedChild) -> bytes:
    text = "|".join((child.number or "", child.name or "", str(child.birth_date or child.birth_year)))
    return hmac.new(key, f"question|{text}".encode(), hashlib.sha256).digest()


def _request_no(item_id: str, mark: bytes, tries: int, day: date) -> str:
    digest = hashlib.sha256(f"{item_id}|{mark.hex()}|{tries}|{day.isoformat()}".encode()).hexdigest()
    return f"{day:%Y%m%d}{digest[:24]}"


def _asked_on(connection: Connection, day: date) -> int:
    row = connection.execute(
        "select count(*) from quality.service_lookups where asked_on = %s", [day]
    ).fetchone()
    return int(row[0]) if row else 0


def _log(connection: Connection, question: _Question, errand: Errand) -> bool:
    """Write the question into the log if the day's quota allows it; two processes count together."""
    with connection.transaction():
        store.lock_answers(connection)
        if _asked_on(connection, errand.day) >= errand.daily_quota:
            return False
        connection.execute(
            "insert into quality.service_lookups (request_no, item_id, question_mark, purpose, asked_by, asked_on) "
            "values (%s, %s, %s, %s, %s, %s)",
            [
                question.request_no, question.sent.item_id, question.mark, errand.purpose.strip(), errand.actor.strip(),
                errand.day,
            ],
        )  # fmt: skip
    connection.commit()
    return True


def _ask(
    connection: Connection, keys: Keys, facts: FactSource, service: Service, question: _Question, errand: Errand
) -> tuple[str, str]:  # fmt: skip
    child = question.child
    asked = LookUp(
        question.request_no, child.number or "", child.name or "", child.birth_date, child.birth_year
    )
    try:
        citizen = service.ask(asked)
    except PullStoppedError as failure:
        _reply(connection, question, "failed", failure.code)
        connection.commit()
        return "failed", failure.code
    with connection.transaction():
        store.lock_answers(connection)
        verdict = _judge(connection, keys, facts, question, citizen)
        outcome = "not_found" if citizen is None else verdict.outcome.value
        _reply(connection, question, outcome, verdict.reason_code)
        if verdict.outcome is APPLIED and citizen is not None:
            _apply(connection, keys, question, verdict, errand)
    connection.commit()
    return outcome, verdict.reason_code


def _judge(
    connection: Connection, keys: Keys, facts: FactSource, question: _Question, citizen: Citizen | None
) -> RowVerdict:
    """Judge what the service says as an answer «confirmed», by the rules for the police's answers."""
    number = question.child.number or ""
    row = AnswerRow(1, "", None, number, Result.CONFIRMED.value, "")
    if citizen is None or citizen.number != number:
        return RowVerdict(row, HELD, "SERVICE-NOT-FOUND", question.sent)
    index = lookup_index(keys.derive(Purpose.LOOKUP), number)
    person = RegisteredPerson(citizen.name, citizen.sex, citizen.birth_date)
    known = Knowledge(
        {}, {question.sent.child_id: question.child}, store.holders(connection, {number: index}), {number: person}
    )  # fmt: skip
    return judge_answer(row, question.sent, known)


def _reply(connection: Connection, question: _Question, outcome: str, reason: str) -> None:
    connection.execute(
        "insert into quality.service_replies (request_no, outcome, reason_code) values (%s, %s, %s)",
        [question.request_no, outcome, reason],
    )


def _apply(
    connection: Connection, keys: Keys, question: _Question, verdict: RowVerdict, errand: Errand
) -> None:
    """Write answer, number and event exactly as for a row of a list; the request number is the provenance."""
    sent, number, read_back = question.sent, verdict.number or "", keys.derive(Purpose.READ_BACK)
    answer = hashlib.sha256(f"service|{question.request_no}".encode()).hexdigest()[:24]
    channel = f"service-{errand.day:%Y%m%d}"
    connection.execute(
        "insert into quality.request_answers (answer_id, file_sha256, row_no, item_id, outcome, reason_code, result_code, "
        "has_number, answer_mark, answered_date, event_date) values (%s, %s, 1, %s, 'applied', %s, 'confirmed', true, %s, %s, %s)",
        [
            answer, hashlib.sha256(question.request_no.encode()).hexdigest(), sent.item_id, verdict.reason_code,
            answer_mark(keys.derive(Purpose.LISTS), verdict), errand.day, errand.day,
        ],
    )  # fmt: skip
    connection.execute(
        "insert into vault.provided_numbers (answer_id, child_id, number_index, number_sealed, key_version, signer_sealed, "
        "batch_id, row_key, row_no, answered_date) values (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s)",
        [
            answer, sent.child_id, lookup_index(keys.derive(Purpose.LOOKUP), number), seal(read_back, number, answer),
            keys.version, seal(read_back, errand.actor, f"{answer}/signer"), channel, question.request_no, errand.day,
        ],
    )  # fmt: skip
    connection.execute(
        "insert into quality.work_item_events (item_id, event, batch_id, answer_id, reason_code, event_date, actor) "
        "values (%s, 'applied', %s, %s, %s, %s, %s)",
        [sent.item_id, channel, answer, verdict.reason_code, errand.day, errand.actor],
    )


def outcome_words(outcomes: Mapping[str, int]) -> Sequence[str]:
    """Return counts in words, Vietnamese first."""
    words = {"applied": "xác nhận", "held": "giữ lại", "not_found": "không tìm thấy", "failed": "lỗi"}
    return [f"{words[key]} {outcomes[key]}" for key in words if key in outcomes]
