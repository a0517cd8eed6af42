"""The gates on the synthetic nation: at its default errors nothing is stopped, and what is loud says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_support import as_process, empty_warehouse, make_nation, run_steps

from childdb.database import Database, Role
from childdb.flow import matching
from childdb.settings import Settings

pytestmark = pytest.mark.flow
STOPPED = """
select g.suite, r.rule_id, r.scope_key, r.evaluated_count, r.failed_count
from quality.gate_results as r inner join quality.gate_runs as g on r.gate_id = g.gate_id
where r.outcome = 'stopped'
"""


@pytest.mark.parametrize("profile", ["none", "default"])
def test_nothing_is_stopped_without_need(
    warehouse: Database, warehouse_settings: Settings, tmp_path: Path, profile: str
) -> None:
    empty_warehouse(warehouse)
    nation = make_nation(tmp_path / "nation", children=3_000, seed=51, profile=profile)
    population = nation / "population" / "population.parquet"
    run = run_steps(warehouse_settings, nation / "exports", population, gates=True)
    with as_process(warehouse_settings):
        matching.check_identity(warehouse_settings, run)
    with warehouse.connect(Role.CHECKER) as connection:
        stopped = connection.execute(STOPPED).fetchall()
        judged = connection.execute(
            "select count(*) from quality.gate_results where outcome = 'passed'"
        ).fetchone()
        senders = connection.execute(
            "select count(*) filter (where a.sender_commune_id is distinct from b.sender_commune_id), count(*) "
            "from ops.batch_arrivals as a inner join ops.batches as b on a.batch_id = b.batch_id where b.status = 'judged'"
        ).fetchone()
    assert stopped == []
    assert judged is not None
    assert judged[0] > 300
    assert senders is not None
    wrong, known = senders
    assert known >= 20
    assert wrong <= 0.1 * known  # a list in an old encoding is understood only by cleaning
