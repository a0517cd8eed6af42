"""Open the warehouse: server up, database made, roles and migrations in place; then connect by role."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from shutil import disk_usage
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import Connection

from childdb.database.bootstrap import ADMIN, prepare_database, prepare_server
from childdb.database.roles import Owner, Role
from childdb.database.server import SUPERUSER, Server, embedded_server, server_folder
from childdb.errors import ConfigurationError, EnvironmentFailedError, disk_full
from childdb.settings import Settings
from childdb.workspace import Workspace

EMBEDDED_DATABASE = "childdb"
ROOM_FOR_FILES = 1 << 20
"""Bytes: with less than this free, a log line or a socket file is what could not be written."""
ROOM_FOR_DATABASE = 32 << 20
"""Bytes: PostgreSQL asks for 16 MiB of write-ahead log at a time and dies where it gets none."""


@dataclass(frozen=True)
class Database:
    """An opened warehouse: where it is and how each role gets in."""

    host: str
    port: int
    name: str
    admin_url: str
    passwords: dict[str, str]
    options: str = ""

    def role_name(self, role: Role | Owner) -> str:
        """Name of a role on the server: it carries the database's name."""
        return f"{self.name}_{role.value}"

    def url(self, role: Role, scheme: str = "postgresql", database: str | None = None) -> str:
        """Address of the database for a role, password included: for processes, never for logs."""
        user, password = quote(self.role_name(role)), quote(self.passwords[role.value])
        return f"{scheme}://{user}:{password}@{self.host}:{self.port}/{quote(database or self.name)}{self.options}"

    def airflow_url(self) -> str:
        """Address of the scheduler's own database, for the scheduler's own login."""
        user, password = f"{self.name}_airflow", quote(self.passwords["airflow"])
        return f"postgresql+psycopg2://{user}:{password}@{self.host}:{self.port}/{self.name}_airflow{self.options}"

    @contextmanager
    def connect(self, role: Role) -> Iterator[Connection]:
        """Yield a connection of one role; commits at the end, rolls back on an error."""
        with _connect(self.url(role)) as connection:
            yield connection


def _connect(url: str) -> Connection:
    try:
        return psycopg.connect(url, connect_timeout=10)
    except psycopg.OperationalError:
        parts = urlsplit(url)
        raise EnvironmentFailedError(
            f"The database at {parts.hostname}:{parts.port or 5432} does not answer or refuses the login. "
            "Check CHILDDB_DATABASE_URL and that the server runs, then repeat the command.",
            f"Cơ sở dữ liệu tại {parts.hostname}:{parts.port or 5432} không trả lời hoặc từ chối đăng nhập. "
            "Hãy kiểm tra CHILDDB_DATABASE_URL và máy chủ, rồi chạy lại lệnh.",
        ) from None


def connect(role: Role, settings: Settings) -> Connection:
    """Return a connection of ``role`` to a warehouse that is open already (see ``open_database``)."""
    return _connect(attach(settings).url(role))


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Yield the warehouse, started and migrated; an embedded server is left as it was found."""
    with _told_of_a_full_disk(settings):
        server = _server(settings)
        started = server.start() if server else False
        try:
            yield ready_database(settings)
        finally:
            if server and started:
                server.stop()


@contextmanager
def _told_of_a_full_disk(settings: Settings) -> Iterator[None]:
    """Name the reason where the machine failed because a disk is full: a server without room just dies."""
    try:
        yield
    except EnvironmentFailedError:
        full = without_room(settings)
        if full is None:
            raise
        raise full from None


def without_room(settings: Settings) -> EnvironmentFailedError | None:
    """Return the sentence for a full disk, where the workspace or the embedded database has no room left."""
    needed = {settings.home: ROOM_FOR_FILES}
    if not settings.database_url:
        needed[server_folder(settings)] = ROOM_FOR_DATABASE
    full = [folder for folder, room in needed.items() if folder.exists() and disk_usage(folder).free < room]
    return disk_full() if full else None


def ready_database(settings: Settings) -> Database:
    """Return the warehouse of a server that runs, with roles and migrations in place."""
    database = attach(settings)
    if not settings.database_url:
        prepare_server(_superuser_url(settings, database), database.passwords[ADMIN])
    prepare_database(
        database.admin_url, database.name, database.passwords, Workspace(settings.home).workspace_id
    )
    return database


def attach(settings: Settings) -> Database:
    """Return how to reach the warehouse of a server that runs, without changing anything."""
    passwords = _passwords(settings)
    if settings.database_url:
        return _external(settings.database_url, passwords)
    server = embedded_server(settings, passwords[SUPERUSER])
    if not server.is_running:
        raise EnvironmentFailedError(
            "The embedded database is down. Start it with 'make up', or use a command that starts it by itself.",
        )
    url = f"postgresql://{ADMIN}:{passwords[ADMIN]}@127.0.0.1:{server.port}/{EMBEDDED_DATABASE}"
    return Database("127.0.0.1", server.port, EMBEDDED_DATABASE, url, passwords)


def _server(settings: Settings) -> Server | None:
    if settings.database_url:
        return None
    return embedded_server(settings, _passwords(settings)[SUPERUSER])


def start_server(settings: Settings) -> bool:
    """Start the embedded server and leave it running; return whether this call started it."""
    server = _server(settings)
    return server.start() if server else False


def stop_server(settings: Settings) -> None:
    """Stop the embedded server, if this workspace has one."""
    server = _server(settings)
    if server:
        server.stop()


def _superuser_url(settings: Settings, database: Database) -> str:
    password = _passwords(settings)[SUPERUSER]
    return f"postgresql://{SUPERUSER}:{password}@{database.host}:{database.port}/postgres"


def _external(url: str, passwords: dict[str, str]) -> Database:
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not name:
        raise ConfigurationError(
            "CHILDDB_DATABASE_URL must look like postgresql://login:password@host:5432/database.",
            "CHILDDB_DATABASE_URL phải có dạng postgresql://tài_khoản:mật_khẩu@máy_chủ:5432/cơ_sở_dữ_liệu.",
        )
    options = f"?{parts.query}" if parts.query else ""
    return Database(parts.hostname, parts.port or 5432, name, urlunsplit(parts), passwords, options)


def _passwords(settings: Settings) -> dict[str, str]:
    names = [SUPERUSER, ADMIN, "airflow", *(role.value for role in Role)]
    workspace = Workspace(settings.home).prepare()
    return workspace.secret_document(
        "database.json", lambda: {name: secrets.token_urlsafe(24) for name in names}
    )
