"""``childdb feedback``: each commune's work list as a workbook in its own import layout, and lists that came back."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from childdb.cli import emit
from childdb.commands.requests import workbooks
from childdb.database import open_database
from childdb.errors import ExitStatus, UsageError
from childdb.settings import load_settings
from childdb.worklists.feedback import FixReport
from childdb.worklists.fix_answers import ReturnedList
from childdb.worklists.reasons import reason_texts
from childdb.worklists.service import read_fix_lists, send_fix_lists

HELP = "each commune's work list as a workbook in its own import layout"


def configure(parser: argparse.ArgumentParser) -> None:
    """Write the lists; with `import`, take in those that came back."""
    parser.add_argument("act", nargs="?", choices=("export", "import"), default="export")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="returned lists, or folders of them"
    )
    parser.add_argument("--by", default="childdb", metavar="NAME", help="who sends or takes in the lists")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Do the act asked for."""
    settings = load_settings()
    if arguments.act == "import":
        if not arguments.paths:
            raise UsageError(
                "'feedback import' needs the lists that came back.", "Hãy nêu các danh sách gửi lại."
            )
        paths = workbooks(arguments.paths)
        with open_database(settings):
            ends = read_fix_lists(settings, paths, actor=arguments.by)
        emit(arguments, {"files": [_end_json(end) for end in ends]}, _end_lines(ends))
        return _exit_status(ends)
    if arguments.paths:
        raise UsageError("'feedback' writes the lists; 'feedback import PATH' takes them in.")
    with open_database(settings):
        report, folder = send_fix_lists(settings, actor=arguments.by)
    emit(arguments, _report_json(report, folder), _report_lines(report, folder))
    return ExitStatus.DONE


def _report_json(report: FixReport, folder: Path) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "list_id": report.list_id,
        "as_of": report.day.isoformat(),
        "items": dict(report.items),
        "held_files": dict(report.files),
        "lists": [
            {
                "path": str(entry.path),
                "commune_id": entry.commune_id,
                "rows": entry.row_count,
                "marks": entry.mark_count,
            }
            for entry in report.lists
        ],
    }


def _report_lines(report: FixReport, folder: Path) -> Iterator[str]:
    rows = sum(entry.row_count for entry in report.lists)
    yield f"{len(report.lists)} danh sách, {rows} dòng cần sửa, tại {folder}"
    yield (
        f"Việc: mở {report.items['opened']}, mở lại {report.items['reopened']}, khép theo dữ liệu {report.items['closed']}, "
        f"rút {report.items['withdrawn']}; tệp đang giữ: mở {report.files['opened']}, khép {report.files['closed']}"
    )


def _end_json(end: ReturnedList) -> dict[str, Any]:
    vi, en = reason_texts(end.reason_code) if end.outcome == "refused" else ("", "")
    return {
        "file": str(end.path),
        "outcome": end.outcome,
        "reason_code": end.reason_code,
        "message_vi": vi,
        "message_en": en,
        "is_repeat": end.is_repeat,
        "commune_code": end.commune_id.split("@")[0] if end.commune_id else None,
        "closed": end.closed,
        "rows": [
            {
                "row_no": row.row_no,
                "outcome": row.outcome,
                "reason_code": row.reason_code,
                "closed": row.closed,
            }
            for row in end.rows
        ],
    }


def _end_lines(ends: list[ReturnedList]) -> Iterator[str]:
    for place, end in enumerate(ends, start=1):
        if end.outcome == "refused":
            yield f"Tệp {place}: không nhận ({end.reason_code}). " + " / ".join(reason_texts(end.reason_code))
            continue
        yield f"Tệp {place}: {len(end.rows)} dòng, khép {end.closed} việc" + (
            " (đã nhận trước đó)" if end.is_repeat else ""
        )
        for row in end.rows:
            if row.outcome != "applied":
                yield f"  dòng {row.row_no}: {row.reason_code}. {reason_texts(row.reason_code)[0]}"


def _exit_status(ends: list[ReturnedList]) -> ExitStatus:
    outcomes = {end.outcome for end in ends} | {row.outcome for end in ends for row in end.rows}
    if "refused" in outcomes:
        return ExitStatus.REFUSED
    return ExitStatus.STOPPED if "held" in outcomes else ExitStatus.DONE
