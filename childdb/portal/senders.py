"""Who has not sent: communes by deadline and province, as the last run judged them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import psycopg
from psycopg.rows import class_row

from childdb.errors import EnvironmentFailedError

STATES = ("sent", "partly", "held", "missing")


@dataclass(frozen=True, slots=True)
class SenderLine:
    """One commune due by a deadline."""

    deadline: date
    as_of: date
    province_code: str
    commune_id: str
    commune_name: str
    state: str
    file_date: date | None


@dataclass(frozen=True, slots=True)
class ProvinceLine:
    """One province by a deadline: how many communes are in each state, and which have not sent in full."""

    province_code: str
    counts: dict[str, int]
    open_communes: tuple[SenderLine, ...]


@dataclass(frozen=True, slots=True)
class DeadlineLine:
    """One deadline with its provinces, those with most missing communes first."""

    deadline: date
    as_of: date
    counts: dict[str, int]
    provinces: tuple[ProvinceLine, ...]


Senders = Callable[[], Sequence[SenderLine]]


def read_senders(connect: Callable[[], psycopg.Connection[Any]]) -> list[SenderLine]:
    """Return every commune of every deadline that was judged."""
    statement = (
        "select deadline, as_of, province_code, commune_id, commune_name, state, file_date from ops.sender_states "
        "where dataset = 'treem__children' order by deadline desc, province_code, commune_name, commune_id"
    )
    try:
        with connect() as connection, connection.cursor(row_factory=class_row(SenderLine)) as cursor:
            return cursor.execute(statement).fetchall()
    except psycopg.Error:
        raise EnvironmentFailedError(
            "Who has sent cannot be read from the database. Start it with 'make up', then load the page again.",
            "Không đọc được danh sách đơn vị gửi từ cơ sở dữ liệu. Hãy chạy 'make up' rồi tải lại trang.",
        ) from None


def by_deadline(lines: Sequence[SenderLine]) -> list[DeadlineLine]:
    """Return the deadlines, newest first, with their provinces."""
    ordered = sorted(lines, key=lambda line: (line.deadline, line.province_code), reverse=True)
    found = []
    for deadline, group in groupby(ordered, key=lambda line: line.deadline):
        due = list(group)
        found.append(DeadlineLine(deadline, due[0].as_of, _counts(due), _provinces(due)))
    return found


def _provinces(due: Sequence[SenderLine]) -> tuple[ProvinceLine, ...]:
    ordered = sorted(due, key=lambda line: (line.province_code, line.commune_name, line.commune_id))
    made = []
    for code, group in groupby(ordered, key=lambda line: line.province_code):
        inside = list(group)
        waiting = tuple(line for line in inside if line.state != "sent")
        made.append(ProvinceLine(code, _counts(inside), waiting))
    return tuple(sorted(made, key=lambda line: (-line.counts["missing"], line.province_code)))


def _counts(lines: Sequence[SenderLine]) -> dict[str, int]:
    counted = Counter(line.state for line in lines)
    return {state: counted[state] for state in STATES}
