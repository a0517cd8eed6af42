"""A release from plan to signature, its passports, and the account of what changed to the next one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from childdb.database import Database, Role
from childdb.errors import GateStoppedError
from childdb.flow.dbt import run_dbt
from childdb.releases import build_candidate, finalize, plan_release, record_approval, release_state, withdraw
from childdb.releases import plan as plan_module
from childdb.releases.cells import Cell, protect
from childdb.releases.difference import CAUSES, difference
from childdb.releases.lookup import chosen_release, find_figures
from childdb.releases.passport import cells_of_child, passport
from childdb.releases.verify import verify
from childdb.settings import Settings
from childdb.workspace import Workspace
from tests.integration.warehouse_support import (
    LATER_DAY,
    NEW_DAY,
    Places,
    Record,
    counted,
    make_records,
    make_residents,
    note_batches,
    seeded,
    store,
)

__all__ = ["seeded"]

MODELS = ["run", "--exclude", "resource_type:seed", "path:models/staging"]
AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
# Enough for a thousand that count: others moved away, died or turned sixteen.
CHILDREN = 2_000


@dataclass(frozen=True)
class Pair:
    """Two releases, and the rows each was made of."""

    first: str
    second: str
    before: list[Record]
    after: list[Record]


def release(
    database: Database, settings: Settings, records: list[Record], confirmed: set[str], as_of: date
) -> str:
    """Store rows, plan a release over them, build the models and write its files."""
    store(database, records, confirmed, make_residents(5, records))
    note_batches(database, records)
    plan = plan_release(settings, None, as_of)
    run_dbt(settings, MODELS, plan.variables)
    return build_candidate(settings, None, as_of)


@pytest.fixture(scope="module", autouse=True)
def fixed_code() -> Iterator[None]:
    """The version of the code as it was when the tests began: the tree may be edited while they run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("code_version", "seeds_version", "rules_version"):
            value = getattr(plan_module, name)()
            patch.setattr(plan_module, name, lambda value=value: value)
        yield


@pytest.fixture(scope="module")
def pair(seeded: Database, warehouse_settings: Settings) -> Pair:
    """A first release of the spring lists, approved; and a second with the summer lists and changed rows."""
    records, confirmed = make_records(11, Places(), CHILDREN)
    before = [r for r in records if r.file_date <= NEW_DAY]
    first = release(seeded, warehouse_settings, before, confirmed, NEW_DAY)
    for name in ("Trần A", "Lý B"):
        record_approval(warehouse_settings, first, name, AT)
    finalize(warehouse_settings, first)
    after, later_confirmed = changed(records, confirmed)
    second = release(seeded, warehouse_settings, after, later_confirmed, LATER_DAY)
    return Pair(first, second, before, after)


def changed(records: list[Record], confirmed: set[str]) -> tuple[list[Record], set[str]]:
    """Return the rows after corrections, merges and confirmations of numbers."""
    rng = random.Random(12)
    merged = {f"child-{n:05d}": f"child-{n + 1:05d}" for n in range(0, 400, 9)}
    rows = []
    for r in records:
        row = replace(r, child_id=merged.get(r.child_id, r.child_id))
        if rng.random() < 0.05:
            row = replace(row, at_risk=not row.at_risk, sex="male")
        if rng.random() < 0.03:
            row = replace(row, birth=("year", 2019, None, None))
        rows.append(row)
    extra = {f"child-{n:05d}" for n in range(CHILDREN) if rng.random() < 0.2}
    return rows, confirmed | extra


def test_the_same_inputs_give_the_same_bytes(
    pair: Pair, seeded: Database, warehouse_settings: Settings
) -> None:
    folder = Workspace(warehouse_settings.home).releases / pair.second
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with seeded.connect(Role.MATCHER) as connection:
        # Other keys for the same children: a release is no function of them.
        connection.execute("update identity.record_links set child_id = md5('x' || child_id)")
        connection.execute("update identity.children set child_id = md5('x' || child_id)")
    plan = plan_release(warehouse_settings, None, LATER_DAY)
    assert plan.release_id == pair.second
    run_dbt(warehouse_settings, MODELS, plan.variables)
    assert build_candidate(warehouse_settings, None, LATER_DAY) == pair.second
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    with seeded.connect(Role.MATCHER) as connection:
        records, confirmed = changed(*make_records(11, Places(), CHILDREN))
    release(seeded, warehouse_settings, records, confirmed, LATER_DAY)


