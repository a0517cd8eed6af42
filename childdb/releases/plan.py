"""Plan a release: choose its batches, fix its period and name it by its inputs, before anything is built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from childdb.database import Role, connect
from childdb.errors import InputRefusedError, UsageError
from childdb.releases.catalogue import read_catalogue
from childdb.releases.periods import parse_period
from childdb.releases.versions import code_version, rules_version, seeds_version
from childdb.settings import Settings

FORMAT_VERSION = 1
COUNTABLE = """
select batch_id, dataset, file_sha256, file_date
from ops.batches
where status = 'judged' and outcome in ('accept', 'accept_flagged') and file_date is not null
    and dataset <> 'treem__changes'  -- no model reads the pulled changes: the next list of their commune holds them
order by dataset, file_sha256, batch_id
"""
# Decisions of people that can move a figure, where the table exists; notes of time and key stay out.
DECISION_TABLES: Mapping[str, str] = {
    "identity.decisions": "decided_on decision_id",
    "quality.request_answers": "answer_id row_key item_id batch_id answer_mark event_date recorded_at",
    "quality.reversed_answers": "",
    "ops.corrections": "recorded_at correction_id",
    "ops.column_decisions": "decided_at decision_no",
    "ops.quarantine_decisions": "decided_at decision_no",
    "quality.gate_decisions": "recorded_at decision_no",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One landed batch that a build counts."""

    batch_id: str
    dataset: str
    file_sha256: str
    file_date: date


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What a release will count: everything that decides its figures, and its name made of that."""

    release_id: str
    period: str
    as_of: date
    reference_date: date
    inputs: Mapping[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        """Variables of the dbt build of this release."""
        parts = [str(self.inputs[name]) for name in ("code_version", "seeds_version", "rules_version")]
        return {
            "release_id": self.release_id,
            "period": self.period,
            "reference_date": self.reference_date.isoformat(),
            "build_version": hashlib.sha256("|".join(parts).encode()).hexdigest()[:16],
        }


def plan_release(settings: Settings, period: str | None = None, as_of: date | None = None) -> ReleasePlan:
    """Return the plan of a release over every batch that may be counted, and note it in the database.

    ``as_of`` is by default the latest file date, ``period`` the year of that day.

    Raises:
        InputRefusedError: no batch may be counted.
    """
    with connect(Role.CLEANER, settings) as connection:
        batches = countable_batches(connection)
        decisions = read_decisions(connection)
        plan = make_plan(batches, decisions, period, as_of)
        select_batches(connection, batches)
        note_plan(connection, plan)
    return plan


def countable_batches(connection: Connection) -> tuple[Batch, ...]:
    """Return the batches that were loaded, judged and accepted."""
    return tuple(Batch(*row) for row in connection.execute(COUNTABLE))


def make_plan(
    batches: Sequence[Batch],
    decisions: Mapping[str, str],
    period: str | None = None,
    as_of: date | None = None,
) -> ReleasePlan:
    """Return the plan for these inputs: the same inputs give the same name anywhere at any time."""
    if not batches:
        raise InputRefusedError(
            "No batch may be counted: nothing was accepted. See 'childdb status' for what was refused or held.",
            "Không có lô dữ liệu nào được chấp nhận để tính. Xem 'childdb status' để biết tệp bị từ chối hoặc giữ lại.",
        )
    read_catalogue()
    day = as_of or max(batch.file_date for batch in batches)
    code = period or f"{day.year:04d}"
    reference_date = parse_period(code).reference_date(day)
    inputs = {
        "format": FORMAT_VERSION,
        "batches": [
            {"dataset": b.dataset, "file_date": b.file_date.isoformat(), "file_sha256": b.file_sha256}
            for b in sorted(batches, key=lambda b: (b.dataset, b.file_sha256, b.file_date))
        ],
        "decisions": dict(sorted(decisions.items())),
        "code_version": code_version(),
        "seeds_version": seeds_version(),
        "rules_version": rules_version(),
        "settings": {
            "period": code,
            "as_of": day.isoformat(),
            "reference_date": reference_date.isoformat(),
        },
    }
    return ReleasePlan(release_identifier(code, inputs), code, day, reference_date, inputs)


def release_identifier(period: str, inputs: Mapping[str, Any]) -> str:
    """Return the name of a release: its period and twelve digits of its inputs' hash."""
    return f"r{period}-{hashlib.sha256(canonical_json(inputs)).hexdigest()[:12]}"


def canonical_json(value: Any) -> bytes:
    """Return the one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_decisions(connection: Connection) -> dict[str, str]:
    """Return a hash per table of people's decisions that holds any; order, time and keys do not count."""
    digests: dict[str, str] = {}
    for table, without in DECISION_TABLES.items():
        row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
        if row is None or not row[0]:
            continue
        query = sql.SQL("select (to_jsonb(t) - %s::text[])::text from {} as t").format(
            sql.Identifier(*table.split("."))
        )
        rows = sorted(text for (text,) in connection.execute(query, [without.split()]))
        if rows:
            digests[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests


def select_batches(connection: Connection, batches: Sequence[Batch]) -> None:
    """Name the batches of the build in the table that the staging models read."""
    connection.execute("delete from clean.selected_batches")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into clean.selected_batches (_batch_id, dataset, file_sha256, file_date) "
            "values (%s, %s, %s, %s)",
            [(b.batch_id, b.dataset, b.file_sha256, b.file_date) for b in batches],
        )


def note_plan(connection: Connection, plan: ReleasePlan) -> None:
    """Note a plan; planning the same inputs again changes nothing but which plan is the last."""
    connection.execute(
        "insert into ops.releases (release_id, period, as_of_date, reference_date, inputs) "
        "values (%s, %s, %s, %s, %s) on conflict (release_id) do update set planned_at = now()",
        [plan.release_id, plan.period, plan.as_of, plan.reference_date, Jsonb(plan.inputs)],
    )


def planned_release(connection: Connection, release_id: str | None = None) -> ReleasePlan:
    """Return a noted plan, the last one by default.

    Raises:
        UsageError: there is no such plan.
    """
    row = connection.execute(
        "select release_id, period, as_of_date, reference_date, inputs from ops.releases "
        "where %(id)s::text is null or release_id = %(id)s order by planned_at desc, release_id limit 1",
        {"id": release_id},
    ).fetchone()
    if row is None:
        raise UsageError(
            f"Release {release_id or ''} is not known here. 'childdb release list' shows the known ones.",
            f"Không có bản phát hành {release_id or ''}. Xem 'childdb release list'.",
        )
    return ReleasePlan(*row)
