"""One function per task of the DAGs: settings in, counts out, every step recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from childdb.flow import building, intake, matching, publishing, reports
from childdb.flow.runs import Counts, Run, ensure_run, run_step
from childdb.settings import Settings, load_settings

Work = Callable[[Settings, Run], Counts]


def _run(step: str, work: Work) -> dict[str, Any]:
    settings = load_settings()
    return dict(run_step(settings, step, lambda run: work(settings, run)))


def land_deliveries(dag_run_id: str) -> dict[str, Any]:
    """Take in what waits in the drop folder and on the entry software; nothing is opened yet."""
    ensure_run(load_settings(), dag_run_id)
    return _run("land_deliveries", intake.land_deliveries)


def load_raw() -> dict[str, Any]:
    """Read every landed file in a child process and load it with its ledger row."""
    return _run("load_raw", intake.load_raw)


def load_reports() -> dict[str, Any]:
    """Read, load, check and type the reports that came."""
    return _run("load_reports", reports.load_reports)


def pull_changes() -> dict[str, Any]:
    """Pull the records that changed since the last time."""
    return _run("pull_changes", reports.take_changes)


def check_raw(dataset: str) -> dict[str, Any]:
    """Judge the loaded batches of a dataset; a batch that is stopped stays out of the build."""

    def work(settings: Settings, run: Run) -> Counts:
        return intake.check_raw(settings, run, dataset)

    return _run(f"check_raw:{dataset}", work)


def clean_children() -> dict[str, Any]:
    """Standardise the rows of every batch that passed its gate."""
    return _run("clean_children", intake.clean_children)


def load_persons() -> dict[str, Any]:
    """Land and load the population extract."""
    return _run("load_persons", intake.load_persons)


def build_staging() -> dict[str, Any]:
    """Plan the build (its batches, period and reference date) and build seeds and staging."""
    return _run("build_staging", building.build_staging)


def match_children() -> dict[str, Any]:
    """Match the register's rows with the population extract and give children their keys."""
    return _run("match_children", matching.match_children)


def check_identity() -> dict[str, Any]:
    """Judge the result of the matching."""
    return _run("check_identity", matching.check_identity)


def build_models() -> dict[str, Any]:
    """Build core, marts and publication."""
    return _run("build_models", building.build_models)


def build_release() -> dict[str, Any]:
    """Write the candidate of a release."""
    return _run("build_release", publishing.build_release)


def check_release() -> dict[str, Any]:
    """Judge the candidate before people are asked."""
    return _run("check_release", publishing.check_release)


def needs_approval() -> bool:
    """Return whether people have to be asked: a release they approved before is not asked about again."""
    return bool(_run("needs_approval", publishing.needs_approval)["outcome"] == "needed")


def publish_release(answers: Sequence[Any]) -> dict[str, Any]:
    """Record the two approvals and publish the release."""

    def work(settings: Settings, run: Run) -> Counts:
        return publishing.publish_release(settings, run, answers)

    return _run("publish_release", work)
