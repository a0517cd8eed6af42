"""One test for each row of ``bad_inputs.csv``, by its id: outcome, reason, ledger, and the parent alive."""

from __future__ import annotations

import csv
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from bad_files import BUILDERS

from childdb.cleaning.file import clean
from childdb.reading import Limits, Outcome, ReadOptions, read_file

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds" / "reference"
ROWS = {row["id"]: row for row in csv.DictReader((SEEDS / "bad_inputs.csv").open(encoding="utf-8"))}
FILE_OUTCOMES = {outcome.value for outcome in Outcome}

# Codes whose exact place among several findings of one file is open: the finding has to be there all the same.
ELSEWHERE = {
    "BI007": "tests/unit/connectors/test_drop_folder.py: size and hash in two looks",
    "BI023": "test_old_workbooks_are_read_and_flagged below, where a writer of the old format is at hand",
    "BI029": "test_file_over_the_limit below: the limit is lowered instead of a 200 MB file",
    "BI060": "tests/unit/cleaning: whole columns of TCVN3 are decided by cleaning",
    "BI061": "tests/unit/cleaning: whole columns of VNI are decided by cleaning",
    "BI063": "tests/unit/cleaning: mojibake is repaired by cleaning where it round-trips",
    "BI072": "tests/unit/cleaning: lost zeros are put back where sex and year agree",
    "BI077": "tests/unit/cleaning: letters for digits",
    "BI080": "tests/unit/cleaning: a parent's number on the child",
    "BI082": "tests/unit/cleaning: structure against sex and year",
    "BI085": "tests/unit/cleaning: serials 1 to 60",
    "BI086": "tests/unit/cleaning: day and month order",
    "BI091": "tests/unit/cleaning: strict grammar of numbers",
    "BI101": "test_bytes_are_copied_once_and_later_changes_do_not_matter below",
    "BI108": "tests/integration: a second delivery of the same bytes is a duplicate in ops.deliveries",
    "BI109": "tests/integration: same rows in other bytes",
    "BI110": "tests/integration: a corrected file supersedes",
    "BI111": "tests/integration: order of arrival",
    "BI112": "tests/integration: scope of the sender",
    "BI113": "tests/unit/places: units through time",
    "BI114": "issue 5: coverage of a release",
    "BI115": "expectations/suites/raw: volume against the last batch",
    "BI118": "tests/integration: one lock per batch",
    "BI120": "receipt time is ours: ops.batches.received_at",
    "BI136": "tests/integration: scope of the sender",
    "BI137": "tests/unit/connectors/test_treem.py: deletes are noticed",
    "BI138": "tests/unit/connectors/test_treem.py: windows overlap",
    **{f"BI{n}": "tests/unit/connectors/test_treem.py, by the name of the fault" for n in range(121, 134)},
    "BI140": "tests/canary: no secret in logs and messages",
    "BI139": "tests/unit/connectors/test_treem.py: slow",
    "BI146": "test_a_dying_reader_costs_only_its_file below",
    **{
        f"BI{n}": "issue 2 and tests/integration: infrastructure"
        for n in (*range(141, 146), *range(147, 152))
    },
    **{f"BI{n}": "issue 5: disclosure" for n in range(152, 160)},
}


