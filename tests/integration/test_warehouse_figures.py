"""Figures of the warehouse equal a count in plain Python, on both maps, for every breakdown."""

from __future__ import annotations

from datetime import date

import pytest

from childdb.database import Database, Role
from childdb.flow.dbt import run_dbt
from childdb.settings import Settings
from tests.integration.test_warehouse_series import possible_communes
from tests.integration.warehouse_support import (
    LATER_DAY,
    VARIABLES,
    Places,
    expected,
    expected_groups,
    make_records,
    make_residents,
    seeded,
    store,
)

__all__ = ["seeded"]
EXACT = """
select indicator_set, indicator_code, geography, area_level, area_code, sex, age_group, ethnic_group,
    numerator_count, denominator_count
from marts.agg_indicators
where measurement_code = 'measured' and indicator_code <> 'coverage'
    and circumstance = '_T' and settlement = '_T'
"""
GROUPS = """
select indicator_set, indicator_code, geography, area_level, area_code, circumstance, settlement,
    numerator_count, denominator_count
from marts.agg_indicators
where measurement_code = 'measured' and breakdown in ('circumstance', 'settlement') and indicator_code <> 'coverage'
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_figure_equals_the_plain_count(
    seeded: Database, warehouse_settings: Settings, seed: int
) -> None:
    places = Places()
    records, confirmed = make_records(seed, places)
    store(seeded, records, confirmed, make_residents(seed, records))
    run_dbt(
        warehouse_settings, ["build", "--exclude", "resource_type:seed", "path:models/staging"], VARIABLES
    )
    with seeded.connect(Role.CHECKER) as connection:
        found = {tuple(row[:8]): (row[8], row[9]) for row in connection.execute(EXACT)}
    truth = expected(records, confirmed, places, LATER_DAY)
    assert len(truth) > 5000
    wrong = {key: (found.get(key), pair) for key, pair in truth.items() if found.get(key) != pair}
    assert not wrong, f"{len(wrong)} of {len(truth)} figures differ, first {sorted(wrong.items())[:5]}"
    extra = [key for key, pair in found.items() if key not in truth and (pair[0] or pair[1])]
    assert not extra, f"{len(extra)} figures count children nobody counted, first {sorted(extra)[:5]}"
    with seeded.connect(Role.CHECKER) as connection:
        groups = {tuple(row[:7]): (row[7], row[8]) for row in connection.execute(GROUPS)}
    by_group = expected_groups(records, confirmed, places, LATER_DAY)
    assert len(by_group) > 300
    wrong = {key: (groups.get(key), pair) for key, pair in by_group.items() if groups.get(key) != pair}
    assert not wrong, f"{len(wrong)} of {len(by_group)} figures differ, first {sorted(wrong.items())[:5]}"
    extra = [key for key, pair in groups.items() if key not in by_group and pair[0]]
    assert not extra, f"{len(extra)} groups count children nobody counted, first {sorted(extra)[:5]}"


def test_who_cannot_be_placed_is_an_interval(seeded: Database) -> None:
    """A child of a divided commune may belong to each of its heirs, and of one with several parents to each of them."""
    places = Places()
    records, _ = make_records(3, places)
    certain, possible = possible_communes(records, places, LATER_DAY)
    with seeded.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select geography, area_code, lowest_numerator_count, highest_numerator_count, lowest_possible_value, "
            "highest_possible_value from marts.agg_indicator_intervals where indicator_code = '0101'"
        ).fetchall()
    found = {tuple(row[:2]): row[2:] for row in rows}
    assert found.keys() == possible.keys()
    for key, (lowest, highest, least, most) in found.items():
        assert (lowest, highest) == possible[key], key
        assert lowest == certain.get(key, (0, 0))[0], key
        assert (least, most) == (lowest, highest)
    assert {"2025", "legacy"} == {key[0] for key in found}


def test_published_figures_are_the_protected_ones(seeded: Database) -> None:
    with seeded.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select a.numerator_count, a.denominator_count, p.numerator, p.denominator, p.value, p.status, p.unit "
            "from marts.agg_release_figures as p inner join marts.agg_indicators as a using (cell_id) "
            "where p.release_id = %s and p.status in ('published', 'hidden')",
            [VARIABLES["release_id"]],
        ).fetchall()
    assert {row[5] for row in rows} == {"published", "hidden"}
    for exact, below, numerator, denominator, value, status, unit in rows:
        told = None if below is None or below < 10 else (below + 2) // 5 * 5
        assert denominator == told
        if exact < 10 or (below is not None and below < 10):
            assert (status, numerator, value) == ("hidden", None, None)
        else:
            assert (status, numerator) == ("published", (exact + 2) // 5 * 5)
            share = unit == "%"
            assert float(value) == (round(numerator * 1000 / denominator + 1e-9) / 10 if share else numerator)


def test_a_zero_is_as_hidden_as_a_nine(seeded: Database) -> None:
    with seeded.connect(Role.CHECKER) as connection:
        shown = connection.execute(
            "select count(*) filter (where a.numerator_count = 0), count(*) filter (where p.status = 'hidden') "
            "from marts.agg_release_figures as p inner join marts.agg_indicators as a using (cell_id) "
            "where p.release_id = %s and a.numerator_count = 0 and p.status in ('published', 'hidden')",
            [VARIABLES["release_id"]],
        ).fetchone()
    assert shown is not None
    assert shown[0] > 100
    assert shown[0] == shown[1]


def test_both_maps_hold_the_same_children(seeded: Database) -> None:
    with seeded.connect(Role.CHECKER) as connection:
        totals = connection.execute(
            "select geography, area_level, sum(children_count) from marts.agg_indicators "
            "where indicator_set = 'tt13_2021_children' and indicator_code = '0101' and breakdown = 'total' "
            "and measurement_code = 'measured' group by geography, area_level"
        ).fetchall()
    assert len(totals) == 7
    assert len({total for _, _, total in totals}) == 1


def test_what_the_register_cannot_give_is_shown_without_a_figure(seeded: Database) -> None:
    with seeded.connect(Role.CHECKER) as connection:
        rows = dict(
            connection.execute(
                "select indicator_set || '/' || indicator_code, string_agg(distinct status, ',') "
                "from marts.agg_release_figures where release_id = %s and indicator_set like 'tt13%%' "
                "group by 1",
                [VARIABLES["release_id"]],
            ).fetchall()
        )
    assert len(rows) == 15
    assert rows["tt13_2021_children/0501"] == "not_applicable"
    assert rows["tt13_2021_abuse/0101"] == "no_data"
    assert rows["tt13_2021_children/0101"] == "hidden,no_data,published"


def test_coverage_stands_beside_every_register_figure(seeded: Database) -> None:
    with seeded.connect(Role.CHECKER) as connection:
        row = connection.execute(
            "select min(coverage), max(coverage) from marts.agg_release_figures "
            "where release_id = %s and area_level = 'nation' and status = 'published'",
            [VARIABLES["release_id"]],
        ).fetchone()
    assert row is not None
    assert row[0] == row[1]
    assert 0 < row[0] < 1


def test_a_definition_counts_from_its_first_day(seeded: Database, warehouse_settings: Settings) -> None:
    early = {**VARIABLES, "period": "2021", "reference_date": date(2021, 11, 14).isoformat()}
    run_dbt(warehouse_settings, ["run", "--select", "int_indicators__in_force", "agg_indicators"], early)
    with seeded.connect(Role.CHECKER) as connection:
        sets = {
            row[0] for row in connection.execute("select distinct indicator_set from marts.agg_indicators")
        }
    assert sets == {"register"}
