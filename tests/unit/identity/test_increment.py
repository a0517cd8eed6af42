"""Increments under the frozen model are the full run: whatever the order, whatever the batches."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from childdb.errors import ConfigurationError
from childdb.identity import deduplication, match, scoring
from childdb.identity.decisions import Decision, DecisionKind
from childdb.identity.increment import match_changes, write_all
from childdb.identity.store import DATABASE
from childdb.sandbox.generate import Order, generate

FILES = ("links.parquet", "persons.parquet")


def _digests(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES]


def _only(table: pa.Table, keys: Iterable[str]) -> pa.Table:
    return table.filter(pc.is_in(table["record_id"], value_set=pa.array(sorted(keys), pa.string())))


def _written(table: pa.Table, path: Path) -> Path:
    pq.write_table(table, path)
    return path


class Nation:
    """A register as it was, as it is, and what lies between; a full run of each."""

    def __init__(self, folder: Path, rules: Path | None = None) -> None:
        generate(Order(children=2500, seed=903, profile="hard", communes=0), folder)
        self.folder, self.rules = folder, rules
        self.population = folder / "population/population.parquet"
        self.now = pq.read_table(folder / "register/register.parquet")
        keys = sorted(self.now["record_id"].to_pylist())
        self.new, self.edited, self.removed = keys[::9], keys[1::9], [f"X{key}" for key in keys[2::17]]
        self.before = self._before()
        match(
            _written(self.before, folder / "before.parquet"),
            self.population,
            folder / "full",
            threads=2,
            memory="1GB",
            keep=folder / "store",
            rules=rules,
        )

    def _before(self) -> pa.Table:
        """Return the register without its new rows, the edited ones under another hamlet and day, and with rows that went since."""
        left = _only(self.now, set(self.now["record_id"].to_pylist()) - set(self.new) - set(self.edited))
        edited = _only(self.now, self.edited).to_pylist()
        for place, row in enumerate(edited):
            row["birth_date_text"] = "2015" if place % 2 else row["birth_date_text"]
            row["personal_id_no"] = None if place % 3 else row["personal_id_no"]
            row["mother_name"] = None if place % 5 else row["mother_name"]
        gone = _only(self.now, [key[1:] for key in self.removed]).to_pylist()
        for row in gone:
            row["record_id"] = f"X{row['record_id']}"
        return pa.concat_tables([left, pa.Table.from_pylist(edited + gone, schema=self.now.schema)])

    def store(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.folder / "store", folder))

    def apply(self, store: Path, out: Path, batches: Sequence[Sequence[str]], **options: object) -> None:
        for place, batch in enumerate(batches):
            table = _only(self.now, [key for key in batch if not key.startswith("X")])
            removed = [key for key in batch if key.startswith("X")]
            match_changes(
                store,
                _written(table, out / f"{place}.parquet"),
                out / "told",
                removed=removed,
                rules=self.rules,
                **options,
            )


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Nation:
    return Nation(tmp_path_factory.mktemp("nation"))


def _own_pairs(store: Path) -> list[tuple[str, str, int]]:
    """Return the weighed pairs of two rows that a store keeps, by the rows' keys."""
    with duckdb.connect(str(store / DATABASE), read_only=True) as connection:
        pairs: list[tuple[str, str, int]] = connection.execute(
            "select a.record_id, b.record_id, s.odds from own_scored as s"
            " join register_names as a on a.file_row_number = s.r join register_names as b on b.file_row_number = s.p order by all"
        ).fetchall()
    return pairs


def _full(
    nation: Nation, out: Path, decisions: Sequence[Decision] = (), keep: Path | None = None
) -> list[str]:
    now = _written(nation.now, out / "now.parquet")
    model = nation.folder / "full/model.json"
    match(
        now,
        nation.population,
        out / "whole",
        threads=2,
        memory="1GB",
        model=model,
        decisions=decisions,
        rules=nation.rules,
        keep=keep,
    )
    return _digests(out / "whole")


