"""dbt's unit tests of the rules of counting, and what reports and targets come out as."""

from __future__ import annotations

import pytest

from childdb.database import Database, Role
from childdb.flow.dbt import run_dbt
from childdb.settings import Settings
from tests.integration.warehouse_support import VARIABLES, Places, make_records, seeded, store

__all__ = ["seeded"]


@pytest.fixture(scope="module")
def built(seeded: Database, warehouse_settings: Settings) -> Database:
    """A warehouse built from a few rows and no population extract."""
    records, confirmed = make_records(4, Places(), children=60)
    store(seeded, records, confirmed, [])
    run_dbt(warehouse_settings, ["run", "--exclude", "path:models/staging"], VARIABLES)
    return seeded


def test_every_rule_of_counting_holds(built: Database, warehouse_settings: Settings) -> None:
    states = run_dbt(
        warehouse_settings, ["test", "--select", "test_type:unit"], {**VARIABLES, "unit_tests": "yes"}
    )
    assert states == {"pass": 11}


def test_without_an_extract_there_is_no_coverage(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select distinct status, coverage from marts.agg_release_figures where indicator_code = 'coverage' "
            "and release_id = %s",
            [VARIABLES["release_id"]],
        ).fetchall()
    assert rows == [("no_data", None)]


def test_the_half_year_of_quang_ninh_comes_out_kept_apart(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select activity_code, counted_unit_code, reported_value::int, is_lower_bound, report_count "
            "from marts.agg_reported_activities where area_code = '22' and period_code = '2024-S1'"
        ).fetchall()
        documents = connection.execute(
            "select reported_value::int from core.fct_reported_activities "
            "where counted_unit_code = 'documents' order by 1"
        ).fetchall()
    found = {row[:2]: row[2:] for row in rows}
    assert found["guidance", "documents"] == (33, False, 2)
    assert [row[0] for row in documents] == [7, 26]
    assert found["training", "courses"] == (5, False, 1)
    assert found["training", "people"] == (383, False, 1)
    assert found["performance", "localities"] == (10, False, 1)
    assert found["performance", "people"] == (4000, True, 1)
    assert found["communication", "sessions"] == (68, False, 1)
    assert found["communication", "people"] == (14423, False, 1)
    assert found["media", "news_items"] == (200, True, 1)
    assert found["communication", "meetings"] == (82, False, 1)
    assert found["communication", "attendances"] == (83000, True, 1)
    assert found["children_council", "children"] == (55, False, 1)
    assert found["children_council", "districts"] == (13, False, 1)


def test_targets_of_the_plan_of_lang_son_stand_with_direction_and_base(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = {
            row[0]: row[1:]
            for row in connection.execute(
                "select target_id, direction_code, lowest_value::int, highest_value::int, target_year "
                "from marts.agg_target_gaps where area_code = '20'"
            )
        }
        unsaid = connection.execute(
            "select distinct target_status_code, gap_value from marts.agg_target_gaps "
            "where target_id like 'QD-23-2021-abused-%%'"
        ).fetchall()
    assert rows == {
        "LANG-SON-2019-at_risk-2020": ("range", 12, 15, 2020),
        "LANG-SON-2019-special_circumstances_assisted-2020": ("at_least", 90, None, 2020),
        "LANG-SON-2019-districts_with_programme-2020": ("at_least", 100, None, 2020),
    }
    assert unsaid == [("base_unknown", None)]
