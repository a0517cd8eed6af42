"""A series over both breaks: the ministry in charge changed on 1 March 2025, the map on 1 July 2025."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from childdb.database import Database, Role
from childdb.releases import build_candidate, plan_release
from childdb.releases.cells import protect
from childdb.settings import Settings
from tests.integration.test_warehouse_history import make_history
from tests.integration.warehouse_builder import Builder, builder
from tests.integration.warehouse_support import (
    Places,
    Record,
    counted,
    make_residents,
    note_batches,
    seeded,
    store,
)

__all__ = ["builder", "seeded"]
DAYS = (date(2025, 2, 15), date(2025, 5, 31), date(2025, 9, 30), date(2026, 3, 31))
"""Before both breaks, between them, soon after the second, and when nearly every new commune has sent a list."""
MODELS = ["run", "--exclude", "resource_type:seed", "path:models/staging"]
CHILDREN = """
select geography, area_level, area_code, numerator_count from marts.agg_indicators
where indicator_set = 'tt13_2021_children' and indicator_code = '0101' and breakdown = 'total' and numerator_count > 0
"""
INTERVALS = """
select geography, area_code, lowest_numerator_count, highest_numerator_count
from marts.agg_indicator_intervals where indicator_set = 'tt13_2021_children' and indicator_code = '0101'
"""
SERIES = """
select r.release_id, f.geography, f.numerator, f.status from ops.releases as r
inner join marts.agg_release_figures as f on r.release_id = f.release_id
where f.indicator_set = 'tt13_2021_children' and f.indicator_code = '0101' and f.area_level = 'nation' and f.breakdown = 'total' and r.release_id = any(%s)
order by r.as_of_date, f.geography
"""
Areas = dict[tuple[str, str], tuple[int, int]]


def possible_communes(records: list[Record], places: Places, day: date) -> tuple[Areas, Areas]:
    """Return the communes of both maps with the children certainly there and those possibly there: known, divided."""
    certain: Counter[tuple[str, str]] = Counter()
    possible: Counter[tuple[str, str]] = Counter()
    for r, _ in counted(records, places, day).values():
        if r.commune_id is None:
            continue
        is_old = r.commune_id in places.heirs
        for geography, units in (("2025", places.heirs), ("legacy", places.parents)):
            if (geography == "2025") == is_old:
                codes = sorted(unit.split("@")[0] for unit in units.get(r.commune_id, ()))
                (certain if len(codes) == 1 else possible).update((geography, code) for code in codes)
            else:
                certain[geography, r.commune_id.split("@")[0]] += 1
    known = {key: (count, count) for key, count in certain.items()}
    return known, {key: (certain[key], certain[key] + count) for key, count in possible.items()}


def figures(database: Database) -> tuple[dict[tuple[str, ...], int], Areas]:
    """Return the children of every area, and the intervals of those of which not all are certain."""
    with database.connect(Role.CHECKER) as connection:
        exact = {tuple(row[:3]): row[3] for row in connection.execute(CHILDREN)}
        return exact, {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(INTERVALS)}


@pytest.mark.flow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [81, 82, 83])
def test_a_series_over_both_breaks_stands_on_both_maps(
    seeded: Database, warehouse_settings: Settings, builder: Builder, seed: int
) -> None:
    places = Places()
    rows = [
        replace(r, record_id=f"{r.batch}#1:{n + 1}") for n, r in enumerate(make_history(seed, places, 200))
    ]
    series: list[tuple[Any, ...]] = []
    divided = 0
    for day in DAYS:
        known = [r for r in rows if r.file_date <= day]
        store(seeded, known, set(), make_residents(seed, rows))
        note_batches(seeded, known)
        plan = plan_release(warehouse_settings, None, day)
        builder.run(MODELS, plan.variables)
        release_id = build_candidate(warehouse_settings)
        children = len(counted(known, places, day))
        exact, intervals = figures(seeded)
        certain, expected = possible_communes(known, places, day)
        assert intervals == expected, day
        divided += len(intervals)
        for geography in ("2025", "legacy"):
            by_level: Counter[str] = Counter()
            for (where, level, _), count in exact.items():
                by_level[level] += count if where == geography else 0
            # Whoever cannot be placed stands in the unknown unit of the larger area: no level loses a child.
            assert {by_level["nation"], by_level["province"], by_level["commune"]} == {children}, (
                day,
                geography,
            )
        for (geography, area), (count, _) in certain.items():
            assert exact[geography, "commune", area] == count, (day, geography, area)
        series += [
            (release_id, geography, protect(children), "published") for geography in ("2025", "legacy")
        ]
    with seeded.connect(Role.CHECKER) as connection:
        shown = connection.execute(SERIES, [[row[0] for row in series]]).fetchall()
    assert shown == series
    assert divided > 4
    assert len({row[2] for row in series}) > 2, "the same children on every day: no series"
