"""An old release comes out the same from an empty database, after later deliveries have arrived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from childdb.database import Database, Role
from childdb.releases import build_candidate
from childdb.releases import plan as plan_module
from childdb.releases import versions as versions_module
from childdb.releases.rebuild import rebuild
from childdb.settings import Settings
from tests.flow_support import empty_warehouse, make_nation, run_steps


@pytest.fixture(autouse=True)
def fixed_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version of the code as it was when the test began: the tree may be edited while it runs."""
    for name in ("code_version", "seeds_version", "rules_version"):
        value = getattr(versions_module, name)()
        for module in (plan_module, versions_module):
            monkeypatch.setattr(module, name, lambda value=value: value)


@pytest.fixture
def empty(warehouse: Database) -> Iterator[Database]:
    """An empty warehouse, left empty: other modules may share it."""
    empty_warehouse(warehouse)
    yield warehouse
    empty_warehouse(warehouse)


def test_a_release_is_rebuilt_with_equal_hashes_after_corrections(
    empty: Database, warehouse_settings: Settings, tmp_path: Path
) -> None:
    nation = make_nation(tmp_path / "nation", children=500, seed=41, profile="default", communes=4)
    population = nation / "population" / "population.parquet"
    files = sorted(path for path in (nation / "exports").rglob("*") if path.is_file())
    later = tmp_path / "later"
    later.mkdir()
    for path in files[::3]:
        path.rename(later / path.name)
    run_steps(warehouse_settings, nation / "exports", population)
    first = build_candidate(warehouse_settings)
    run_steps(warehouse_settings, later, population)
    second = build_candidate(warehouse_settings)
    assert second != first
    assert rebuild(warehouse_settings, first) == []
    with empty.connect(Role.PUBLISHER) as connection:
        known = {row[0] for row in connection.execute("select release_id from ops.releases")}
    assert {first, second} <= known
