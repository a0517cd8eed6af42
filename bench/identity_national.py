"""Matches a whole synthetic nation for real and prints stages, memory, disk, pairs and accuracy.

.venv/bin/python bench/identity_national.py --children 25000000 --folder /data/nation --memory 12GB
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from childdb.identity import match
from childdb.sandbox.generate import Order, generate


def _accuracy(folder: Path) -> dict[str, float]:
    links, truth = folder / "match/links.parquet", folder / "truth/links.parquet"
    row = (
        duckdb.connect()
        .execute(
            "select count(*), count(*) filter (where decision = 'accepted'), count(*) filter (where decision = 'review'),"
            " count(*) filter (where decision = 'accepted' and l.person_id = t.person_id), count(t.person_id),"
            " count(*) filter (where decision = 'accepted' and t.person_id is null), count(*) filter (where t.person_id is null)"
            " from read_parquet(?) as l join read_parquet(?) as t using (record_id)",
            [str(links), str(truth)],
        )
        .fetchall()[0]
    )
    rows, accepted, review, right, findable, false_alone, alone = row
    return {
        "precision": right / max(accepted, 1),
        "recall": right / max(findable, 1),
        "review": review / max(rows, 1),
        "false_without_counterpart": false_alone / max(alone, 1),
    }


def _size(folder: Path) -> int:
    """Return the bytes below a folder; files may vanish while it is read."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


class Disk(threading.Thread):
    """Looks every second at what the work database and what was spilled take on the disk, in bytes."""

    def __init__(self, scratch: Path) -> None:
        super().__init__(daemon=True)
        self._scratch, self._ended = scratch, threading.Event()
        self.database = self.spill = 0

    def run(self) -> None:
        while not self._ended.wait(1):
            self.spill = max(self.spill, _size(self._scratch / "spill"))
            self.database = max(self.database, _size(self._scratch) - _size(self._scratch / "spill"))

    def stop(self) -> None:
        """Look no further."""
        self._ended.set()
        self.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=25_000_000)
    parser.add_argument("--seed", type=int, default=7301)
    parser.add_argument("--profile", default="default", choices=["none", "default", "hard"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--memory", default="12GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the nation for another run")
    parser.add_argument("--store", action="store_true", help="keep the store, for bench.identity_increment")
    chosen = parser.parse_args()
    if not (chosen.folder / "truth/links.parquet").exists():
        generate(Order(chosen.children, chosen.seed, chosen.profile, communes=0), chosen.folder)
    wall, cpu = time.perf_counter(), time.process_time()
    disk = Disk(chosen.folder / ("store" if chosen.store else "match") / ".scratch")
    disk.start()
    report = match(
        chosen.folder / "register/register.parquet",
        chosen.folder / "population/population.parquet",
        chosen.folder / "match",
        threads=chosen.threads,
        memory=chosen.memory,
        tell=print,
        keep=chosen.folder / "store" if chosen.store else None,
    )
    disk.stop()
    result = {
        "children": chosen.children,
        "profile": chosen.profile,
        "rows": report.rows,
        "wall_seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_memory_mb": max(stage.peak_memory_mb for stage in report.stages),
        "pairs": report.pairs,
        "stages": {
            stage.name: [stage.seconds, stage.cpu_seconds, stage.peak_memory_mb] for stage in report.stages
        },
        **_accuracy(chosen.folder),
    }
    result |= {"load": os.getloadavg()[0], "half_of_cpu_seconds": round(result["cpu_seconds"] / 2, 1)}
    result["highest_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result |= {"database_mb": disk.database >> 20, "spill_mb": disk.spill >> 20}
    print(json.dumps(result, indent=1))
    if not (chosen.keep or chosen.store):
        shutil.rmtree(chosen.folder)


if __name__ == "__main__":
    main()
