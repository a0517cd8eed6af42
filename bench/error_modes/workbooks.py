"""Shapes of whole files: E69 to E74, written as real files and read by `childdb clean` itself."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from bench.error_modes.cases import Batch, Case, Row, rules
from bench.invented import Nation
from childdb.cleaning import clean
from childdb.cli import main
from childdb.reading import ReadOptions, read_file

HEADERS: dict[str, tuple[str, ...]] = {
    "stt": ("STT", "TT", "Số TT"),
    "ho_ten_tre": ("Họ và tên trẻ", "Họ và tên", "HỌ VÀ TÊN TRẺ EM"),
    "ngay_sinh": ("Ngày, tháng, năm sinh", "Ngày sinh", "Ngày tháng năm sinh"),
    "gioi_tinh": ("Giới tính", "GIỚI TÍNH"),
    "dan_toc": ("Dân tộc", "DÂN TỘC"),
    "so_dinh_danh": ("Số CCCD/CMND / Mã định danh", "Số định danh cá nhân", "Mã định danh"),
    "tinh": ("Tỉnh/Thành phố", "Tỉnh / Thành phố"),
    "huyen": ("Quận/Huyện", "Quận / Huyện"),
    "xa": ("Xã/Phường", "Xã / Phường"),
    "thon": ("Thôn/Tổ dân phố", "Thôn / Tổ dân phố"),
    "ho_ten_cha": ("Họ tên cha", "Họ và tên cha"),
    "nam_sinh_cha": ("Năm sinh cha",),
    "ho_ten_me": ("Họ tên mẹ", "Họ và tên mẹ"),
    "nam_sinh_me": ("Năm sinh mẹ",),
    "ghi_chu": ("Ghi chú",),
}
OPTIONAL = ("stt", "so_dinh_danh", "ho_ten_cha", "nam_sinh_cha", "nam_sinh_me", "ghi_chu")
FILES_AT_ONCE, FILE_ROWS = 20, (10, 40, 250)
DAY = date(2025, 6, 20)
ETHNIC = {"Kinh": "01", "Tày": "02", "Thái": "03", "Mường": "06", "Nùng": "07", "Ê-đê": "12", "Ba na": "13",
          "Cơ-ho": "16", "Xơ-đăng": "14", "Gia-rai": "10"}  # fmt: skip


@dataclass
class Draft:
    """A file about to be written: the children of one commune and the columns it shows, in some order."""

    rng: random.Random
    nation: Nation
    rows: list[Row]
    columns: list[str]
    finds: frozenset[str] = frozenset()
    extra: list[tuple[int, frozenset[str]]] = field(default_factory=list)

    @property
    def unit(self) -> Row:
        return self.rows[0]

    def header(self) -> list[str]:
        return [self.rng.choice(HEADERS[name]) for name in self.columns]

    def cells(self, row: Row) -> list[Any]:
        return [row.get(name) for name in self.columns]


Writer = Callable[[Draft, Path], Path]


def draft(rng: random.Random, nation: Nation, size: int, *, without: tuple[str, ...] = ()) -> Draft:
    """Return children of one commune and some columns, the required ones always among them."""
    first = nation.child(1)
    unit = {name: first[name] for name in ("xa", "huyen", "tinh", "_unit")}
    rows = [
        {**nation.child(place), **unit, "stt": str(place), "ghi_chu": None} for place in range(1, size + 1)
    ]
    dropped = {name for name in OPTIONAL if rng.random() < 0.3} | set(without)
    columns = [name for name in HEADERS if name not in dropped]
    if rng.random() < 0.5:
        middle = columns[1:]
        rng.shuffle(middle)
        columns = [columns[0], *middle]
    return Draft(rng, nation, rows, columns)


def title_rows(made: Draft) -> list[list[Any]]:
    """Return the rows above a list."""
    unit = made.unit
    rows: list[list[Any]] = [[f"UBND {unit['xa'].upper()}", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
                             [None, None, None, "Độc lập - Tự do - Hạnh phúc"], []]  # fmt: skip
    rows.append(
        [None, made.rng.choice(("DANH SÁCH TRẺ EM", "DANH SÁCH TRẺ EM DƯỚI 16 TUỔI", "SỔ THEO DÕI TRẺ EM"))]
    )
    rows.append([made.rng.choice(("Tính đến ngày 20/6/2025", "(Thời điểm ngày 20 tháng 6 năm 2025)"))])
    return rows[made.rng.randint(0, 3) :]


def typed(made: Draft, row: Row) -> list[Any]:
    """Return a row's cells, birth dates as dates and years as numbers."""
    cells = dict(zip(made.columns, made.cells(row), strict=True))
    cells["ngay_sinh"] = row["_birth"]
    for name in ("stt", "nam_sinh_cha", "nam_sinh_me"):
        if cells.get(name):
            cells[name] = int(cells[name])
    return [cells[name] for name in made.columns]


