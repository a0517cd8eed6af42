"""Runs the main job on marked children in a workspace of its own, and makes its steps fail on purpose."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from childdb.database.access import attach
from childdb.settings import Settings, load_settings
from tests.canary.marks import Deliveries

APPROVERS = "nguoi_duyet_1,nguoi_duyet_2"
LINK = re.compile(r"""(?:href|src)=["']([^"'#]+)""")
TRIGGER = sql.SQL(
    "create or replace function {function}() returns trigger language plpgsql as $$ "
    "begin raise exception 'forced failure of row %', new::text; end $$; "
    "create trigger canary before insert or update on {table} for each row execute function {function}()"
)


@dataclass
class Flow:
    """One workspace on which commands are run; keeps what they print."""

    root: Path
    environment: dict[str, str]
    printed: list[tuple[str, str]] = field(default_factory=list)
    answered: str = ""

    @property
    def home(self) -> Path:
        """Return the workspace."""
        return self.root / "workspace"

    @property
    def settings(self) -> Settings:
        """Return the settings of the workspace."""
        return load_settings({k: v for k, v in self.environment.items() if k.startswith("CHILDDB_")})

    def childdb(self, *words: str) -> int:
        """Run a command, keep what it printed, and return its exit status."""
        finished = subprocess.run(
            [sys.executable, "-m", "childdb.cli", *words],
            env=self.environment,
            cwd=self.root,
            capture_output=True,
            timeout=600,
            check=False,
        )
        text = finished.stdout.decode(errors="replace") + finished.stderr.decode(errors="replace")
        self.printed.append((" ".join(words[:2]), text))
        self.answered = finished.stdout.decode(errors="replace")
        return finished.returncode

    def run(self, deliveries: Deliveries) -> int:
        """Run the main job on deliveries and return its exit status."""
        return self.childdb(
            "run",
            "--drop",
            str(deliveries.drop),
            "--population",
            str(deliveries.population),
            "--period",
            "2025",
            "--json",
        )

    def answer(self) -> dict[str, Any]:
        """Return the JSON answer of the last command."""
        return dict(json.loads(self.answered))


@contextmanager
def workspace() -> Iterator[Flow]:
    """Yield an empty workspace; its processes, its folder and its database are gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="childdb-canary-"))
    root.chmod(0o755)
    for name in ("tmp", "system"):
        (root / name).mkdir(mode=0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CHILDDB_", "AIRFLOW_"))}
    environment = kept | {
        "CHILDDB_HOME": str(root / "workspace"),
        "CHILDDB_SYSTEM_DIR": str(root / "system"),
        "CHILDDB_APPROVERS": APPROVERS,
        "TMPDIR": str(root / "tmp"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    if url := os.environ.get("CHILDDB_DATABASE_URL"):
        name = f"canary_{secrets.token_hex(4)}"
        environment["CHILDDB_DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    flow = Flow(root, environment)
    try:
        yield flow
    finally:
        flow.childdb("serve", "down")
        shutil.rmtree(root, ignore_errors=True)


def admin(flow: Flow) -> psycopg.Connection:
    """Return a connection of the one who owns everything."""
    database = attach(flow.settings)
    return psycopg.connect(database.admin_url, autocommit=True)


@contextmanager
def failing_table(flow: Flow, schema: str, table: str) -> Iterator[None]:
    """Make every write to a table fail with a message that quotes the whole row, as a careless constraint would."""
    function, name = sql.Identifier(schema, "canary_fails"), sql.Identifier(schema, table)
    with admin(flow) as connection:
        connection.execute(TRIGGER.format(function=function, table=name))
    try:
        yield
    finally:
        with admin(flow) as connection:
            connection.execute(sql.SQL("drop trigger canary on {}").format(name))
            connection.execute(sql.SQL("drop function {}()").format(function))


def tables(connection: psycopg.Connection, excluded: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return schema and name of every table and view."""
    rows = connection.execute(
        "select table_schema, table_name from information_schema.tables "
        "where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2"
    ).fetchall()
    return [(schema, name) for schema, name in rows if schema not in excluded]


def text_of_table(connection: psycopg.Connection, schema: str, name: str) -> bytes:
    """Return every row of a table as text; bytes columns as they are."""
    query = sql.SQL("select row_to_json(t)::text from {} as t").format(sql.Identifier(schema, name))
    return "\n".join(row[0] for row in connection.execute(query)).encode()


def pages(address: str, most: int = 80) -> Iterator[tuple[str, bytes]]:
    """Yield the pages and files that a reader can reach from an address, and some that do not exist."""
    waiting, seen = [address, f"{address}/khong-co", f"{address}/vi/tinh/99"], set()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while waiting and len(seen) < most:
        url = waiting.pop(0)
        if url in seen or not url.startswith(address):
            continue
        seen.add(url)
        try:
            with opener.open(url, timeout=30) as answer:
                body, kind = answer.read(), answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            body, kind = error.read(), "text/html"
        yield url, body
        if kind == "text/html":
            waiting += [urljoin(url, link) for link in LINK.findall(body.decode(errors="replace"))]
