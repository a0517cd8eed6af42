"""Changed rows against a kept store: time, processor seconds, memory, and how many rows were decided again.

.venv/bin/python -m bench.identity_increment --children 25000000 --changed 100000 --folder /data/nation
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from childdb.identity import match
from childdb.identity.increment import match_changes
from childdb.identity.store import DATABASE
from childdb.sandbox.generate import Order, generate

SEED = 7301


def prepare(children: int, profile: str, folder: Path, changed: int) -> None:
    """Make the nation, a full run that keeps its store, and a file of changed rows, unless they are there."""
    if not (folder / "truth/links.parquet").exists():
        generate(Order(children, SEED, profile, communes=0), folder)
    register = folder / "register/register.parquet"
    if not (folder / "store" / DATABASE).exists():
        match(
            register, folder / "population/population.parquet", folder / "full", threads=2, memory="12GB", keep=folder / "store"
        )  # fmt: skip
    # Every tenth is a new row; the others lost a number, a phone or a hamlet since.
    duckdb.connect().execute(
        "copy (select * replace (case when hash(record_id) % 10 = 0 then 'N' || record_id else record_id end as record_id,"
        " case when hash(record_id) % 3 = 0 then null else personal_id_no end as personal_id_no,"
        " case when hash(record_id) % 3 = 1 then null else phone_no end as phone_no,"
        f" case when hash(record_id) % 3 = 2 then null else hamlet_name end as hamlet_name) from read_parquet('{register}')"
        f" order by hash(record_id || 'changed') limit {changed}) to '{folder}/changed.parquet' (format parquet)"
    )


def main() -> None:
    """Prepare if needed, then measure one increment in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=100_000)
    parser.add_argument("--profile", default="default", choices=["default", "hard"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--measure", action="store_true", help="the increment alone")
    chosen = parser.parse_args()
    if not chosen.measure:
        prepare(chosen.children, chosen.profile, chosen.folder, chosen.changed)
        raise SystemExit(
            subprocess.run([sys.executable, "-m", "bench.identity_increment", *sys.argv[1:], "--measure"], check=False).returncode
        )  # fmt: skip
    wall, cpu = time.perf_counter(), time.process_time()
    report = match_changes(
        chosen.folder / "store",
        chosen.folder / "changed.parquet",
        chosen.folder / "told",
        threads=2,
        memory=chosen.memory,
    )
    print(
        json.dumps(
            {
                "children": chosen.children,
                "rows": report.rows,
                "wall_seconds": round(time.perf_counter() - wall, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
                "highest_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "stages": {stage.name: [stage.seconds, stage.cpu_seconds] for stage in report.stages},
                "load": os.getloadavg()[0],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
