"""The first steps of the main job: land, load, check, clean; one transaction a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection

from childdb.database import Role, connect
from childdb.errors import GateStoppedError, InputRefusedError
from childdb.flow.runs import Counts, Run
from childdb.landing import Landed, land_file, opened_landed
from childdb.landing.remote import RemoteStore, open_remote
from childdb.loading import ledger
from childdb.loading.ahead import in_order
from childdb.loading.arrivals import note_arrivals
from childdb.loading.decisions import approved_mappings
from childdb.loading.persons import clean_extract, load_extract
from childdb.loading.raw import load_reading
from childdb.loading.senders import settle_senders
from childdb.quality.gates import run_gate
from childdb.settings import Settings
from childdb.steps import Step, reach
from childdb.vault.keys import Purpose, open_keys
from childdb.workspace import Workspace
from connectors.drop_folder import look
from connectors.registry import load_registry

CHILDREN, PERSONS = "treem__children", "population__persons"
FILE_LIMIT = 200 * 1024**2
COMMUNE_FOLDER = re.compile(r"[0-9]{5}")
"""A folder of the drop folder that is named by a commune's code belongs to that commune alone."""


@dataclass(frozen=True)
class Store:
    """The landing store with its key, and where clear copies may lie for a moment; the bytes may lie remotely."""

    folder: Path
    key: bytes
    scratch: Path
    remote: RemoteStore | None = None

    def land(self, path: Path, *, size_limit: int | None = None) -> Landed:
        """Take a file in and return what it is."""
        return land_file(path, self.folder, self.key, size_limit=size_limit, remote=self.remote)

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        """Yield a private clear copy of a landed content."""
        with opened_landed(self.folder, sha256, self.key, self.scratch, self.remote) as path:
            yield path


def open_store(settings: Settings) -> Store:
    """Return the landing store of this workspace."""
    workspace = Workspace(settings.home)
    with connect(Role.MATCHER, settings) as connection:
        keys = open_keys(workspace, connection)
    remote = (
        open_remote(settings.landing_url, settings.landing_access_key_file) if settings.landing_url else None
    )
    return Store(workspace.landing, keys.derive(Purpose.LANDING), workspace.scratch, remote)


def land_deliveries(settings: Settings, run: Run) -> Counts:
    """Land what lies in the drop folder and what the entry software offers."""
    store = open_store(settings)
    new = known = refused = 0
    for arrival in _arrivals(settings, run):
        delivery = ledger.Delivery(
            arrival.dataset, arrival.channel, arrival.name, run.run_id, arrival.sender_code
        )
        with connect(Role.LOADER, settings) as connection:
            if arrival.reason_code is not None:
                ledger.record_not_taken(connection, delivery, arrival.reason_code)
                refused += 1
                continue
            try:
                landed = store.land(arrival.path, size_limit=FILE_LIMIT)
            except InputRefusedError as error:
                code = "FILE-SIZE" if "limit" in error.message_en else "INJ-LINK"
                ledger.record_not_taken(connection, delivery, code)
                refused += 1
                continue
            is_new = ledger.record_delivery(connection, delivery, landed)
            reach(Step.LAND_RECORDED)
        reach(Step.LAND_COMMITTED)
        new, known = new + is_new, known + (not is_new)
    return {"new": new, "known": known, "not_taken": refused}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One file at the door; ``reason_code`` says why it is not taken now, ``sender_code`` whose it says it is."""

    channel: str
    name: str
    path: Path
    reason_code: str | None = None
    sender_code: str | None = None
    dataset: str = CHILDREN


def _arrivals(settings: Settings, run: Run) -> Iterator[Incoming]:
    if run.drop_folder:
        folder = Path(run.drop_folder)
        for arrival in look(folder):
            dataset, sender = _meant_by(arrival.path.relative_to(folder))
            yield Incoming(
                "drop_folder", arrival.shown_name, arrival.path, arrival.reason_code, sender, dataset
            )
    if run.pull and settings.sftp_host:
        yield from _fetched(settings)
    if run.pull and settings.treem_url:
        yield from _pulled(settings)


def _meant_by(path: Path) -> tuple[str, str | None]:
    """Return dataset and sending commune that the folders above a file name."""
    folders = path.parts[:-1]
    dataset = next((name for name in folders if name in load_registry()), CHILDREN)
    return dataset, next((name for name in folders if COMMUNE_FOLDER.fullmatch(name)), None)


def _fetched(settings: Settings) -> Iterator[Incoming]:
    """Yield what lies on the SFTP server."""
    from connectors.sftp import open_place, pull_files

    for name, path in pull_files(open_place(settings), Workspace(settings.home).scratch):
        dataset, sender = _meant_by(Path(name))
        try:
            yield Incoming("sftp", _shown(Path(name)), path, None, sender, dataset)
        finally:
            path.unlink(missing_ok=True)


def _shown(path: Path) -> str:
    """Return a file's name as text that is safe to store and to show."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)[:255]


def _pulled(settings: Settings) -> Iterator[Incoming]:
    from connectors.treem import pull_exports

    scratch = Workspace(settings.home).scratch
    with connect(Role.LOADER, settings) as connection:
        known = ledger.known_contents(connection, CHILDREN)
    for pulled in pull_exports(settings, scratch, is_known=known.__contains__):
        try:
            name = _shown(Path(pulled.file_name))
            yield Incoming("treem_http", name, pulled.path, sender_code=pulled.commune_code)
        finally:
            pulled.path.unlink(missing_ok=True)


