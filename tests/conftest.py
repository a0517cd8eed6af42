"""Fixtures that several packages of tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from childdb.database import Database, open_database
from childdb.settings import Settings
from tests.workspaces import disposable_workspace

# The same examples in every run: a change is judged by what it changed. `--hypothesis-profile explore` looks further.
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(scope="session")
def warehouse_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a disposable workspace with a database of its own."""
    with disposable_workspace(tmp_path_factory.mktemp("workspace")) as settings:
        yield settings


@pytest.fixture(scope="session")
def warehouse(warehouse_settings: Settings) -> Iterator[Database]:
    """An opened, migrated warehouse of a disposable workspace."""
    with open_database(warehouse_settings) as database:
        yield database


@pytest.fixture
def workspace_home(tmp_path: Path) -> Path:
    """An empty folder for a workspace of one test."""
    return tmp_path / "workspace"
