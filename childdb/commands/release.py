"""``childdb release``: build, approve, rebuild, verify, withdraw or list releases."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from childdb.cli import emit
from childdb.database import Role, open_database
from childdb.errors import ExitStatus, UsageError
from childdb.releases import build_candidate, withdraw
from childdb.releases.lookup import list_releases
from childdb.releases.verify import verify
from childdb.settings import load_settings
from childdb.workspace import Workspace

HELP = "build, approve, rebuild, verify or withdraw a release"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per act."""
    acts = parser.add_subparsers(dest="act", required=True)
    build = acts.add_parser(
        "build", help="write the files of the planned release from the models as they stand"
    )
    build.add_argument("--period", metavar="P")
    build.add_argument("--as-of", type=date.fromisoformat, metavar="DATE")
    approve = acts.add_parser("approve", help="sign a candidate through the scheduler's human step")
    approve.add_argument("release")
    approve.add_argument("--as", dest="approver", required=True, metavar="NAME", help="the person who signs")
    rebuild = acts.add_parser(
        "rebuild", help="make an old release again on an empty database and compare its files"
    )
    rebuild.add_argument("release")
    check = acts.add_parser(
        "verify", help="check released files offline; all of the workspace if none is named"
    )
    check.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    take_back = acts.add_parser("withdraw", help="withdraw an approved release by a dated notice")
    take_back.add_argument("release")
    take_back.add_argument("--reason-vi", required=True, metavar="TEXT")
    take_back.add_argument("--reason-en", required=True, metavar="TEXT")
    acts.add_parser("list", help="every release, its status and the digest of its manifest")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Do the act asked for."""
    return ACTS[arguments.act](arguments)


def _build(arguments: argparse.Namespace) -> ExitStatus:
    settings = load_settings()
    with open_database(settings):
        release = build_candidate(settings, arguments.period, arguments.as_of)
    folder = Workspace(settings.home).releases / release
    emit(arguments, {"release_id": release, "folder": str(folder)}, [f"{release}: {folder}"])
    return ExitStatus.DONE


def _approve(arguments: argparse.Namespace) -> ExitStatus:
    from childdb.orchestration.approval import approve

    status = approve(load_settings(), arguments.release, arguments.approver)
    line = f"{arguments.release}: {status}"
    emit(arguments, {"release_id": arguments.release, "status": status}, [line])
    return ExitStatus.DONE


def _rebuild(arguments: argparse.Namespace) -> ExitStatus:
    from childdb.releases.rebuild import rebuild

    differing = rebuild(load_settings(), arguments.release)
    payload = {"release_id": arguments.release, "differing_files": differing, "equal": not differing}
    words = [f"{name}: khác / differs" for name in differing]
    emit(arguments, payload, words or [f"{arguments.release}: lập lại giống hệt / rebuilt with equal hashes"])
    return ExitStatus.STOPPED if differing else ExitStatus.DONE


def _verify(arguments: argparse.Namespace) -> ExitStatus:
    folders = arguments.folders or _released_folders()
    results: list[dict[str, Any]] = []
    lines = []
    for folder in folders:
        findings = verify(str(folder))
        results.append({"folder": str(folder), "findings": findings})
        lines += [f"{folder}: {_place(finding)}: {finding['message']}" for finding in findings]
        if not findings:
            lines.append(f"{folder}: đúng như đã phát hành / as released")
    emit(arguments, {"releases": results}, lines)
    return ExitStatus.STOPPED if any(result["findings"] for result in results) else ExitStatus.DONE


def _released_folders() -> list[Path]:
    releases = Workspace(load_settings().home).releases
    folders = sorted(path for path in releases.glob("r*") if path.is_dir()) if releases.is_dir() else []
    if not folders:
        raise UsageError(
            "There is no release to verify here: name a folder.",
            "Không có bản phát hành nào ở đây để kiểm tra: hãy nêu thư mục.",
        )
    return folders


def _place(finding: Mapping[str, Any]) -> str:
    return finding["file"] if finding["line"] is None else f"{finding['file']}:{finding['line']}"


def _withdraw(arguments: argparse.Namespace) -> ExitStatus:
    settings = load_settings()
    at = datetime.now(UTC)
    with open_database(settings):
        state = withdraw(settings, arguments.release, arguments.reason_vi, arguments.reason_en, at)
    payload = {"release_id": state.release_id, "status": state.status, "withdrawn_at": at.isoformat()}
    emit(arguments, payload, [f"{state.release_id}: đã rút / withdrawn"])
    return ExitStatus.DONE


def _list(arguments: argparse.Namespace) -> ExitStatus:
    with open_database(load_settings()) as database, database.connect(Role.PUBLISHER) as connection:
        releases = list_releases(connection)
    entries = [
        {
            "release_id": r.release_id,
            "period": r.period,
            "as_of": r.as_of_date.isoformat(),
            "reference_date": r.reference_date.isoformat(),
            "status": r.status,
            "manifest_sha256": r.manifest_sha256,
            "counts": dict(r.counts),
        }
        for r in releases
    ]
    lines = [
        f"{e['release_id']}  {e['status']:<10} {e['as_of']}  {e['manifest_sha256'] or '-'}" for e in entries
    ]
    emit(arguments, {"releases": entries}, lines or ["Chưa có bản phát hành / no release yet"])
    return ExitStatus.DONE


ACTS: Mapping[str, Callable[[argparse.Namespace], ExitStatus]] = {
    "build": _build,
    "approve": _approve,
    "rebuild": _rebuild,
    "verify": _verify,
    "withdraw": _withdraw,
    "list": _list,
}