def test_every_row_of_the_list_is_tested_or_told_where() -> None:
    assert set(ROWS) == set(BUILDERS) | set(ELSEWHERE)
    assert not set(BUILDERS) & set(ELSEWHERE)


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_bad_input(name: str, tmp_path: Path) -> None:
    wanted = ROWS[name]
    path = BUILDERS[name](tmp_path)
    begin = time.monotonic()
    reading = read_file(path)
    cleaned = clean(reading, as_of=None)
    entry = cleaned.ledger
    assert time.monotonic() - begin < 60
    assert (
        entry.physical_rows == entry.header_footer_rows + entry.accepted + entry.quarantined + entry.rejected
    )
    outcome = wanted["outcome"] if wanted["outcome"] in FILE_OUTCOMES else "accept_flagged"
    told = {finding.reason_code for finding in reading.findings}
    told |= set(cleaned.findings["reason_code"].to_pylist())
    assert (entry.outcome, wanted["reason_code"] in told) == (outcome, True), (entry, sorted(told))
    assert entry.reason_code == wanted["reason_code"], sorted(told)
    if wanted["outcome"] == "quarantine_row":
        assert entry.quarantined >= 1
    if wanted["outcome"] == "reject_file":
        # Data rows are counted as rejected where a file could be read: only its version is too old.
        assert (entry.accepted, entry.quarantined) == (0, 0)
        assert entry.rejected == (3 if name == "BI119" else 0)
    if wanted["outcome"] == "quarantine_file":
        assert (entry.accepted, entry.rejected) == (0, 0)
    outcomes = cleaned.records["outcome"].to_pylist()
    assert (outcomes.count("accepted"), outcomes.count("quarantined")) == (entry.accepted, entry.quarantined)


def test_file_over_the_limit(tmp_path: Path) -> None:
    path = BUILDERS["BI032"](tmp_path)
    reading = read_file(path, options=ReadOptions(limits=Limits(file_bytes=1000)))
    assert (reading.outcome, reading.reason_code) == (Outcome.REJECT_FILE, "FILE-SIZE")


def test_a_dying_reader_costs_only_its_file(tmp_path: Path) -> None:
    small = Limits(child_memory_bytes=160 * 1024**2)
    big, good = BUILDERS["BI030"](tmp_path), BUILDERS["BI032"](tmp_path)
    starved = read_file(big, options=ReadOptions(limits=small))
    assert (starved.outcome, starved.reason_code) == (Outcome.REJECT_FILE, "INF-OOM")
    assert read_file(good, options=ReadOptions(limits=small)).outcome.is_loaded


def test_bytes_are_copied_once_and_later_changes_do_not_matter(tmp_path: Path) -> None:
    from childdb.reading.reader import copy_regular_file, read_copy

    path = BUILDERS["BI032"](tmp_path)
    copy = copy_regular_file(path, tmp_path / "copy", 10**9)
    path.write_bytes(b"swapped")
    reading = read_copy(copy, ReadOptions(file_name="a.xlsx"))
    assert reading.outcome.is_loaded
    assert reading.file_sha256 == copy.sha256


def test_html_tables_are_read_where_a_dataset_declares_them(tmp_path: Path) -> None:
    reading = read_file(BUILDERS["BI025"](tmp_path), options=replace(ReadOptions(), allow_html=True))
    assert (reading.outcome, reading.rows.num_rows) == (Outcome.ACCEPT, 4)


@pytest.mark.parametrize("name", ["fifo", "folder"])
def test_what_is_no_regular_file_is_left(name: str, tmp_path: Path) -> None:
    import os

    path = tmp_path / "a.csv"
    if name == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert read_file(path).reason_code == "INJ-LINK"


def test_reading_processes_have_no_network_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    from childdb.reading.pool import ReadingProcess

    monkeypatch.setenv("CHILDDB_SECRET_FOR_TEST", "invented")
    process = ReadingProcess(1024**3, 64)
    try:
        assert process.wait_until_ready()
        child = psutil.Process(process.process.pid)
        assert "CHILDDB_SECRET_FOR_TEST" not in child.environ()
        assert not child.net_connections()
    finally:
        process.stop()


def test_network_and_programs_are_cut_by_the_kernel(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import ctypes\n"
        "from childdb.reading.confine import cut_network\n"
        "enforced = cut_network()\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(enforced, libc.socket(2, 1, 0), libc.execve(b'/bin/true', None, None))\n"
    )
    root = str(Path(__file__).parents[3])
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    ).stdout
    assert out.split() == ["True", "-1", "-1"]
