"""Fixtures that several packages of tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from childdb.database import Database, open_database
from childdb.database.access import stop_server
from childdb.orchestration.remove import remove_server_folder
from childdb.settings import Settings, load_settings


@pytest.fixture(scope="session")
def warehouse_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a disposable workspace with an embedded server of its own."""
    home = tmp_path_factory.mktemp("workspace")
    settings = load_settings({"CHILDDB_HOME": str(home)})
    yield settings
    stop_server(settings)
    remove_server_folder(settings)


@pytest.fixture(scope="session")
def warehouse(warehouse_settings: Settings) -> Iterator[Database]:
    """An opened, migrated warehouse on a disposable embedded server."""
    with open_database(warehouse_settings) as database:
        yield database


@pytest.fixture
def workspace_home(tmp_path: Path) -> Path:
    """An empty folder for a workspace of one test."""
    return tmp_path / "workspace"
