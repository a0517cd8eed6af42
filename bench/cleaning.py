"""Benchmark of cleaning proper: rows a second, what each rule family costs, and cost per row as files grow.

python -m bench.cleaning --rows 100000 1000000 --on-disk --json
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa

from childdb.cleaning.file import clean_in_chunks
from childdb.cleaning.vectors import one_thread
from childdb.reading.model import FileProfile, FileReading, Outcome
from childdb.reference import SeedFolder, export_columns, number_province_codes, seed_rows

FILLED = (
    "stt", "ma_ho", "ma_tre", "ho_ten_tre", "ngay_sinh", "gioi_tinh", "dan_toc", "ton_giao", "quoc_tich", "so_dinh_danh",
    "so_khai_sinh", "ngay_dang_ky_khai_sinh", "da_dang_ky_khai_sinh", "the_bhyt", "noi_sinh", "que_quan", "tinh", "huyen",
    "xa", "thon", "dia_chi", "tinh_trang_cu_tru", "ho_ten_chu_ho", "quan_he_chu_ho", "ho_ten_cha", "nam_sinh_cha",
    "so_dinh_danh_cha", "dien_thoai_cha", "ho_ten_me", "nam_sinh_me", "so_dinh_danh_me", "dien_thoai_me",
    "hoan_canh_dac_biet", "nguy_co", "ho_ngheo", "tinh_trang_hoc_tap", "lop", "truong", "can_nang", "ngay_cap_nhat",
)  # fmt: skip
FAMILIES = {
    "encodings": (("records", "_decode"), ("looks", "decide_encodings"), ("looks", "look_at_texts")),
    "dates": (("records", "_clean_dates"),),
    "names and texts": (("records", "_clean_people"),),
    "numbers": (("records", "_clean_numbers"),),
    "codes": (("records", "_clean_codes"),),
    "places": (("records", "_clean_units"),),
    "rows and parents": (
        ("records", "_shifted_rows"),
        ("records", "_mark_blanks"),
        ("records", "_compare_parents"),
        ("records", "_close_turned_16"),
        ("records", "_empty_error_cells"),
    ),
    "findings": (("file", "_findings"),),
    "repeats": (("repeats", "__init__"), ("repeats", "marks")),
    "facts of the file but encodings": (("facts", "gather_facts"),),
    "putting together": (("records", "_assembled"),),
}
BASE_ROWS = 100_000


class Children:
    """Invented rows; a fifth of the names are upper case and a tenth of the numbers have lost their zeros."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        elements = seed_rows(SeedFolder.REFERENCE, "minority_name_elements")
        listed = [row["surname"] for row in seed_rows(SeedFolder.REFERENCE, "surname_weights")]
        self.surnames = [name for names in listed for name in names.split("/")]
        self.surnames += [row["element"] for row in elements if row["kind"] == "surname"][:40]
        self.given = ("An Anh Bình Châu Chi Dung Duy Đạt Giang Hà Hải Hạnh Hiền Hoa Hòa Hùng Hương Khang Khánh Lan Linh Long "
                      "Mai Minh My Nam Nga Ngân Ngọc Nhi Phong Phúc Phương Quân Quang Quỳnh Sơn Tâm Thảo Thu Thủy Trang Trung "
                      "Tú Tuấn Uyên Vân Việt Vy Yến").split()  # fmt: skip
        self.codes = sorted(number_province_codes())

    def name(self, middle: str) -> str:
        pick = self.random.choice
        name = f"{pick(self.surnames)} {middle} {pick(self.given)} {pick(self.given)}"
        return name.upper() if self.random.random() < 0.2 else name

    def row(self, place: int) -> dict[str, str]:
        rng = self.random
        female, year, month, day = (
            rng.random() < 0.5,
            rng.randint(2010, 2024),
            rng.randint(1, 12),
            rng.randint(1, 28),
        )
        number = f"{rng.choice(self.codes)}{3 if female else 2}{year % 100:02d}{rng.randint(0, 999999):06d}"
        number = number.lstrip("0") if rng.random() < 0.1 else number
        return {
            "stt": str(place), "ma_ho": f"{place % 900:04d}", "ma_tre": f"24{place:08d}",
            "ho_ten_tre": self.name("Thị" if female else "Văn"), "ngay_sinh": f"{day:02d}/{month:02d}/{year}",
            "gioi_tinh": "Nữ" if female else "Nam", "dan_toc": rng.choice(["Kinh", "Tày", "HMông", "Mông", "Ê Đê"]),
            "ton_giao": "Không", "quoc_tich": "Việt Nam", "so_dinh_danh": number, "so_khai_sinh": f"{place % 400}/{year}",
            "ngay_dang_ky_khai_sinh": f"28/{month:02d}/{year}", "da_dang_ky_khai_sinh": "x",
            "the_bhyt": f"TE1{rng.randint(10**11, 10**12 - 1)}", "noi_sinh": "Bệnh viện Phụ sản", "que_quan": "Nam Định",
            "tinh": "Thành phố Hà Nội", "huyen": "Quận Ba Đình", "xa": rng.choice(["Phường Phúc Xá", "P. Trúc Bạch", "Phường Cống Vị"]),
            "thon": f"Tổ {place % 40}", "dia_chi": f"Số {place % 300}, ngõ {place % 70}", "tinh_trang_cu_tru": "Thường trú có mặt",
            "ho_ten_chu_ho": self.name("Văn"), "quan_he_chu_ho": "Con", "ho_ten_cha": self.name("Văn"), "nam_sinh_cha": "1988",
            "so_dinh_danh_cha": f"{rng.choice(self.codes)}088{rng.randint(0, 999999):06d}", "dien_thoai_cha": f"09{rng.randint(10**7, 10**8 - 1)}",
            "ho_ten_me": self.name("Thị"), "nam_sinh_me": "1990", "so_dinh_danh_me": f"{rng.choice(self.codes)}190{rng.randint(0, 999999):06d}",
            "dien_thoai_me": f"9{rng.randint(10**7, 10**8 - 1)}", "hoan_canh_dac_biet": rng.choice(["4; 13", "không", "Khuyết tật"]),
            "nguy_co": "không", "ho_ngheo": rng.choice(["Cận nghèo", "Không", "Hộ nghèo"]), "tinh_trang_hoc_tap": "Đang học",
            "lop": f"Lớp {place % 9}A", "truong": "Tiểu học Phúc Xá", "can_nang": f"{rng.randint(10, 40)},{rng.randint(0, 9)}",
            "ngay_cap_nhat": f"{rng.randint(1, 20):02d}/06/2025 {rng.randint(7, 17):02d}:{rng.randint(0, 59):02d}",
        }  # fmt: skip


