"""Batches cleaned from the raw table into the clean table, with findings and the ledger's judgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection

from childdb.cleaning import LedgerEntry, clean_in_chunks
from childdb.cleaning.rules import cleaning_rules
from childdb.contracts import source_table
from childdb.errors import ContractError
from childdb.findings import FINDINGS_SCHEMA
from childdb.flow.exchange import copy_table
from childdb.loading.corrections import hold_foreign, is_of_another_sender, lock_sender, settle_lists
from childdb.loading.ledger import record_judgement
from childdb.loading.raw import reading_from_raw, released_rows, replace_findings
from childdb.reading.model import Outcome
from childdb.steps import Step, reach

TABLE = "clean.treem__children"
MAJORITY = 0.5


def clean_batch(connection: Connection, batch_id: str, as_of: date | None) -> LedgerEntry:
    """Clean one loaded batch, replacing what an earlier attempt left, and return its ledger entry."""
    connection.execute("select 1 from ops.batches where batch_id = %s for update", [batch_id])
    reading = reading_from_raw(connection, batch_id)
    if reading.reason_code in ("GATE", "DEL-SCOPE"):
        # Only a batch that a person let go comes here again.
        reading = replace(reading, outcome=Outcome.ACCEPT_FLAGGED, reason_code=None)
    connection.execute("delete from clean.treem__children where _batch_id = %s", [batch_id])
    reach(Step.CLEAN_EMPTIED)
    sheets = {name: str(place) for place, name in enumerate(reading.profile.read_sheets, 1)}
    ledger, file_date, findings = None, None, []
    released = released_rows(connection, batch_id)
    for part in clean_in_chunks(reading, as_of=as_of, released=released):
        if part.records.num_rows:
            copy_table(connection, TABLE, _clean_rows(batch_id, part.records, sheets))
        findings.append(part.findings)
        ledger, file_date = part.ledger or ledger, part.file_date or file_date
    reach(Step.CLEAN_COPIED)
    if ledger is None:
        raise ContractError(f"Batch {batch_id}: cleaning ended without a ledger entry.")
    replace_findings(
        connection, batch_id, "cleaning", pa.concat_tables([FINDINGS_SCHEMA.empty_table(), *findings])
    )
    reach(Step.CLEAN_REMARKED)
    if is_of_another_sender(connection, batch_id):
        return hold_foreign(connection, batch_id, ledger)
    sender = _sender(connection, batch_id)
    lock_sender(connection, sender)
    record_judgement(
        connection,
        batch_id,
        outcome=ledger.outcome,
        reason_code=ledger.reason_code,
        accepted=ledger.accepted,
        quarantined=ledger.quarantined,
        rejected=ledger.rejected,
        file_date=file_date or as_of,
        sender_commune_id=sender,
        rules_version=cleaning_rules().version,
    )
    settle_lists(connection, batch_id, sender)
    reach(Step.CLEAN_RECORDED)
    return ledger


def _clean_rows(batch_id: str, records: pa.Table, sheets: dict[str, str]) -> pa.Table:
    count = records.num_rows
    ordinals = pa.array(
        [sheets.get(name or "", "1") for name in records.column("sheet").to_pylist()], pa.string()
    )
    numbers = records.column("row_no").cast(pa.string())
    heads = pa.array([f"{batch_id}#"] * count, pa.string())
    ids = pc.binary_join_element_wise(pc.binary_join_element_wise(heads, ordinals, ""), numbers, ":")
    own = {"record_id": ids, "_batch_id": pa.array([batch_id] * count, pa.string())}
    wanted = source_table("clean_treem", "treem__children").column_names
    columns = [own[name] if name in own else records.column(name) for name in wanted]
    return pa.table(columns, names=list(wanted))


def _sender(connection: Connection, batch_id: str) -> str | None:
    """Return the commune that most rows of a batch belong to, if it holds more than half of them."""
    row = connection.execute(
        "select commune_id, count(*)::float / sum(count(*)) over () from clean.treem__children "
        "where _batch_id = %s group by commune_id order by count(*) desc, commune_id limit 1",
        [batch_id],
    ).fetchone()
    return str(row[0]) if row and row[0] and row[1] > MAJORITY else None
