"""Make a database ready: its login, its roles and rights, its schemas, its migrations."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import Connection, sql

from childdb.contracts import source_tables
from childdb.database.roles import MODEL_SCHEMAS, READ, RIGHTS, SCHEMAS, Owner, Role
from childdb.errors import ConfigurationError, EnvironmentFailedError

ADMIN = "childdb_admin"
MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
BATCH_CONTENTS = Path(__file__).with_name("batch_contents.sql")
MINIMUM_VERSION = 150000
LOCK = 7_206_231_001
BUILDER_SETTINGS = {
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    # Compiling a statement of the catalogue takes longer than running it.
    "jit": "off",
    # A day touches few of many children: they are reached by index. Disks of today read a page anywhere as fast.
    "random_page_cost": "1.1",
    # What a build made is made again after a crash: no need to wait for the disk at each of its models.
    "synchronous_commit": "off",
}
"""Session settings of the login that builds the models."""


def prepare_server(superuser_url: str, password: str) -> None:
    """Create the administrator's login on an embedded server: the same rights an external one gets."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if not _role_exists(connection, ADMIN):
            statement = sql.SQL("create role {} login createdb createrole password {}")
            connection.execute(statement.format(sql.Identifier(ADMIN), sql.Literal(password)))


def prepare_database(admin_url: str, name: str, passwords: dict[str, str], workspace_id: str) -> None:
    """Create or bring up to date the database ``name``: roles, schemas, migrations, rights.

    Raises:
        ConfigurationError: the server is too old, or the database belongs to another workspace.
        EnvironmentFailedError: the server does not answer.
    """
    _create_databases(admin_url, name, passwords)
    with _open(admin_url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        _create_roles(connection, name, passwords)
        _create_schemas(connection, name)
        _claim(connection, name, workspace_id)
        _migrate(connection, name)
        _grant(connection, name)


def _open(url: str, autocommit: bool = False) -> Connection:
    try:
        return psycopg.connect(url, autocommit=autocommit, connect_timeout=10)
    except psycopg.OperationalError:
        parts = urlsplit(url)
        raise EnvironmentFailedError(
            f"The database at {parts.hostname}:{parts.port or 5432} does not answer or refuses the login. "
            "Check CHILDDB_DATABASE_URL and that the server runs, then repeat the command.",
            f"Cơ sở dữ liệu tại {parts.hostname}:{parts.port or 5432} không trả lời hoặc từ chối đăng nhập. "
            "Hãy kiểm tra CHILDDB_DATABASE_URL và máy chủ, rồi chạy lại lệnh.",
        ) from None


def _create_databases(admin_url: str, name: str, passwords: dict[str, str]) -> None:
    maintenance = urlunsplit(urlsplit(admin_url)._replace(path="/postgres"))
    with _open(maintenance, autocommit=True) as connection:
        if connection.info.server_version < MINIMUM_VERSION:
            raise ConfigurationError("The database server is older than PostgreSQL 15: give a newer one.")
        airflow = f"{name}_airflow"
        _ensure_login(connection, airflow, passwords["airflow"])
        for database, owner in ((name, None), (airflow, airflow)):
            _ensure_database(connection, database, owner)


def _ensure_database(connection: Connection, database: str, owner: str | None) -> None:
    if connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
        return
    if owner:
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(owner)))
    clause = sql.SQL(" owner {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
    statement = sql.SQL(
        "create database {} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'"
    )
    connection.execute(statement.format(sql.Identifier(database)) + clause)
    connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))


def _role_exists(connection: Connection, role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None


def _ensure_login(connection: Connection, role: str, password: str) -> None:
    verb = "alter" if _role_exists(connection, role) else "create"
    statement = sql.SQL(f"{verb} role {{}} login password {{}}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def _create_roles(connection: Connection, name: str, passwords: dict[str, str]) -> None:
    for owner in Owner:
        role = sql.Identifier(f"{name}_{owner.value}")
        if not _role_exists(connection, f"{name}_{owner.value}"):
            connection.execute(sql.SQL("create role {} nologin").format(role))
        connection.execute(sql.SQL("grant {} to current_user").format(role))
    for login in Role:
        _ensure_login(connection, f"{name}_{login.value}", passwords[login.value])
        allow = sql.SQL("grant connect on database {} to {}")
        connection.execute(allow.format(sql.Identifier(name), sql.Identifier(f"{name}_{login.value}")))
    # Steps keep what they work on in temporary tables; readers may not (a function there sees past a view).
    for step in (*(login.value for login in Role if login is not Role.PORTAL), Owner.MODELS.value):
        allow = sql.SQL("grant temporary on database {} to {}")
        connection.execute(allow.format(sql.Identifier(name), sql.Identifier(f"{name}_{step}")))
    # Gates read whole tables that were filled a moment ago: without statistics the planner takes loops for cheap.
    steady = sql.SQL("alter role {} set enable_nestloop = off")
    connection.execute(steady.format(sql.Identifier(f"{name}_{Role.CHECKER.value}")))
    _fit_builder(connection, f"{name}_{Role.BUILDER.value}")
    allow = sql.SQL("grant {} to {}")
    models, builder = f"{name}_{Owner.MODELS.value}", f"{name}_{Role.BUILDER.value}"
    connection.execute(allow.format(sql.Identifier(models), sql.Identifier(builder)))


def _fit_builder(connection: Connection, role: str) -> None:
    """Give the login that builds the models what few large statements want, and readers would not."""
    for setting, value in BUILDER_SETTINGS.items():
        statement = sql.SQL("alter role {} set {} = {}")
        connection.execute(
            statement.format(sql.Identifier(role), sql.Identifier(setting), sql.Literal(value))
        )


def _create_schemas(connection: Connection, name: str) -> None:
    for schema in SCHEMAS:
        owner = Owner.MODELS if schema in MODEL_SCHEMAS else Owner.TABLES
        statement = sql.SQL("create schema if not exists {} authorization {}")
        connection.execute(statement.format(sql.Identifier(schema), sql.Identifier(f"{name}_{owner.value}")))
    connection.execute("revoke all on schema public from public")
    # dbt's lists of problems (qa_) stand beside the results of the gates.
    allow = sql.SQL("set local role {}; grant usage, create on schema quality to {}; reset role")
    table_owner, models = (sql.Identifier(f"{name}_{role.value}") for role in (Owner.TABLES, Owner.MODELS))
    connection.execute(allow.format(table_owner, models))


def _claim(connection: Connection, name: str, workspace_id: str) -> None:
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(f"{name}_{Owner.TABLES.value}")))
    connection.execute(
        "create table if not exists ops.workspace (only_one boolean primary key default true check (only_one), "
        "workspace_id text not null)"
    )
    row = connection.execute("select workspace_id from ops.workspace").fetchone()
    if row is None:
        connection.execute("insert into ops.workspace (workspace_id) values (%s)", [workspace_id])
    elif row[0] != workspace_id:
        raise ConfigurationError(
            f"The database '{name}' belongs to another workspace. Name another database in CHILDDB_DATABASE_URL, "
            "or set CHILDDB_HOME to the workspace it belongs to.",
            f"Cơ sở dữ liệu '{name}' thuộc một thư mục làm việc khác. Hãy chọn cơ sở dữ liệu khác trong "
            "CHILDDB_DATABASE_URL, hoặc đặt CHILDDB_HOME về đúng thư mục của nó.",
        )


