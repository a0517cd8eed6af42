"""Runs the steps of the main job without the scheduler, on a warehouse that several tests share."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from childdb.database import Database, Role, connect
from childdb.flow import tasks
from childdb.flow.runs import Run, close_run, open_run
from childdb.orchestration.run import new_run_id
from childdb.sandbox.generate import Order, generate
from childdb.settings import Settings

TO_MODELS = ("land_deliveries", "load_raw", "pass_gates", "clean_children", "load_persons", "build_staging",
             "match_children", "build_models")  # fmt: skip


def make_nation(folder: Path, *, children: int, seed: int, profile: str, communes: int = 30) -> Path:
    """Generate a small nation and return its folder."""
    generate(Order(children, seed, profile, communes), folder, lambda done, total: None)
    return folder


@contextmanager
def as_process(settings: Settings) -> Iterator[None]:
    """Give this process the environment that a task of the scheduler has."""
    before = dict(os.environ)
    os.environ.update(settings.as_environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_steps(settings: Settings, drop: Path, population: Path, *, gates: bool = False) -> Run:
    """Run the job up to the built models; gates are passed by hand unless asked for."""
    run = Run(new_run_id(), str(drop), str(population), False, None, None)
    open_run(settings, run)
    with as_process(settings):
        tasks.land_deliveries(run.run_id)
        tasks.load_raw()
        tasks.load_persons()
        if gates:
            tasks.check_raw("treem__children")
            tasks.check_raw("population__persons")
        else:
            pass_gates(settings)
        tasks.clean_children()
        tasks.build_staging()
        tasks.match_children()
        tasks.build_models()
    close_run(settings, run.run_id, "abandoned", None, None)
    return run


def pass_gates(settings: Settings) -> None:
    """Let every loaded batch pass, as a gate without complaints would."""
    from childdb.flow import intake

    with connect(Role.LOADER, settings) as connection:
        connection.execute("update ops.batches set gate_passed = true where status = 'loaded'")
        persons = connection.execute(
            "select batch_id from ops.batches where dataset = 'population__persons' and status = 'loaded'"
        ).fetchall()
    intake._clean_persons(settings, tuple(row[0] for row in persons))


def empty_warehouse(database: Database) -> None:
    """Empty every table that a run fills, so that the next test starts from nothing."""
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(f"{database.name}_owner")))
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('raw', 'clean', 'identity', 'quality', 'vault') "
            "or (schemaname = 'ops' and tablename not in ('migrations', 'workspace', 'prepared_models'))"
        ).fetchall()
        names = [sql.Identifier(*row) for row in tables if row != ("vault", "key_versions")]
        for verb in ("disable", "enable"):
            for name in names:
                # Append-only tables refuse even their owner: only a test may step over that.
                connection.execute(sql.SQL("alter table {} {} trigger user").format(name, sql.SQL(verb)))
            if verb == "disable":
                connection.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(names)))
    _empty_publication(database)


def _empty_publication(database: Database) -> None:
    """Empty what earlier tests released: these tables keep every release and belong to the builder."""
    with database.connect(Role.BUILDER) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname = 'publication' "
            "or (schemaname in ('core', 'marts') and tablename ~ '^(fct|agg)_release_')"
        ).fetchall()
        for table in tables:
            connection.execute(sql.SQL("truncate {}").format(sql.Identifier(*table)))


def replaced(settings: Settings, **changes: object) -> Settings:
    """Return settings with changes, typed loosely for tests."""
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]