def test_increments_hold_where_blocks_cross_their_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every pair that was compared is kept, however weak: those that a cap gives and takes mostly are.
    monkeypatch.setattr(deduplication, "score", partial(scoring.score, least=-1_000_000))
    text = (files("childdb.identity") / "rules.yml").read_text(encoding="utf-8")
    assert text.count("\ncap: 100\n") == 1
    rules = tmp_path / "rules.yml"
    rules.write_text(text.replace("\ncap: 100\n", "\ncap: 2\n"), encoding="utf-8")
    for name in ("nation", "all"):
        (tmp_path / name).mkdir()
    nation = Nation(tmp_path / "nation", rules)
    store = nation.store(tmp_path / "store")
    nation.apply(store, tmp_path, [nation.edited, [*nation.new, *nation.removed]], memory="1GB")
    write_all(store, tmp_path / "all", memory="1GB", rules=rules)
    assert _digests(tmp_path / "all") == _full(nation, tmp_path, keep=tmp_path / "kept")
    assert len(_own_pairs(store)) > 100
    assert _own_pairs(store) == _own_pairs(tmp_path / "kept")


def test_increments_in_any_order_are_the_full_run(nation: Nation, tmp_path: Path) -> None:
    expected = _full(nation, tmp_path)
    assert expected != _digests(nation.folder / "full")
    everything = [*nation.new, *nation.edited, *nation.removed]
    half = len(nation.new) // 2
    ways = {
        "at_once": [everything],
        "backwards": [
            [*nation.edited[::-1], *nation.removed[::2], *nation.new[half:]],
            [*nation.new[:half], *nation.removed[1::2]],
        ],
    }
    for name, batches in ways.items():
        out = tmp_path / name
        out.mkdir()
        store = nation.store(out / "store")
        nation.apply(store, out, batches, memory="1GB")
        write_all(store, out)
        assert _digests(out) == expected, name


def test_told_rows_are_the_ones_that_changed(nation: Nation, tmp_path: Path) -> None:
    store = nation.store(tmp_path / "store")
    nation.apply(store, tmp_path, [[*nation.edited, *nation.removed]], memory="1GB")
    write_all(store, tmp_path)
    for name in FILES:
        before = {r["record_id"]: r for r in pq.read_table(nation.folder / "full" / name).to_pylist()}
        after = {r["record_id"]: r for r in pq.read_table(tmp_path / name).to_pylist()}
        told = {r["record_id"]: r for r in pq.read_table(tmp_path / "told" / name).to_pylist()}
        assert all(after[key] == row for key, row in told.items())
        changed = {key for key, row in after.items() if before.get(key) != row}
        assert changed <= set(told)
        assert len(told) < len(after) / 2
        assert set(before) - set(after) == set(nation.removed)


@pytest.mark.flow
def test_decisions_of_people_are_kept_by_increments(nation: Nation, tmp_path: Path) -> None:
    stays = set(nation.now["record_id"].to_pylist()) - set(nation.edited)
    links = pq.read_table(nation.folder / "full/links.parquet").to_pylist()
    barred, second = [row for row in links if row["decision"] == "accepted" and row["record_id"] in stays][:2]
    decisions = [
        Decision(DecisionKind.CANNOT_LINK, barred["record_id"], person_id=barred["person_id"]),
        Decision(DecisionKind.MUST_LINK, second["record_id"], person_id=barred["person_id"]),
    ]
    store = nation.store(tmp_path / "store")
    everything = [*nation.new, *nation.edited, *nation.removed]
    nation.apply(store, tmp_path, [everything[::2], everything[1::2]], memory="1GB", decisions=decisions)
    write_all(store, tmp_path)
    assert _digests(tmp_path) == _full(nation, tmp_path, decisions)


def test_store_that_is_not_there_is_refused(nation: Nation, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--keep"):
        match_changes(tmp_path, nation.population, tmp_path / "out")
