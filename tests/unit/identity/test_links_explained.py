"""Replay, picture, clerical sample, linkage bias and the Splink model of one kept store."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from childdb.cli import main
from childdb.errors import InputRefusedError
from childdb.identity import match
from childdb.identity.bias import measure_bias
from childdb.identity.clerical import draw_sample, estimate
from childdb.identity.model import read_model
from childdb.identity.replay import replay
from childdb.identity.rules_file import load_rules
from childdb.identity.splink_model import (
    POPULATION_NAME,
    REGISTER_NAME,
    base_weight,
    columns_needed,
    splink_settings,
)
from childdb.identity.store import DATABASE


@pytest.fixture(scope="module")
def kept(hard_nation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    model = hard_nation.out / "model.json"
    match(
        hard_nation.register, hard_nation.population, folder / "out", threads=2, memory="1GB", model=model, keep=folder
    )  # fmt: skip
    return folder


def test_decisions_are_computed_again_to_the_same_bits(kept: Path, hard_nation) -> None:
    links = pq.read_table(kept / "out/links.parquet").to_pylist()
    kinds: dict[tuple[str, str], dict] = {}
    for row in links:
        kinds.setdefault((row["decision"], row["rule_id"]), row)
    assert len(kinds) >= 5
    for row in kinds.values():
        found = replay(kept, row["record_id"], memory="1GB")
        assert found.same_bits
        assert (found.decision, found.person_id, found.match_probability) == (
            row["decision"],
            row["person_id"],
            row["match_probability"],
        )
        assert dict(found.evidence) == dict(row["evidence"])
        assert not found.candidates or found.candidates[0].levels.keys() == {
            c.name for c in load_rules(None).comparisons
        }


def test_store_that_was_altered_is_noticed(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = next(r for r in pq.read_table(kept / "out/links.parquet").to_pylist() if r["rule_id"] == "residual")
    words = ["link", "explain", row["record_id"], "--store", str(kept), "--json"]
    picture = tmp_path / "link.svg"
    assert main([*words, "--picture", str(picture)]) == 0
    assert json.loads(capsys.readouterr().out)["same_bits"]
    assert ET.parse(picture).getroot().tag.endswith("svg")
    with duckdb.connect(str(kept / DATABASE)) as store:
        store.execute("update decided set odds = odds + 1 where r = (select file_row_number from register_names where record_id = ?)", [row["record_id"]])  # fmt: skip
    assert main(words) == 1
    with duckdb.connect(str(kept / DATABASE)) as store:
        store.execute("update decided set odds = odds - 1 where r = (select file_row_number from register_names where record_id = ?)", [row["record_id"]])  # fmt: skip


def test_sample_is_the_same_and_its_answers_give_precision(hard_nation, tmp_path: Path) -> None:
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in files:
        draw_sample(hard_nation.out / "links.parquet", path, per_stratum=20, seed=3)
    assert files[0].read_bytes() == files[1].read_bytes()
    rows = list(csv.DictReader(files[0].open(encoding="utf-8")))
    for row in rows:
        row["answer"] = (
            "same" if hard_nation.truth[row["record_id"]]["person_id"] == row["person_id"] else "different"
        )
    rows[0]["answer"] = "" if rows[0]["stratum"].startswith("review") else rows[0]["answer"]
    with files[1].open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    found = estimate(files[1])
    assert found.precision.low < found.precision.share <= found.precision.high
    assert found.precision.share > 0.99
    assert sum(item.rows for name, item in found.strata.items() if name.startswith("accepted")) == sum(
        row["decision"] == "accepted" for row in hard_nation.links
    )
    files[1].write_text(files[1].read_text(encoding="utf-8").replace(",same", ",perhaps"), encoding="utf-8")
    with pytest.raises(InputRefusedError, match="neither"):
        estimate(files[1])


def test_bias_counts_every_row_once_in_each_split(hard_nation) -> None:
    rows = measure_bias(hard_nation.out / "links.parquet", hard_nation.register)
    splits = {row.group_by for row in rows}
    assert splits == {"all", "province", "ethnic_group", "sex", "birth_year", "number"}
    for split in splits:
        members = [row for row in rows if row.group_by == split]
        assert sum(row.rows for row in members) == len(hard_nation.links)
        assert all(row.accepted + row.review + row.none == row.rows for row in members)
        assert all(row.accepted_low <= row.accepted_share <= row.accepted_high for row in members)
    assert {row.group for row in rows if row.group_by == "sex"} == {"male", "female", "_U"}
    whole = next(row for row in rows if row.group_by == "all")
    assert whole.ratio_to_all == 1.0
    assert abs(whole.accepted_share - whole.accepted / whole.rows) < 1e-6


@pytest.mark.flow
def test_splink_gives_the_weights_of_our_model_on_the_same_pairs(kept: Path) -> None:
    from splink import DuckDBAPI, Linker

    rules = load_rules(None)
    model = read_model(kept / "model.json", rules)
    connection = duckdb.connect()
    connection.execute(f"attach '{kept / DATABASE}' as kept (read_only)")
    pairs = connection.execute(
        "select r, p, pattern from kept.scored order by hash(r, p) limit 300"
    ).fetchall()
    needed = sorted(set.union(*columns_needed(rules).values()))
    tables = []
    for name, table, side in ((REGISTER_NAME, "register", 0), (POPULATION_NAME, "population", 1)):
        has = {row[0] for row in connection.execute(f"describe kept.{table}").fetchall()}
        listed = ", ".join(column if column in has else f"null as {column}" for column in needed)
        numbers = ", ".join(str(pair[side]) for pair in pairs)
        connection.execute(
            f"create table {name} as select no, {listed} from kept.{table} where no in ({numbers})"
        )
        tables.append(name)
    api = DuckDBAPI(connection=connection)
    inputs = [api.register(name, dataset_display_name=name) for name in tables]
    settings = splink_settings(rules, model)
    linker = Linker(inputs, settings, log_level=40)
    scored = linker.inference.predict().as_record_list()
    found = {(row["no_l"], row["no_r"]): row["match_weight"] for row in scored}
    compared = [
        (found[(r, p)], base_weight(rules, model, pattern)) for r, p, pattern in pairs if (r, p) in found
    ]
    assert len(compared) > 250
    assert max(abs(theirs - ours) for theirs, ours in compared) < 1e-6
