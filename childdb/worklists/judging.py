"""What becomes of an answered row: pure, each case with its reason; nothing that is known is overwritten."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from childdb.cleaning.identifiers import RULE_SEX, RULE_YEAR, Holder, NumberKind, read_number, structure_rules
from childdb.cleaning.names import match_key
from childdb.worklists.answer_sheet import AnswerRow
from childdb.worklists.model import AnswerOutcome, ItemClass, ItemState, ListedChild, Result
from childdb.worklists.rowkeys import cell_text, row_hash, split_key

APPLIED, HELD, REFUSED = AnswerOutcome.APPLIED, AnswerOutcome.HELD, AnswerOutcome.REFUSED


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row as it was sent."""

    row_key: str
    row_hash: str
    batch_id: str
    item_id: str
    child_id: str
    commune_id: str
    item_class: ItemClass
    state: ItemState
    earlier_mark: bytes | None
    """Mark of the answer that was applied to the item before, if any."""


@dataclass(frozen=True, slots=True, repr=False)
class RegisteredPerson:
    """What the population extract says of the holder of a number."""

    full_name: str | None
    sex: str | None
    birth_date: date | None


@dataclass(frozen=True, slots=True, repr=False)
class Knowledge:
    """Everything known that an answer could contradict."""

    sent: Mapping[str, SentRow]
    children: Mapping[str, ListedChild]
    holders: Mapping[str, frozenset[str]]
    """Number → children who have it already, confirmed or from an earlier answer."""
    persons: Mapping[str, RegisteredPerson]


@dataclass(frozen=True, slots=True, repr=False)
class RowVerdict:
    """The end of one answered row."""

    row: AnswerRow
    outcome: AnswerOutcome
    reason_code: str
    sent: SentRow | None = None
    result: Result | None = None
    number: str | None = None

    def __repr__(self) -> str:
        return f"RowVerdict(row_no={self.row.row_no}, outcome={self.outcome.value!r}, reason={self.reason_code!r})"


def judge_key(
    row: AnswerRow, list_key: bytes, sent: Mapping[str, SentRow], commune_id: str | None
) -> RowVerdict | SentRow:
    """Return the row as it was sent; a verdict where the key, the row or the commune is not what was sent."""
    if not row.key_text:
        return RowVerdict(row, REFUSED, "ROW-ADDED")
    parts = split_key(row.key_text)
    found = sent.get(parts[0]) if parts else None
    if parts is None or found is None:
        return RowVerdict(row, REFUSED, "KEY-UNKNOWN")
    if parts[1] != found.row_hash:
        return RowVerdict(row, REFUSED, "KEY-ALTERED")
    if commune_id is not None and found.commune_id != commune_id:
        return RowVerdict(row, REFUSED, "WRONG-COMMUNE", found)
    if row.shown is None:
        return RowVerdict(row, HELD, "COLUMN-MISSING", found)
    digest = row_hash(list_key, found.row_key, found.commune_id, found.item_class.value, row.shown)
    return found if digest == found.row_hash else RowVerdict(row, HELD, "ROW-ALTERED", found)


def judge_answer(row: AnswerRow, sent: SentRow, known: Knowledge) -> RowVerdict:
    """Return what becomes of a row whose key is right."""
    result = _result(row.result_text)
    child = known.children.get(sent.child_id)
    if not row.result_text:
        return RowVerdict(row, HELD, "RESULT-MISSING", sent)
    if result is None:
        return RowVerdict(row, HELD, "RESULT-UNKNOWN", sent)
    if child is None:
        return RowVerdict(row, HELD, "CHILD-NOT-COUNTED", sent, result)
    if row.number_text and not result.brings_number:
        return RowVerdict(row, HELD, "RESULT-CONTRADICTS-NUMBER", sent, result)
    if not result.brings_number:
        return RowVerdict(row, APPLIED, "ANSWER-RECORDED", sent, result)
    return _judge_number(row, sent, result, child, known)


def _result(text: str) -> Result | None:
    plain = cell_text(text).casefold()
    return next((entry for entry in Result if entry.value.casefold() == plain), None)


def _judge_number(
    row: AnswerRow, sent: SentRow, result: Result, child: ListedChild, known: Knowledge
) -> RowVerdict:
    holder = Holder(sex=child.sex, birth_year=child.birth_year)
    number = _number(row, result, child, holder)
    if number is None:
        return _without_number(row, sent, result)
    # The province digits are no proof since 1 July 2024; sex and year of birth still have to agree with the child.
    if {RULE_SEX, RULE_YEAR} & set(structure_rules(number, holder)):
        return RowVerdict(row, HELD, "NUMBER-CONTRADICTS-CHILD", sent, result, number)
    if result is Result.CONFIRMED and child.number is not None and number != child.number:
        return RowVerdict(row, HELD, "CONFIRMED-ANOTHER-NUMBER", sent, result, number)
    if known.holders.get(number, frozenset()) - {sent.child_id}:
        return RowVerdict(row, HELD, "NUMBER-OF-ANOTHER-CHILD", sent, result, number)
    person = known.persons.get(number)
    if person is not None and contradicts(person, child):
        return RowVerdict(row, HELD, "NUMBER-CONTRADICTS-REGISTRY", sent, result, number)
    return RowVerdict(row, APPLIED, "NUMBER-RECORDED", sent, result, number)


def _number(row: AnswerRow, result: Result, child: ListedChild, holder: Holder) -> str | None:
    if not row.number_text:
        return child.number if result is Result.CONFIRMED else None
    read = read_number(row.number_text, holder)
    return read.value if read.kind is NumberKind.PERSONAL else None


def _without_number(row: AnswerRow, sent: SentRow, result: Result) -> RowVerdict:
    """A correction of a name needs no number; everything else that claims one does."""
    if row.number_text:
        return RowVerdict(row, REFUSED, "NUMBER-MALFORMED", sent, result)
    if sent.item_class is ItemClass.BASIC_DATA and result is not Result.PROVIDED:
        if result is Result.CORRECTED and not row.note_text:
            return RowVerdict(row, HELD, "CORRECTION-EMPTY", sent, result)
        return RowVerdict(row, APPLIED, "ANSWER-RECORDED", sent, result)
    return RowVerdict(row, HELD, "NUMBER-EMPTY", sent, result)


def contradicts(person: RegisteredPerson, child: ListedChild) -> bool:
    """Return whether the register describes the number's holder as somebody else than this child."""
    if person.sex and child.sex and person.sex != child.sex:
        return True
    if person.birth_date and child.birth_date and person.birth_date != child.birth_date:
        return True
    theirs, ours = match_key(person.full_name or "").split(), match_key(child.name or "").split()
    return bool(theirs and ours and theirs[-1] != ours[-1])


def answer_mark(key: bytes, verdict: RowVerdict) -> bytes:
    """Return a keyed mark of what an answer says: equal answers have equal marks, and it tells no number."""
    result = verdict.result.value if verdict.result else ""
    return hmac.new(key, f"answer|{result}|{verdict.number or ''}".encode(), hashlib.sha256).digest()


def default_day(answered: date | None, as_of: date) -> date:
    """Return the day an answer counts from: the one in its signature, else that of its batch."""
    return answered if answered is not None and answered >= as_of else as_of
