"""Build the files of a release from what the models left in the database."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from psycopg import Connection
from psycopg.types.json import Jsonb

from childdb.database import Role, connect
from childdb.errors import ContractError, GateStoppedError
from childdb.forms import form_provinces, write_forms
from childdb.releases.disclosure import protect_release
from childdb.releases.figures import write_csv, write_parquet
from childdb.releases.manifest import write_digests, write_manifest
from childdb.releases.plan import ReleasePlan, planned_release
from childdb.releases.verify import MANIFEST, verify
from childdb.settings import Settings
from childdb.workspace import Workspace

BUILDER = "childdb"
COUNTS = """
select
    count(distinct (indicator_set, indicator_code)) filter (where status in ('published', 'hidden')),
    count(*) filter (where status = 'published'),
    count(*) filter (where status = 'hidden'),
    count(*) filter (where status = 'no_data'),
    count(*) filter (where status = 'not_applicable')
from marts.agg_release_figures
where release_id = %s
"""
COUNT_NAMES = "indicators_released cells_published cells_hidden cells_no_data cells_not_applicable".split()


def build_candidate(
    settings: Settings,
    period: str | None = None,
    as_of: date | None = None,
    *,
    release_id: str | None = None,
    built_by: str = BUILDER,
) -> str:
    """Return the release whose files now stand in the workspace: the last plan, or the one named.

    Building the same inputs again gives the same bytes; a release that was approved is checked, not touched.

    Raises:
        GateStoppedError: the same inputs gave other files than those already approved.
    """
    with connect(Role.PUBLISHER, settings) as connection:
        plan = planned_release(connection, release_id)
        _check_asked(plan, period, as_of)
        is_at_hand = planned_release(connection).release_id == plan.release_id
    if is_at_hand:
        protect_release(settings, plan.release_id)
    with connect(Role.PUBLISHER, settings) as connection:
        folder = Workspace(settings.home).releases / plan.release_id
        counts = _counts(connection, plan)
        digest = _write(connection, plan, folder, counts)
        _note(connection, plan, counts, digest, built_by)
    return plan.release_id


def _check_asked(plan: ReleasePlan, period: str | None, as_of: date | None) -> None:
    if (period or plan.period, as_of or plan.as_of) != (plan.period, plan.as_of):
        raise ContractError(
            f"The last plan is {plan.release_id} (period {plan.period}, as of {plan.as_of}): plan the release asked "
            "for and build the models before its candidate.",
        )


def _counts(connection: Connection, plan: ReleasePlan) -> dict[str, int]:
    row = connection.execute(COUNTS, [plan.release_id]).fetchone() or ()
    counts = dict(zip(COUNT_NAMES, (int(n) for n in row), strict=True))
    if not any(counts.values()):
        raise ContractError(
            f"Release {plan.release_id} has no figures in marts.agg_release_figures: build the models with its "
            "variables first ('childdb run' does).",
        )
    return counts


def _write(connection: Connection, plan: ReleasePlan, folder: Path, counts: dict[str, int]) -> str:
    """Write all files beside the folder and move them there in one step; return the manifest's digest."""
    work = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        write_csv(connection, plan.release_id, work / "figures.csv")
        write_parquet(work / "figures.csv", work / "figures.parquet")
        _write_forms(plan, work)
        digest = write_manifest(work, plan.release_id, plan.inputs, counts)
        write_digests(work)
        _move(connection, plan, work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return digest


def _write_forms(plan: ReleasePlan, work: Path) -> None:
    write_forms(
        pq.read_table(work / "figures.parquet"),
        work / "forms",
        release_id=plan.release_id,
        period=plan.period,
        reference_date=plan.reference_date,
        provinces=form_provinces(plan.reference_date),
    )


def _move(connection: Connection, plan: ReleasePlan, work: Path, folder: Path) -> None:
    if folder.exists():
        if (folder / MANIFEST).exists() and _same_manifest(work, folder) and not verify(str(folder)):
            return
        row = connection.execute(
            "select status from ops.releases where release_id = %s", [plan.release_id]
        ).fetchone()
        if row and row[0] in ("approved", "withdrawn"):
            raise GateStoppedError(
                f"The inputs of {plan.release_id} now give other files than those approved. The approved files were "
                "not touched: run 'childdb release verify', and 'childdb release rebuild' to see which file differs.",
            )
        shutil.rmtree(folder)
    os.replace(work, folder)


def _same_manifest(work: Path, folder: Path) -> bool:
    return (work / MANIFEST).read_bytes() == (folder / MANIFEST).read_bytes()


def _note(
    connection: Connection, plan: ReleasePlan, counts: dict[str, int], digest: str, built_by: str
) -> None:
    connection.execute(
        "update ops.releases set counts = %s, manifest_sha256 = %s, built_by = %s, built_at = now(), "
        "status = case when status = 'planned' then 'candidate' else status end "
        "where release_id = %s and (status in ('planned', 'candidate') or manifest_sha256 = %s)",
        [Jsonb(counts), digest, built_by, plan.release_id, digest],
    )
    # A signature holds for the files it was given for and for no others.
    connection.execute(
        "delete from ops.release_approvals where release_id = %s and manifest_sha256 <> %s",
        [plan.release_id, digest],
    )
