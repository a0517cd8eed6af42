"""Released figures against the truth of the synthetic nation, counted by code that shares nothing with the pipeline."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from childdb.database import Database, Role
from childdb.sandbox.distance import distances, load_children, load_errors
from childdb.sandbox.truth_figures import delivered_figures, load_delivered, load_residents, with_identity
from childdb.settings import Settings
from tests.flow_support import empty_warehouse, make_nation, run_steps

CHILDREN = 3_000
KEY = (
    "indicator_set",
    "indicator_code",
    "geography",
    "area_level",
    "area_code",
    "sex",
    "age_group",
    "ethnic_group",
)
EXACT = """
select indicator_set, indicator_code, geography, area_level, area_code, sex, age_group, ethnic_group,
    numerator_count, denominator_count
from marts.agg_indicators where geography = '2025' and numerator_count is not null
    and circumstance = '_T' and settlement = '_T'
"""
PUBLISHED = """
select indicator_set, indicator_code, geography, area_level, area_code, sex, age_group, ethnic_group,
    numerator, denominator, value, status
from marts.agg_release_figures where geography = '2025'
"""
IDENTITY = """
select batches.file_sha256, rows.row_no, links.child_id, children.confirmed
from clean.treem__children as rows
inner join ops.batches as batches on rows._batch_id = batches.batch_id
inner join identity.record_links as links on rows.record_id = links.record_id
inner join identity.children as children on links.child_id = children.child_id
"""
NATION = ("2025", "nation", "VN", "_T", "_T", "_T")
NATIONAL = {
    "children": ("tt13_2021_children", "0101", *NATION),
    "special": ("tt13_2021_children", "0301", *NATION),
    "confirmed": ("register", "number_confirmed", *NATION),
    "poor": ("register", "poor_or_near_poor", *NATION),
}
Figures = Mapping[tuple[str, ...], tuple[int, int | None]]


@pytest.fixture
def empty(warehouse: Database) -> Database:
    empty_warehouse(warehouse)
    return warehouse


def rounded(count: int) -> int | None:
    """Return a count as the rule of protection shows it, written again from its text."""
    return None if count < 10 else 5 * ((count + 2) // 5)


def of_the_nation(nation: Path) -> Figures:
    """Return the truth without errors of entry."""
    with open(nation / "truth" / "figures_nation.csv", encoding="utf-8", newline="") as file:
        return expected(list(csv.DictReader(file)))


def built(database: Database) -> Figures:
    with database.connect(Role.CHECKER) as connection:
        rows = connection.execute(EXACT).fetchall()
    return {tuple(row[:8]): (row[8], row[9]) for row in rows}


def expected(rows: list[dict[str, object]]) -> Figures:
    figures: dict[tuple[str, ...], tuple[int, int | None]] = {}
    for row in rows:
        denominator = row["denominator"]
        below = None if denominator in (None, "") else int(str(denominator))
        figures[tuple(str(row[name]) for name in KEY)] = (int(str(row["numerator"])), below)
    return figures


def differences(truth: Figures, found: Figures) -> list[str]:
    """Return where the two differ; a cell that one side leaves out counts as nought.

    Coverage of a commune that sent no list has residents in the truth and is "no data" in the release.
    """
    told = []
    for key in sorted(set(truth) | set(found)):
        wanted, got = truth.get(key, (0, 0)), found.get(key, (0, 0))
        unsent = key[1] == "coverage" and key not in found and wanted[0] == 0
        if not unsent and (wanted[0], wanted[1] or 0) != (got[0], got[1] or 0):
            told.append(f"{key}: truth {wanted}, built {got}")
    return told


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_without_errors_every_figure_is_the_nations_truth(
    empty: Database, warehouse_settings: Settings, tmp_path: Path, seed: int
) -> None:
    nation = make_nation(tmp_path / "nation", children=CHILDREN, seed=seed, profile="none")
    run_steps(warehouse_settings, nation / "exports", nation / "population" / "population.parquet")
    truth = of_the_nation(nation)
    assert not differences(truth, built(empty))[:10]
    with empty.connect(Role.CHECKER) as connection:
        published = connection.execute(PUBLISHED).fetchall()
    shown = 0
    for *key, numerator, denominator, value, status in published:
        above, below = truth.get(tuple(key), (0, None))
        if status != "published":
            assert numerator is None
            assert value is None
            continue
        shown += 1
        assert numerator == rounded(above), key
        assert denominator == (None if below is None else rounded(below)), key
        if denominator:
            assert abs(float(value) - 100 * numerator / denominator) <= 0.05 + 1e-9, key
    assert shown > 100


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_with_errors_every_figure_is_the_truth_as_delivered(
    empty: Database, warehouse_settings: Settings, tmp_path: Path, seed: int, record_property: object
) -> None:
    nation = make_nation(tmp_path / "nation", children=CHILDREN, seed=seed, profile="default")
    run_steps(warehouse_settings, nation / "exports", nation / "population" / "population.parquet")
    with empty.connect(Role.CHECKER) as connection:
        identity = {(sha, row): (child, sure) for sha, row, child, sure in connection.execute(IDENTITY)}
        day = connection.execute(
            "select reference_date from ops.releases order by planned_at desc limit 1"
        ).fetchone()
    assert day is not None
    rows, residents = load_delivered(nation / "truth"), load_residents(nation / "truth")
    found = built(empty)
    as_matched = expected(delivered_figures(with_identity(rows, identity), residents, day[0]))
    assert not differences(as_matched, found)[:10]
    apart = distances(load_children(nation / "truth"), rows, load_errors(nation / "truth"), day[0], identity)
    for measure, key in NATIONAL.items():
        told = sum(int(str(r["too_many"])) - int(str(r["too_few"])) for r in apart if r["figure"] == measure)
        assert found[key][0] - of_the_nation(nation)[key][0] == told, measure
    as_it_is = expected(delivered_figures(rows, residents, day[0]))
    added = matching_adds(as_it_is, found)
    print(f"\nseed {seed}, {day[0]}: what matching adds at the national level: {added}")
    assert all(abs(share) < 0.02 for share in added.values()), added


def matching_adds(truth: Figures, found: Figures) -> dict[str, float]:
    """Return, per indicator, by which share the national numerator differs from that of the true identities."""
    told = {}
    for key, (above, _) in truth.items():
        if key[3:] == ("nation", "VN", "_T", "_T", "_T") and above:
            told[f"{key[0]}/{key[1]}"] = round((found.get(key, (0, 0))[0] - above) / above, 4)
    return told


def test_the_reference_date_is_never_the_clock(
    empty: Database, warehouse_settings: Settings, tmp_path: Path
) -> None:
    nation = make_nation(tmp_path / "nation", children=600, seed=31, profile="none", communes=6)
    run_steps(warehouse_settings, nation / "exports", nation / "population" / "population.parquet")
    with empty.connect(Role.CHECKER) as connection:
        row = connection.execute("select max(reference_date) from ops.releases").fetchone()
        newest = connection.execute(
            "select max(file_date) from ops.batches where dataset = 'treem__children'"
        ).fetchone()
    assert row == newest
    assert isinstance(row[0], date)
