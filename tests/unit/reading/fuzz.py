"""Mutations of workbooks and CSV files, drawn from a seed; what holds for every one of them.

Run by hand or by ``make fuzz``: python tests/unit/reading/fuzz.py --count 10000 --seed 1
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import re
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[3])]

from sheet_factory import PLAIN_HEADER, children, csv_text, write_workbook  # noqa: E402

from childdb.reading import FileReading, Outcome, read_file  # noqa: E402

WORST = {"seconds": 0.0, "child megabytes": 0.0}
Mutation = Callable[[random.Random, bytes], bytes]


def flip_bytes(rnd: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rnd.randrange(1, 12)):
        if changed:
            changed[rnd.randrange(len(changed))] = rnd.randrange(256)
    return bytes(changed)


def cut(rnd: random.Random, data: bytes) -> bytes:
    return data[: rnd.randrange(len(data) + 1)]


def drop_slice(rnd: random.Random, data: bytes) -> bytes:
    start = rnd.randrange(len(data) + 1)
    return data[:start] + data[start + rnd.randrange(1, 400) :]


def repeat_slice(rnd: random.Random, data: bytes) -> bytes:
    start = rnd.randrange(len(data) + 1)
    piece = data[start : start + rnd.randrange(1, 400)]
    return data[:start] + piece * rnd.randrange(2, 5) + data[start:]


SPLICES = (
    b'"', b"\x00", b"\xff\xfe", b"\r", b";", b",", b"\t", b"<", b">", b"&#0;", b"&lt;", b"<![CDATA[x]]>", b"<!-- -->",
    b'<!DOCTYPE x>', b'<row r="99999999">', b'<c r="XFE1">', b'<c r="A1"/>', b't="e"', b"</sheetData>", "\u202e".encode(),
    b"_x0000_", b'r="-1"', b"1e999", b"NaN", b"<f>1</f>", b'hidden="1"', b"\xef\xbb\xbf", b"=cmd|x",
)  # fmt: skip


def splice(rnd: random.Random, data: bytes) -> bytes:
    place = rnd.randrange(len(data) + 1)
    return data[:place] + rnd.choice(SPLICES) + data[place:]


def swap_lines(rnd: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    rnd.shuffle(lines)
    return b"\n".join(lines)


BYTE_MUTATIONS: tuple[Mutation, ...] = (flip_bytes, cut, drop_slice, repeat_slice, splice, swap_lines)


def mutate_part(rnd: random.Random, data: bytes) -> bytes:
    """Return a workbook with one part changed inside its container, sizes and checksums put right."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        names = source.namelist()
        chosen = rnd.choice(
            [name for name in names if "sheet1" in name or "shared" in name or "workbook" in name] or names
        )
        for name in names:
            part = source.read(name)
            for _ in range(rnd.randrange(1, 3) if name == chosen else 0):
                part = rnd.choice(BYTE_MUTATIONS)(rnd, part)
            target.writestr(name, part)
    return out.getvalue()


def lie_about_size(rnd: random.Random, data: bytes) -> bytes:
    """Return a workbook whose directory lies about a size or an offset."""
    changed = bytearray(data)
    places = [match.start() for match in re.finditer(b"PK\x01\x02", data)]
    place = rnd.choice(places) + rnd.choice((20, 24, 42))
    changed[place : place + 4] = struct.pack(
        "<L", rnd.choice((0, 1, 2**31 - 1, 2**32 - 1, rnd.randrange(10**6)))
    )
    return bytes(changed)


