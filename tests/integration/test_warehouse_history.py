"""Two times: what was known on a day equals a rebuild to that day; and the account of changes always adds up."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from psycopg import Connection, sql

from childdb.database import Database, Role
from childdb.flow.dbt import run_dbt
from childdb.releases import difference as difference_module
from childdb.releases.cells import RESIDENTS, Cell, protect
from childdb.releases.difference import CAUSES, difference
from childdb.settings import Settings
from tests.integration.warehouse_support import (
    VARIABLES,
    Places,
    Record,
    _record,
    counted,
    current_records,
    seeded,
    sha,
    speaking_rows,
    store,
)

__all__ = ["seeded"]
FIRST_DAY = date(2024, 11, 30)
KNOWN = """
select child_id, record_id from core.fct_child_states
where known_from_date <= %(day)s and coalesce(known_to_date > %(day)s, true)
"""
SPELLS = """
select child_id, value_code from core.fct_child_spells
where topic_code = %(topic)s and known_from_date <= %(day)s and coalesce(known_to_date > %(day)s, true)
"""
STATUSES = ("counted", "counted", "counted", "turned_16", "died", "moved_out", "not_yet_born")
MEASURES = (
    "special_circumstance_children",
    "number_confirmed_children",
    "at_risk_children",
    "children_under_5",
)


def make_history(seed: int, places: Places, children: int) -> list[Record]:
    """Return rows of many lists of a few communes, before and after the map changed, some on one day."""
    rng = random.Random(seed)
    whole = rng.sample(sorted(o for o, n in places.heirs.items() if len(n) == 1), 4)
    split = rng.sample(sorted(o for o, n in places.heirs.items() if len(n) == 2), 3)
    heirs = sorted({h for o in [*whole, *split] for h in places.heirs[o]})
    # So that some former communes are replaced: all the parents' people went to communes that report.
    lists = [
        (o, FIRST_DAY + timedelta(days=rng.randrange(0, 210))) for o in [*whole, *split] for _ in range(3)
    ]
    lists += [(h, date(2025, 7, 2) + timedelta(days=rng.randrange(0, 300))) for h in heirs for _ in range(3)]
    records: list[Record] = []
    for number in range(children):
        for commune, day in rng.sample(lists, rng.choice([1, 2, 3, 5])):
            record = _record(rng, places, f"h{seed}-{number:04d}", commune, day, len(records))
            if rng.random() < 0.2:
                batch = f"treem__children@{sha(record.batch)[:20]}"
                record = replace(record, batch=batch, record_id=f"{batch}#1:{len(records) + 1}")
            records.append(record)
    return records


@pytest.fixture(scope="module")
def histories(seeded: Database, warehouse_settings: Settings) -> list[Record]:
    """Three random histories side by side, and the tables built from them."""
    places = Places()
    records = [r for seed in (7, 8, 9) for r in make_history(seed, places, 120)]
    records = [replace(r, record_id=f"{r.batch}#1:{n + 1}") for n, r in enumerate(records)]
    store(seeded, records, set(), [])
    words = ["run", "--select", "+fct_child_spells", "+fct_life_events", "+fct_duplicate_registrations", "+fct_release_children", "+fct_release_residents"]  # fmt: skip
    run_dbt(warehouse_settings, [*words, "--exclude", "path:models/staging"], VARIABLES)
    return records


def some_days(records: list[Record]) -> list[date]:
    """Return days on which lists came, and the days before them."""
    days = sorted({r.file_date for r in records})
    return sorted({*days[::3], *(d - timedelta(days=1) for d in days[1::7]), days[-1] + timedelta(days=400)})


def test_what_was_known_on_a_day_is_what_a_rebuild_to_that_day_says(
    histories: list[Record], seeded: Database
) -> None:
    places, sizes = Places(), set()
    with seeded.connect(Role.CHECKER) as connection:
        for day in some_days(histories):
            known = dict(connection.execute(KNOWN, {"day": day}).fetchall())
            rebuilt = speaking_rows([r for r in histories if r.file_date <= day], places)
            assert known == {child: r.record_id for child, r in rebuilt.items()}, day
            sizes.add(len(known))
    assert len(sizes) > 10, "nothing changed between the days: the test would pass on a constant"


def test_spells_say_the_same_as_the_rows_that_were_known(histories: list[Record], seeded: Database) -> None:
    places = Places()
    with seeded.connect(Role.CHECKER) as connection:
        for day in some_days(histories)[::4]:
            rows = speaking_rows([r for r in histories if r.file_date <= day], places)
            at_risk = connection.execute(SPELLS, {"day": day, "topic": "at_risk"}).fetchall()
            assert {child for child, _ in at_risk} == {c for c, r in rows.items() if r.at_risk}
            groups = connection.execute(SPELLS, {"day": day, "topic": "special_circumstance"}).fetchall()
            assert set(groups) == {(c, code) for c, r in rows.items() for code in r.circumstances}


def test_the_last_known_state_is_what_the_register_counts(histories: list[Record], seeded: Database) -> None:
    with seeded.connect(Role.CHECKER) as connection:
        now = connection.execute(
            "select child_id, record_id from core.fct_child_states where known_to_date is null"
        ).fetchall()
        children = connection.execute("select child_id, record_id from core.dim_children").fetchall()
        living = connection.execute(
            "select child_id from core.dim_children where counting_status_code = 'counted'"
        ).fetchall()
    assert sorted(now) == sorted(children)
    day = date.fromisoformat(VARIABLES["reference_date"])
    assert {row[0] for row in living} == set(counted(histories, Places(), day))


def test_rows_that_do_not_speak_are_told_as_duplicates(histories: list[Record], seeded: Database) -> None:
    places = Places()
    speaking = {r.record_id for r in speaking_rows(histories, places).values()}
    doubles = {r.record_id for r in current_records(histories, places)} - speaking
    with seeded.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select record_id, duplicate_kind_code from core.fct_duplicate_registrations"
        ).fetchall()
    assert {row[0] for row in rows} == doubles
    assert {"two_communes", "moved_out"} <= {row[1] for row in rows}


def random_child(rng: random.Random, name: str) -> dict[str, Any]:
    """Return what a release knows of an invented child."""
    status = rng.choice(STATUSES)
    province = rng.choice(["01", "02"])
    measures = ["children", *(m for m in MEASURES if rng.random() < 0.4)]
    return {
        "child_id": name, "record_id": f"b{rng.randrange(3)}#1:{rng.randrange(10**6)}",
        "counting_status_code": status, "province_area_2025": province,
        "commune_area_2025": f"{province}{rng.randrange(3):03d}", "province_area_legacy": province,
        "district_area_legacy": f"{province}_U", "commune_area_legacy": f"{province}_U",
        "sex": rng.choice(["male", "female", "_U"]), "age_group": rng.choice(["0", "1-2", "3-5", "_U"]),
        "ethnic_group": rng.choice(["01", "02", "_U"]),
        "effective_birth_date": rng.choice([None, date(2020, 1, 1), date(2024, 6, 1)]),
        "measure_codes": measures if status == "counted" else [],
    }  # fmt: skip


def changed_child(rng: random.Random, child: dict[str, Any]) -> dict[str, Any]:
    """Return the child as a later release may know it."""
    other = random_child(rng, child["child_id"])
    return {name: other[name] if rng.random() < 0.25 else value for name, value in child.items()} | {
        "measure_codes": other["measure_codes"] if other["counting_status_code"] == child["counting_status_code"]
        else [] if child["counting_status_code"] != "counted" else child["measure_codes"],
        "counting_status_code": child["counting_status_code"],
    }  # fmt: skip


def note_release(connection: Connection, release_id: str, day: date, children: list[dict[str, Any]]) -> None:
    """Put a release and what it knew where the comparison reads it."""
    inputs = {"batches": [{"dataset": "population__persons", "file_sha256": sha(release_id[:6])}]}
    connection.execute(
        "insert into ops.releases (release_id, period, as_of_date, reference_date, inputs) values (%s, '2026', %s, %s, %s)",
        [release_id, day, day, json.dumps(inputs)],
    )
    row = connection.execute("select nextval('core.build_numbers')").fetchone()
    assert row is not None
    # This build knows the children given and no others.
    connection.execute(
        "update core.fct_child_versions set last_build_no = %s - 1 where last_build_no is null", [row[0]]
    )
    connection.execute("insert into core.fct_release_builds values (%s, %s)", [release_id, row[0]])
    with connection.cursor() as cursor:
        for child in children:
            version = {**child, "first_build_no": row[0], "last_build_no": row[0]}
            names = sql.SQL(", ").join(map(sql.Identifier, version))
            values = sql.SQL(", ").join(map(sql.Placeholder, version))
            cursor.execute(
                sql.SQL("insert into core.fct_child_versions ({}) values ({})").format(names, values), version
            )


def test_the_account_of_changes_always_adds_up(histories: list[Record], seeded: Database) -> None:
    """Random histories: children come, go, change and are merged; every cell's causes give its difference."""
    import psycopg

    codes: set[str] = set()
    with psycopg.connect(seeded.admin_url) as connection:
        for seed in range(15):
            rng = random.Random(seed)
            before = [random_child(rng, f"c{n}") for n in range(rng.randrange(1, 60))]
            after = [changed_child(rng, c) for c in before if rng.random() < 0.85]
            after += [random_child(rng, f"n{n}") for n in range(rng.randrange(0, 30))]
            first, second = (f"r2026-{seed:06x}{side:06x}" for side in (1, 2))
            note_release(connection, first, date(2026, 3, 31), before)
            note_release(connection, second, date(2026, 6, 30), after)
            for cell in random_cells(rng):
                for change in difference(connection, first, second, cell):
                    assert change.adds_up, (seed, cell, change)
                    assert all(cause.code in CAUSES for cause in change.causes)
                    codes |= {cause.code for cause in change.causes}
                    told = change.protected_causes()
                    if told is not None:
                        assert sum(told.values()) == protect(change.after) - protect(change.before)  # type: ignore[operator]
        connection.rollback()
    assert len(codes) > 8, codes


