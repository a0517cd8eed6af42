"""One test for each row of ``bad_inputs.csv``, by its id: outcome, reason, ledger, and the parent alive."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
from bad_files import BUILDERS

from childdb.cleaning.file import clean
from childdb.reading import Limits, Outcome, ReadOptions, read_file

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds" / "reference"
ROWS = {row["id"]: row for row in csv.DictReader((SEEDS / "bad_inputs.csv").open(encoding="utf-8"))}
FILE_OUTCOMES = {outcome.value for outcome in Outcome}

CONNECTORS, DATABASE = "tests/unit/connectors", "tests/integration"
SANDBOX = f"{CONNECTORS}/test_sandbox_faults.py"
# Rows shown elsewhere than by a file of bad_files.py: where, and by which test.
SHOWN = {
    "BI007": (f"{CONNECTORS}/test_other_sources.py", "test_drop_folder_leaves_links_and_growing_files"),
    "BI029": ("tests/unit/reading/test_bad_inputs.py", "test_file_over_the_limit"),
    "BI101": (
        "tests/unit/reading/test_bad_inputs.py",
        "test_bytes_are_copied_once_and_later_changes_do_not_matter",
    ),
    "BI108": (f"{DATABASE}/test_ingest_faults.py", "test_the_same_bytes_again_change_nothing_and_are_told"),
    "BI109": (f"{DATABASE}/test_deliveries.py", "test_same_rows_in_other_bytes_are_a_new_batch_without_a_change"),
    "BI110": (f"{DATABASE}/test_deliveries.py", "test_a_corrected_list_supersedes_the_old_one_which_stays_readable"),
    "BI111": (f"{DATABASE}/test_deliveries.py", "test_an_older_list_that_comes_later_changes_nothing_that_counts"),
    "BI112": (f"{DATABASE}/test_deliveries.py", "test_a_list_of_another_commune_than_its_sender_is_held_until_a_person_lets_it_go"),
    "BI118": (
        f"{DATABASE}/test_deliveries.py",
        "test_two_lists_of_one_commune_at_the_same_moment_are_judged_one_after_the_other",
    ),
    "BI120": (f"{DATABASE}/test_deliveries.py", "test_a_sender_whose_clock_is_a_year_off_changes_no_time_of_ours"),
    "BI121": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI122": (f"{CONNECTORS}/test_treem.py", "test_a_lasting_fault_stops_with_its_reason"),
    "BI123": (SANDBOX, "test_a_fault_that_may_not_pass_stops_at_once"),
    "BI124": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI125": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI126": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI127": (SANDBOX, "test_the_stand_in_s_certificate_is_trusted_only_where_it_is_named"),
    "BI128": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI129": (f"{CONNECTORS}/test_treem.py", "test_a_lasting_fault_stops_with_its_reason"),
    "BI130": (SANDBOX, "test_a_fault_that_may_not_pass_stops_at_once"),
    "BI131": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI132": (f"{DATABASE}/test_other_datasets.py", "test_one_version_with_two_contents_is_held_twice"),
    "BI133": (f"{CONNECTORS}/test_treem.py", "test_an_empty_page_before_the_end_stops"),
    "BI136": (f"{DATABASE}/test_other_datasets.py", "test_a_child_outside_the_scope_of_the_account_is_held"),
    "BI137": (
        f"{DATABASE}/test_other_datasets.py",
        "test_changed_records_are_pulled_with_a_checkpoint_and_deletes_are_noticed",
    ),
    "BI114": (f"{DATABASE}/test_warehouse_figures.py", "test_coverage_stands_beside_every_register_figure"),
    "BI115": (f"{DATABASE}/test_gates_in_the_flow.py", "test_list_that_shrinks_against_the_senders_own_past_is_held"),
    "BI138": (f"{CONNECTORS}/test_treem.py", "test_changes_are_pulled_page_by_page"),
    "BI139": (SANDBOX, "test_a_fault_that_passes_costs_no_record"),
    "BI140": (f"{CONNECTORS}/test_treem.py", "test_a_lasting_fault_stops_with_its_reason"),
    "BI141": (f"{DATABASE}/test_ingest_faults.py", "test_killed_at_a_named_step"),
    "BI142": (f"{DATABASE}/test_ingest_faults.py", "test_postgresql_killed_inside_a_transaction"),
    "BI143": (f"{DATABASE}/test_ingest_faults.py", "test_a_commit_whose_answer_never_comes"),
    "BI144": (f"{DATABASE}/test_machine_failures.py", "test_a_full_disk_is_one_sentence_and_the_next_run_ends"),
    "BI145": (f"{DATABASE}/test_deliveries.py", "test_a_second_run_leaves_with_already_running"),
    "BI146": ("tests/unit/reading/test_bad_inputs.py", "test_a_dying_reader_costs_only_its_file"),
    "BI147": (f"{DATABASE}/test_main_job.py", "test_a_port_in_use_and_a_missing_key_are_one_sentence_each"),
    "BI149": (f"{DATABASE}/test_deliveries.py", "test_a_migration_that_breaks_off_leaves_nothing_and_can_be_repeated"),
    "BI151": (f"{DATABASE}/test_figures_equal_truth.py", "test_the_reference_date_is_never_the_clock"),
    "BI152": ("tests/unit/releases/test_attack.py", "test_planted_weak_tables_are_found_and_mended"),
    "BI153": ("tests/unit/releases/test_attack.py", "test_no_linear_program_narrows_a_hidden_count"),
    "BI154": (f"{DATABASE}/test_warehouse_figures.py", "test_published_figures_are_the_protected_ones"),
    "BI155": ("tests/architecture/test_indicators.py", "test_indicators_are_protected_as_decided"),
    "BI157": ("tests/canary/test_canary_sweep.py", "test_pages_hold_no_mark"),
    "BI158": ("tests/unit/forms/test_forms.py", "test_nothing_lies_hidden_in_a_form"),
    "BI159": (f"{DATABASE}/test_warehouse_rebuild.py", "test_a_release_is_rebuilt_with_equal_hashes_after_corrections"),
}  # fmt: skip
# Rows no test can show here, each with the reason.
LATER = {
    "BI148": "restoring a backup needs a whole deployment and its key register; no command does it",
    "BI150": "another collation version needs a second build of the database server",
    "BI156": "no product has a column that could hold an extreme: measures are counts (dbt_project/seeds)",
}
# A bad field is emptied and the row counts (CONTRACT.md), where the list still says that the row is held.
FIELD_ONLY = {"BI091"}


def test_every_row_of_the_list_is_tested_or_told_where() -> None:
    assert set(ROWS) == {*BUILDERS, *SHOWN, *LATER}
    assert len(BUILDERS) + len(SHOWN) + len(LATER) == len(ROWS) == 159
    root = Path(__file__).parents[3]
    for name, (file, test) in SHOWN.items():
        assert f"def {test}(" in (root / file).read_text(encoding="utf-8"), (name, file, test)


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
    if wanted["outcome"] == "quarantine_row" and name not in FIELD_ONLY:
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


@pytest.mark.flow
def test_the_clean_command_takes_every_bad_file_in_one_go(tmp_path: Path) -> None:
    from childdb.cli import main

    out = tmp_path / "out"
    for name, build in BUILDERS.items():
        folder = tmp_path / "in" / name
        folder.mkdir(parents=True)
        build(folder)
    assert main(["clean", str(tmp_path / "in"), "--out", str(out), "--json"]) == 3
    ledger = json.loads((out / "ledger.json").read_text(encoding="utf-8"))
    records = pq.read_table(out / "records.parquet", columns=["file_sha256", "outcome"])
    assert len(ledger) >= len(BUILDERS)
    for entry in ledger:
        parts = ("header_footer_rows", "accepted", "quarantined", "rejected")
        assert entry["physical_rows"] == sum(entry[part] for part in parts), entry
        assert entry["outcome"] in FILE_OUTCOMES
        assert (entry["reason_code"] is None) == (entry["outcome"] == "accept")
    quarantined = records["outcome"].to_pylist().count("quarantined")
    assert quarantined == sum(entry["quarantined"] for entry in ledger)
    assert records.num_rows - quarantined == sum(entry["accepted"] for entry in ledger)
    assert pq.read_metadata(out / "findings.parquet").num_rows > len(BUILDERS)