def _migrate(connection: Connection, name: str) -> None:
    connection.execute(
        "create table if not exists ops.migrations (name text primary key, sha256 text not null, "
        "applied_at timestamptz not null default now())"
    )
    applied = {row[0]: row[1] for row in connection.execute("select name, sha256 from ops.migrations")}
    files = sorted(MIGRATIONS.glob("*.sql"))
    unknown = sorted(set(applied) - {path.stem for path in files})
    if unknown:
        raise ConfigurationError(
            f"The database was prepared by a newer childdb (migration {unknown[-1]}): install that version.",
        )
    for path in files:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if path.stem not in applied:
            connection.execute(content)
            connection.execute(
                "insert into ops.migrations (name, sha256) values (%s, %s)", [path.stem, digest]
            )
        elif applied[path.stem] != digest:
            raise ConfigurationError(
                f"The migration {path.stem} was changed after it had been applied: restore it and add a new one.",
            )
    for table in source_tables().values():
        for statement in table.create_statements():
            connection.execute(statement)
    _number_contents(connection)
    connection.execute("reset role")


def _number_contents(connection: Connection) -> None:
    """Have every writing of cleaned rows noted; the tables come from the models' sources, after the migrations."""
    row = connection.execute(
        "select 1 from pg_trigger where tgname = 'contents_deleted' and tgrelid = 'clean.treem__children'::regclass"
    ).fetchone()
    if row is None:
        connection.execute(BATCH_CONTENTS.read_bytes())


def _grant(connection: Connection, name: str) -> None:
    """Give every role its rights, on the tables there are and on those to come."""
    for role, rights in RIGHTS.items():
        for schema, verbs in rights.items():
            owner = Owner.MODELS if schema in MODEL_SCHEMAS else Owner.TABLES
            _grant_schema(connection, name, f"{name}_{role}", schema, verbs, owner)
            if schema == "quality" and role != Owner.MODELS:
                # dbt's lists of problems stand there too, owned by the models' owner: they are read only.
                _grant_schema(connection, name, f"{name}_{role}", schema, READ, Owner.MODELS)


def _grant_schema(
    connection: Connection, name: str, role: str, schema: str, verbs: str, owner: Owner
) -> None:
    """Give a role its rights on what one owner has in a schema, now and later."""
    owner_name = f"{name}_{owner.value}"
    names = {
        "role": sql.Identifier(role),
        "schema": sql.Identifier(schema),
        "owner": sql.Identifier(owner_name),
    }
    sequence_verbs = "usage, select" if "insert" in verbs else "select"
    owned = connection.execute(
        "select c.relname, c.relkind = 'S' from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid "
        "inner join pg_roles as r on c.relowner = r.oid "
        "where n.nspname = %s and r.rolname = %s and c.relkind in ('r', 'v', 'm', 'p', 'f', 'S') order by c.relname",
        [schema, owner_name],
    ).fetchall()
    connection.execute(sql.SQL("set local role {owner}").format(**names))
    if owner is Owner.TABLES or schema in MODEL_SCHEMAS:
        connection.execute(sql.SQL("grant usage on schema {schema} to {role}").format(**names))
    for table, is_sequence in owned:
        what = f"{sequence_verbs} on sequence" if is_sequence else f"{verbs} on"
        statement = sql.SQL(f"grant {what} {{schema}}.{{table}} to {{role}}")
        connection.execute(statement.format(table=sql.Identifier(table), **names))
    for text in (
        f"alter default privileges in schema {{schema}} grant {verbs} on tables to {{role}}",
        f"alter default privileges in schema {{schema}} grant {sequence_verbs} on sequences to {{role}}",
    ):
        connection.execute(sql.SQL(text).format(**names))
    connection.execute("reset role")
