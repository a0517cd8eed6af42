"""Increments: after any history the tables are those that a build of everything gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from childdb.database import Database, Role
from childdb.flow.dbt import run_dbt
from childdb.releases import build_candidate, plan_release
from childdb.releases import plan as plan_module
from childdb.settings import Settings
from childdb.workspace import Workspace
from tests.integration.test_warehouse_history import make_history
from tests.integration.warehouse_builder import Builder, builder
from tests.integration.warehouse_support import (
    VARIABLES,
    Places,
    Record,
    _clean_row,
    _record,
    counted,
    make_residents,
    note_batches,
    seeded,
    sha,
    store,
)

__all__ = ["builder", "seeded"]
CHILD_MODELS = [
    "run", "--select", "+fct_child_spells", "+fct_life_events", "+fct_duplicate_registrations",
    "+fct_release_children", "--exclude", "path:models/staging", "resource_type:seed",
]  # fmt: skip
TABLES = (
    "fct_commune_lists", "fct_registrations", "int_children__several_rows", "dim_children",
    "int_child_states__several", "int_child_spells__several", "fct_child_states",
    "fct_child_spells", "fct_life_events", "fct_duplicate_registrations",
)  # fmt: skip
ALL_MODELS = ["run", "--exclude", "resource_type:seed", "path:models/staging"]
NUMBERED = (
    "build_marks",
    "touched_children",
    "aged_children",
    "changed_lists",
    "fct_child_versions",
    "fct_release_builds",
)


@dataclass
class World:
    """What has been delivered and decided so far; changed by the steps of a history."""

    rng: random.Random
    places: Places
    records: list[Record]
    waiting: list[Record]
    confirmed: set[str]
    day: date

    def apply(self, database: Database, before: list[Record]) -> None:
        """Write only what changed, as the steps before a build would."""
        old, new = by_batch(before), by_batch(self.records)
        with database.connect(Role.CLEANER) as connection, connection.cursor() as cursor:
            for batch in sorted(old.keys() | new.keys()):
                if content(old.get(batch, [])) == content(new.get(batch, [])):
                    continue
                cursor.execute("delete from clean.treem__children where _batch_id = %s", [batch])
                cursor.execute("delete from clean.selected_batches where _batch_id = %s", [batch])
                if batch in new:
                    cursor.execute(
                        "insert into clean.selected_batches values (%s, 'treem__children', %s, %s)",
                        [batch, sha(batch), new[batch][0].file_date],
                    )
                for record in new.get(batch, []):
                    row = _clean_row(record)
                    cursor.execute(
                        f"insert into clean.treem__children ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
                        list(row.values()),
                    )
        self._decide(database)

    def _decide(self, database: Database) -> None:
        """Write links and children anew, as the matcher does."""
        with database.connect(Role.MATCHER) as connection, connection.cursor() as cursor:
            cursor.execute("delete from identity.record_links")
            cursor.execute("delete from identity.children")
            cursor.executemany(
                "insert into identity.record_links (record_id, child_id, decision) values (%s, %s, %s)",
                [
                    (r.record_id, r.child_id, "accepted" if r.child_id in self.confirmed else "none")
                    for r in self.records
                ],
            )
            cursor.executemany(
                "insert into identity.children (child_id, confirmed) values (%s, %s)",
                [(c, c in self.confirmed) for c in sorted({r.child_id for r in self.records})],
            )


def by_batch(records: list[Record]) -> dict[str, list[Record]]:
    """Return the rows of each file."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.batch, []).append(record)
    return found


def content(records: list[Record]) -> list[Record]:
    """Return rows without whose child they are."""
    return sorted((replace(r, child_id="") for r in records), key=lambda r: r.record_id)


def deliver(world: World) -> None:
    """Lists that were on their way arrive, late ones among them."""
    batches = sorted({r.batch for r in world.waiting})
    chosen = set(world.rng.sample(batches, min(3, len(batches))))
    world.records += [r for r in world.waiting if r.batch in chosen]
    world.waiting = [r for r in world.waiting if r.batch not in chosen]


