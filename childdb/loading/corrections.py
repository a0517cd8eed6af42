"""Which list of a commune counts: corrected, older and repeated ones in any order of arrival; files of another commune."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import Connection

from childdb.cleaning import LedgerEntry
from childdb.findings import findings_table
from childdb.loading.raw import replace_findings
from childdb.reading.model import Outcome
from childdb.reading.reasons import make_finding

if TYPE_CHECKING:
    from psycopg.rows import TupleRow


def lock_sender(connection: Connection, commune_id: str | None) -> None:
    """Let only one transaction at a time judge lists of one commune; the lock ends with the transaction."""
    if commune_id is not None:
        key = f"treem__children|{commune_id}"
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def settle_lists(connection: Connection, batch_id: str, commune_id: str | None) -> None:
    """Let the newest list of a commune supersede its others, and note what this delivery was to them.

    An older list stays readable as of its time, whenever it arrives.
    """
    connection.execute(
        "update ops.batches set newest_update = (select max(ngay_cap_nhat)::date from clean.treem__children "
        "where _batch_id = %s) where batch_id = %s",
        [batch_id, batch_id],
    )
    if commune_id is None:
        return
    lists = connection.execute(
        "select batch_id, content_sha256 from ops.batches where dataset = 'treem__children' and status = 'judged' "
        "and sender_commune_id = %s "
        "order by file_date desc nulls last, newest_update desc nulls last, file_sha256 desc",
        [commune_id],
    ).fetchall()
    newest = str(lists[0][0])
    connection.execute(
        "update ops.batches set superseded_by = nullif(%s, batch_id) where batch_id = any(%s) "
        "and superseded_by is distinct from nullif(%s, batch_id)",
        [newest, [row[0] for row in lists], newest],
    )
    reason = _reason(batch_id, lists)
    connection.execute(
        "update ops.deliveries set reason_code = %s where batch_id = %s and outcome = 'landed' "
        "and reason_code is null",
        [reason, batch_id],
    )


def _reason(batch_id: str, lists: list[TupleRow]) -> str | None:
    """Return what a list is to the others of its commune that were judged before it."""
    content = {str(row[0]): row[1] for row in lists}
    others = {name: found for name, found in content.items() if name != batch_id}
    if not others:
        return None
    if content[batch_id] is not None and content[batch_id] in others.values():
        return "DEL-SAME-CONTENT"
    return "DEL-CORRECTION" if str(lists[0][0]) == batch_id else "DEL-ORDER"


def is_of_another_sender(connection: Connection, batch_id: str) -> bool:
    """Return whether most children of a batch live in other communes than the one that sent it, then or now."""
    row = connection.execute(
        "select b.sender_code, count(*) filter (where c.commune_id is not null), "
        "count(*) filter (where b.sender_code in (split_part(c.commune_id, '@', 1), split_part(c.commune_id_2025, '@', 1))) "
        "from ops.batches as b inner join clean.treem__children as c on b.batch_id = c._batch_id "
        "where b.batch_id = %s and b.sender_code is not null and not exists (select 1 from ops.quarantine_decisions as d "
        "where d.batch_id = b.batch_id and d.decision = 'release' and d.reason_code = 'DEL-SCOPE') group by b.sender_code",
        [batch_id],
    ).fetchone()
    return row is not None and row[1] > 0 and row[2] * 2 < row[1]


def hold_foreign(connection: Connection, batch_id: str, ledger: LedgerEntry) -> LedgerEntry:
    """Hold a batch of another commune than its sender's: nothing of it stays cleaned, nobody else sees it."""
    connection.execute("delete from clean.treem__children where _batch_id = %s", [batch_id])
    finding = make_finding("DEL-SCOPE")
    replace_findings(connection, batch_id, "cleaning", findings_table([finding]))
    held = ledger.accepted + ledger.quarantined
    connection.execute(
        "update ops.batches set status = 'held', outcome = %s, reason_code = 'DEL-SCOPE', accepted = 0, "
        "quarantined = %s, gate_passed = false where batch_id = %s",
        [Outcome.QUARANTINE_FILE.value, held, batch_id],
    )
    return replace(
        ledger, outcome=Outcome.QUARANTINE_FILE.value, reason_code="DEL-SCOPE", accepted=0, quarantined=held
    )
