"""Lists to the commune police at full size: written, filled by a machine's hand, read back; seconds and peak memory.

Every commune's lists go through the real export and the real import on a database of their own. The children are invented.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from childdb.database import Role, connect, open_database
from childdb.reference import SeedFolder, seed_rows
from childdb.settings import Settings
from childdb.vault.keys import load_keys, open_keys
from childdb.worklists.export import export_requests
from childdb.worklists.imports import Importer, import_answers
from childdb.worklists.judging import RegisteredPerson
from childdb.worklists.model import ListedChild, Result
from childdb.workspace import Workspace

DAY = date(2026, 3, 1)
FAMILY = ("Nguyễn", "Trần", "Lò", "Hoàng", "Đặng", "Vàng")
GIVEN = ("An", "Bình", "Ánh", "Đào", "Ý", "Ân", "Dung", "Sùng")
EMPTY_INPUT = re.compile(rb'<c r="(M|N)(\d+)" s="(\d+)"/>')


class Nation:
    """Children of all communes, made anew at every pass."""

    def __init__(self, communes: int, items: int) -> None:
        rows = [row for row in seed_rows(SeedFolder.REFERENCE, "communes") if not row["valid_to_date"]]
        self.communes = sorted(row["commune_id"] for row in rows)[:communes]
        self.items = items

    def newest_file_date(self) -> date | None:
        """Return the day of the lists."""
        return DAY

    def children(self) -> Iterator[ListedChild]:
        """Yield every child."""
        return (self.child(n) for n in range(self.items))

    def children_by_id(self, child_ids: Iterable[str]) -> Mapping[str, ListedChild]:
        """Return the children asked for."""
        return {key: self.child(int(key.removeprefix("child-"))) for key in child_ids}

    def counted(self, child_ids: Collection[str]) -> tuple[set[str], set[str]]:
        """Every child is counted and has an addressee."""
        return set(child_ids), set()

    def persons_by_number(self, numbers: Iterable[str]) -> Mapping[str, RegisteredPerson]:
        """The population extract knows nobody."""
        return {}

    def child(self, n: int) -> ListedChild:
        """Return one child; a third of each commune's belong to each class of the letter."""
        born = date(2012, 1, 1) + timedelta(days=n % 4500)
        kind, is_boy = n // len(self.communes) % 3, n % 2 == 0
        name = f"{FAMILY[n % 6]} Thị Thử {GIVEN[n % 8]}"
        number = number_of(n, born, is_boy=is_boy)
        shown = (
            *(name, f"{born:%d/%m/%Y}", "Nam" if is_boy else "Nữ", "Kinh", number if kind == 1 else ""),
            *("", f"{FAMILY[n % 5]} Thử {n}", "", f"Thôn {1 + n % 20}", f"Số {n % 90}"),
        )
        return ListedChild(
            child_id=f"child-{n}", record_id=f"record-{n}", commune_id=self.communes[n % len(self.communes)],
            birth_date=born, birth_date_precision="day", birth_year=born.year, sex="male" if is_boy else "female",
            is_number_confirmed=kind == 2, number=number if kind == 1 else None, shown=shown, name=name,
            ethnic_group=None if kind == 2 else "01", has_guardian=True, has_number_text=kind == 1,
        )  # fmt: skip


def number_of(n: int, born: date, *, is_boy: bool) -> str:
    """Return a number whose digits agree with the child; every child has its own."""
    return f"{1 + n // 1_000_000:03d}{2 if is_boy else 3}{born.year % 100:02d}{n % 1_000_000:06d}"


def fill_in(folder: Path, out: Path) -> int:
    """Answer every row of every list, as an officer's program would; return how many files there are."""
    out.mkdir()
    files = sorted(folder.glob("*.xlsx"))
    for path in files:
        with (
            zipfile.ZipFile(path) as source,
            zipfile.ZipFile(out / path.name, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            strings = re.findall(
                r"<si><t[^>]*>([^<]*)</t></si>", source.read("xl/sharedStrings.xml").decode()
            )
            for name in source.namelist():
                data = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    data = _answers(data, strings, "basic_data" in path.name)
                target.writestr(name, data)
    return len(files)


def _answers(sheet: bytes, strings: list[str], is_basic: bool) -> bytes:
    mothers = {
        int(row): strings[int(place)] for row, place in re.findall(rb'<c r="H(\d+)" s="\d+" t="s"><v>(\d+)</v>', sheet)
    }  # fmt: skip

    def answer(match: re.Match[bytes]) -> bytes:
        column, row, style = match[1].decode(), int(match[2]), match[3].decode()
        found = re.search(r"Thử (\d+)$", mothers.get(row, ""))
        if found is None:
            return match[0]
        n = int(found[1])
        born = date(2012, 1, 1) + timedelta(days=n % 4500)
        number = number_of(n, born, is_boy=n % 2 == 0)
        text = (
            (Result.CONFIRMED if is_basic else Result.PROVIDED).value
            if column == "N"
            else ""
            if is_basic
            else number
        )
        return (
            f'<c r="{column}{row}" s="{style}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()
            if text
            else match[0]
        )

    return EMPTY_INPUT.sub(answer, sheet)


def peak_mb() -> int:
    """Return the peak memory of this process and of those it started."""
    own, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return max(own, children) // 1024


def run(communes: int, items: int) -> dict[str, Any]:
    """Return what writing and reading back took."""
    base = Path(tempfile.mkdtemp(prefix="childdb-bench-"))
    os.chmod(base, 0o755)
    settings = Settings(home=base / "var", system_dir=base / "system")
    nation = Nation(communes, items)
    try:
        with open_database(settings):
            return _measure(settings, nation, base)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _measure(settings: Settings, nation: Nation, base: Path) -> dict[str, Any]:
    workspace = Workspace(settings.home).prepare()
    with connect(Role.MATCHER, settings) as connection:
        open_keys(workspace, connection)
    began = time.perf_counter()
    with connect(Role.STEWARD, settings) as connection:
        keys = load_keys(workspace, may_create=False)
        from childdb.vault.keys import Purpose

        report = export_requests(
            connection, nation, keys.derive(Purpose.LISTS), workspace.requests, DAY, "bench"
        )
    written, memory = time.perf_counter() - began, peak_mb()
    files = fill_in(report.folder, base / "answers")
    began = time.perf_counter()
    with connect(Role.STEWARD, settings) as connection:
        ends = import_answers(
            Importer(connection, keys, nation, "bench"), sorted((base / "answers").iterdir())
        )
    read = time.perf_counter() - began
    applied = sum(row.outcome.value == "applied" for end in ends for row in end.rows)
    assert applied == report.row_count, (applied, report.row_count)
    return {
        "communes": len(nation.communes), "rows": report.row_count, "workbooks": files, "write_seconds": round(written, 1),
        "write_peak_mb": memory, "read_seconds": round(read, 1), "peak_mb": peak_mb(), "applied": applied,
        "load": round(os.getloadavg()[0], 1), "processor_seconds": round(time.process_time(), 1),
    }  # fmt: skip


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communes", type=int, default=3321)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.communes, arguments.items), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
