"""Decisions of people about deliveries: headers adopted, held files and rows let go, rows sent again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import Connection
from psycopg.types.json import Jsonb

from childdb.errors import UsageError
from childdb.findings import findings_table
from childdb.flow.exchange import copy_table
from childdb.loading.profiles import profile_document
from childdb.loading.raw import TABLE, raw_rows, replace_findings

if TYPE_CHECKING:
    from childdb.reading.model import FileReading, ReadOptions

CONFIRMABLE = frozenset({"FILE-ROW-LIMIT", "DEL-COUNT", "FILE-NO-ROWS"})
"""Holds that a person's count lifts; the others need a new file, a decision about columns or one about a gate."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class HeldHeader:
    """A held file whose header waits for approval: what each unknown wording is proposed to mean."""

    batch_id: str
    file_name: str
    signature: str
    proposal: Mapping[str, str]
    map_version: str | None


def approved_mappings(connection: Connection, dataset: str) -> dict[str, dict[str, str]]:
    """Return header signature → {header text: column}, the latest decision of each counting."""
    rows = connection.execute(
        "select distinct on (header_signature, header_text) header_signature, header_text, coalesce(column_name, '') "
        "from ops.column_decisions where dataset = %s order by header_signature, header_text, decision_no desc",
        [dataset],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for signature, header, column in rows:
        found.setdefault(str(signature), {})[str(header)] = str(column)
    return found


def held_headers(connection: Connection, dataset: str) -> list[HeldHeader]:
    """Return the held files whose header a person can settle: wordings with a proposal, and those without one.

    A heading that nothing was proposed for stands with an empty column; only a person can say what it is.
    """
    rows = connection.execute(
        "select batch_id, file_name_text, profile ->> 'header_signature', profile -> 'header_proposal', "
        "profile -> 'unmapped_headers', profile ->> 'column_map_version' from ops.batches "
        "where dataset = %s and status = 'held' and profile ->> 'header_signature' is not null "
        "and (reason_code = 'STRUCT-MISSING-COLUMN' and profile -> 'unmapped_headers' <> '[]'::jsonb "
        "or reason_code in ('STRUCT-HEADER', 'STRUCT-MISSING-COLUMN') and profile -> 'header_proposal' <> '{}'::jsonb) "
        "order by batch_id",
        [dataset],
    ).fetchall()
    return [
        HeldHeader(
            batch_id, name, signature, {**dict.fromkeys(filter(None, unmapped), ""), **proposal}, version
        )
        for batch_id, name, signature, proposal, unmapped, version in rows
    ]


def approve_columns(
    connection: Connection,
    dataset: str,
    held: HeldHeader,
    changes: Mapping[str, str],
    columns: Sequence[str],
    decider: Decider,
) -> int:
    """Store a person's reading of a header and return how many wordings it covers; an empty column means none."""
    unknown = sorted({*changes} - {*held.proposal})
    wrong = sorted(column for column in changes.values() if column and column not in columns)
    if unknown or wrong:
        raise UsageError(
            f"Columns of batch {held.batch_id}: {len(unknown)} headings are not in the proposal, "
            f"{len(wrong)} names are no column of {dataset}. List them with 'childdb columns list'."
        )
    mapping = {**held.proposal, **changes}
    for header, column in sorted(mapping.items()):
        connection.execute(
            "insert into ops.column_decisions (dataset, header_signature, header_text, column_name, map_version, "
            "batch_id, decided_by, reason) values (%s, %s, %s, nullif(%s, ''), %s, %s, %s, %s)",
            [
                dataset,
                held.signature,
                header,
                column,
                held.map_version,
                held.batch_id,
                decider.name,
                decider.reason,
            ],
        )
    return len(mapping)


def reload_held(
    connection: Connection,
    batch_id: str,
    read: Callable[[Path, ReadOptions], FileReading],
    path: Path,
    options: ReadOptions,
) -> FileReading:
    """Read a held file again under a decision and load it; it then waits for its gate like any other.

    The raw rows, the findings and the ledger row change in one transaction; what still fails stays held.
    """
    row = connection.execute(
        "select status, reason_code from ops.batches where batch_id = %s for update", [batch_id]
    ).fetchone()
    if row is None or row[0] != "held":
        raise UsageError(f"Batch {batch_id} is not held; 'childdb quarantine list' shows what is.")
    reading = read(path, options)
    replace_findings(connection, batch_id, "reading", findings_table(reading.findings))
    if reading.outcome.is_loaded:
        _store(connection, batch_id, reading)
    return reading


def _store(connection: Connection, batch_id: str, reading: FileReading) -> None:
    connection.execute("delete from raw.treem__children where _batch_id = %s", [batch_id])
    copy_table(connection, TABLE, raw_rows(batch_id, reading.rows))
    quarantined = reading.rows.num_rows - reading.rows.column("row_reason").null_count
    connection.execute(
        "update ops.batches set outcome = %s, reason_code = 'GATE', physical_rows = %s, header_footer_rows = %s, "
        "accepted = %s, quarantined = %s, rejected = 0, profile = %s where batch_id = %s",
        [
            reading.outcome.value,
            reading.physical_rows,
            reading.header_footer_rows,
            reading.rows.num_rows - quarantined,
            quarantined,
            Jsonb(profile_document(reading.profile)),
            batch_id,
        ],
    )


def record_release(
    connection: Connection,
    batch_id: str,
    decider: Decider,
    *,
    reason_code: str | None,
    confirmed: int | None = None,
    rows: Sequence[tuple[str | None, int | None]] = (),
) -> None:
    """Store the release of a file, or of some of its rows."""
    for sheet, row_no in rows or [(None, None)]:
        connection.execute(
            "insert into ops.quarantine_decisions (batch_id, sheet, row_no, decision, reason_code, confirmed_row_count, "
            "decided_by, reason) values (%s, %s, %s, 'release', %s, %s, %s, %s)",
            [batch_id, sheet, row_no, reason_code, confirmed, decider.name, decider.reason],
        )


def record_resent(connection: Connection, batch_id: str, replaced_by: str, decider: Decider) -> int:
    """Link held or quarantined rows of a batch to the delivery that brought them again; return their number."""
    rows = connection.execute(
        "select batch_id, dataset, status, quarantined + rejected from ops.batches where batch_id = any(%s)",
        [[batch_id, replaced_by]],
    ).fetchall()
    found = {str(row[0]): row for row in rows}
    if len(found) != 2 or found[batch_id][1] != found[replaced_by][1]:
        raise UsageError("Both batches have to be in the ledger, different, and of one dataset.")
    if found[replaced_by][2] in ("refused", "landed"):
        raise UsageError(
            f"Batch {replaced_by} was not taken in; only a file that was read can answer for held rows."
        )
    connection.execute(
        "insert into ops.quarantine_decisions (batch_id, decision, replaced_by_batch_id, decided_by, reason) "
        "values (%s, 'resent', %s, %s, %s)",
        [batch_id, replaced_by, decider.name, decider.reason],
    )
    return int(found[batch_id][3] or 0)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What waits in quarantine of one batch, for one reason."""

    batch_id: str
    file_name: str
    status: str
    reason_code: str
    rows: int
    age_days: int
    resent_as: str | None
    rules_version: str | None = None
    """Version of the rules that hold it: of cleaning once it was cleaned, else of the column map that read it."""


def quarantined(connection: Connection, dataset: str) -> list[Quarantined]:
    """Return what is held of a dataset, files and rows, oldest first; the age is counted by the database."""
    rows = connection.execute(
        "with resent as (select batch_id, max(replaced_by_batch_id) as resent_as from ops.quarantine_decisions "
        "where decision = 'resent' group by batch_id), "
        "held_rows as (select _batch_id as batch_id, coalesce(_row_reason, 'CLEANING') as reason_code, count(*) as rows "
        "from raw.treem__children where _outcome = 'quarantined' group by 1, 2) "
        "select b.batch_id, b.file_name_text, b.status, coalesce(h.reason_code, b.reason_code, ''), "
        "coalesce(h.rows, b.quarantined + b.rejected), extract(day from now() - b.received_at)::int, r.resent_as, "
        "coalesce(b.rules_version, b.reader_version) "
        "from ops.batches as b left join held_rows as h on b.batch_id = h.batch_id "
        "left join resent as r on b.batch_id = r.batch_id "
        "where b.dataset = %s and (b.status = 'held' or b.quarantined > 0) "
        "order by b.received_at, b.batch_id, 4",
        [dataset],
    ).fetchall()
    return [Quarantined(*row) for row in rows]
