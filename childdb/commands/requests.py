"""``childdb requests``: lists to the commune police and their signed answers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from childdb.cli import emit
from childdb.commands.review import today
from childdb.database import open_database
from childdb.errors import ExitStatus, UsageError
from childdb.settings import load_settings
from childdb.worklists.export import ExportReport
from childdb.worklists.half_life import NATION
from childdb.worklists.imported import FileReport
from childdb.worklists.letter import LETTER_SUFFIX
from childdb.worklists.model import AnswerOutcome
from childdb.worklists.reasons import reason_texts
from childdb.worklists.service import (
    RequestStatus,
    export_lists,
    import_lists,
    request_status,
    steward,
    verify_by_service,
)
from childdb.worklists.service_channel import Errand, outcome_words

HELP = "lists to the commune police and their signed answers"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add export, import and status."""
    acts = parser.add_subparsers(dest="act", required=True)
    export = acts.add_parser("export", help="write one workbook per commune and class")
    export.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="DATE",
        help="day of the lists; the newest list's day if left out",
    )
    export.add_argument("--by", default="childdb", metavar="NAME", help="who sends the lists")
    answers = acts.add_parser("import", help="take in answered lists")
    answers.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="workbooks or folders of workbooks"
    )
    answers.add_argument("--by", default="childdb", metavar="NAME", help="who takes the answers in")
    verify = acts.add_parser("verify", help="have the population service verify numbers on record")
    verify.add_argument("--by", required=True, metavar="NAME", help="who asks")
    verify.add_argument("--purpose", required=True, metavar="TEXT", help="why; kept with every look-up")
    verify.add_argument("--limit", type=int, default=1000, metavar="N", help="most look-ups of this command")
    acts.add_parser("status", help="what was asked, what came back, and the balance of open items")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Do the act asked for."""
    return {"export": _export, "import": _import, "verify": _verify, "status": _status}[arguments.act](
        arguments
    )


def _export(arguments: argparse.Namespace) -> ExitStatus:
    settings = load_settings()
    with open_database(settings):
        report = export_lists(settings, as_of=arguments.as_of, actor=arguments.by)
    emit(arguments, _export_json(report), _export_lines(report))
    return ExitStatus.DONE


def _export_json(report: ExportReport) -> dict[str, Any]:
    return {
        "batch_id": report.batch_id,
        "as_of": report.as_of.isoformat(),
        "due_date": report.due_date.isoformat(),
        "folder": str(report.folder),
        "rows": report.row_count,
        "under_60_days": report.newborn_count,
        "without_addressee": report.without_addressee_count,
        "items": dict(report.events),
        "lists": [
            {
                "path": str(entry.path),
                "commune_code": entry.commune_code,
                "class": entry.item_class.value,
                "rows": entry.row_count,
            }
            for entry in report.lists
        ],
    }


def _export_lines(report: ExportReport) -> Iterator[str]:
    yield f"Đợt {report.batch_id}: {report.row_count} dòng trong {len(report.lists)} danh sách tại {report.folder}"
    yield (
        f"Trẻ dưới 60 ngày tuổi để riêng: {report.newborn_count}; chưa rõ xã nhận: {report.without_addressee_count}; "
        f"hạn trả lời: {report.due_date:%d/%m/%Y}"
    )


def _import(arguments: argparse.Namespace) -> ExitStatus:
    paths = workbooks(arguments.paths)
    settings = load_settings()
    with open_database(settings):
        reports = import_lists(settings, paths, actor=arguments.by)
    emit(
        arguments,
        {"files": [_file_json(report) for report in reports], "totals": _totals(reports)},
        _import_lines(reports),
    )
    return _exit_status(reports)


def workbooks(paths: list[Path]) -> list[Path]:
    """Return the files of paths and folders; our own letters that lie beside the lists are left out."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [
                entry
                for entry in sorted(path.rglob("*"))
                if entry.is_file()
                and not entry.name.startswith((".", "~$"))
                and not entry.name.endswith(LETTER_SUFFIX)
            ]
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(
                "A path given to 'requests import' does not exist.", "Có đường dẫn không tồn tại."
            )
    if not found:
        raise UsageError("The folder holds no answered list.", "Thư mục không có danh sách trả lời nào.")
    return found


