"""The other datasets of the intake: reports read as figures, and the pull of changed records."""

from __future__ import annotations

from collections.abc import Iterator

from childdb.database import Role, connect
from childdb.errors import GateStoppedError
from childdb.flow.intake import hold_at_gate, open_store
from childdb.flow.runs import Counts, Run
from childdb.loading import changes, figures, ledger
from childdb.quality.gates import run_gate
from childdb.reading.model import FileReading
from childdb.settings import Settings
from childdb.workspace import Workspace
from connectors.http import PullStoppedError
from connectors.registry import Dataset, load_registry
from connectors.reports import COLUMN_MAP, figures_of

BEGINNING = "2018-01-01"
"""The first pull begins before the software did."""


def report_datasets() -> list[Dataset]:
    """Return the registered datasets whose rows are figures."""
    return [dataset for dataset in load_registry().values() if dataset.column_map == COLUMN_MAP]


def load_reports(settings: Settings, run: Run) -> Counts:
    """Read, load, check and type every report that was landed; one that fails holds up no other."""
    files = rows = held = 0
    for dataset in report_datasets():
        loaded = dict(_loaded(settings, dataset.key))
        open_batches = _checked(settings, run, dataset.key, list(loaded))
        held += len(loaded) - len(open_batches)
        for batch_id in open_batches:
            reading = loaded[batch_id]
            stated = figures.Stated(reading.profile.stated_date, reading.profile.stated_unit_texts)
            with connect(Role.CLEANER, settings) as connection:
                figures.clean_figures(connection, dataset.key, batch_id, figures_of(reading), stated)
            rows += reading.rows.num_rows
        files += len(loaded)
    return {"files": files, "rows": rows, "held": held}


def _loaded(settings: Settings, dataset: str) -> Iterator[tuple[str, FileReading]]:
    """Yield what waits of a dataset as read, loaded where it may be; a killed run's loaded batches come again."""
    from childdb.reading import ReadOptions, read_file

    store = open_store(settings)
    with connect(Role.LOADER, settings) as connection:
        waiting = ledger.batches_with_status(connection, dataset, "landed")
        waiting += ledger.batches_with_status(connection, dataset, "loaded")
    for batch_id, sha256, name in waiting:
        options = ReadOptions(
            dataset=COLUMN_MAP, file_name=name, work_dir=store.scratch, hold_unknown_headers=True
        )
        with store.opened(sha256) as path:
            reading = read_file(path, options=options)
        with connect(Role.LOADER, settings) as connection:
            figures.load_figures(connection, dataset, batch_id, reading)
        if reading.outcome.is_loaded:
            yield batch_id, reading


def _checked(settings: Settings, run: Run, dataset: str, batch_ids: list[str]) -> list[str]:
    """Return the batches that pass their gate; a dataset that is stopped holds up no other."""
    if not batch_ids:
        return []
    try:
        result = run_gate(settings, f"raw/{dataset}", run_id=run.run_id, batch_ids=batch_ids, as_of=run.as_of)
        passed, stopped = list(result.open_batches), list(result.held_batches)
    except GateStoppedError:
        passed, stopped = [], batch_ids
    with connect(Role.LOADER, settings) as connection:
        connection.execute("update ops.batches set gate_passed = true where batch_id = any(%s)", [passed])
        hold_at_gate(connection, stopped)
    return passed


def pull_changes(settings: Settings, run: Run) -> Counts:
    """Pull the records changed since the last checkpoint, land and load them; a stop leaves the checkpoint as it was."""
    from connectors.treem import ChangePull, open_treem

    if not (run.pull and settings.treem_url):
        return {"records": 0, "deleted": 0}
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute(
            "select since from ops.checkpoints where dataset = %s", [changes.DATASET]
        ).fetchone()
    workspace = Workspace(settings.home)
    client = open_treem(settings)
    path, summary = ChangePull(client, workspace.scratch / "changes").run(row[0] if row else BEGINNING)
    covered = changes.units_of(commune.code for commune in client.communes())
    store = open_store(settings)
    landed = store.land(path)
    delivery = ledger.Delivery(changes.DATASET, "treem_http", path.name, run.run_id)
    batch_id = ledger.batch_id_of(changes.DATASET, landed.sha256)
    with connect(Role.LOADER, settings) as connection:
        ledger.record_delivery(connection, delivery, landed)
        changes.load_changes(connection, batch_id, changes.read_changes(path), covered)
    with connect(Role.CLEANER, settings) as connection:
        changes.clean_changes(connection, batch_id)
    with connect(Role.LOADER, settings) as connection:
        connection.execute(
            "insert into ops.checkpoints (dataset, since, batch_id) values (%s, %s, %s) on conflict (dataset) "
            "do update set since = excluded.since, batch_id = excluded.batch_id, recorded_at = now()",
            [changes.DATASET, summary.next_since, batch_id],
        )
    path.unlink(missing_ok=True)
    path.parent.rmdir()
    return {"records": summary.records, "deleted": summary.deleted}


def take_changes(settings: Settings, run: Run) -> Counts:
    """Pull the changed records; a pull that stops says why and holds up nothing else: the next run resumes it."""
    try:
        return pull_changes(settings, run)
    except PullStoppedError as stop:
        return {"records": 0, "deleted": 0, "stopped": stop.code}
