"""Make an old release again on an empty database, from landed bytes and decisions, and compare its files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from psycopg import Connection, sql

from childdb.database import Role, connect, open_database
from childdb.database.access import stop_server
from childdb.errors import GateStoppedError, InputRefusedError
from childdb.flow import building, intake, matching
from childdb.flow.runs import Run, open_run
from childdb.landing import opened_landed
from childdb.orchestration.remove import remove_server_folder
from childdb.releases.candidate import build_candidate
from childdb.releases.plan import DECISION_TABLES, ReleasePlan, planned_release
from childdb.releases.verify import MANIFEST
from childdb.settings import Settings
from childdb.workspace import Workspace

PERSONS = "population__persons"
MOMENTS = ("recorded_at", "decided_at", "approved_at")
VERSIONS = ("code_version", "seeds_version", "rules_version")
Rows = tuple[str, tuple[str, ...], list[tuple[Any, ...]]]


def rebuild(settings: Settings, release_id: str) -> list[str]:
    """Return the files that come out otherwise than they were released; none when all hashes are equal.

    Raises:
        GateStoppedError: the release was made by another version of code, seeds or rules.
        InputRefusedError: a landed file of the release is no longer there.
    """
    with open_database(settings):
        with connect(Role.STEWARD, settings) as connection:
            plan = planned_release(connection, release_id)
            _check_versions(plan)
            decisions = [_decisions(connection, table, release_id) for table in DECISION_TABLES]
        with _empty_workspace(settings, release_id) as other:
            folder = Workspace(other.home).drop
            population = _unseal(settings, plan, folder)
            with open_database(other):
                again = _run(other, plan, folder, population, [rows for rows in decisions if rows])
            return _differing(
                Workspace(settings.home).releases / release_id, Workspace(other.home).releases / again
            )


def _check_versions(plan: ReleasePlan) -> None:
    """Stop before any work where today's code, seeds or rules are not those of the release."""
    from childdb.releases.versions import code_version, rules_version, seeds_version

    now = dict(zip(VERSIONS, (code_version(), seeds_version(), rules_version()), strict=True))
    changed = [name for name in VERSIONS if now[name] != plan.inputs[name]]
    if changed:
        raise GateStoppedError(
            f"Release {plan.release_id} was made by another {' and '.join(changed)}: check out the version of the code "
            f"whose {changed[0]} is {plan.inputs[changed[0]][:12]}… and rebuild there.",
        )


@contextmanager
def _empty_workspace(settings: Settings, release_id: str) -> Iterator[Settings]:
    """Yield settings of a workspace and a database that hold nothing, and remove both afterwards."""
    home = Workspace(settings.home).scratch / f"rebuild-{release_id}"
    shutil.rmtree(home, ignore_errors=True)
    other = replace(settings, home=home, database_url=_other_database(settings.database_url, release_id))
    Workspace(home).prepare()
    try:
        yield other
    finally:
        if other.database_url is None:
            stop_server(other)
            remove_server_folder(other)
        else:
            _drop_database(other.database_url)
        shutil.rmtree(home, ignore_errors=True)


def _other_database(url: str | None, release_id: str) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    name = parts.path.strip("/") or "childdb"
    return urlunsplit(parts._replace(path=f"/{name}_rebuild_{release_id[-12:]}"))


def _drop_database(url: str) -> None:
    """Remove a rebuilt database with the roles that carry its name."""
    import psycopg

    parts = urlsplit(url)
    name = parts.path.strip("/")
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        for database in (name, f"{name}_airflow"):
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
            )
        roles = connection.execute(
            "select rolname from pg_roles where starts_with(rolname, %s)", [f"{name}_"]
        )
        for (role,) in roles.fetchall():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def _unseal(settings: Settings, plan: ReleasePlan, folder: Path) -> Path | None:
    """Lay clear copies of the release's batches into the drop folder and return the population extract's."""
    store = intake.open_store(settings)
    with connect(Role.LOADER, settings) as connection:
        known = connection.execute("select file_sha256, file_name_text from ops.batches").fetchall()
    names: dict[str, str] = dict(known)
    population = None
    for batch in plan.inputs["batches"]:
        digest = batch["file_sha256"]
        place = folder.with_name("population") if batch["dataset"] == PERSONS else folder
        target = place / digest[:16] / Path(names[digest]).name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with opened_landed(store.folder, digest, store.key, store.scratch) as clear:
                shutil.copyfile(clear, target)
        except FileNotFoundError:
            raise InputRefusedError(
                f"The landed file {digest[:12]}… of release {plan.release_id} is missing: restore it from the backup.",
            ) from None
        population = target if batch["dataset"] == PERSONS else population
    return population


def _run(
    settings: Settings, plan: ReleasePlan, folder: Path, population: Path | None, decisions: Sequence[Rows]
) -> str:
    """Do every step of the main job up to the candidate and return the release it makes."""
    run = Run(
        f"rebuild-{plan.release_id}",
        str(folder),
        str(population) if population else None,
        False,
        plan.period,
        plan.as_of,
    )
    open_run(settings, run)
    with connect(Role.STEWARD, settings) as connection:
        for rows in decisions:
            _restore(connection, rows)
    intake.land_deliveries(settings, run)
    intake.load_raw(settings, run)
    intake.check_raw(settings, run, "treem__children")
    intake.clean_children(settings, run)
    intake.load_persons(settings, run)
    if population is not None:
        intake.check_raw(settings, run, PERSONS)
    building.build_staging(settings, run)
    matching.match_children(settings, run)
    building.build_models(settings, run)
    return build_candidate(settings, plan.period, plan.as_of)


def _decisions(connection: Connection, table: str, release_id: str) -> Rows | None:
    """Return the decisions of people that were known when the release was planned; nothing where no table is."""
    schema, name = table.split(".")
    columns = [
        row[0]
        for row in connection.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s "
            "and is_generated = 'NEVER' order by ordinal_position",
            [schema, name],
        )
    ]
    moment = next((column for column in MOMENTS if column in columns), None)
    if moment is None:
        return None
    query = sql.SQL(
        "select {} from {} where {} <= (select planned_at from ops.releases where release_id = %s)"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, name), sql.Identifier(moment)
    )
    return table, tuple(columns), connection.execute(query, [release_id]).fetchall()


def _restore(connection: Connection, rows: Rows) -> None:
    table, names, values = rows
    statement = sql.SQL("insert into {} ({}) overriding system value values ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(sql.Identifier(name) for name in names),
        sql.SQL(", ").join(sql.Placeholder() for _ in names),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


def _differing(released: Path, rebuilt: Path) -> list[str]:
    """Return the names of files whose digests differ, the manifest's included."""
    old, new = (json.loads((folder / MANIFEST).read_text(encoding="utf-8")) for folder in (released, rebuilt))
    names = sorted(old["files"].keys() | new["files"].keys())
    differing = [name for name in names if old["files"].get(name) != new["files"].get(name)]
    if (released / MANIFEST).read_bytes() != (rebuilt / MANIFEST).read_bytes():
        differing.append(MANIFEST)
    return differing
