"""`childdb clean PATH… --out DIR`: reads and standardises exports alone, without a database."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from childdb.cleaning import LedgerEntry, clean_in_chunks
from childdb.cleaning.outcome import outcome_counts
from childdb.cleaning.own_output import read_records
from childdb.cleaning.records import records_schema
from childdb.cleaning.rules import cleaning_rules
from childdb.cli import emit
from childdb.errors import ContractError, ExitStatus, UsageError
from childdb.findings import FINDINGS_SCHEMA
from childdb.reading import Outcome, ReadOptions, read_file

if TYPE_CHECKING:
    from childdb.cleaning.file import CleanedPart
    from childdb.reading import FileReading

HELP = "read and standardise exports, without a database"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="exports, or folders of exports")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for records, findings and ledger")
    parser.add_argument(
        "--as-of", type=_day, metavar="DATE", help="date of files that state none (YYYY-MM-DD)"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a date is written YYYY-MM-DD") from None


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Clean all inputs, then say how they ended: 3 if any was refused, else 1 if any was held."""
    files = list(expand_paths([Path(path) for path in arguments.paths]))
    out = Path(arguments.out)
    _make_folder(out)
    with _Writers(out) as writers:
        ledger = [
            entry
            for place, path in enumerate(files, 1)
            for entry in _clean_path(path, arguments.as_of, writers, f"{place}/{len(files)}")
        ]
    entries = [entry.as_json() for entry in ledger]
    (out / "ledger.json").write_text(
        json.dumps(entries, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    status = exit_status(ledger)
    emit(arguments, _payload(ledger, writers, out), _lines(ledger, writers, out))
    return status


def _make_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError("--out is a file; name a folder.", "--out là một tệp; hãy nêu tên một thư mục.")
    out.mkdir(parents=True, exist_ok=True)


def expand_paths(paths: list[Path]) -> Iterator[Path]:
    """Yield the files of all paths; folders give the regular files below them, in the order of their names."""
    missing = [path for path in paths if not path.exists() and not path.is_symlink()]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(paths)} paths do not exist; check the spelling.",
            f"{len(missing)} trong {len(paths)} đường dẫn không tồn tại; hãy kiểm tra lại.",
        )
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            yield from sorted(found for found in path.rglob("*") if found.is_symlink() or not found.is_dir())
        else:
            yield path


def exit_status(ledger: list[LedgerEntry]) -> ExitStatus:
    """Return 3 if a file was refused, else 1 if one was held or must be sent again, else 0."""
    outcomes = {entry.outcome for entry in ledger}
    if Outcome.REJECT_FILE.value in outcomes:
        return ExitStatus.REFUSED
    held = {Outcome.QUARANTINE_FILE.value, Outcome.RETRY.value}
    return ExitStatus.STOPPED if outcomes & held else ExitStatus.DONE


def _clean_path(path: Path, as_of: date | None, writers: _Writers, progress: str) -> Iterator[LedgerEntry]:
    """Yield the ledger entry of a file; records of an earlier run yield one for each file they hold."""
    _progress(progress)
    own = read_records(path, records_schema()) if path.is_file() else None
    for reading in own if own is not None else [read_file(path, options=ReadOptions())]:
        yield _clean_one(reading, as_of, writers)


def _clean_one(reading: FileReading, as_of: date | None, writers: _Writers) -> LedgerEntry:
    ledger: LedgerEntry | None = None
    for part in clean_in_chunks(reading, as_of=as_of):
        writers.write(part)
        ledger = part.ledger or ledger
    if ledger is None:
        raise ContractError(
            f"File {reading.file_sha256[:12]}: cleaning gave no ledger entry; report this file."
        )
    return ledger


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\rchilddb clean: {text} ", end="", file=sys.stderr, flush=True)


class _Writers:
    """The two Parquet files, written part by part; a run that breaks off leaves neither behind."""

    def __init__(self, out: Path) -> None:
        self.targets = {name: out / f"{name}.parquet" for name in ("records", "findings")}
        self.drafts = {name: target.with_suffix(".parquet.part") for name, target in self.targets.items()}
        self.rows = {"records": 0, "findings": 0}

    def __enter__(self) -> _Writers:
        schemas = {"records": records_schema(), "findings": FINDINGS_SCHEMA}
        self.files = {
            name: pq.ParquetWriter(draft, schemas[name], compression="zstd")
            for name, draft in self.drafts.items()
        }
        return self

    def write(self, part: CleanedPart) -> None:
        """Append one part."""
        for name, table in (("records", part.records), ("findings", part.findings)):
            if table.num_rows:
                self.files[name].write_table(_plain(table))
                self.rows[name] += table.num_rows

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)
        for name, file in self.files.items():
            file.close()
            if kind is None:
                self.drafts[name].replace(self.targets[name])
            else:
                self.drafts[name].unlink(missing_ok=True)


def _plain(table: pa.Table) -> pa.Table:
    return table.combine_chunks()


def _payload(ledger: list[LedgerEntry], writers: _Writers, out: Path) -> dict[str, Any]:
    return {
        "files": len(ledger),
        "outcomes": dict(outcome_counts(ledger)),
        "physical_rows": sum(entry.physical_rows for entry in ledger),
        "header_footer_rows": sum(entry.header_footer_rows for entry in ledger),
        "accepted": sum(entry.accepted for entry in ledger),
        "quarantined": sum(entry.quarantined for entry in ledger),
        "rejected": sum(entry.rejected for entry in ledger),
        "records": writers.rows["records"],
        "findings": writers.rows["findings"],
        "rules_version": cleaning_rules().version,
        "out": str(out),
    }


def _lines(ledger: list[LedgerEntry], writers: _Writers, out: Path) -> Iterator[str]:
    totals = _payload(ledger, writers, out)
    yield f"Tệp: {totals['files']} · dòng nhận: {totals['accepted']} · giữ lại: {totals['quarantined']} · từ chối: {totals['rejected']}"
    yield f"Files: {totals['files']} · rows accepted: {totals['accepted']} · quarantined: {totals['quarantined']} · rejected: {totals['rejected']}"
    for entry in ledger:
        if entry.outcome not in (Outcome.ACCEPT.value, Outcome.ACCEPT_FLAGGED.value):
            yield f"  {entry.outcome} {entry.reason_code}: {entry.file_sha256[:12]}"
    yield f"records.parquet {totals['records']} · findings.parquet {totals['findings']} · ledger.json → {out}"