def random_cells(rng: random.Random) -> list[Cell]:
    """Return the whole and some random cells."""
    cell = Cell("2025", "province", "01", rng.choice(["_T", "male"]), rng.choice(["_T", "0", "3-5"]))
    return [Cell(), cell, Cell("2025", "commune", "01001"), Cell(ethnic_group=rng.choice(["01", "_U"]))]


def test_a_definition_changed_from_a_day_on_is_named(
    histories: list[Record], seeded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the old definition one measure counts, under the new another: their difference is the definition's."""
    import psycopg

    day = date(2026, 5, 1)
    old = next(i for i in difference_module.catalogue() if i.indicator_code == "at_risk")
    fields = {**old.fields, "numerator_measure_code": "number_confirmed_children"}
    changed = (
        replace(old, valid_to=day),
        replace(old, definition_version="2", valid_from=day, fields=fields),
    )
    monkeypatch.setattr(difference_module, "catalogue", lambda: changed)
    rng = random.Random(6)
    before = [random_child(rng, f"c{n}") for n in range(80)]
    with psycopg.connect(seeded.admin_url) as connection:
        note_release(connection, "r2026-dddddddddddd", date(2026, 3, 31), before)
        note_release(connection, "r2026-eeeeeeeeeeee", date(2026, 6, 30), before)
        note_release(connection, "r2026-ffffffffffff", date(2026, 4, 30), before)
        found = difference(connection, "r2026-dddddddddddd", "r2026-eeeeeeeeeeee")
        same = difference(connection, "r2026-dddddddddddd", "r2026-ffffffffffff")
        connection.rollback()
    above = next(c for c in found if c.part == "numerator")
    at_risk = sum("at_risk_children" in c["measure_codes"] for c in before)
    confirmed = sum("number_confirmed_children" in c["measure_codes"] for c in before)
    assert (above.indicator.definition_version, above.before, above.after) == ("2", at_risk, confirmed)
    assert [(c.code, c.net) for c in above.causes] == [("definition", confirmed - at_risk)]
    assert all(not c.causes for c in same)


def test_coverage_has_causes_too(histories: list[Record], seeded: Database) -> None:
    """Another extract is named where there is one; the same extract on another day only ages."""
    import psycopg

    with psycopg.connect(seeded.admin_url) as connection:
        rng = random.Random(1)
        children = [random_child(rng, f"c{n}") for n in range(20)]
        names = ["r2026-aaaaaaaaaaaa", "r2027-bbbbbbbbbbbb", "r2027-cccccccccccc"]
        for name, count in zip(names, (100, 130, 110), strict=True):
            note_release(connection, name, date(2026, 6, 30), children)
            connection.execute(
                "insert into core.fct_release_residents (release_id, province_area_2025, commune_area_2025, "
                "province_area_legacy, district_area_legacy, commune_area_legacy, sex, age_group, ethnic_group, "
                "resident_count) values (%s, '01', '01001', '01', '01_U', '01_U', 'male', '0', '01', %s)",
                [name, count],
            )
        found = {
            pair: change.causes
            for pair in ((0, 1), (1, 2))
            for change in difference(connection, names[pair[0]], names[pair[1]])
            if change.indicator.fields[f"{change.part}_measure_code"] == RESIDENTS and change.adds_up
        }
        connection.rollback()
    assert {(c.code, c.net) for c in found[0, 1]} == {("population_extract", 30)}
    assert {(c.code, c.net) for c in found[1, 2]} == {("population_ageing", -20)}
