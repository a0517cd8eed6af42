"""The last steps: the candidate, its gate, two approvals, what readers and communes get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from childdb.database import Role, connect
from childdb.errors import GateStoppedError
from childdb.flow.runs import Counts, Run, close_run
from childdb.quality.datadocs import build_data_docs
from childdb.quality.gates import run_gate
from childdb.releases.approvals import finalize, record_approval, release_state
from childdb.releases.candidate import build_candidate
from childdb.settings import Settings
from childdb.workspace import Workspace


def build_release(settings: Settings, run: Run) -> Counts:
    """Write the files of the candidate and note on the run which release it is."""
    release_id = build_candidate(settings, run.period, run.as_of)
    with connect(Role.LOADER, settings) as connection:
        connection.execute("update ops.runs set release_id = %s where run_id = %s", [release_id, run.run_id])
    return {"release_id": release_id}


def _release_of(settings: Settings, run: Run) -> str:
    with connect(Role.LOADER, settings) as connection:
        row = connection.execute("select release_id from ops.runs where run_id = %s", [run.run_id]).fetchone()
    if row is None or row[0] is None:
        raise GateStoppedError("The run has built no release: start it again.")
    return str(row[0])


def check_release(settings: Settings, run: Run) -> Counts:
    """Judge the candidate before people are asked, and lay out the quality pages they look at."""
    release_id = _release_of(settings, run)
    try:
        result = run_gate(settings, "publication/figures", run_id=run.run_id, release_id=release_id)
    finally:
        build_data_docs(settings, Workspace(settings.home).quality)
    return {"outcome": result.outcome.value, "release_id": release_id}


def needs_approval(settings: Settings, run: Run) -> Counts:
    """Say whether people have to be asked: not for a release that they approved before."""
    release_id = _release_of(settings, run)
    with connect(Role.PUBLISHER, settings) as connection:
        state = release_state(connection, release_id)
    return {"outcome": "unchanged" if state.status == "approved" else "needed", "release_id": release_id}


def publish_release(settings: Settings, run: Run, answers: Sequence[Mapping[str, Any]]) -> Counts:
    """Record the two answers, publish the release and write what readers and communes get.

    Raises:
        GateStoppedError: both answers are the same person's.
    """
    release_id = _release_of(settings, run)
    for answer in answers:
        person, at = answer["responded_by_user"]["name"], datetime.fromisoformat(str(answer["responded_at"]))
        record_approval(settings, release_id, person, at)
    finalize(settings, release_id)
    requested = _write_outputs(settings)
    close_run(settings, run.run_id, "released", release_id, None)
    return {"release_id": release_id, "requested": requested}


def _write_outputs(settings: Settings) -> int:
    from childdb.portal.static_export import write_portal_files
    from childdb.worklists.service import export_lists

    write_portal_files(settings, Workspace(settings.home).portal)
    return export_lists(settings).row_count
