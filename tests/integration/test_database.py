"""The warehouse's server, roles and rights on a real PostgreSQL."""

from __future__ import annotations

import os
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from childdb.database import Database, Role, open_database
from childdb.database.roles import MODEL_SCHEMAS, RIGHTS, SCHEMAS
from childdb.database.server import server_folder
from childdb.errors import ConfigurationError, EnvironmentFailedError
from childdb.settings import Settings, load_settings
from childdb.vault.keys import KEY_FILE, Purpose, open_keys
from childdb.vault.numbers import lookup_index, note_register_numbers, seal, store_numbers, unseal
from childdb.workspace import Workspace
from tests.workspaces import disposable_workspace

DAY = date(2026, 1, 31)


@pytest.mark.parametrize("role", list(Role))
def test_role_reads_what_its_step_needs_and_nothing_else(warehouse: Database, role: Role) -> None:
    with warehouse.connect(role) as connection:
        rows = connection.execute(
            "select n.nspname, bool_or(has_table_privilege(c.oid, 'select')), bool_or(has_table_privilege(c.oid, 'insert')) "
            "from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid "
            "where n.nspname = any(%s) and c.relkind = 'r' group by n.nspname",
            [[schema for schema in SCHEMAS if schema not in MODEL_SCHEMAS]],
        ).fetchall()
    allowed = RIGHTS["build"] if role is Role.BUILDER else RIGHTS[role]
    assert rows
    for schema, can_read, can_write in rows:
        # The steward writes one table of the vault, the numbers that the police provided; see the next test.
        extra = role is Role.STEWARD and schema == "vault"
        assert can_read == (schema in allowed), f"{role} on {schema}"
        assert extra or can_write == ("insert" in allowed.get(schema, "")), f"{role} on {schema}"


def test_steward_cannot_write_the_numbers_of_children(warehouse: Database) -> None:
    with warehouse.connect(Role.STEWARD) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from vault.child_numbers")


def test_portal_may_make_no_temporary_objects(warehouse: Database) -> None:
    with warehouse.connect(Role.PORTAL) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("create temporary table peek (x int)")


def test_logins_own_nothing_and_owners_cannot_log_in(warehouse: Database) -> None:
    with warehouse.connect(Role.CHECKER) as connection:
        owners = {
            row[0]
            for row in connection.execute(
                "select distinct tableowner from pg_tables where schemaname = any(%s)", [list(SCHEMAS)]
            )
        }
        logins = {row[0] for row in connection.execute("select rolname from pg_roles where rolcanlogin")}
        rights = connection.execute(
            "select bool_or(rolsuper or rolbypassrls) from pg_roles where rolname like %s",
            [f"{warehouse.name}_%"],
        ).fetchone()
    assert owners
    assert not owners & logins
    assert rights == (False,)


