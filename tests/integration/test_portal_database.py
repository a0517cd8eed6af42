"""The portal's own login reads figures and ledger, as the pages do, and nothing of a person."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from psycopg import sql

from childdb.database import Database, Role
from childdb.database.roles import Owner
from childdb.portal.app import create_app
from childdb.portal.figures import FigureQuery
from childdb.portal.stores import ParquetFigureStore, PostgresFigureStore
from childdb.settings import Settings
from childdb.workspace import Workspace
from tests.invented_figures import COLUMNS, Edition, figures
from tests.portal_support import areas, make_release

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

RELEASE = "r2026-0a0b0c0d0e0f"
KINDS = {"numerator": "bigint", "denominator": "bigint", "value": "numeric", "coverage": "numeric"}


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return figures(areas(), Edition(RELEASE, size=300))


@pytest.fixture(scope="module")
def published(warehouse: Database, warehouse_settings: Settings, table: pa.Table) -> Iterator[Database]:
    """A warehouse whose publication schema holds an invented release."""
    owner = sql.Identifier(warehouse.role_name(Owner.MODELS))
    columns = ", ".join(f"{name} {KINDS.get(name, 'text')}" for name in COLUMNS)
    with warehouse.connect(Role.BUILDER) as connection:
        connection.execute(sql.SQL("set local role {}").format(owner))
        row = connection.execute("select to_regclass('publication.pub_figures_v1')").fetchone()
        is_new = row is None or row[0] is None
        if is_new:
            connection.execute(
                sql.SQL("create table publication.pub_figures_v1 ({})").format(sql.SQL(columns))
            )  # type: ignore[arg-type]
        _fill(connection, table)
    make_release(Workspace(warehouse_settings.home).releases, RELEASE, table=table)
    yield warehouse
    with warehouse.connect(Role.BUILDER) as connection:
        connection.execute(sql.SQL("set local role {}").format(owner))
        if is_new:
            connection.execute("drop table publication.pub_figures_v1")
        else:
            connection.execute("delete from publication.pub_figures_v1 where release_id = %s", [RELEASE])


def _fill(connection: psycopg.Connection, table: pa.Table) -> None:
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(include_header=False))
    names = sql.SQL(", ").join(sql.Identifier(name) for name in COLUMNS)
    statement = sql.SQL("copy publication.pub_figures_v1 ({}) from stdin with (format csv)").format(names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(buffer.getvalue())


QUERIES = [
    FigureQuery(RELEASE, area_level="nation", totals_only=True),
    FigureQuery(RELEASE, "register", "coverage", area_level="province"),
    FigureQuery(RELEASE, area_level="commune", area_codes=("01273", "01279", "99999"), geography="2025"),
    FigureQuery(RELEASE, breakdown="sex", period="2026"),
    FigureQuery("r2026-ffffffffffff"),
]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_database_and_files_give_the_same_figures(
    published: Database, warehouse_settings: Settings, query: FigureQuery
) -> None:
    from_database = PostgresFigureStore(lambda: psycopg.connect(published.url(Role.PORTAL))).find(query)
    if query.release_id == RELEASE:
        files = ParquetFigureStore(Workspace(warehouse_settings.home).releases)
        assert from_database == files.find(query)
        assert from_database
    else:
        assert from_database == []


def test_pages_are_served_from_the_database(published: Database, warehouse_settings: Settings) -> None:
    client = TestClient(create_app(warehouse_settings))
    assert client.get("/healthz").text == "ok"
    for address in (
        "/vi/",
        "/en/provinces/04",
        "/vi/communes/01273",
        "/vi/quality",
        "/vi/indicators/register/coverage",
    ):
        assert client.get(address).status_code == 200, address
    figures_found = client.get("/api/figures?code=0101&area=04").json()["figures"]
    assert {figure["release_id"] for figure in figures_found} == {RELEASE}


@pytest.mark.parametrize("schema", ["raw", "clean", "vault", "identity", "core", "marts", "staging"])
def test_the_portal_login_sees_no_schema_of_persons(published: Database, schema: str) -> None:
    with published.connect(Role.PORTAL) as connection:
        row = connection.execute("select has_schema_privilege(%s, 'usage')", [schema]).fetchone()
    assert row == (False,)


def test_the_portal_login_writes_nothing(published: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), published.connect(Role.PORTAL) as connection:
        connection.execute("delete from publication.pub_figures_v1")


def test_database_away_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://x:y@127.0.0.1:1/none")
    client = TestClient(create_app(settings))
    assert client.get("/healthz").status_code == 503