def sample(rnd: random.Random, folder: Path) -> Path:
    """Write one mutated file and return it."""
    rows = [list(PLAIN_HEADER), *children(rnd.randrange(1, 12), seed=rnd.randrange(1000))]
    if rnd.random() < 0.5:
        rows = [["UBND XÃ MƯỜNG KHƯƠNG"], *rows, [f"Tổng cộng: {len(rows) - 1}"]]
    if rnd.random() < 0.5:
        path = folder / "a.csv"
        text = csv_text(rows, rnd.choice(",;\t"), rnd.choice(("\n", "\r\n")))
        data = text.encode(rnd.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")))
        mutations: tuple[Mutation, ...] = BYTE_MUTATIONS
    else:
        path = write_workbook(folder / "a.xlsx", rows)
        data = path.read_bytes()
        mutations = (mutate_part, mutate_part, mutate_part, lie_about_size, *BYTE_MUTATIONS)
    for _ in range(rnd.randrange(0, 3)):
        try:
            data = rnd.choice(mutations)(rnd, data)
        except (
            zipfile.BadZipFile,
            IndexError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            EOFError,
            zipfile.zlib.error,
        ):
            data = flip_bytes(rnd, data)
    path.write_bytes(data)
    return path


def count_again(path: Path, reading: FileReading) -> int | None:
    """Return the rows with a value by a way of its own: the XML tree of the first sheet, or marks counted in the text."""
    if path.suffix == ".csv":
        return count_records(path, reading.profile.encoding, reading.profile.delimiter)
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    try:
        with zipfile.ZipFile(path) as archive:
            tree = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
            texts = [
                "".join(entry.itertext())
                for entry in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
            ]
    except (KeyError, zipfile.BadZipFile, ElementTree.ParseError, OSError, ValueError):
        return None
    return sum(
        any(_has_value(cell, texts, space) for cell in row.iter(f"{space}c"))
        for row in tree.iter(f"{space}row")
    )


def count_records(path: Path, encoding: str | None, delimiter: str | None) -> int | None:
    """Return the records of delimited text, letter by letter; None where the file is no such text throughout."""
    try:
        text = path.read_bytes().decode(encoding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None
    records, filled, quoted, at_start, place = 0, False, False, True, 0
    while place < len(text):
        letter = text[place]
        if quoted:
            doubled = letter == '"' and text[place + 1 : place + 2] == '"'
            quoted, place = quoted and (letter != '"' or doubled), place + doubled
        elif letter in "\r\n":
            records, filled, at_start = records + filled, False, True
        else:
            quoted, filled = letter == '"' and at_start, True
            at_start = letter == delimiter
        place += 1
    return records + filled


def _has_value(cell: ElementTree.Element, texts: list[str], space: str) -> bool:
    value = cell.findtext(f"{space}v")
    if cell.get("t") == "s" and value and value.strip().isdigit() and int(value) < len(texts):
        return bool(texts[int(value)].strip())
    inline = "".join(cell.itertext())
    return bool(inline.strip()) or cell.find(f"{space}f") is not None


def child_megabytes() -> int:
    """Return the largest memory any reading process of ours has ever had."""
    largest = 0
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text(encoding="ascii").split():
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            except OSError:
                continue
            peak = re.search(r"VmHWM:\s*(\d+) kB", status)
            largest = max(largest, int(peak[1]) // 1024 if peak else 0)
    return largest


def broken_promise(path: Path, reading: FileReading, seconds: float) -> str | None:
    """Return which promise a reading breaks, None when all hold."""
    if reading.outcome not in set(Outcome):
        return "outcome"
    if reading.physical_rows != reading.header_footer_rows + reading.rows.num_rows:
        return "ledger"
    if (reading.outcome is Outcome.ACCEPT) != (reading.reason_code is None):
        return "reason"
    if seconds > 60:
        return "time"
    if child_megabytes() > 1024:
        return "memory"
    again = count_again(path, reading) if reading.physical_rows else None
    if again is not None and again != reading.physical_rows:
        return f"rows {again} against {reading.physical_rows}"
    return None


def csv_records(path: Path) -> int:
    """Return the records of a clean UTF-8 file."""
    return sum(1 for record in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")) if record)


def run(count: int, seed: int, report: Callable[[str], None], first: int = 0) -> Counter[str]:
    """Read mutated files and return how each ended; broken promises are counted under their name."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            rnd = random.Random(f"{seed}:{number}")
            path = sample(rnd, Path(folder))
            begin = time.monotonic()
            reading = read_file(path)
            seconds = time.monotonic() - begin
            broken = broken_promise(path, reading, seconds)
            WORST["seconds"] = max(WORST["seconds"], seconds)
            WORST["child megabytes"] = max(WORST["child megabytes"], child_megabytes())
            if broken:
                report(f"seed {seed}, file {number}: {broken} ({reading.outcome}, {reading.reason_code})")
                ends[f"broken {broken.split()[0]}"] += 1
            ends[f"{reading.outcome} {reading.reason_code}"] += 1
            path.unlink()
    return ends


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first file: parts can run side by side"
    )
    options = parser.parse_args()
    ends = run(options.count, options.seed, print, options.first)
    for name, count in sorted(ends.items()):
        print(f"{count:7d}  {name}")
    for name, worst in WORST.items():
        print(f"{worst:7.1f}  most {name} for one file")
    return int(any(name.startswith("broken") for name in ends))


if __name__ == "__main__":
    sys.exit(main())
