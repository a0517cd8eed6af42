"""The steps of the lists: prepared, approved by a person, sent, answered, reminded of; and gates judged again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from childdb.database import Role, connect
from childdb.errors import GateStoppedError
from childdb.flow.intake import CHILDREN, PERSONS, check_raw, clean_children
from childdb.flow.runs import Run
from childdb.quality.datadocs import build_data_docs
from childdb.settings import Settings
from childdb.worklists.dispatch import dispatch_batch, remind
from childdb.worklists.model import AnswerOutcome
from childdb.worklists.service import export_lists, import_lists, read_fix_lists, send_fix_lists
from childdb.workspace import Workspace


def prepare_lists(settings: Settings) -> dict[str, Any]:
    """Write the lists to the police and the fix lists to the communes; nothing leaves yet."""
    report = export_lists(settings)
    fixes, _ = send_fix_lists(settings)
    return {
        "batch_id": report.batch_id,
        "rows": report.row_count,
        "lists": len(report.lists),
        "due_date": report.due_date.isoformat(),
        "fix_lists": len(fixes.lists),
    }


def send_lists(settings: Settings, batch_id: str, answer: Mapping[str, Any] | None) -> dict[str, Any]:
    """Send a batch that a person approved; the answer is that of the human step."""
    if not answer:
        raise GateStoppedError(
            f"Batch {batch_id} of lists was approved by nobody: it stays here.",
            f"Đợt danh sách {batch_id} chưa có người duyệt nên chưa được gửi đi.",
        )
    person = str(answer["responded_by_user"]["name"])
    workspace = Workspace(settings.home).prepare()
    with connect(Role.STEWARD, settings) as connection:
        lists = dispatch_batch(
            connection, workspace.requests, workspace.outbox, batch_id, person,
            datetime.fromisoformat(str(answer["responded_at"])),
        )  # fmt: skip
    return {"batch_id": batch_id, "lists": lists}


def take_in_answers(settings: Settings) -> dict[str, Any]:
    """Take in what lies in the inbox; files known already change nothing, so they may stay there."""
    workspace = Workspace(settings.home).prepare()
    answers = sorted(path for path in (workspace.inbox / "police").glob("**/*.xlsx") if path.is_file())
    returned = sorted(path for path in (workspace.inbox / "communes").glob("**/*.xlsx") if path.is_file())
    reports = import_lists(settings, answers) if answers else []
    ends = read_fix_lists(settings, returned) if returned else []
    new = [report for report in reports if not report.is_repeat]
    return {
        "files": len(new),
        **{outcome.value: sum(report.count(outcome) for report in new) for outcome in AnswerOutcome},
        "files_refused": sum(report.outcome == "refused" for report in new),
        "fix_lists": sum(not end.is_repeat for end in ends),
        "items_closed": sum(end.closed for end in ends),
    }


def remind_of_lists(settings: Settings, day: date) -> dict[str, Any]:
    """Record the reminders due on a day."""
    with connect(Role.STEWARD, settings) as connection:
        found = remind(connection, day)
    return {"reminders": len(found), "communes": sorted({entry.commune_id for entry in found})}


def judge_again(settings: Settings, run_id: str) -> dict[str, Any]:
    """Judge what waits at the gates on raw after people's decisions, clean what may go on, write the pages.

    Raises:
        GateStoppedError: something is still held; it names rule, dataset and remedy.
    """
    run = Run(run_id, None, None, False, None, None)
    counts: dict[str, Any] = {}
    stopped: GateStoppedError | None = None
    for dataset in (CHILDREN, PERSONS):
        try:
            counts[dataset] = dict(check_raw(settings, run, dataset))
        except GateStoppedError as error:
            stopped = error
    counts["cleaned"] = clean_children(settings, run)["files"]
    build_data_docs(settings, Workspace(settings.home).quality)
    if stopped is not None:
        raise stopped
    return counts