def base_rows(count: int, seed: int = 1) -> pa.Table:
    """Return so many different rows as the reader would hand them over."""
    maker = Children(seed)
    base = [maker.row(place) for place in range(count)]
    table = pa.table(
        {name: pa.array([row.get(name) for row in base], pa.string()) for name in export_columns()}
    )
    kinds = "".join("t" if name in FILLED else "-" for name in export_columns())
    return (
        table.append_column("sheet", pa.repeat("Danh sách", count))
        .append_column("row_no", pa.array(range(2, count + 2), pa.int32()))
        .append_column("row_reason", pa.nulls(count, pa.string()))
        .append_column("_extra", pa.nulls(count, pa.string()))
        .append_column("_kinds", pa.repeat(kinds, count))
    )


def part_of(base: pa.Table, number: int, size: int) -> pa.Table:
    """Return the rows of a later part: other children, whose mothers' names stand beside other fathers'."""
    if not number:
        return base.slice(0, size)
    first, moved = number * len(base), (number * 997) % len(base)
    frame = pl.DataFrame(base).with_columns(
        pl.format("24{}", (pl.int_range(pl.len()) + first).cast(pl.String).str.zfill(8)).alias("ma_tre"),
        *(
            _renumbered(name, number)
            for name in ("so_dinh_danh", "so_dinh_danh_cha", "so_dinh_danh_me", "the_bhyt")
        ),
        pl.concat([pl.col("ho_ten_me").slice(moved), pl.col("ho_ten_me").slice(0, moved)]).alias("ho_ten_me"),
        (pl.col("row_no") + first).cast(pl.Int32),
    )
    return frame.slice(0, size).to_arrow().cast(base.schema)


def _renumbered(name: str, number: int) -> pl.Expr:
    """Return numbers with other last digits."""
    digits = (pl.col(name).str.tail(6).cast(pl.Int64) + number * 7919) % 1_000_000
    return (pl.col(name).str.head(-6) + digits.cast(pl.String).str.zfill(6)).alias(name)