def save(path: Path, rows: list[list[Any]]) -> Path:
    """Write one sheet of rows."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def e69_file(made: Draft, path: Path) -> Path:
    """Write title rows, a header in two merged rows and a row of column numbers."""
    made.columns = [
        name
        for name in made.columns
        if name not in ("ho_ten_cha", "nam_sinh_cha", "ho_ten_me", "nam_sinh_me")
    ]
    made.columns += ["ho_ten_cha", "nam_sinh_cha", "ho_ten_me", "nam_sinh_me"]
    titles, upper = title_rows(made), made.header()
    upper[-4:] = ["Cha", "", "Mẹ", ""]
    lower = [""] * (len(upper) - 4) + ["Họ và tên", "Năm sinh", "Họ và tên", "Năm sinh"]
    numbers = [f"({place})" for place in range(1, len(upper) + 1)]
    book = Workbook()
    sheet = book.active
    for row in [
        *titles,
        upper,
        lower,
        *([numbers] if made.rng.random() < 0.7 else []),
        *(typed(made, row) for row in made.rows),
    ]:
        sheet.append([cell or None for cell in row])
    top = len(titles) + 1
    for column in range(1, len(upper) - 3):
        sheet.merge_cells(start_row=top, end_row=top + 1, start_column=column, end_column=column)
    for column in (len(upper) - 3, len(upper) - 1):
        sheet.merge_cells(start_row=top, end_row=top, start_column=column, end_column=column + 1)
    book.save(path)
    return path


def e70_file(made: Draft, path: Path) -> Path:
    """Write a total and a block of signatures below the list."""
    count = len(made.rows)
    total = made.rng.choice((f"Tổng cộng: {count}", f"Tổng số: {count} trẻ", f"Cộng: {count}"))
    below: list[list[Any]] = [[total], [], [None, None, "Ngày 20 tháng 6 năm 2025"],
                              ["NGƯỜI LẬP BIỂU", None, None, made.rng.choice(("CHỦ TỊCH", "TM. ỦY BAN NHÂN DÂN"))],
                              ["(Ký, ghi rõ họ tên)", None, None, "(Ký tên, đóng dấu)"], [],
                              [made.nation.name("female"), None, None, made.nation.name("male")]]  # fmt: skip
    return save(path, [made.header(), *(typed(made, row) for row in made.rows), *below])


def e71_file(made: Draft, path: Path) -> Path:
    """Write rows that hold nothing but a hamlet's name, with the hamlet's children below."""
    made.columns = [name for name in made.columns if name != "thon" or made.rng.random() < 0.5]
    hamlets = made.rng.choice(
        (["Thôn 1", "Thôn 2", "Thôn 3"], ["Bản Nà Lốc", "Bản Hin"], ["Tổ dân phố 12", "Tổ dân phố 14"])
    )
    ordered, rows = sorted(made.rows, key=lambda row: made.rows.index(row) % len(hamlets)), [made.header()]
    last = ""
    for row in ordered:
        row["thon"] = hamlets[made.rows.index(row) % len(hamlets)]
        if row["thon"] != last:
            last = row["thon"]
            rows.append([last])
        shown = {**row, "thon": None}
        rows.append(typed(made, shown))
    made.rows = ordered
    return save(path, rows)


def e72_file(made: Draft, path: Path) -> Path:
    """Write a list with hidden rows, columns or sheets."""
    book = Workbook()
    sheet = book.active
    for row in [made.header(), *(typed(made, row) for row in made.rows)]:
        sheet.append(row)
    kind = made.rng.choice(("rows", "columns", "sheet", "several"))
    if kind == "rows":
        for place in made.rng.sample(range(len(made.rows)), 3):
            sheet.row_dimensions[place + 2].hidden = True
            made.extra.append((place, rules("STRUCT-HIDDEN")))
    elif kind == "columns":
        sheet.column_dimensions["C"].hidden = True
        made.finds = rules("STRUCT-HIDDEN")
    elif kind == "sheet":
        other = book.create_sheet("Cũ")
        other.append(made.header())
        other.append(typed(made, {**made.nation.child(7), "stt": "1"}))
        other.sheet_state = made.rng.choice(("hidden", "veryHidden"))
        made.finds = rules("STRUCT-HIDDEN")
    else:
        half = len(made.rows) // 2
        sheet.delete_rows(half + 2, len(made.rows))
        other = book.create_sheet("Thôn khác")
        for row in [made.header(), *(typed(made, row) for row in made.rows[half:])]:
            other.append(row)
    book.save(path)
    return path


def e73_file(made: Draft, path: Path) -> Path:
    """Write a CSV as Vietnamese desks save it."""
    encoding, sign = made.rng.choice((("utf-8-sig", ";"), ("utf-8-sig", ","), ("utf-16", "\t"), ("utf-16", ";"), ("utf-8", ";"),
                                      ("utf-8", "\t")))  # fmt: skip
    path = path.with_suffix(".csv")
    path.write_bytes(_csv_text(made, sign, made.rng.choice(("\r\n", "\n"))).encode(encoding))
    return path


def _csv_text(made: Draft, sign: str, line_end: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sign, lineterminator=line_end)
    writer.writerow(made.header())
    writer.writerows([cell or "" for cell in made.cells(row)] for row in made.rows)
    return text.getvalue()


def html_file(made: Draft, path: Path) -> Path:
    """Write a page with one table under the name of a workbook."""
    lines = [made.header(), *(made.cells(row) for row in made.rows)]
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell or ''))}</td>" for cell in line) + "</tr>" for line in lines
    )
    path = path.with_suffix(".xls")
    path.write_text(
        f'<html><head><meta charset="utf-8"></head><body><table border=1>{body}</table></body></html>',
        encoding="utf-8",
    )
    return path


def tab_text_file(made: Draft, path: Path) -> Path:
    """Write tab text under the name of a workbook."""
    path = path.with_suffix(".xls")
    path.write_text(_csv_text(made, "\t", "\n"), encoding="utf-8")
    return path


def _gives(made: Draft, row: Row) -> dict[str, Any]:
    gives = {"ho_ten_tre": row["ho_ten_tre"], "ngay_sinh": row["_birth"].isoformat(), "gioi_tinh": row["_sex"],
             "commune_id": row["_unit"], "outcome": "accepted", "dan_toc": ETHNIC[row["dan_toc"]], "thon": row["thon"]}  # fmt: skip
    gives |= {
        name: row[name] for name in ("so_dinh_danh", "ho_ten_me", "nam_sinh_cha") if name in made.columns
    }
    return gives


def _cases(made: Draft) -> list[Case]:
    marked = dict(made.extra)
    return [
        Case(row, _gives(made, row), marked.get(place, made.finds)) for place, row in enumerate(made.rows)
    ]


def by_command(write: Writer) -> Callable[[random.Random, Nation, int], Iterator[Batch]]:
    """Return a maker of files that are read by the command, many at once."""

    def make(rng: random.Random, nation: Nation, count: int) -> Iterator[Batch]:
        done = 0
        while done < count:
            drafts = []
            while len(drafts) < FILES_AT_ONCE and done < count:
                drafts.append(draft(rng, nation, rng.choice(FILE_ROWS if count > 1000 else FILE_ROWS[:1])))
                done += len(drafts[-1].rows)
            yield from _read_by_command(drafts, write)

    return make


def _read_by_command(drafts: list[Draft], write: Writer) -> Iterator[Batch]:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        files = [write(made, source / f"{place:04d}.xlsx") for place, made in enumerate(drafts)]
        with contextlib.redirect_stdout(io.StringIO()):
            main(["clean", str(source), "--out", str(out)])
        ledger = {
            entry["file"]: entry for entry in json.loads((out / "ledger.json").read_text(encoding="utf-8"))
        }
        records, findings = pq.read_table(out / "records.parquet"), pq.read_table(out / "findings.parquet")
    for made, path in zip(drafts, files, strict=True):
        sha = ledger[path.name]["file_sha256"]
        own = records.filter(pa.compute.equal(records["file_sha256"], sha))
        told = findings.filter(pa.compute.equal(findings["file_sha256"], sha))
        yield _batch(made, own, told)


def _batch(made: Draft, records: pa.Table, findings: pa.Table) -> Batch:
    """Return a file with its cases; where the count of rows is off, every row of it is told as wrong."""
    cases = _cases(made)
    if records.num_rows != len(cases):
        cases = [
            Case(case.row, {**case.gives, "outcome": f"one of {len(cases)} rows"})
            for case in cases[: records.num_rows]
        ]
    return Batch(records, findings, list(enumerate(cases)))


def e73(rng: random.Random, nation: Nation, count: int) -> Iterator[Batch]:
    """Yield CSV files of every make; Windows-1258 is declared by its dataset, everything else is seen from the bytes."""
    yield from by_command(e73_file)(rng, nation, count - count // 4)
    yield from _by_reader(rng, nation, count // 4, _cp1258_file, ReadOptions(declared_encoding="cp1258"))


def _cp1258_file(made: Draft, path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_bytes(_csv_text(made, ",", "\r\n").translate(_half_composed()).encode("cp1258"))
    return path


def _half_composed() -> dict[int, str]:
    """Return letters as Windows-1258 holds them: the vowel with its hat, then the tone."""
    import unicodedata

    table: dict[int, str] = {}
    for code in range(0xC0, 0x1EFA):
        parts = unicodedata.normalize("NFD", chr(code))
        tones = [mark for mark in parts[1:] if mark in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones))
        if len(tones) == 1 and len(base) == 1:
            table[code] = base + tones[0]
    return table


def _by_reader(
    rng: random.Random, nation: Nation, count: int, write: Writer, options: ReadOptions
) -> Iterator[Batch]:
    done = 0
    while done < count:
        made = draft(rng, nation, rng.choice(FILE_ROWS if count > 1000 else FILE_ROWS[:1]))
        with tempfile.TemporaryDirectory() as folder:
            cleaned = clean(read_file(write(made, Path(folder) / "0001.xlsx"), options=options), as_of=DAY)
        yield _batch(made, cleaned.records, cleaned.findings)
        done += len(made.rows)


def e74(rng: random.Random, nation: Nation, count: int) -> Iterator[Batch]:
    """Yield pages and tab text named .xls: read where the dataset declares pages, refused by their content else."""
    yield from _by_reader(rng, nation, count // 2, html_file, ReadOptions(allow_html=True))
    for place in range(max(1, count // 1000)):
        made = draft(rng, nation, 10)
        with tempfile.TemporaryDirectory() as folder:
            write = (html_file, tab_text_file)[place % 2]
            reading = read_file(write(made, Path(folder) / "0001.xlsx"), options=ReadOptions())
        cleaned = clean(reading, as_of=DAY)
        told = Case({}, {"count": 0, "outcome": "reject_file"}, rules("FILE-TYPE"))
        yield Batch(
            pa.table({"count": [cleaned.records.num_rows], "outcome": [cleaned.ledger.outcome]}),
            cleaned.findings,
            [(0, told)],
        )


BATCHES = {
    "E69": by_command(e69_file),
    "E70": by_command(e70_file),
    "E71": by_command(e71_file),
    "E72": by_command(e72_file),
    "E73": e73,
    "E74": e74,
}
