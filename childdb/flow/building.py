"""The steps that dbt does: seeds and staging before the matching, core to publication after it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from childdb.contracts import DBT_PROJECT
from childdb.database import Role, connect
from childdb.flow.dbt import run_dbt
from childdb.flow.runs import Counts, Run
from childdb.releases.plan import plan_release, planned_release
from childdb.settings import Settings

STAGING = ("resource_type:seed", "path:models/staging")


def build_staging(settings: Settings, run: Run) -> Counts:
    """Plan the build and prepare seeds and staging views, where they are not as the code says."""
    plan = plan_release(settings, period=run.period, as_of=run.as_of)
    digest = _digest(DBT_PROJECT / "seeds", DBT_PROJECT / "models" / "staging", DBT_PROJECT / "macros")
    if _prepared(settings) != digest:
        # A seed may have got a column: its table is made anew, and the views on it with it.
        run_dbt(settings, ["build", "--full-refresh", "--select", *STAGING], plan.variables)
        _note_prepared(settings, digest)
    return {"batches": len(plan.inputs["batches"]), "release_id": plan.release_id}


def build_models(settings: Settings, run: Run) -> Counts:
    """Build core, marts, publication and the lists of problems of the plan at hand."""
    with connect(Role.PUBLISHER, settings) as connection:
        plan = planned_release(connection)
    states = run_dbt(settings, ["build", "--exclude", *STAGING], plan.variables)
    return {**states, "release_id": plan.release_id}


def _digest(*folders: Path) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(DBT_PROJECT)).encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _prepared(settings: Settings) -> str | None:
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute("select sha256 from ops.prepared_models where layer = 'staging'").fetchone()
    return None if row is None else str(row[0])


def _note_prepared(settings: Settings, digest: str) -> None:
    with connect(Role.LOADER, settings) as connection:
        connection.execute(
            "insert into ops.prepared_models (layer, sha256) values ('staging', %s) "
            "on conflict (layer) do update set sha256 = excluded.sha256, prepared_at = now()",
            [digest],
        )