def test_a_failing_statement_leaves_no_value_in_the_server_log(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    mark = "QKZCANARYNAME"
    with (
        disposable_workspace(tmp_path_factory.mktemp("embedded"), embedded=True) as settings,
        open_database(settings) as database,
    ):
        with database.connect(Role.LOADER) as connection, pytest.raises(psycopg.errors.Error):
            connection.execute(sql.SQL("select {}::int").format(sql.Literal(mark)))
        log = (server_folder(settings) / "server.log").read_text()
    assert log
    assert mark not in log


def test_opening_twice_changes_nothing(warehouse: Database, warehouse_settings: Settings) -> None:
    with warehouse.connect(Role.CHECKER) as connection:
        before = connection.execute("select count(*), max(applied_at) from ops.migrations").fetchone()
    with open_database(warehouse_settings) as again, again.connect(Role.CHECKER) as connection:
        assert connection.execute("select count(*), max(applied_at) from ops.migrations").fetchone() == before


def test_a_database_of_another_workspace_is_refused(warehouse: Database, tmp_path: object) -> None:
    other = load_settings({"CHILDDB_HOME": f"{tmp_path}/other", "CHILDDB_DATABASE_URL": warehouse.admin_url})
    with pytest.raises(ConfigurationError, match="another workspace"), open_database(other):
        pass


def test_a_wrong_address_is_one_clear_sentence(tmp_path: object) -> None:
    away = load_settings(
        {"CHILDDB_HOME": f"{tmp_path}/w", "CHILDDB_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/x"}
    )
    with pytest.raises(EnvironmentFailedError, match="does not answer") as caught, open_database(away):
        pass
    assert "b@" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server over to another account")
def test_a_folder_that_the_account_cannot_reach_is_one_clear_sentence(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(home=tmp_path / "var", system_dir=closed / "system")
    with pytest.raises(ConfigurationError, match="CHILDDB_SYSTEM_DIR"), open_database(settings):
        pass


def test_a_number_that_another_takes_the_place_of_is_kept_with_its_days(
    warehouse: Database, warehouse_settings: Settings
) -> None:
    """E13: cancelled and established anew; both stay, and the same matching again adds nothing."""
    first, second, listed = "001319000001", "001219000002", "001319000009"
    later, last = date(2026, 3, 31), date(2026, 6, 30)
    with warehouse.connect(Role.MATCHER) as connection:
        keys = open_keys(Workspace(warehouse_settings.home), connection)
        for number, on in ((first, DAY), (first, later), (second, later), (second, last)):
            store_numbers(connection, keys, [("child-1", number), ("child-2", "001319000007")], on=on)
        for _again in range(2):
            note_register_numbers(connection, keys, [("child-1", listed), ("child-1", second)], on=last)
        index = partial(lookup_index, keys.derive(Purpose.LOOKUP))
        rows = connection.execute(
            "select number_index, source, valid_from_date, valid_to_date, replaced_by_index "
            "from vault.number_history where child_id = 'child-1' order by source, valid_from_date"
        ).fetchall()
        assert rows == [
            (index(first), "population", DAY, later, index(second)),
            (index(second), "population", later, None, None),
            (index(listed), "register", None, None, index(second)),
        ]
        sealed = connection.execute(
            "select number_sealed from vault.former_numbers where source = 'population'"
        ).fetchone()
        assert sealed is not None
        assert unseal(keys.derive(Purpose.READ_BACK), bytes(sealed[0]), "child-1") == first
        store_numbers(connection, keys, [], on=last)
        gone = connection.execute(
            "select child_id, valid_to_date, replaced_by_index from vault.former_numbers "
            "where valid_to_date = %s order by 1",
            [last],
        ).fetchall()
        assert gone == [("child-1", last, None), ("child-2", last, None)]
        connection.rollback()


def test_numbers_are_found_by_key_and_read_back_only_with_it(
    warehouse: Database, warehouse_settings: Settings
) -> None:
    workspace = Workspace(warehouse_settings.home)
    with warehouse.connect(Role.MATCHER) as connection:
        keys = open_keys(workspace, connection)
        assert store_numbers(connection, keys, [("child-1", "001319000001")], on=DAY) == 1
        row = connection.execute("select number_index, number_sealed from vault.child_numbers").fetchone()
        assert row is not None
        assert bytes(row[0]) == lookup_index(keys.derive(Purpose.LOOKUP), "001319000001")
        assert unseal(keys.derive(Purpose.READ_BACK), bytes(row[1]), "child-1") == "001319000001"
        assert b"001319000001" not in bytes(row[0]) + bytes(row[1])
        assert seal(keys.derive(Purpose.READ_BACK), "1", "a") != seal(
            keys.derive(Purpose.READ_BACK), "1", "a"
        )
        key_file = workspace.secrets / KEY_FILE
        aside = key_file.rename(key_file.with_suffix(".aside"))
        try:
            with pytest.raises(ConfigurationError, match="missing"):
                open_keys(workspace, connection)
        finally:
            aside.rename(key_file)
        connection.rollback()