def test_files_hold_what_the_database_publishes(
    pair: Pair, seeded: Database, warehouse_settings: Settings
) -> None:
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    folder = Workspace(warehouse_settings.home).releases / pair.first
    table = pq.read_table(folder / "figures.parquet")
    lines = pa_csv.read_csv(folder / "figures.csv")
    with seeded.connect(Role.PORTAL) as connection:
        row = connection.execute(
            "select count(*), count(numerator), sum(numerator), sum(value) from publication.pub_figures_v1 "
            "where release_id = %s",
            [pair.first],
        ).fetchone()
    assert row is not None
    assert (table.num_rows, lines.num_rows) == (row[0], row[0])
    assert table.column("numerator").null_count == row[0] - row[1]
    assert sum(filter(None, table.column("numerator").to_pylist())) == row[2]
    assert sum(filter(None, table.column("value").to_pylist())) == pytest.approx(float(row[3]))
    assert len(list((folder / "forms").glob("*.xlsx"))) == 34
    assert verify(str(folder)) == []


def test_a_release_is_signed_by_two_and_then_stands(
    pair: Pair, seeded: Database, warehouse_settings: Settings
) -> None:
    with pytest.raises(GateStoppedError, match="0 of 2"):
        finalize(warehouse_settings, pair.second)
    record_approval(warehouse_settings, pair.second, "Trần A", AT)
    record_approval(warehouse_settings, pair.second, "Trần A", AT)
    with pytest.raises(GateStoppedError, match="1 of 2"):
        finalize(warehouse_settings, pair.second)
    with pytest.raises(GateStoppedError, match="built"):
        record_approval(warehouse_settings, pair.second, "childdb", AT)
    with seeded.connect(Role.PUBLISHER) as connection:
        assert release_state(connection, pair.first).status == "approved"
        assert chosen_release(connection, None, "2026") == pair.first
        # Readers are shown what was approved and nothing else.
        shown = connection.execute("select distinct release_id from publication.pub_figures_v1").fetchall()
        built = connection.execute("select distinct release_id from marts.agg_release_figures").fetchall()
        assert shown == [(pair.first,)]
        assert {pair.first, pair.second} <= {row[0] for row in built}
        with pytest.raises(Exception, match="approved and cannot be changed"):
            connection.execute(
                "update ops.releases set manifest_sha256 = %s where release_id = %s", ["0" * 64, pair.first]
            )


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.flow)])
def test_a_passport_gives_its_figure_again(pair: Pair, seeded: Database, count: int) -> None:
    rng = random.Random(1)
    with seeded.connect(Role.STEWARD) as connection:
        cells = [
            row[0]
            for row in connection.execute(
                "select cell_id from marts.agg_release_figures where release_id = %s and "
                "(status = 'published' or (status = 'hidden' and area_level <> 'commune')) "
                "and indicator_code <> 'coverage' order by cell_id",
                [pair.first],
            )
        ]
        for cell_id in rng.sample(cells, count):
            found = passport(connection, pair.first, cell_id)
            assert found.agrees, cell_id
            listed = sum(file["row_count"] for file in found.files)
            assert listed == found.exact_numerator
            if found.figure.columns["status"] == "published":
                assert found.figure.columns["numerator"] == protect(listed)


@pytest.mark.parametrize("count", [15, pytest.param(1000, marks=pytest.mark.flow)])
def test_cells_of_children_and_children_of_cells_agree(pair: Pair, seeded: Database, count: int) -> None:
    rng = random.Random(2)
    with seeded.connect(Role.STEWARD) as connection:
        children = counted(pair.before, Places(), NEW_DAY)
        known = sorted(children)
        for child in rng.sample(known, count):
            cells = cells_of_child(connection, pair.first, child)
            assert len(cells) > 20
            record = children[child][0].record_id
            for cell_id in rng.sample(cells, 4):
                found = passport(connection, pair.first, cell_id)
                rows = {
                    (file["file_sha256"], number)
                    for file in found.files
                    for part in file["rows"].split(",")
                    for number in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)
                }
                digest = connection.execute(
                    "select file_sha256 from ops.batches where batch_id = %s", [record.split("#")[0]]
                ).fetchone()
                above = {found.definition.fields["numerator_measure_code"]}  # type: ignore[union-attr]
                if above == {"children"}:
                    assert digest is not None
                    assert (digest[0], int(record.rsplit(":", 1)[1])) in rows


