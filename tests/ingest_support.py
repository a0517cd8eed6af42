"""A small site that takes files in: deliveries, the steps of the pipeline, its whole state, and what must always hold."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import flow_support
import psycopg
from openpyxl import Workbook

from childdb import steps
from childdb.database import Database, Role, connect
from childdb.flow import intake
from childdb.flow.runs import Run
from childdb.settings import Settings
from childdb.workspace import Workspace

AS_OF = date(2026, 1, 31)
HEADER = ["STT", "Họ và tên trẻ", "Ngày sinh", "Giới tính", "Dân tộc", "Tỉnh", "Xã", "Ngày cập nhật"]
COMMUNE = {"A": "Xã Mường Khương", "B": "Xã Pha Long"}
NAMES = "An Bình Chi Dung Giang Hà Khôi Lan Mai Nga Phúc Quỳnh Sơn Tú Vân".split()


def kid(
    number: int, *, commune: str = "A", updated: str = "05/11/2025", name: str | None = None
) -> list[Any]:
    """Return one invented child as a row."""
    given = name or NAMES[number % len(NAMES)]
    day, month = number % 27 + 1, number % 12 + 1
    return [number, f"Lò Thị {given} {chr(65 + number % 26)}", f"{day:02d}/{month:02d}/2017", "Nữ", "Thái",
            "Tỉnh Lào Cai", COMMUNE[commune], updated]  # fmt: skip


def write(path: Path, rows: list[list[Any]], *, title: str | None = None, header: list[str] = HEADER) -> Path:
    """Write one delivery as a workbook."""
    book = Workbook()
    for row in ([[title]] if title else []) + [header, *rows]:
        book.worksheets[0].append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def take_in(settings: Settings, drop: Path) -> None:
    """Land, load, let pass and clean what lies in a folder: the pipeline's own steps, without the scheduler."""
    run = Run("run-of-a-test", str(drop), None, False, None, AS_OF)
    intake.land_deliveries(settings, run)
    intake.load_raw(settings, run)
    with connect(Role.LOADER, settings) as connection:
        connection.execute("update ops.batches set gate_passed = true where status = 'loaded'")
    intake.clean_children(settings, run)


STATE = {
    "batches": "select batch_id, status, outcome, reason_code, physical_rows, header_footer_rows, accepted, quarantined, "
    "rejected, file_date, sender_commune_id, sender_code, content_sha256, newest_update, superseded_by from ops.batches "
    "order by batch_id",
    "raw": "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from raw.treem__children as t",
    "clean": "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from clean.treem__children as t",
    "findings": "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from quality.findings as t",
}


def state(settings: Settings) -> dict[str, Any]:
    """Return all that intake writes but times and the log of arrivals."""
    with connect(Role.CHECKER, settings) as connection:
        found: dict[str, Any] = {name: connection.execute(query).fetchall() for name, query in STATE.items()}
    landing = Workspace(settings.home).landing
    found["bytes"] = sorted(path.name for path in landing.glob("??/*"))
    return found


BROKEN = {
    "equation": "select batch_id from ops.batches where physical_rows is distinct from "
    "header_footer_rows + accepted + quarantined + rejected",
    "raw rows": "select b.batch_id from ops.batches as b left join (select _batch_id, count(*) as n from raw.treem__children "
    "group by 1) as r on b.batch_id = r._batch_id where b.status in ('loaded', 'judged') "
    "and coalesce(r.n, 0) <> b.accepted + b.quarantined",
    "clean rows": "select b.batch_id from ops.batches as b left join (select _batch_id, count(*) as n, "
    "count(*) filter (where outcome = 'accepted') as ok from clean.treem__children group by 1) as c on b.batch_id = c._batch_id "
    "where b.status = 'judged' and (coalesce(c.n, 0) <> b.accepted + b.quarantined or coalesce(c.ok, 0) <> b.accepted)",
    "rows without a batch": "select distinct _batch_id from raw.treem__children where _batch_id not in "
    "(select batch_id from ops.batches where status in ('loaded', 'judged', 'held'))",
    "clean rows without a judgement": "select distinct _batch_id from clean.treem__children where _batch_id not in "
    "(select batch_id from ops.batches where status = 'judged')",
}  # fmt: skip


def check_ledger(settings: Settings) -> None:
    """Fail where the ledger and the tables disagree, or a batch has no bytes."""
    with connect(Role.CHECKER, settings) as connection:
        for name, query in BROKEN.items():
            found = [
                row for row in connection.execute(query) if name != "equation" or _is_read(connection, row[0])
            ]
            assert not found, (name, found)
        hashes = [row[0] for row in connection.execute("select file_sha256 from ops.batches")]
    landing = Workspace(settings.home).landing
    assert all((landing / sha256[:2] / sha256).is_file() for sha256 in hashes)


def _is_read(connection: psycopg.Connection, batch_id: str) -> bool:
    row = connection.execute(
        "select status <> 'landed' from ops.batches where batch_id = %s", [batch_id]
    ).fetchone()
    return bool(row and row[0])


def empty(settings: Settings, database: Database) -> None:
    """Empty warehouse and landing."""
    flow_support.empty_warehouse(database)
    for path in Workspace(settings.home).landing.glob("??/*"):
        path.unlink()


def die_at(step: str, settings: Settings, drop: Path) -> None:
    """Take files in and kill this very process at a step; for a process of its own."""

    def kill(reached: steps.Step) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.listener = kill
    take_in(settings, drop)


@contextmanager
def listening(listener: Callable[[steps.Step], None]) -> Iterator[None]:
    """Hear of the steps of this process while a block runs."""
    before, steps.listener = steps.listener, listener
    try:
        yield
    finally:
        steps.listener = before


class Proxy:
    """A way to the database that does something when a COMMIT passes: ``after`` it is sent, the answer is lost."""

    COMMIT = b"COMMIT\x00"

    def __init__(self, port: int, on_commit: Callable[[], None], *, skip: int = 0) -> None:
        self.target, self.on_commit, self.skip = port, on_commit, skip
        self.fired = 0
        self.done = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._outward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client), daemon=True).start()

    def _outward(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(1 << 16):
                if self.COMMIT not in data:
                    server.sendall(data)
                    continue
                self.fired += 1
                if self.fired != self.skip + 1:
                    server.sendall(data)
                    continue
                client.shutdown(socket.SHUT_RDWR)  # the answer will find nobody
                server.sendall(data)
                self.on_commit()
                self.done.set()
                client.close()
                return
        except OSError:
            pass
        finally:
            server.close()

    def _pass(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(1 << 16):
                client.sendall(data)
        except OSError:
            pass
        finally:
            client.close()
