"""Benchmark of ingestion: landing to raw, beside what a user would write and beside the practical limit, in one run.

python -m bench.ingestion --files 200 --json      (needs no server: a database of its own is started and removed)
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import xlsxwriter

from childdb.database import Database, Role, connect, open_database
from childdb.database.access import stop_server
from childdb.database.roles import Owner
from childdb.flow.intake import Store, open_store
from childdb.landing import land_file
from childdb.loading import ledger
from childdb.loading.ahead import in_order
from childdb.loading.raw import load_reading
from childdb.orchestration.remove import remove_server_folder
from childdb.reading import FileReading, ReadOptions, read_file
from childdb.settings import Settings, load_settings

ROWS, COLUMNS, NATION = 7_500, 58, 25_000_000
SEEDS = Path(__file__).resolve().parent.parent / "dbt_project" / "seeds" / "reference" / "export_columns.csv"
_VARIED = frozenset({"ho_ten_tre", "ho_ten_cha", "ho_ten_me", "ho_ten_chu_ho"})
_DIGITS = frozenset(
    {"so_dinh_danh", "so_dinh_danh_cha", "so_dinh_danh_me", "dien_thoai_cha", "dien_thoai_me", "ma_tre"}
)


def write_workbook(path: Path, seed: int, rows: int) -> None:
    """Write one commune's list of invented children, filled as the register is: names, numbers, dates, codes."""
    rnd = random.Random(seed)
    columns = list(csv.DictReader(SEEDS.open(encoding="utf-8")))
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Danh sách")
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column["header_seen_or_expected"])
    for number in range(1, rows + 1):
        for place, column in enumerate(columns):
            text = _cell(column, number, rnd)
            if text:
                sheet.write(number, place, text)
    book.close()


def _cell(column: dict[str, str], number: int, rnd: random.Random) -> str | int:
    name = column["column"]
    if name == "stt":
        return number
    if name in _VARIED:
        return f"{rnd.choice(_SURNAMES)} {rnd.choice(_MIDDLE)} {rnd.choice(_GIVEN)} {rnd.choice(_GIVEN)}"
    if name in _DIGITS:
        return f"0{rnd.randrange(10**11):011d}"
    if name.startswith("ngay_"):
        return f"{rnd.randrange(1, 29):02d}/{rnd.randrange(1, 13):02d}/{rnd.randrange(2011, 2026)}"
    return column["example"] if column["example"] and rnd.random() < 0.75 else ""


_SURNAMES = "Nguyễn Trần Lê Phạm Hoàng Vũ Đặng Bùi Đỗ Lò Vàng Giàng Hồ Ngô Dương Lý".split()
_MIDDLE = "Văn Thị Minh Ngọc Thu Đức Hữu Quốc Thanh Bảo Gia".split()
_GIVEN = "An Bình Châu Chi Dũng Duy Giang Hà Hải Hạnh Hoa Hòa Hùng Hương Khang Lan Linh Long Mai Minh Nam Nga".split()


@contextmanager
def _database(home: Path) -> Iterator[tuple[Settings, Database]]:
    settings = load_settings({"CHILDDB_HOME": str(home)})
    try:
        with open_database(settings) as database:
            yield settings, database
    finally:
        stop_server(settings)
        remove_server_folder(settings)


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def ingest(settings: Settings, store: Store, paths: list[Path]) -> int:
    """Take files from their folder into the raw table, as the pipeline does, and return the rows loaded."""
    batches = []
    for path in paths:
        landed = land_file(path, store.folder, store.key)
        with connect(Role.LOADER, settings) as connection:
            ledger.record_delivery(
                connection, ledger.Delivery("treem__children", "drop_folder", path.name, None), landed
            )
        batches.append((ledger.batch_id_of("treem__children", landed.sha256), landed.sha256, path.name))

    def read(batch: tuple[str, str, str]) -> FileReading:
        with store.opened(batch[1]) as clear:
            return read_file(clear, options=ReadOptions(file_name=batch[2], work_dir=store.scratch))

    rows = 0
    for (batch_id, _, _), reading in in_order(batches, read, width=settings.threads):
        with connect(Role.LOADER, settings) as connection:
            counts = load_reading(connection, batch_id, reading)
        rows += counts.accepted + counts.quarantined if counts else 0
    return rows


