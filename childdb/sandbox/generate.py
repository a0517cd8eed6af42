"""Writes one synthetic nation into a folder: population extract, register, exports of communes, and the truth."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from childdb.errors import UsageError
from childdb.sandbox import distance, population, register
from childdb.sandbox.exports import write_exports
from childdb.sandbox.geography import build_geography, date_of
from childdb.sandbox.habits import build_habits
from childdb.sandbox.hamlets import Hamlets
from childdb.sandbox.lists import Collector
from childdb.sandbox.misprints import Misprinter
from childdb.sandbox.people import Nation
from childdb.sandbox.profiles import load_profile
from childdb.sandbox.rows import register_rows
from childdb.sandbox.truth_figures import (
    delivered_figures,
    figures,
    load_delivered,
    load_residents,
    write_figures,
)
from childdb.sandbox.truth_nation import NationCounter

ABOUT = "nation.json"
LEAST, MOST = 100, 30_000_000
DEFAULT_EXPORTS = 36
# Columns with few distinct values; trying a dictionary on the others only costs time.
_REPETITIVE = [
    "sex_text",
    "ethnic_group_text",
    "province_code",
    "commune_code",
    "hamlet_name",
    "former_commune_id",
]


@dataclass(frozen=True)
class Order:
    """What to generate."""

    children: int
    seed: int
    profile: str
    communes: int = DEFAULT_EXPORTS

    def __post_init__(self) -> None:
        if not LEAST <= self.children <= MOST:
            raise UsageError(
                f"--children must lie between {LEAST} and {MOST}.",
                f"--children phải nằm trong khoảng {LEAST} đến {MOST}.",
            )
        if not 0 <= self.communes <= 3321:
            raise UsageError(
                "--communes must lie between 0 and 3321.", "--communes phải nằm trong khoảng 0 đến 3321."
            )


def prepare(order: Order) -> tuple[Nation, Misprinter]:
    """Return the nation of an order and the one who writes its rows."""
    profile = load_profile(order.profile)
    geography = build_geography(order.seed, order.children, order.communes, clean=profile.clean)
    nation = Nation(order.seed, geography, profile)
    hamlets = Hamlets(geography, nation.dice)
    habits = build_habits(profile, nation.dice, len(geography.communes))
    return nation, Misprinter(nation, habits, hamlets)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=_REPETITIVE)


def write_tables(
    nation: Nation,
    printer: Misprinter,
    out: Path,
    collector: Collector,
    counter: NationCounter,
    progress: Callable[[int, int], None],
) -> dict[str, int]:
    """Write population, register and links chunk by chunk, show each chunk to the collector, and return row counts."""
    counts = {"population": 0, "register": 0}
    with (
        _writer(out / "population" / "population.parquet", population.SCHEMA) as people_file,
        _writer(out / "register" / "register.parquet", register.SCHEMA) as register_file,
        _writer(out / "truth" / "links.parquet", register.LINK_SCHEMA) as links_file,
    ):
        for first, last in nation.chunks():
            people = nation.people(first, last)
            listed = population.population_table(nation, people, printer.hamlets)
            rows = register_rows(nation, people)
            written = printer.write(rows)
            collector.add(rows)
            counter.add(people, nation.geography.newest_day)
            people_file.write_table(listed)
            register_file.write_table(register.register_table(nation, rows, written))
            links_file.write_table(register.link_table(nation, rows, written.marks))
            counts["population"] += listed.num_rows
            counts["register"] += len(rows)
            progress(int(nation.geography.block_start[last]), nation.geography.children)
    return counts


def write_truth(counter: NationCounter, truth: Path, day: int, *, has_files: bool) -> None:
    """Write residents and, where lists were asked for, the figures of the nation and as delivered on the newest list's day."""
    counter.write_residents(truth / "residents.csv")
    if not has_files:
        return
    residents = load_residents(truth)
    delivered, on = load_delivered(truth), date_of(day)
    write_figures(figures(counter.children.values(), residents), truth / "figures_nation.csv")
    write_figures(delivered_figures(delivered, residents, on), truth / "figures_delivered.csv")
    distance.write_children(counter.children, truth / "children.parquet")
    apart = distance.distances(counter.children, delivered, distance.load_errors(truth), on)
    write_figures(apart, truth / "distance_delivered.csv", distance.FIELDS)


def write_account(path: Path, seed: int) -> None:
    """Write the account of the stand-in; it opens nothing but invented data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    password = hashlib.sha256(f"sandbox account {seed}".encode()).hexdigest()[:24]
    path.write_text(json.dumps({"username": "tinh_mau", "password": password}) + "\n", encoding="utf-8")
    path.chmod(0o600)


def generate(
    order: Order, out: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, int]:
    """Write the whole nation into ``out`` and return counts of rows and files."""
    nation, printer = prepare(order)
    return write_all(nation, printer, order, out, progress)


def clear_folder(out: Path) -> None:
    """Empty a folder that an earlier call wrote, so that no list of another nation stays; refuse any other non-empty one."""
    if out.is_dir() and any(out.iterdir()) and not (out / ABOUT).is_file():
        raise UsageError(
            f"The folder given by --out is not empty and holds no generated nation ({ABOUT} is missing). Name a new folder.",
            f"Thư mục --out không trống và không phải dữ liệu mẫu (thiếu {ABOUT}). Hãy chọn thư mục mới.",
        )
    for name in ("population", "register", "exports", "truth", "software"):
        shutil.rmtree(out / name, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)


def write_about(out: Path, about: Mapping[str, object]) -> None:
    """Write what the folder holds; written first too, so that a broken-off folder is known as ours."""
    (out / ABOUT).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_all(
    nation: Nation,
    printer: Misprinter,
    order: Order,
    out: Path,
    progress: Callable[[int, int], None],
    earlier: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Write tables, lists and truth; ``earlier`` may add lists of an earlier day before figures are computed."""
    clear_folder(out)
    about: dict[str, object] = {
        "children": order.children,
        "seed": order.seed,
        "profile": order.profile,
        "communes": order.communes,
    }
    write_about(out, about)
    collector, counter = Collector(nation), NationCounter(nation)
    counts = write_tables(nation, printer, out, collector, counter, progress)
    units, rows = collector.lists()
    files = write_exports(printer, units, rows, out)
    earlier()
    newest = nation.geography.newest_day
    write_truth(counter, out / "truth", newest, has_files=bool(files))
    counts |= {"files": len(files), "rows in files": sum(each.about["child_rows"] for each in files)}
    write_account(out / "software" / "account.json", order.seed)
    write_about(out, about | {"reference_date": date_of(newest).isoformat(), **counts})
    return counts