def load_raw(settings: Settings, run: Run) -> Counts:
    """Read every landed file in a child process and load it; a file that fails holds up no other."""
    from childdb.reading import FileReading, ReadOptions, read_file

    store = open_store(settings)
    files = rows = refused = held = 0
    with connect(Role.LOADER, settings) as connection:
        waiting = ledger.batches_with_status(connection, CHILDREN, "landed")
        approved = approved_mappings(connection, CHILDREN)

    def read(batch: tuple[str, str, str]) -> FileReading:
        options = ReadOptions(
            file_name=batch[2], work_dir=store.scratch, hold_unknown_headers=True, approved_mappings=approved
        )
        with store.opened(batch[1]) as path:
            reach(Step.LOAD_OPENED)
            reading = read_file(path, options=options)
            reach(Step.LOAD_READ)
            return reading

    for (batch_id, _, _), reading in in_order(waiting, read, width=settings.threads):
        with connect(Role.LOADER, settings) as connection:
            counts = load_reading(connection, batch_id, reading)
        reach(Step.LOAD_COMMITTED)
        files += 1
        rows += counts.accepted + counts.quarantined if counts else 0
        refused += reading.outcome.value == "reject_file"
        held += reading.outcome.value == "quarantine_file"
    return {"files": files, "rows": rows, "refused": refused, "held": held}


def check_raw(settings: Settings, run: Run, dataset: str) -> Counts:
    """Judge the loaded batches of a dataset; what the gate holds stays out until a person lets it go."""
    with connect(Role.LOADER, settings) as connection:
        batches = _to_check(connection, dataset)
        if dataset == CHILDREN:
            note_arrivals(connection, batches, run.as_of)
    if not batches:
        return {"checked": 0, "held": 0}
    try:
        result = run_gate(settings, f"raw/{dataset}", run_id=run.run_id, batch_ids=batches, as_of=run.as_of)
    except GateStoppedError:
        with connect(Role.LOADER, settings) as connection:
            hold_at_gate(connection, batches)
        raise
    with connect(Role.LOADER, settings) as connection:
        connection.execute(
            "update ops.batches set gate_passed = true where batch_id = any(%s)", [list(result.open_batches)]
        )
        hold_at_gate(connection, result.held_batches)
    if dataset == PERSONS:
        _clean_persons(settings, result.open_batches)
    return {
        "checked": len(batches),
        "held": len(result.held_batches),
        "message_vi": result.message_vi or None,
    }


def _to_check(connection: Connection, dataset: str) -> list[str]:
    rows = connection.execute(
        "select batch_id from ops.batches where dataset = %s and not gate_passed "
        "and (status = 'loaded' or (status = 'held' and reason_code = 'GATE')) order by batch_id",
        [dataset],
    ).fetchall()
    return [str(row[0]) for row in rows]


def hold_at_gate(connection: Connection, batch_ids: Sequence[str]) -> None:
    """Hold loaded batches that their gate stopped; their rows wait with them."""
    connection.execute(
        "update ops.batches set status = 'held', outcome = 'quarantine_file', reason_code = 'GATE', "
        "quarantined = quarantined + accepted, accepted = 0 "
        "where batch_id = any(%s) and status = 'loaded'",
        [list(batch_ids)],
    )


def clean_children(settings: Settings, run: Run) -> Counts:
    """Standardise every batch that passed its gate and was not cleaned yet."""
    from childdb.loading.clean import clean_batch

    with connect(Role.CLEANER, settings) as connection:
        rows = connection.execute(
            "select batch_id from ops.batches where dataset = %s and gate_passed and status in ('loaded', 'held') "
            "order by batch_id",
            [CHILDREN],
        ).fetchall()
    accepted = quarantined = 0
    for (batch_id,) in rows:
        with connect(Role.CLEANER, settings) as connection:
            counts = clean_batch(connection, batch_id, run.as_of)
        reach(Step.CLEAN_COMMITTED)
        accepted += counts.accepted
        quarantined += counts.quarantined
    with connect(Role.CLEANER, settings) as connection:
        missing = settle_senders(connection, load_registry()[CHILDREN], run.as_of)
    return {
        "files": len(rows), "accepted": accepted, "quarantined": quarantined, "communes_not_sent": missing,
    }  # fmt: skip


def load_persons(settings: Settings, run: Run) -> Counts:
    """Land and load the population extract of the run, if it names one."""
    if run.population_path is None:
        return {"new": 0, "rows": 0}
    store = open_store(settings)
    path = Path(run.population_path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise InputRefusedError("The population extract has to be one file, Parquet or CSV.")
    landed = store.land(path)
    with connect(Role.LOADER, settings) as connection:
        delivery = ledger.Delivery(PERSONS, "drop_folder", _shown(Path(path.name)), run.run_id)
        is_new = ledger.record_delivery(connection, delivery, landed)
    rows = 0
    with connect(Role.LOADER, settings) as connection:
        waiting = ledger.batches_with_status(connection, PERSONS, "landed")
    for batch_id, sha256, _ in waiting:
        with store.opened(sha256) as clear, connect(Role.LOADER, settings) as connection:
            counts = load_extract(connection, batch_id, clear)
        rows += counts.accepted if counts else 0
    return {"new": int(is_new), "rows": rows}


def _clean_persons(settings: Settings, batch_ids: tuple[str, ...]) -> None:
    for batch_id in batch_ids:
        with connect(Role.CLEANER, settings) as connection:
            clean_extract(connection, batch_id)
