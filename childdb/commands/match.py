"""``childdb match``: matching alone, Parquet in and out, no database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from childdb.cli import emit
from childdb.errors import ExitStatus
from childdb.identity import MatchReport, match

HELP = "match a register with a population extract, without a database"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--register", type=Path, required=True, help="register rows, Parquet")
    parser.add_argument("--population", type=Path, required=True, help="population extract, Parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder for links, persons, report and model")
    parser.add_argument("--threads", type=int, help="threads to use (default: all)")
    parser.add_argument("--memory", default="12GB", help="memory limit; beyond it the work spills to disk")
    parser.add_argument("--rules", type=Path, help="another rules file")
    parser.add_argument("--model", type=Path, help="weights of an earlier run instead of learning them")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Match and print the counts."""
    report = match(
        arguments.register,
        arguments.population,
        arguments.out,
        threads=arguments.threads,
        memory=arguments.memory,
        rules=arguments.rules,
        model=arguments.model,
        tell=_teller(),
    )
    emit(arguments, report.document(), _lines(report))
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
