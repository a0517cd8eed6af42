"""``childdb run``: the main job on files someone else made."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from childdb.cli import emit
from childdb.database import open_database
from childdb.errors import ExitStatus, UsageError
from childdb.flow.runs import Run
from childdb.flow.summary import lines, manifest_digest, places, summarise
from childdb.orchestration.run import Ending, new_run_id, run_main_job
from childdb.settings import Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--drop", metavar="DIR", type=Path, help="folder of exports (workbooks, CSV); it is left as it is"
    )
    parser.add_argument("--population", metavar="PATH", type=Path, help="population extract (Parquet or CSV)")
    parser.add_argument("--period", metavar="P", help="period to release: 2026, 2026-S1 or 2026-Q1")
    parser.add_argument(
        "--as-of", metavar="DATE", type=_date, help="count children as of this day (YYYY-MM-DD)"
    )
    parser.add_argument("--pull", action="store_true", help="also pull from the child-information software")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a date looks like 2026-06-30") from None


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Run the main job and tell how it ended."""
    settings = load_settings()
    run = _run_of(arguments, settings)
    ending = run_main_job(settings, run)
    return tell(arguments, settings, ending)


def _run_of(arguments: argparse.Namespace, settings: Settings) -> Run:
    if arguments.drop is None and not arguments.pull:
        raise UsageError("Say where the files are: --drop DIR, or --pull with CHILDDB_TREEM_URL set.")
    for path, what in ((arguments.drop, "--drop"), (arguments.population, "--population")):
        if path is not None and not path.exists():
            raise UsageError(f"{what}: there is nothing at {path}.", f"{what}: không tìm thấy {path}.")
    if arguments.pull and settings.treem_url is None:
        raise UsageError("--pull needs CHILDDB_TREEM_URL, the address of the child-information software.")
    drop, population = (str(p.absolute()) if p else None for p in (arguments.drop, arguments.population))
    return Run(new_run_id(), drop, population, arguments.pull, arguments.period, arguments.as_of)


def tell(arguments: argparse.Namespace, settings: Settings, ending: Ending) -> ExitStatus:
    """Print how a run ended and return its exit status."""
    if ending.error is not None:
        raise ending.error
    with open_database(settings) as database:
        summary = summarise(settings, database)
    release = ending.release_id
    payload = {
        "run_id": ending.run_id,
        "status": ending.status,
        "release_id": release,
        "totals": summary.as_dict(),
    }
    words = [*lines(summary), *places(settings, release), *_next_step(ending)]
    if release:
        payload["manifest_sha256"] = manifest_digest(settings, release)
        words.append(f"{release} {payload['manifest_sha256']}")
    emit(arguments, payload, words)
    if summary.files_rejected:
        return ExitStatus.REFUSED
    return ExitStatus.STOPPED if summary.files_quarantined else ExitStatus.DONE


def _next_step(ending: Ending) -> list[str]:
    if ending.status != "awaiting_approval":
        return ["Không có gì thay đổi từ bản phát hành trước / nothing changed since that release."]
    command = f"childdb release approve {ending.release_id} --as NAME"
    return [
        "Chờ hai người phê duyệt / awaiting two approvals:",
        f"  {command}   (hai người khác nhau / two different people of CHILDDB_APPROVERS)",
    ]
