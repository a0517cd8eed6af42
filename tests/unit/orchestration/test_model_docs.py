"""The page of the warehouse holds every table and column and needs no other address."""

from __future__ import annotations

import re

import pytest

from childdb.contracts import DBT_PROJECT
from childdb.orchestration.model_docs import read_tables, write_pages


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as written."""
    return write_pages(tmp_path_factory.mktemp("docs")).read_text(encoding="utf-8")


def test_every_model_stands_on_the_page_with_all_it_reads(page: str) -> None:
    tables = read_tables()
    models = {path.stem for path in (DBT_PROJECT / "models").rglob("*.sql")}
    assert models <= {table.name for table in tables.values()}
    unknown = {read for table in tables.values() for read in table.reads} - tables.keys()
    assert not unknown
    assert "core.dim_children" in tables["marts.int_measures__register_cells"].reads
    assert "reference.age_groups" in tables["marts.int_measures__register_cells"].reads
    for key, table in tables.items():
        assert f'id="{key}"' in page
        assert all(column.description for column in table.columns), key


def test_the_page_points_nowhere_else(page: str) -> None:
    assert set(re.findall(r'(?:href|src)="([^"#]*)', page)) <= {""}
    assert "http" not in re.sub(r"https?://[^<]*(?=</)", "", page).split("<body>")[0]
    assert "<script" not in page
