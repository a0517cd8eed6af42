"""Disposable workspaces: each on an embedded server of its own, or all on the server of CHILDDB_DATABASE_URL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from childdb.database.access import stop_server
from childdb.orchestration.remove import remove_server_folder
from childdb.orchestration.services import stop_services
from childdb.settings import Settings, load_settings


@contextmanager
def disposable_workspace(
    home: Path, variables: Mapping[str, str] | None = None, *, embedded: bool = False
) -> Iterator[Settings]:
    """Yield settings of a workspace whose processes, databases and server are gone afterwards.

    Where ``CHILDDB_DATABASE_URL`` is set, the workspace gets a database with a name of its own on that server,
    unless the test is about the ``embedded`` one.
    """
    wanted = {"CHILDDB_HOME": str(home), **(variables or {}), **({} if embedded else _own_database())}
    settings = load_settings(wanted)
    try:
        yield settings
    finally:
        stop_services(settings)
        if settings.database_url:
            _drop(settings.database_url)
        else:
            stop_server(settings)
            remove_server_folder(settings)


def _own_database() -> dict[str, str]:
    url = os.environ.get("CHILDDB_DATABASE_URL")
    if not url:
        return {}
    return {"CHILDDB_DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/test_{secrets.token_hex(4)}"))}


def _drop(url: str) -> None:
    """Drop a workspace's two databases and its roles from a server that stays."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        roles = [
            sql.Identifier(role)
            for (role,) in connection.execute(
                "select rolname from pg_roles where starts_with(rolname, %s) order by rolname", [f"{name}_"]
            )
        ]
        for role in roles:
            # Who ends another's session has to be a member of its role.
            connection.execute(sql.SQL("grant {} to current_user").format(role))
        for database in (name, f"{name}_airflow"):
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
            )
        for role in roles:
            connection.execute(sql.SQL("drop role {}").format(role))
