"""Invented children for the lists to the commune police, and a hand that fills the lists in."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from childdb.database import Role, connect
from childdb.vault.keys import open_keys
from childdb.worklists.model import LIST_COLUMNS, Result
from childdb.worklists.workbook import FIRST_DATA_ROW, SHEET
from childdb.workspace import Workspace
from tests.integration.gates_support import Warehouse, open_warehouse

AS_OF = date(2026, 3, 1)
NAMES = ("An", "Bình", "Ân", "Đào", "Dung", "Ý", "=Thử", "Châu", "+Minh", "Ăm")
COMMUNES = ("00004@2025-07-01", "00008@2025-07-01")


def child(n: int, **changes: Any) -> dict[str, Any]:
    """One invented child; without changes it has everything but a number."""
    born = date(2015, 1, 1) + timedelta(days=n * 37)
    values = {
        "n": n,
        "commune_id_2025": COMMUNES[n % 2],
        "ngay_sinh": born.isoformat(),
        "ngay_sinh_precision": "day",
        "birth_year": born.year,
        "gioi_tinh": "male" if n % 4 < 2 else "female",
        "dan_toc": "01",
        "so_dinh_danh": None,
        "so_dinh_danh_raw": None,
        "ho_ten_tre": f"Thử Nghiệm {NAMES[n % len(NAMES)]}",
        "ho_ten_me": f"Mẹ Thử {n}",
        "thon": f"Thôn {1 + n % 3}",
        "confirmed": False,
    }
    return values | changes


def right_number(one: dict[str, Any], serial: int | None = None) -> str:
    """A number whose digits agree with the child's sex and year of birth."""
    digit = "2" if one["gioi_tinh"] == "male" else "3"
    return f"001{digit}{one['birth_year'] % 100:02d}{(one['n'] if serial is None else serial):06d}"


@contextmanager
def open_lists(*, embedded: bool = False) -> Iterator[Warehouse]:
    """Yield a warehouse with the tables the lists are made from."""
    with open_warehouse(embedded=embedded) as warehouse:
        with warehouse.admin() as connection:
            connection.execute(
                "create table core.dim_children (child_id text, record_id text, counting_status_code text, "
                "is_number_confirmed boolean)"
            )
            for schema in ("core", "clean"):
                name = f"{warehouse.database.name}_steward"
                connection.execute(f"grant usage on schema {schema} to {name}")
                connection.execute(f"grant select on all tables in schema {schema} to {name}")
            open_keys(Workspace(warehouse.settings.home).prepare(), connection)
        yield warehouse


def fill(
    warehouse: Warehouse, children: list[dict[str, Any]], persons: list[dict[str, Any]] | None = None
) -> None:
    """Put children in place of those there were; items and answers start anew."""
    with warehouse.admin() as connection:
        guarded = (
            "quality.work_item_events",
            "quality.request_answers",
            "quality.service_lookups",
            "quality.service_replies",
            "quality.request_dispatches",
            "ops.column_decisions",
            "ops.quarantine_decisions",
        )
        for table in guarded:
            connection.execute(f"alter table {table} disable trigger user")
        connection.execute(
            "truncate core.dim_children, clean.treem__children, clean.population__persons, ops.batches, "
            "quality.work_items, quality.work_item_events, quality.request_batches, quality.request_rows, "
            "quality.request_answers, quality.request_files, quality.service_lookups, quality.service_replies, "
            "quality.request_dispatches, quality.request_reminders, vault.provided_numbers, vault.child_numbers cascade"
        )
        for table in guarded:
            connection.execute(f"alter table {table} enable trigger user")
    refill(warehouse, children, persons)


def refill(
    warehouse: Warehouse, children: list[dict[str, Any]], persons: list[dict[str, Any]] | None = None
) -> None:
    """Put children in place of those there were; items and answers stay."""
    warehouse.empty("core.dim_children", "clean.treem__children", "clean.population__persons")
    with warehouse.admin() as connection:
        connection.execute(
            "insert into ops.batches (batch_id, dataset, file_sha256, size_bytes, file_name_text, file_date) "
            "values ('treem__children@1', 'treem__children', '1', 1, 'x', %s), "
            "('population__persons@1', 'population__persons', '2', 1, 'x', %s) on conflict do nothing",
            [AS_OF, AS_OF],
        )
    warehouse.insert("clean.treem__children", [_record(one) for one in children])
    warehouse.insert(
        "core.dim_children",
        [
            {"child_id": f"child-{one['n']}", "record_id": f"record-{one['n']}", "counting_status_code": "counted",
             "is_number_confirmed": one["confirmed"]}
            for one in children
        ],
    )  # fmt: skip
    if persons:
        warehouse.insert("clean.population__persons", persons)


def _record(one: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in one.items() if key not in ("n", "confirmed")}
    return {
        "record_id": f"record-{one['n']}",
        "_batch_id": "treem__children@1",
        "sheet": "DS",
        "row_no": 6 + one["n"],
        "outcome": "accepted",
        "commune_id": one["commune_id_2025"],
        **row,
        "ho_ten_tre_raw": one["ho_ten_tre"],
        "ngay_sinh_raw": one["ngay_sinh"],
    }


def steward(warehouse: Warehouse) -> Any:
    """A connection of the steward."""
    return connect(Role.STEWARD, warehouse.settings)


Fill = Callable[[dict[str, Any]], tuple[str | None, str | None, str | None]]
"""From a row's texts to (number, result, note)."""


def answer_workbook(content: bytes, answer: Fill, change: Callable[[Worksheet], None] | None = None) -> bytes:
    """Fill the input zone of a list as an officer would, and save it."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book[SHEET]
    for row in range(FIRST_DATA_ROW + 1, last_row(sheet) + 1):
        texts = {name: sheet.cell(row, column).value for column, name in enumerate(LIST_COLUMNS, start=1)}
        for offset, value in enumerate(answer(texts)):
            if value is not None:
                sheet.cell(row, len(LIST_COLUMNS) - 2 + offset).value = value
    if change:
        change(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def last_row(sheet: Worksheet) -> int:
    """The last row with a key."""
    row = FIRST_DATA_ROW + 1
    while sheet.cell(row, 1).value and "-" in str(sheet.cell(row, 1).value):
        row += 1
    return row - 1


def provide(children: list[dict[str, Any]]) -> Fill:
    """Give every child of a list its right number."""
    by_birth = {f"{date.fromisoformat(one['ngay_sinh']):%d/%m/%Y}": one for one in children}
    return lambda texts: (right_number(by_birth[texts["ngay_sinh"]]), Result.PROVIDED.value, None)


def nothing(_: dict[str, Any]) -> tuple[None, None, None]:
    """Leave a row unanswered."""
    return None, None, None


def save(folder: Path, name: str, content: bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content)
    return path