def areas(records: list[Record]) -> list[Cell]:
    """Return cells of every kind around the records."""
    communes = sorted({r.commune_id_2025.split("@")[0] for r in records if r.commune_id_2025})
    provinces = sorted({r.province_code for r in records if r.file_date >= NEW_DAY})
    cells = [Cell(), Cell(sex="male"), Cell(age_group="0"), Cell(age_group="15", sex="female")]
    cells += [Cell("2025", "province", code) for code in provinces]
    cells += [Cell("2025", "commune", code) for code in communes]
    return [
        *cells,
        Cell("legacy", "province", "_U"),
        Cell(ethnic_group="01"),
        Cell("2025", "province", provinces[0], "male"),
    ]


def test_causes_add_up_exactly_everywhere(pair: Pair, seeded: Database) -> None:
    codes: set[str] = set()
    with seeded.connect(Role.STEWARD) as connection:
        for cell in areas(pair.after):
            for change in difference(connection, pair.first, pair.second, cell):
                assert change.adds_up, (cell, change)
                assert all(cause.code in CAUSES for cause in change.causes)
                codes |= {cause.code for cause in change.causes}
                told = change.protected_causes()
                if told is not None:
                    before, after = protect(change.before), protect(change.after)
                    assert sum(told.values()) == after - before  # type: ignore[operator]
    assert {
        "arrived",
        "merged",
        "turned_16",
        "number_confirmation",
        "ageing",
        "corrected_birth_date",
    } <= codes


def test_the_change_is_the_one_a_plain_count_sees(pair: Pair, seeded: Database) -> None:
    places = Places()
    before, after = counted(pair.before, places, NEW_DAY), counted(pair.after, places, LATER_DAY)
    with seeded.connect(Role.STEWARD) as connection:
        changes = difference(connection, pair.first, pair.second)
    total = next(c for c in changes if c.indicator.indicator_code == "0101")
    assert (total.before, total.after) == (len(before), len(after))
    came = sum(cause.came for cause in total.causes)
    left = sum(cause.left for cause in total.causes)
    assert (came, left) == (len(after.keys() - before.keys()), len(before.keys() - after.keys()))


def test_nothing_changes_between_a_release_and_itself(pair: Pair, seeded: Database) -> None:
    with seeded.connect(Role.STEWARD) as connection:
        for change in difference(connection, pair.first, pair.first):
            assert (change.before, change.causes) == (change.after, ())


def test_figures_of_an_area_come_with_every_breakdown(pair: Pair, seeded: Database) -> None:
    with seeded.connect(Role.PUBLISHER) as connection:
        nation = find_figures(connection, pair.first, "0101", None, None)
        one = find_figures(connection, pair.first, "0301", "tt13_2021_children", "VN")
    assert {f["indicator_set"] for f in nation} == {"tt13_2021_children", "tt13_2021_abuse"}
    assert {f["area_level"] for f in nation} == {"nation", "province"}
    assert {f["breakdown"] for f in one} == {"total", "sex", "age_group", "sex_age_group", "ethnic_group"}
    assert all(f["numerator"] is None and f["value"] is None for f in one if f["status"] == "hidden")


def test_a_withdrawal_is_a_notice_beside_untouched_files(
    pair: Pair, seeded: Database, warehouse_settings: Settings
) -> None:
    folder: Path = Workspace(warehouse_settings.home).releases / pair.first
    manifest = (folder / "manifest.json").read_bytes()
    withdraw(warehouse_settings, pair.first, "Sai danh sách nguồn", "A source list was wrong", AT)
    assert (folder / "manifest.json").read_bytes() == manifest
    assert (folder / "withdrawal.json").exists()
    assert verify(str(folder)) == []
    with pytest.raises(GateStoppedError, match="withdrawn"):
        finalize(warehouse_settings, pair.first)