def _file_json(report: FileReport) -> dict[str, Any]:
    vi, en = reason_texts(report.reason_code) if report.outcome == "refused" else ("", "")
    return {
        "file": str(report.path),
        "outcome": report.outcome,
        "reason_code": report.reason_code,
        "message_vi": vi,
        "message_en": en,
        "is_repeat": report.is_repeat,
        "batch_id": report.batch_id,
        "commune_code": report.commune_id.split("@")[0] if report.commune_id else None,
        "class": report.item_class,
        "unanswered": report.unanswered,
        "rows": [
            {
                "row_no": row.row_no,
                "row_key": row.row_key,
                "outcome": row.outcome.value,
                "reason_code": row.reason_code,
            }
            for row in report.rows
        ],
    }


def _totals(reports: list[FileReport]) -> dict[str, int]:
    counts = {outcome.value: sum(report.count(outcome) for report in reports) for outcome in AnswerOutcome}
    return {
        **counts,
        "unanswered": sum(report.unanswered for report in reports),
        "files": len(reports),
        "files_refused": sum(report.outcome == "refused" for report in reports),
    }


def _import_lines(reports: list[FileReport]) -> Iterator[str]:
    for place, report in enumerate(reports, start=1):
        if report.outcome == "refused":
            yield f"Tệp {place}: không nhận ({report.reason_code}). " + " / ".join(
                reason_texts(report.reason_code)
            )
            continue
        ends = ", ".join(f"{_OUTCOMES_VI[outcome]} {report.count(outcome)}" for outcome in AnswerOutcome)
        yield f"Tệp {place}: {ends}, chưa trả lời {report.unanswered}" + (
            " (đã nhận trước đó)" if report.is_repeat else ""
        )
        for row in report.rows:
            if row.outcome is not AnswerOutcome.APPLIED:
                yield f"  dòng {row.row_no}: {_OUTCOMES_VI[row.outcome]} ({row.reason_code}). {reason_texts(row.reason_code)[0]}"


_OUTCOMES_VI = {
    AnswerOutcome.APPLIED: "ghi nhận",
    AnswerOutcome.HELD: "giữ lại",
    AnswerOutcome.REFUSED: "không nhận",
}


def _exit_status(reports: list[FileReport]) -> ExitStatus:
    totals = _totals(reports)
    if totals["refused"] or totals["files_refused"]:
        return ExitStatus.REFUSED
    return ExitStatus.STOPPED if totals["held"] else ExitStatus.DONE


def _verify(arguments: argparse.Namespace) -> ExitStatus:
    settings = load_settings()
    quota = settings.population_service_daily_quota
    errand = Errand(arguments.purpose, arguments.by, today(), arguments.limit, quota)
    with open_database(settings):
        report = verify_by_service(settings, errand)
    payload = {
        "asked": report.asked,
        "outcomes": dict(report.outcomes),
        "quota_left": report.quota_left,
        "stopped": report.stopped,
    }
    told = ", ".join(outcome_words(report.outcomes)) or "không có gì để hỏi"
    lines = [f"Đã tra cứu {report.asked} ({told}); hôm nay còn {report.quota_left} lượt."]
    if report.stopped:
        lines.append(f"Dịch vụ dừng ({report.stopped}); chạy lại lệnh để tiếp tục.")
    emit(arguments, payload, lines)
    return ExitStatus.ENVIRONMENT if report.stopped else ExitStatus.DONE


def _status(arguments: argparse.Namespace) -> ExitStatus:
    settings = load_settings()
    with open_database(settings), steward(settings) as connection:
        status = request_status(connection)
    emit(arguments, status.as_json(), status_lines(status))
    return ExitStatus.DONE


def status_lines(status: RequestStatus) -> Iterator[str]:
    """Yield the state of lists and items in words."""
    if not status.batches:
        yield "Chưa gửi danh sách nào."
    for batch in status.batches:
        yield (
            f"Đợt {batch.batch_id} ({batch.as_of_date:%d/%m/%Y}, hạn {batch.due_date:%d/%m/%Y}): {batch.row_count} dòng trong "
            f"{batch.list_count} danh sách; ghi nhận {batch.applied_count}, giữ lại {batch.held_count}, "
            f"không nhận {batch.refused_count}, chưa trả lời {batch.unanswered_count}"
        )
    for line in status.balances:
        sign = "=" if line.holds else "≠"
        yield (
            f"{line.item_class}: mở {line.opened_count} {sign} đang mở {line.open_count} + khép {line.closed_count} "
            f"+ rút {line.withdrawn_count}"
        )
    for life in status.half_lives:
        if life.commune_id == NATION:
            half = "chưa khép được một nửa" if life.half_life_days is None else f"{life.half_life_days} ngày"
            oldest = (
                "" if life.oldest_open_days is None else f"; việc mở lâu nhất {life.oldest_open_days} ngày"
            )
            yield f"{life.item_class}: chu kỳ bán rã {half}{oldest}"
