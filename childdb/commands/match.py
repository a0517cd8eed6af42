"""``childdb match``: matching alone, Parquet in and out, no database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from childdb.cli import emit
from childdb.errors import ExitStatus, UsageError
from childdb.identity import MatchReport, match
from childdb.identity.increment import match_changes

HELP = "match a register with a population extract, without a database"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--register", type=Path, required=True, help="register rows, Parquet")
    parser.add_argument(
        "--population", type=Path, help="population extract, Parquet (needed unless --increment)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for links, persons, report and model")
    parser.add_argument("--threads", type=int, help="threads to use (default: all)")
    parser.add_argument("--memory", default="12GB", help="memory limit; beyond it the work spills to disk")
    parser.add_argument("--rules", type=Path, help="another rules file")
    parser.add_argument("--model", type=Path, help="weights of an earlier run instead of learning them")
    parser.add_argument(
        "--keep", type=Path, metavar="STORE", help="keep what later increments need in this folder"
    )
    parser.add_argument(
        "--increment",
        type=Path,
        metavar="STORE",
        help="match only new and changed rows (--register) against a kept store; writes the rows decided anew",
    )
    parser.add_argument(
        "--removed", type=Path, help="text file with the record_id of rows that are gone, with --increment"
    )


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Match and print the counts."""
    if arguments.increment:
        return _execute_increment(arguments)
    if arguments.population is None or arguments.removed:
        raise UsageError(
            "childdb match needs --population F; --removed F goes with --increment STORE only.",
            "Thiếu --population, hoặc --removed được dùng mà không có --increment.",
        )
    report = match(
        arguments.register,
        arguments.population,
        arguments.out,
        threads=arguments.threads,
        memory=arguments.memory,
        rules=arguments.rules,
        model=arguments.model,
        keep=arguments.keep,
        tell=_teller(),
    )
    emit(arguments, report.document(), _lines(report))
    return ExitStatus.DONE


def _execute_increment(arguments: argparse.Namespace) -> ExitStatus:
    """Match changed rows and print what was decided anew."""
    if arguments.population or arguments.model or arguments.keep:
        raise UsageError(
            "--increment STORE has its population, model and store already; leave out --population, --model and --keep.",
            "--increment đã có sẵn dữ liệu dân cư và mô hình; hãy bỏ --population, --model và --keep.",
        )
    removed = arguments.removed.read_text(encoding="utf-8").split() if arguments.removed else []
    report = match_changes(
        arguments.increment,
        arguments.register,
        arguments.out,
        removed=removed,
        threads=arguments.threads,
        memory=arguments.memory,
        rules=arguments.rules,
        tell=_teller(),
    )
    lines = [
        f"Dòng mới hoặc thay đổi / new or changed: {report.rows['given']:,}",
        f"Dòng không còn / removed: {report.rows['removed']:,}",
        f"Dòng được xét lại / decided again: {report.rows['decided_again']:,}",
        f"Kết quả / written to: {report.folder}",
    ]
    emit(arguments, report.document(), lines)
    return ExitStatus.DONE


def _teller() -> Callable[[str], None] | None:
    if not sys.stderr.isatty():
        return None
    return lambda text: print(f"… {text}", file=sys.stderr)


def _lines(report: MatchReport) -> list[str]:
    counts, rows = report.decisions, report.rows
    return [
        f"Đã ghép / matched: {rows['register']:,} × {rows['population']:,}",
        f"Tự động chấp nhận / accepted: {counts['accepted']:,}",
        f"Chờ người xem / to review: {counts['review']:,}",
        f"Không có người tương ứng / none: {counts['none']:,}",
        f"Số trẻ em / children: {report.children:,}",
        f"Kết quả / written to: {report.folder}",
    ]
