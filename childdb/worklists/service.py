"""What tasks and commands call: lists exported, answers taken in, the state of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from childdb.database import Role, connect
from childdb.errors import UsageError
from childdb.settings import Settings
from childdb.vault.keys import Keys, Purpose, open_keys
from childdb.vault.numbers import unseal
from childdb.worklists.export import ExportReport, export_requests
from childdb.worklists.feedback import FixReport, write_fix_lists
from childdb.worklists.fix_answers import ReturnedList, take_back
from childdb.worklists.half_life import HalfLife, half_lives
from childdb.worklists.imported import FileReport
from childdb.worklists.imports import Importer, import_answers
from childdb.worklists.service_channel import ChannelReport, Errand, verify_numbers
from childdb.worklists.source import DatabaseChildList, DatabaseFacts
from childdb.workspace import Workspace
from connectors.http import Clock
from connectors.population_service import open_population_service


def export_lists(settings: Settings, *, as_of: date | None = None, actor: str = "childdb") -> ExportReport:
    """Write the lists to the commune police from the last build and return what was written."""
    workspace = Workspace(settings.home).prepare()
    with connect(Role.STEWARD, settings) as connection:
        list_key = _keys(workspace, connection).derive(Purpose.LISTS)
        source = DatabaseChildList(connection)
        return export_requests(connection, source, list_key, workspace.requests, as_of, actor)


def import_lists(settings: Settings, paths: Sequence[Path], *, actor: str = "childdb") -> list[FileReport]:
    """Take in answered lists and return the end of every row."""
    workspace = Workspace(settings.home).prepare()
    with connect(Role.STEWARD, settings) as connection:
        keys = _keys(workspace, connection)
        connection.commit()
        return import_answers(Importer(connection, keys, DatabaseFacts(connection), actor), paths)


def send_fix_lists(settings: Settings, *, actor: str = "childdb") -> tuple[FixReport, Path]:
    """Write the fix lists of the communes from the last build; return what was done and the folder."""
    workspace = Workspace(settings.home).prepare()
    folder = workspace.lists / "feedback"
    with connect(Role.STEWARD, settings) as connection:
        list_key = _keys(workspace, connection).derive(Purpose.LISTS)
        return write_fix_lists(connection, folder, list_key, actor), folder


def read_fix_lists(
    settings: Settings, paths: Sequence[Path], *, actor: str = "childdb"
) -> list[ReturnedList]:
    """Take in fix lists that came back and return the end of every row."""
    workspace = Workspace(settings.home).prepare()
    with connect(Role.STEWARD, settings) as connection:
        list_key = _keys(workspace, connection).derive(Purpose.LISTS)
        connection.commit()
        return take_back(connection, list_key, paths, actor)


def verify_by_service(settings: Settings, errand: Errand, clock: Clock | None = None) -> ChannelReport:
    """Have the population service verify numbers on record and return what came of it."""
    service = open_population_service(settings, clock)
    workspace = Workspace(settings.home).prepare()
    with connect(Role.STEWARD, settings) as connection:
        keys = _keys(workspace, connection)
        connection.commit()
        return verify_numbers(connection, keys, DatabaseFacts(connection), service, errand)


def _keys(workspace: Workspace, connection: Connection) -> Keys:
    """The keys that the first run made; the steward never makes any."""
    if connection.execute("select 1 from vault.key_versions limit 1").fetchone() is None:
        raise UsageError(
            "Nothing was taken in yet, so there are no children to ask about. Run 'childdb run' first.",
            "Chưa nạp dữ liệu nào nên chưa có trẻ để hỏi. Hãy chạy 'childdb run' trước.",
        )
    return open_keys(workspace, connection)


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """One batch of lists: what was asked, what came back."""

    batch_id: str
    as_of_date: date
    due_date: date
    row_count: int
    list_count: int
    applied_count: int
    held_count: int
    refused_count: int
    unanswered_count: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of the items of one class: opened = open + closed + withdrawn."""

    item_class: str
    opened_count: int
    open_count: int
    closed_count: int
    withdrawn_count: int

    @property
    def holds(self) -> bool:
        """Whether the balance is kept."""
        return self.opened_count == self.open_count + self.closed_count + self.withdrawn_count


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """All batches and the balance of all items."""

    batches: tuple[BatchStatus, ...]
    balances: tuple[Balance, ...]
    states: dict[str, int]
    half_lives: tuple[HalfLife, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the status for a program."""
        return {
            "batches": [
                asdict(entry) | {"as_of_date": str(entry.as_of_date), "due_date": str(entry.due_date)}
                for entry in self.batches
            ],
            "balances": [asdict(entry) | {"holds": entry.holds} for entry in self.balances],
            "items": self.states,
            "half_lives": [asdict(entry) for entry in self.half_lives],
        }


def request_status(connection: Connection) -> RequestStatus:
    """Return what was asked of the police, what came back, and whether the items balance."""
    batches = connection.execute(
        "select b.batch_id, b.as_of_date, b.due_date, b.row_count, "
        "(select count(distinct (r.commune_id, r.item_class)) from quality.request_rows as r where r.batch_id = b.batch_id), "
        "count(*) filter (where a.outcome = 'applied'), count(*) filter (where a.outcome = 'held'), "
        "count(*) filter (where a.outcome = 'refused'), b.row_count - count(distinct a.item_id) "
        "from quality.request_batches as b left join quality.request_answers as a on a.batch_id = b.batch_id "
        "group by b.batch_id order by b.as_of_date, b.recorded_at, b.batch_id"
    ).fetchall()
    balances = connection.execute(
        "select item_class, opened_count, open_count, closed_count, withdrawn_count from quality.item_balance "
        "order by item_class"
    ).fetchall()
    states = connection.execute(
        "select state, count(*) from quality.work_items group by state order by state"
    )
    return RequestStatus(
        tuple(BatchStatus(*row) for row in batches),
        tuple(Balance(row[0], *map(int, row[1:])) for row in balances),
        {str(state): int(count) for state, count in states},
        tuple(half_lives(connection)),
    )


def provided_numbers(connection: Connection, keys: Keys) -> Iterator[tuple[str, str]]:
    """Yield (child_id, number) of every number the police gave and nobody took back: evidence for matching."""
    read_back = keys.derive(Purpose.READ_BACK)
    rows = connection.execute(
        "select child_id, answer_id, number_sealed from vault.provided_numbers where not is_reversed "
        "order by child_id, answer_id"
    )
    for child_id, answer_id, sealed in rows:
        yield str(child_id), unseal(read_back, bytes(sealed), str(answer_id))


@contextmanager
def steward(settings: Settings) -> Iterator[Connection]:
    """Yield a connection of the steward."""
    with connect(Role.STEWARD, settings) as connection:
        yield connection


def reverse_answer(connection: Connection, answer_id: str, *, reason: str, day: date, actor: str) -> bool:
    """Take an applied number back and open its item again; False if there is no such number in force."""
    found = connection.execute(
        "update vault.provided_numbers set is_reversed = true, reversed_reason = %s "
        "where answer_id = %s and not is_reversed returning answer_id",
        [reason, answer_id],
    ).fetchone()
    if found is None:
        return False
    connection.execute(
        "insert into quality.work_item_events (item_id, event, batch_id, answer_id, reason_code, event_date, actor) "
        "select item_id, 'reversed', batch_id, answer_id, 'TAKEN-BACK', %s, %s from quality.request_answers "
        "where answer_id = %s",
        [day, actor, answer_id],
    )
    return True