def _reading(table: pa.Table) -> FileReading:
    profile = FileProfile(columns_present=FILLED, stated_date=date(2025, 6, 20))
    count = table.num_rows
    return FileReading("bench.csv", "b" * 64, Outcome.ACCEPT, None, count + 1, 1, table, [], profile)


def make_reading(count: int, seed: int = 1) -> FileReading:
    """Return a reading of so many rows in memory."""
    base = base_rows(min(count, BASE_ROWS), seed)
    parts = [
        part_of(base, number, min(BASE_ROWS, count - number * BASE_ROWS))
        for number in range(-(-count // BASE_ROWS))
    ]
    return _reading(pa.concat_tables(parts))


def reading_on_disk(count: int, path: Path) -> FileReading:
    """Return a reading whose rows stay in a file: what memory then holds is what cleaning itself takes."""
    base = base_rows(min(count, BASE_ROWS))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, base.schema) as writer:
        for number in range(-(-count // BASE_ROWS)):
            writer.write_table(part_of(base, number, min(BASE_ROWS, count - number * BASE_ROWS)))
    return _reading(pa.ipc.open_file(pa.memory_map(str(path))).read_all())


def own_memory_mb() -> int:
    """Return what this process holds that no file backs."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("RssAnon"))


@dataclass(frozen=True)
class Run:
    """How one run of cleaning went."""

    seconds: float
    processor_seconds: float
    peak_mb: int


def measure(reading: FileReading) -> Run:
    """Return what cleaning takes; parts are dropped as a writer would drop them."""
    before, done = own_memory_mb(), threading.Event()
    peaks = [before]

    def watch() -> None:
        while not done.wait(0.05):
            peaks.append(own_memory_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start, processor = time.perf_counter(), time.process_time()
    for _ in clean_in_chunks(reading, as_of=None):
        pass
    seconds, used = time.perf_counter() - start, time.process_time() - processor
    done.set()
    watcher.join()
    return Run(seconds, used, max(peaks) - before)


def shares(reading: FileReading) -> dict[str, float]:
    """Return the share of the time of each rule family, in one thread."""
    profiler = cProfile.Profile()
    with one_thread():
        profiler.enable()
        for _ in clean_in_chunks(reading, as_of=None, chunk_rows=reading.rows.num_rows):
            pass
        profiler.disable()
    times: dict[tuple[str, str], float] = {}
    for (path, _, name), entry in vars(pstats.Stats(profiler))["stats"].items():
        key = (Path(path).stem, name)
        times[key] = max(times.get(key, 0.0), entry[3])
    total = times["file", "clean_in_chunks"]
    spent = {family: sum(times.get(key, 0.0) for key in keys) for family, keys in FAMILIES.items()}
    inside = spent["facts of the file but encodings"] - times.get(("looks", "look_at_texts"), 0.0)
    spent["facts of the file but encodings"] = inside - times.get(("looks", "decide_encodings"), 0.0)
    spent["everything else"] = total - sum(spent.values())
    return {family: round(seconds / total, 3) for family, seconds in spent.items()}


def one_run(count: int, on_disk: bool) -> dict[str, object]:
    """Return the figures of one size."""
    with tempfile.TemporaryDirectory() as folder:
        reading = reading_on_disk(count, Path(folder) / "rows.arrow") if on_disk else make_reading(count)
        run = measure(reading)
    return {
        "rows": count, "columns": len(FILLED), "seconds": round(run.seconds, 3), "own_memory_mb": run.peak_mb,
        "processor_seconds": round(run.processor_seconds, 3), "rows_per_second": round(count / run.seconds),
        "rows_per_processor_second": round(count / run.processor_seconds),
        "microseconds_per_row": round(run.processor_seconds * 1e6 / count, 2),
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument(
        "--on-disk", action="store_true", help="keep the rows in a file, to see cleaning's own memory"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measure(make_reading(1000))
    results = [one_run(count, arguments.on_disk) for count in arguments.rows]
    answer = {
        "runs": results,
        "load": os.getloadavg()[0],
        "share_by_family": shares(make_reading(min(*arguments.rows, BASE_ROWS))),
    }
    print(json.dumps(answer, ensure_ascii=False) if arguments.json else _text(answer))


def _text(answer: dict[str, object]) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    main()