def read_with_calamine(paths: list[Path], width: int) -> None:
    """Read every cell and keep nothing: the practical limit, with as many files at once as we use."""
    import python_calamine

    def read(path: Path) -> int:
        return len(python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python())

    with ThreadPoolExecutor(max_workers=width) as pool:
        list(pool.map(read, paths))


def load_with_pandas(paths: list[Path], url: str, role: str) -> None:
    """Read and load as most people would: read_excel and to_sql."""
    import pandas as pd
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), connect_args={"options": f"-c role={role}"}
    )
    for path in paths:
        frame = pd.read_excel(path, dtype=str)
        frame.to_sql("bench_pandas", engine, schema="misplaced", if_exists="append", index=False)
    engine.dispose()


class _Peak:
    """Largest memory of this process and of its reading processes while a block runs, in megabytes."""

    def __init__(self) -> None:
        self.child = 0

    def watch(self, running: Callable[[], bool]) -> None:
        """Look at the children until the block ends."""
        me = psutil.Process()
        while running():
            for child in me.children(recursive=True):
                try:
                    command = " ".join(child.cmdline())
                    self.child = max(
                        self.child, child.memory_info().rss if "childdb.reading.child" in command else 0
                    )
                except psutil.Error:
                    continue
            time.sleep(0.2)


def run(files: int, pandas_files: int, rows: int, width: int) -> dict[str, Any]:
    """Return seconds, ratios and memory of one run."""
    with tempfile.TemporaryDirectory() as folder, _database(Path(folder) / "home") as (settings, database):
        paths = [Path(folder) / f"xa-{number:04d}.xlsx" for number in range(files + 1)]
        for number, path in enumerate(paths):
            write_workbook(path, number, rows)
        store = open_store(settings)
        ingest(settings, store, paths[:1])  # the first file pays for starting the reading processes
        measured = paths[1:]
        parts = [measured[: files // 2], measured[files // 2 :]]
        ours, peak = _measure(settings, store, parts)
        limit = _timed(lambda: read_with_calamine(measured, width))
        limit_one = _timed(lambda: read_with_calamine(measured, 1))
        few = measured[:pandas_files]
        theirs = (
            _timed(
                lambda: load_with_pandas(few, database.url(Role.BUILDER), database.role_name(Owner.MODELS))
            )
            if few
            else 0.0
        )
    total = sum(ours)
    speed = files * rows / total
    return {
        "files": files, "rows_per_file": rows, "columns": COLUMNS, "load_average": os.getloadavg()[0],
        "ours_seconds": round(total, 2), "first_half_seconds": round(ours[0], 2), "second_half_seconds": round(ours[1], 2),
        "calamine_seconds": round(limit, 2), "calamine_one_thread_seconds": round(limit_one, 2),
        "pandas_files": len(few), "pandas_seconds": round(theirs, 2), "rows_per_second": round(speed),
        "times_pandas": round(theirs / len(few) / (total / files), 2) if few else None,
        "cost_of_calamine": round(total / limit, 2), "cost_of_calamine_one_thread": round(total / limit_one, 2),
        "hours_for_25_million_rows": round(NATION / speed / 3600, 2), "largest_child_mb": peak,
        "parent_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def _measure(settings: Settings, store: Store, parts: list[list[Path]]) -> tuple[list[float], int]:
    peak, ended = _Peak(), False
    seconds: list[float] = []
    with ThreadPoolExecutor(max_workers=1) as pool:
        watching = pool.submit(peak.watch, lambda: not ended)
        try:
            seconds = [_timed(lambda part=part: ingest(settings, store, part)) for part in parts]  # type: ignore[misc]
        finally:
            ended = True
            watching.result()
    return seconds, peak.child // 1024**2


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--pandas-files", type=int, default=20)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = run(options.files, options.pandas_files, options.rows, options.threads)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        print(f"{name:32} {value}")


if __name__ == "__main__":
    main()