def withdraw(world: World) -> None:
    """A batch is no longer counted."""
    batch = world.rng.choice(sorted({r.batch for r in world.records}))
    world.waiting += [r for r in world.records if r.batch == batch]
    world.records = [r for r in world.records if r.batch != batch]


def clean_again(world: World) -> None:
    """A batch is cleaned again: rows say something else, and one that was held is let go."""
    batch = world.rng.choice(sorted({r.batch for r in world.records}))
    world.records = [
        replace(r, at_risk=not r.at_risk, sex="male", outcome="accepted") if r.batch == batch else r
        for r in world.records
    ]


def merge(world: World) -> None:
    """Two children turn out to be one."""
    kept, gone = world.rng.sample(sorted({r.child_id for r in world.records}), 2)
    world.records = [replace(r, child_id=kept) if r.child_id == gone else r for r in world.records]


def split(world: World) -> None:
    """Rows of one child turn out to be two children's."""
    child = world.rng.choice(sorted({r.child_id for r in world.records}))
    rows = [r for r in world.records if r.child_id == child]
    moved = set(world.rng.sample([r.record_id for r in rows], (len(rows) + 1) // 2))
    world.records = [
        replace(r, child_id=f"{child}-{len(world.records)}") if r.record_id in moved else r
        for r in world.records
    ]


def move(world: World) -> None:
    """A row turns out to be another child's."""
    children = sorted({r.child_id for r in world.records})
    row, child = world.rng.choice(world.records), world.rng.choice(children)
    world.records = [replace(r, child_id=child) if r is row else r for r in world.records]


def confirm(world: World) -> None:
    """Numbers are confirmed, and some no longer are."""
    children = sorted({r.child_id for r in world.records})
    world.confirmed ^= set(world.rng.sample(children, len(children) // 10))


def grow_older(world: World) -> None:
    """The reference date moves on: birthdays, births, deaths."""
    world.day += timedelta(days=world.rng.randrange(1, 400))


def go_back(world: World) -> None:
    """A release of an earlier day is made again."""
    world.day -= timedelta(days=world.rng.randrange(1, 200))


STEPS: tuple[Callable[[World], None], ...] = (
    deliver, withdraw, clean_again, merge, split, move, confirm, grow_older, go_back,
)  # fmt: skip


def begin(seed: int, children: int) -> World:
    """Return a world in which half of the lists have arrived."""
    rng, places = random.Random(seed), Places()
    rows = make_history(seed, places, children)
    rows = [replace(r, record_id=f"{r.batch}#1:{n + 1}") for n, r in enumerate(rows)]
    batches = sorted({r.batch for r in rows})
    arrived = set(rng.sample(batches, len(batches) // 2))
    children_now = {r.child_id for r in rows}
    return World(
        rng, places, [r for r in rows if r.batch in arrived], [r for r in rows if r.batch not in arrived],
        {c for c in sorted(children_now) if rng.random() < 0.5}, date(2026, 3, 31),
    )  # fmt: skip


def variables(world: World, number: int) -> Mapping[str, str]:
    """Return the variables of one build."""
    return {**VARIABLES, "release_id": f"r2026-{number:012x}", "reference_date": world.day.isoformat()}


def dump(database: Database, tables: tuple[str, ...] = TABLES) -> dict[str, tuple[Any, ...]]:
    """Return size and a digest of each table, whatever the order of its rows."""
    with database.connect(Role.CHECKER) as connection:
        return {table: digest(connection, f"core.{table}") for table in tables}


def digest(connection: psycopg.Connection, table: str) -> tuple[Any, ...]:
    """Return size and digest of a table."""
    query = sql.SQL(
        "select count(*), md5(string_agg(line, '' order by line)) from (select md5(t::text) as line from {} as t) as lines"
    ).format(sql.Identifier(*table.split(".")))
    return connection.execute(query).fetchone() or ()


def known_children(database: Database, release_id: str) -> list[tuple[Any, ...]]:
    """Return what a release knows of children."""
    with database.connect(Role.CHECKER) as connection:
        return connection.execute(
            "select * from core.fct_release_children where release_id = %s order by child_id", [release_id]
        ).fetchall()


@pytest.mark.flow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [51, 52, 53])
def test_any_history_of_increments_ends_where_a_full_build_does(
    seeded: Database, builder: Builder, seed: int
) -> None:
    world = begin(seed, 60)
    store(seeded, world.records, world.confirmed, [])
    world._decide(seeded)
    builder.run([*CHILD_MODELS, "--full-refresh"], variables(world, seed * 1000))
    releases: dict[str, list[tuple[Any, ...]]] = {}
    sizes = set()
    order = world.rng.sample(STEPS, len(STEPS)) + world.rng.choices(STEPS, k=6)
    for number, step in enumerate(order, seed * 1000 + 1):
        before = list(world.records)
        step(world)
        if world.rng.random() < 0.5:
            world.rng.choice(STEPS)(world)
        world.apply(seeded, before)
        builder.run(CHILD_MODELS, variables(world, number))
        changed = dump(seeded)
        release_id = variables(world, number)["release_id"]
        releases[release_id] = known_children(seeded, release_id)
        sizes.add(changed["dim_children"])
        with seeded.connect(Role.CHECKER) as connection:
            living = {
                row[0]
                for row in connection.execute(
                    "select child_id from core.dim_children where counting_status_code = 'counted'"
                )
            }
        assert living == set(counted(world.records, world.places, world.day)), step.__name__
        if number % 3 == 0:
            builder.run([*CHILD_MODELS, "--full-refresh"], variables(world, number))
            assert dump(seeded) == changed, step.__name__
            assert known_children(seeded, release_id) == releases[release_id], step.__name__
    for release_id, known in releases.items():
        assert known_children(seeded, release_id) == known, "an older release knows its children otherwise"
    assert len(sizes) > 5, "nothing changed: the test would pass on a constant"


def test_a_day_touches_only_the_children_of_changed_lists_and_links(
    seeded: Database, builder: Builder
) -> None:
    """One new list and one moved row: the rows of everybody else are not written again."""
    world = begin(61, 40)
    store(seeded, world.records, world.confirmed, [])
    builder.run([*CHILD_MODELS, "--full-refresh"], variables(world, 61))
    with seeded.connect(Role.CHECKER) as connection:
        written = dict(connection.execute("select child_id, xmin::text from core.dim_children").fetchall())
    before = list(world.records)
    commune = next(r.commune_id for r in before if r.commune_id and r.commune_id.endswith("@2025-07-01"))
    world.records.append(
        replace(
            _record(random.Random(1), world.places, "newcomer", commune, date(2026, 6, 1), 1),
            outcome="accepted",
        )
    )
    move(world)
    world.apply(seeded, before)
    builder.run(CHILD_MODELS, variables(world, 62))
    with seeded.connect(Role.CHECKER) as connection:
        now = dict(connection.execute("select child_id, xmin::text from core.dim_children").fetchall())
        touched = {
            row[0] for row in connection.execute("select child_id from core.touched_children").fetchall()
        }
    changed = {child for child in written.keys() | now.keys() if written.get(child) != now.get(child)}
    assert changed
    assert changed <= touched
    assert len(touched) < len(written) / 2
    plain = dump(seeded)
    builder.run([*CHILD_MODELS, "--full-refresh"], variables(world, 62))
    assert dump(seeded) == plain


def test_another_version_of_seeds_makes_everything_anew(seeded: Database, builder: Builder) -> None:
    """A commune that comes to lie in another district takes all its children along, though no list changed."""
    world = begin(63, 40)
    world.records = [r for r in world.records + world.waiting if r.file_date < date(2025, 7, 1)]
    store(seeded, world.records, world.confirmed, [])
    builder.run([*CHILD_MODELS, "--full-refresh"], variables(world, 63))
    with seeded.connect(Role.CHECKER) as connection:
        row = connection.execute(
            "select commune_id from core.dim_children where commune_id is not null "
            "group by commune_id order by count(*) desc, commune_id limit 1"
        ).fetchone()
    assert row is not None
    with other_district(seeded, row[0]):
        builder.run(CHILD_MODELS, {**variables(world, 64), "build_version": "other"})
        with seeded.connect(Role.CHECKER) as connection:
            found = connection.execute(
                "select district_code_legacy from core.dim_children where commune_id = %s", [row[0]]
            ).fetchall()
    assert found
    assert {code for (code,) in found} == {"999"}


@contextmanager
def other_district(database: Database, commune_id: str) -> Iterator[None]:
    """Put a former commune into district 999 while the block runs."""
    statement = (
        "update reference.communes set district_code = %s where commune_id = %s returning district_code"
    )
    with psycopg.connect(database.admin_url) as connection:
        before = connection.execute(
            "select district_code from reference.communes where commune_id = %s", [commune_id]
        ).fetchone()
        connection.execute(statement, ["999", commune_id])
    assert before is not None
    try:
        yield
    finally:
        with psycopg.connect(database.admin_url) as connection:
            connection.execute(statement, [before[0], commune_id])


def every_table(database: Database) -> dict[str, tuple[Any, ...]]:
    """Return size and digest of every table of core, marts and publication but those that number the builds."""
    with database.connect(Role.CHECKER) as connection:
        tables = connection.execute(
            "select schemaname || '.' || tablename from pg_tables where schemaname in ('core', 'marts', 'publication') "
            "and tablename <> all(%s) order by 1",
            [list(NUMBERED)],
        ).fetchall()
        return {table: digest(connection, table) for (table,) in tables}


def release_bytes(settings: Settings, release_id: str) -> dict[str, bytes]:
    """Return every file of a release."""
    folder = Workspace(settings.home).releases / release_id
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def redrawn(seeded: Database, warehouse_settings: Settings) -> Iterator[Database]:
    """A warehouse whose seeds may be changed: they come back afterwards, and the views on them."""
    yield seeded
    words = ["build", "--full-refresh", "--select", "resource_type:seed", "path:models/staging"]
    run_dbt(warehouse_settings, words, VARIABLES)


def redraw_map(world: World, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A former commune comes to lie in another district: another version of the seeds."""
    commune = world.rng.choice(
        sorted({r.commune_id for r in world.records if r.commune_id and r.file_date < date(2025, 7, 1)})
    )
    district = world.places.communes[commune]["district_code"][:-1] + str(world.rng.randrange(10))
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(
            "update reference.communes set district_code = %s where commune_id = %s", [district, commune]
        )
    version = sha(commune + district)
    monkeypatch.setattr(plan_module, "seeds_version", lambda: version)


@pytest.mark.flow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [71, 72, 73])
def test_marts_and_releases_after_increments_have_the_bytes_of_those_made_anew(
    redrawn: Database,
    warehouse_settings: Settings,
    builder: Builder,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    seeded = redrawn
    for name in ("code_version", "seeds_version", "rules_version"):
        value = getattr(plan_module, name)()
        monkeypatch.setattr(plan_module, name, lambda value=value: value)
    world = begin(seed, 300)
    store(seeded, world.records, world.confirmed, make_residents(5, world.records))
    note_batches(seeded, world.records)
    plan = plan_release(warehouse_settings, None, world.day)
    builder.run([*ALL_MODELS, "--full-refresh"], plan.variables)
    known = {}
    for step in [*world.rng.sample(STEPS, 4), None]:
        before = list(world.records)
        if step is None:
            redraw_map(world, seeded, monkeypatch)
        else:
            step(world)
            world.rng.choice(STEPS)(world)
        world.apply(seeded, before)
        note_batches(seeded, world.records)
        plan = plan_release(warehouse_settings, None, world.day)
        builder.run(ALL_MODELS, plan.variables)
        release_id = build_candidate(warehouse_settings)
        tables, files = every_table(seeded), release_bytes(warehouse_settings, release_id)
        known[release_id] = known_children(seeded, release_id)
        builder.run([*ALL_MODELS, "--full-refresh"], plan.variables)
        assert build_candidate(warehouse_settings) == release_id
        assert every_table(seeded) == tables, step
        assert release_bytes(warehouse_settings, release_id) == files, step
    assert len(known) > 2, "the steps changed nothing: the test would pass on a constant"
    for release_id, children in known.items():
        assert known_children(seeded, release_id) == children, "an older release knows its children otherwise"
