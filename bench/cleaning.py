"""Benchmark of cleaning proper: rows a second, what each rule family costs, and cost per row as files grow.

python -m bench.cleaning --rows 100000 --json
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import random
import resource
import time
from datetime import date

import pyarrow as pa

from childdb.cleaning.file import clean_in_chunks
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
    "encodings": ("_decode", "decide_encodings"),
    "dates": ("_clean_dates",),
    "names and texts": ("_clean_people",),
    "numbers": ("_clean_numbers",),
    "codes": ("_clean_codes",),
    "places": ("_clean_units",),
    "rows and parents": (
        "_shifted_rows",
        "_mark_blanks",
        "_compare_parents",
        "_close_turned_16",
        "_empty_error_cells",
    ),
    "findings": ("_findings",),
    "whole file": ("repeat_marks", "gather_facts"),
}


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


def make_reading(count: int, seed: int = 1, distinct_rows: int = 100_000) -> FileReading:
    """Return a reading of so many rows; beyond the distinct ones rows repeat with their own running number."""
    maker = Children(seed)
    base = [maker.row(place) for place in range(min(count, distinct_rows))]
    table = pa.table(
        {name: pa.array([row.get(name) for row in base], pa.string()) for name in export_columns()}
    )
    while table.num_rows < count:
        table = pa.concat_tables([table, table.slice(0, min(table.num_rows, count - table.num_rows))])
    table = table.combine_chunks()
    kinds = "".join("t" if name in FILLED else "-" for name in export_columns())
    for name, values in (
        ("sheet", pa.array(["Danh sách"] * count)), ("row_no", pa.array(range(2, count + 2), pa.int32())),
        ("row_reason", pa.nulls(count, pa.string())), ("_extra", pa.nulls(count, pa.string())), ("_kinds", pa.array([kinds] * count)),
    ):  # fmt: skip
        table = table.append_column(name, values)
    profile = FileProfile(columns_present=FILLED, stated_date=date(2025, 6, 20))
    return FileReading("bench.csv", "b" * 64, Outcome.ACCEPT, None, count + 1, 1, table, [], profile)


def measure(reading: FileReading) -> tuple[float, float]:
    """Return the seconds and the processor seconds of cleaning; parts are dropped as a writer would drop them."""
    start, processor = time.perf_counter(), time.process_time()
    for _ in clean_in_chunks(reading, as_of=None):
        pass
    return time.perf_counter() - start, time.process_time() - processor


def shares(reading: FileReading) -> dict[str, float]:
    """Return the share of the time of each rule family."""
    profiler = cProfile.Profile()
    profiler.enable()
    measure(reading)
    profiler.disable()
    times = {name: entry[3] for (_, _, name), entry in vars(pstats.Stats(profiler))["stats"].items()}
    total = times.get("measure", 1.0)
    return {
        family: round(sum(times.get(name, 0.0) for name in names) / total, 3)
        for family, names in FAMILIES.items()
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measure(make_reading(1000))
    results = []
    for count in arguments.rows:
        reading = make_reading(count)
        seconds, processor = measure(reading)
        results.append({
            "rows": count, "columns": len(FILLED), "seconds": round(seconds, 3), "processor_seconds": round(processor, 3),
            "rows_per_second": round(count / seconds), "rows_per_processor_second": round(count / processor),
        })  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    answer = {
        "runs": results,
        "peak_memory_mb": peak,
        "share_by_family": shares(make_reading(min(arguments.rows))),
    }
    print(json.dumps(answer, ensure_ascii=False) if arguments.json else _text(answer))


def _text(answer: dict[str, object]) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    main()
