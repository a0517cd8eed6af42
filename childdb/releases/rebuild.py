"""Make an old release again on an empty database, from landed bytes and decisions, and compare its files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from psycopg import Connection, sql

from childdb.database import Role, connect, open_database
from childdb.database.access import stop_server
from childdb.errors import GateStoppedError, InputRefusedError
from childdb.flow import building, intake, matching, reports
from childdb.flow.runs import Run, open_run
from childdb.loading.persons import clean_extract
from childdb.orchestration.remove import remove_server_folder
from childdb.releases.candidate import build_candidate
from childdb.releases.plan import (
    ReleasePlan,
    countable_batches,
    note_plan,
    planned_release,
    select_batches,
)
from childdb.releases.verify import MANIFEST
from childdb.settings import Settings
from childdb.vault.keys import KEY_FILE
from childdb.workspace import Workspace, write_private

PERSONS = "population__persons"
VERSIONS = ("code_version", "seeds_version", "rules_version")
# What decides a release besides its batches: where it stands, who may read it, and which of it was known by then.
# A key of a child is kept only where a number provided for that child hangs on it.
PROVIDED = "(select child_id from vault.provided_numbers where recorded_at <= {planned})"
KEPT: Mapping[str, tuple[Role, str]] = {
    "ops.column_decisions": (Role.LOADER, "decided_at <= {planned} and batch_id is null"),
    "identity.decisions": (Role.MATCHER, "decided_on <= ({planned})::date"),
    "identity.child_keys": (Role.MATCHER, f"child_id in {PROVIDED} and merged_into is null"),
    "identity.record_keys": (
        Role.MATCHER,
        f"child_id in {PROVIDED} and first_child_id in {PROVIDED} and child_id in "  # noqa: S608 - names of our own
        "(select child_id from identity.child_keys where merged_into is null)",
    ),
    "vault.provided_numbers": (Role.MATCHER, "recorded_at <= {planned}"),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table, to be put back as they were."""

    table: str
    role: Role
    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]


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
        kept = _kept(settings, release_id)
        with _empty_workspace(settings, release_id) as other:
            folder = Workspace(other.home).drop
            population = _unseal(settings, plan, folder)
            with open_database(other):
                again = _run(other, plan, folder, population, kept)
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
    # Numbers that were sealed stay sealed: the copy opens them with the same key and is removed with it.
    write_private(
        Workspace(home).secrets / KEY_FILE, (Workspace(settings.home).secrets / KEY_FILE).read_bytes()
    )
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
        place = folder.with_name("population") if batch["dataset"] == PERSONS else folder / batch["dataset"]
        target = place / digest[:16] / Path(names[digest]).name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with store.opened(digest) as clear:
                shutil.copyfile(clear, target)
        except FileNotFoundError:
            raise InputRefusedError(
                f"The landed file {digest[:12]}… of release {plan.release_id} is missing: restore it from the backup.",
            ) from None
        population = target if batch["dataset"] == PERSONS else population
    return population


def _run(
    settings: Settings, plan: ReleasePlan, folder: Path, population: Path | None, kept: Sequence[Rows]
) -> str:
    """Do every step of the main job up to the candidate, for the very inputs of the plan."""
    extract = str(population) if population else None
    run = Run(f"rebuild-{plan.release_id}", str(folder), extract, False, plan.period, plan.as_of)
    open_run(settings, run)
    intake.land_deliveries(settings, run)
    for rows in kept:
        _restore(settings, rows)
    intake.load_raw(settings, run)
    intake.load_persons(settings, run)
    reports.load_reports(settings, run)
    _pass_gates(settings)
    intake.clean_children(settings, run)
    building.build_staging(settings, run)
    _use_plan(settings, plan)
    matching.match_children(settings, run)
    building.build_models(settings, run)
    return build_candidate(settings, plan.period, plan.as_of)


def _use_plan(settings: Settings, plan: ReleasePlan) -> None:
    """Make the release's own plan the one at hand, after a look that its batches are all there again."""
    with connect(Role.CLEANER, settings) as connection:
        batches = countable_batches(connection)
        wanted = {(b["dataset"], b["file_sha256"], b["file_date"]) for b in plan.inputs["batches"]}
        found = {(b.dataset, b.file_sha256, b.file_date.isoformat()) for b in batches}
        if found != wanted:
            raise GateStoppedError(
                f"{len(wanted - found)} of {len(wanted)} batches of {plan.release_id} are not accepted when they are "
                "read again: a person had let them go by a decision that is not kept here.",
            )
        select_batches(connection, batches)
        note_plan(connection, plan)


def _pass_gates(settings: Settings) -> None:
    """Let every batch on: all of them were judged when they came, beside what had come before them."""
    with connect(Role.LOADER, settings) as connection:
        connection.execute("update ops.batches set gate_passed = true where status = 'loaded'")
        persons = connection.execute(
            "select batch_id from ops.batches where dataset = %s and status = 'loaded' order by batch_id",
            [PERSONS],
        ).fetchall()
    for (batch_id,) in persons:
        with connect(Role.CLEANER, settings) as connection:
            clean_extract(connection, batch_id)


def _kept(settings: Settings, release_id: str) -> list[Rows]:
    """Return what people had decided, and the numbers the police had given, when the release was planned."""
    found = []
    for table, (role, condition) in KEPT.items():
        with connect(role, settings) as connection:
            columns = _columns(connection, table)
            query = sql.SQL("select {} from {} where " + condition).format(  # noqa: S608 - conditions of our own
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.Identifier(*table.split(".")),
                planned=sql.SQL("(select planned_at from ops.releases where release_id = {})").format(
                    sql.Literal(release_id)
                ),
            )
            found.append(Rows(table, role, columns, connection.execute(query).fetchall()))
    return found


def _columns(connection: Connection, table: str) -> tuple[str, ...]:
    rows = connection.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped "
        "and attgenerated = '' order by attnum",
        [table],
    )
    return tuple(row[0] for row in rows)


def _restore(settings: Settings, rows: Rows) -> None:
    statement = sql.SQL("insert into {} ({}) overriding system value values ({})").format(
        sql.Identifier(*rows.table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, rows.columns)),
        sql.SQL(", ").join(sql.Placeholder() for _ in rows.columns),
    )
    role = Role.LOADER if rows.table.startswith("ops.") else rows.role
    with connect(role, settings) as connection, connection.cursor() as cursor:
        cursor.executemany(statement, rows.values)


def _differing(released: Path, rebuilt: Path) -> list[str]:
    """Return the names of files whose digests differ, the manifest's included."""
    old, new = (json.loads((folder / MANIFEST).read_text(encoding="utf-8")) for folder in (released, rebuilt))
    names = sorted(old["files"].keys() | new["files"].keys())
    differing = [name for name in names if old["files"].get(name) != new["files"].get(name)]
    if (released / MANIFEST).read_bytes() != (rebuilt / MANIFEST).read_bytes():
        differing.append(MANIFEST)
    return differing
