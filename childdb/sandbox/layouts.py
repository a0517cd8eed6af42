"""How lists look: which columns, header rows, hamlet rows, totals, signatures; turned into a plain grid of cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from childdb.sandbox.cells import Cell, Sheet, circumstance_numbers, groups_of, typed_dates
from childdb.sandbox.geography import date_of
from childdb.sandbox.reference_tables import rows_of

BIDI, EMOJI = "\u202e", "\U0001f600"
_CORE = (
    "ho_ten_tre ngay_sinh gioi_tinh dan_toc so_dinh_danh so_khai_sinh da_dang_ky_khai_sinh ho_ten_cha so_dinh_danh_cha ho_ten_me so_dinh_danh_me "
    "dien_thoai_me hoan_canh_dac_biet nguy_co ho_ngheo ho_tro tinh_trang_hoc_tap bien_dong ngay_bien_dong ngay_cap_nhat"
).split()
_PARENTS = (
    "ho_ten_cha nam_sinh_cha so_dinh_danh_cha ho_ten_me nam_sinh_me so_dinh_danh_me dien_thoai_me"
).split()


class Circumstances(Enum):
    """How special circumstances are shown."""

    MARKS = "x under the name of each group"
    NUMBERED_MARKS = "x under the number of each group"
    NUMBERS = "numbers of groups in one cell"
    WORDS = "words of the decree in one cell"


@dataclass(frozen=True)
class Broken:
    """A cell that holds an error value."""

    value: str = "#N/A"


@dataclass(frozen=True)
class Layout:
    """One way a list is laid out."""

    key: str
    columns: tuple[str, ...]
    titled: bool = False
    dated_title: bool = False
    merged_header: bool = False
    sex_marks: bool = False
    circumstances: Circumstances = Circumstances.WORDS
    numbering: bool = False
    hamlet_rows: bool = False
    sub_totals: bool = False
    total: bool = False
    signature: bool = False
    lookup_sheet: bool = False
    real_dates: bool = False
    blank_rows: bool = False
    sheet_name: str = "Danh sách"


@dataclass
class Grid:
    """Rows of cells, merged areas, and where the children stand (row numbers from 1)."""

    rows: list[list[Cell | Broken]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    child_rows: list[int] = field(default_factory=list)
    header_row: int = 0

    def add(self, cells: list[Cell | Broken]) -> int:
        """Append a row and return its number."""
        self.rows.append(cells)
        return len(self.rows)

    def physical_rows(self) -> int:
        """Return how many rows hold a non-blank cell."""
        return sum(any(cell is not None and cell != "" for cell in row) for row in self.rows)


def _all_columns() -> tuple[str, ...]:
    return tuple(row["column"] for row in rows_of("export_columns"))


def headers() -> dict[str, str]:
    """Return the usual header of each column."""
    return {row["column"]: row["header_seen_or_expected"] for row in rows_of("export_columns")}


def layouts() -> tuple[Layout, ...]:
    """Return the layouts in the order in which lists take them."""
    place = ("tinh", "huyen", "xa", "thon")
    middle = ("stt", *_CORE[:5], "ma_ho", *place, *_CORE[5:], "lop", "tiem_chung", "can_nang")
    short = (
        "stt",
        "ho_ten_tre",
        "ngay_sinh",
        "gioi_tinh",
        "dan_toc",
        "so_dinh_danh",
        "ma_ho",
        *_PARENTS,
        "so_khai_sinh",
        "da_dang_ky_khai_sinh",
        "hoan_canh_dac_biet",
        "nguy_co",
        "ho_ngheo",
        "ho_tro",
        "tinh_trang_hoc_tap",
        "bien_dong",
        "ngay_bien_dong",
        "ngay_cap_nhat",
        "ghi_chu",
    )
    return (
        Layout(
            "merged_header_marks",
            short,
            titled=True,
            dated_title=True,
            merged_header=True,
            sex_marks=True,
            circumstances=Circumstances.MARKS,
            numbering=True,
            hamlet_rows=True,
            total=True,
            signature=True,
        ),
        Layout("plain_export", _all_columns(), sheet_name="Sheet1"),
        Layout(
            "signed_list",
            middle,
            titled=True,
            circumstances=Circumstances.NUMBERS,
            total=True,
            signature=True,
            sheet_name="DS tre em",
        ),
        Layout(
            "sub_totals",
            short,
            titled=True,
            dated_title=True,
            merged_header=True,
            circumstances=Circumstances.NUMBERED_MARKS,
            numbering=True,
            hamlet_rows=True,
            sub_totals=True,
            total=True,
            signature=True,
            sheet_name="Biểu 01",
        ),
        Layout(
            "with_lookups",
            ("stt", "ma_tre", *middle[1:]),
            dated_title=True,
            titled=True,
            lookup_sheet=True,
            sheet_name="Trẻ em",
        ),
        Layout(
            "reordered",
            tuple(reversed(middle[1:])),
            titled=True,
            dated_title=True,
            real_dates=True,
            blank_rows=True,
            numbering=True,
            sheet_name="Sheet2",
        ),
    )


def flat_layout() -> Layout:
    """Return the layout of CSV files: all columns, one header row."""
    return Layout("flat_file", _all_columns())


@dataclass(frozen=True)
class _Leaf:
    """One physical column: its column, its own header and the header above it."""

    column: str
    header: str
    above: str | None = None
    mark: str | None = None


def _leaves(layout: Layout) -> list[_Leaf]:
    texts = headers()
    groups = [row for row in rows_of("codes_special_circumstances") if not row["subgroup_code"]]
    leaves: list[_Leaf] = []
    for column in layout.columns:
        if column == "thon" and layout.hamlet_rows:
            continue
        if column == "gioi_tinh" and layout.sex_marks:
            leaves += [
                _Leaf(column, label, texts[column], mark) for label, mark in (("Nam", "0"), ("Nữ", "1"))
            ]
        elif column == "hoan_canh_dac_biet" and layout.circumstances in (
            Circumstances.MARKS,
            Circumstances.NUMBERED_MARKS,
        ):
            by_name = layout.circumstances is Circumstances.MARKS
            leaves += [
                _Leaf(
                    column,
                    row["name_vi"] if by_name else str(int(row["group_code"][2:])),
                    texts[column],
                    row["group_code"],
                )
                for row in groups
            ]
        elif layout.merged_header and column.endswith(("_cha", "_me")):
            leaves.append(
                _Leaf(column, texts[column], "Thông tin cha" if column.endswith("_cha") else "Thông tin mẹ")
            )
        else:
            leaves.append(_Leaf(column, texts[column]))
    return leaves


def build_grid(layout: Layout, sheet: Sheet, *, flat: bool = False) -> Grid:
    """Return the list as rows of cells."""
    grid, leaves = Grid(), _leaves(layout)
    if layout.titled:
        _title(grid, layout, sheet)
    _header(grid, layout, leaves)
    _children(grid, layout, sheet, leaves, flat=flat)
    if layout.total:
        grid.add([f"Tổng cộng: {len(sheet)}"])
    if layout.signature:
        _signature(grid, sheet, len(leaves))
    return grid


def _title(grid: Grid, layout: Layout, sheet: Sheet) -> None:
    place, day = sheet.place, date_of(sheet.unit.day)
    right: list[Cell | Broken] = [None] * 5
    grid.add([f"ỦY BAN NHÂN DÂN {place.commune.upper()}", *right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"])
    grid.add(
        [
            f"{place.commune}, {place.district}, {place.province}"
            if place.district
            else f"{place.commune}, {place.province}",
            *right,
            "Độc lập - Tự do - Hạnh phúc",
        ]
    )
    grid.add([])
    grid.add([None, None, "DANH SÁCH TRẺ EM TRÊN ĐỊA BÀN"])
    if layout.dated_title:
        grid.add([None, None, f"(Tính đến ngày {day:%d/%m/%Y})"])
    grid.add([])


def _header(grid: Grid, layout: Layout, leaves: list[_Leaf]) -> None:
    two = any(leaf.above for leaf in leaves)
    grid.header_row = len(grid.rows) + 1
    if two:
        top: list[Cell | Broken] = []
        for place, leaf in enumerate(leaves):
            first = leaf.above is not None and (place == 0 or leaves[place - 1].above != leaf.above)
            top.append(leaf.header if leaf.above is None else leaf.above if first else None)
        row = grid.add(top)
        grid.add([leaf.header if leaf.above else None for leaf in leaves])
        grid.merges += _merged(leaves, row)
    else:
        grid.add([leaf.header for leaf in leaves])
    if layout.numbering:
        grid.add([f"({place + 1})" for place in range(len(leaves))])


def _merged(leaves: list[_Leaf], row: int) -> list[tuple[int, int, int, int]]:
    """Return merged areas: single headers over two rows, shared ones over their columns (rows and columns from 1)."""
    areas, place = [], 0
    while place < len(leaves):
        end = place
        if leaves[place].above is None:
            areas.append((row, place + 1, row + 1, place + 1))
        else:
            while end + 1 < len(leaves) and leaves[end + 1].above == leaves[place].above:
                end += 1
            if end > place:
                areas.append((row, place + 1, row, end + 1))
        place = end + 1
    return areas


def _children(grid: Grid, layout: Layout, sheet: Sheet, leaves: list[_Leaf], *, flat: bool) -> None:
    columns = [_values(layout, sheet, leaf, flat=flat) for leaf in leaves]
    name_at = next(place for place, leaf in enumerate(leaves) if leaf.column == "ho_ten_tre")
    hamlets = sheet.expected["thon"]
    begun = 0
    for row in range(len(sheet)):
        if layout.hamlet_rows and (row == 0 or hamlets[row] != hamlets[row - 1]):
            if layout.sub_totals and row:
                grid.add([None, f"Cộng: {row - begun}"])
            begun = row
            grid.add([str(hamlets[row])])
        if layout.blank_rows and row and row % 40 == 0:
            grid.add([])
        cells = [column[row] for column in columns]
        grid.child_rows.append(grid.add(_damaged(cells, sheet.held[row], name_at)))
    if layout.sub_totals and len(sheet):
        grid.add([None, f"Cộng: {len(sheet) - begun}"])


def _damaged(cells: list[Cell | Broken], reason: str | None, name_at: int) -> list[Cell | Broken]:
    """Return the row with the damage for which it must be held."""
    if reason == "CELL-ERROR":
        cells[name_at] = Broken()
    elif reason == "CELL-BIDI":
        cells[name_at] = f"{cells[name_at] or 'Bé'}{BIDI}"
    elif reason == "CELL-SCRIPT":
        cells[name_at] = f"{cells[name_at] or 'Bé'} {EMOJI}"
    elif reason == "ROW-SHIFT":
        return [None, *cells]
    return cells


def _values(layout: Layout, sheet: Sheet, leaf: _Leaf, *, flat: bool) -> list[Cell | Broken]:
    count = len(sheet)
    if leaf.column == "gioi_tinh" and leaf.mark is not None:
        return ["x" if str(code) == leaf.mark else None for code in sheet.written.sex_code]
    if leaf.column == "hoan_canh_dac_biet":
        codes = sheet.details.circumstances
        if leaf.mark is not None:
            return ["x" if leaf.mark in groups_of(each) else None for each in codes]
        if layout.circumstances is Circumstances.NUMBERS:
            return [circumstance_numbers(each) for each in codes]
    if leaf.column == "ngay_sinh" and not flat:
        return list(typed_dates(sheet))
    if leaf.column in ("ngay_cap_nhat", "ngay_dang_ky_khai_sinh") and layout.real_dates and not flat:
        return [_real_date(cell) for cell in sheet.typed[leaf.column]]
    values = sheet.typed.get(leaf.column, [None] * count)
    return list(values) if flat else _numbered(leaf.column, sheet, values)


def _real_date(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    form = "%d/%m/%Y %H:%M" if ":" in cell else "%d/%m/%Y"
    read = dt.datetime.strptime(cell, form)
    return read if ":" in cell else read.date()


def _numbered(column: str, sheet: Sheet, values: list[Cell]) -> list[Cell | Broken]:
    """Return long numbers as number cells where the officer's sheet lost their zeros."""
    marks = sheet.written.marks
    if column == "so_dinh_danh":
        lost: Sequence[bool] = marks.has("E02").tolist()
    elif column in ("so_dinh_danh_cha", "so_dinh_danh_me"):
        lost = [isinstance(value, str) and value.isdigit() and len(value) in (10, 11) for value in values]
    elif column == "dien_thoai_me":
        lost = marks.has("P-zero").tolist()
    else:
        return list(values)
    return [
        int(value) if flag and isinstance(value, str) else value
        for value, flag in zip(values, lost, strict=True)
    ]


def _signature(grid: Grid, sheet: Sheet, width: int) -> None:
    day = date_of(sheet.unit.day)
    right = max(4, min(width - 3, 8))
    blank: list[Cell | Broken] = [None]
    grid.add([])
    grid.add([*blank * right, f"{sheet.place.commune}, ngày {day.day} tháng {day.month} năm {day.year}"])
    grid.add([None, "NGƯỜI LẬP BIỂU", *blank * (right - 2), "TM. ỦY BAN NHÂN DÂN"])
    grid.add([None, "(Ký, ghi rõ họ tên)", *blank * (right - 2), "(Ký tên, đóng dấu)"])


def expected_columns(layout: Layout, sheet: Sheet) -> dict[str, list[object]]:
    """Return what each column should become, given what this layout shows of it."""
    shown = set(layout.columns) | {
        "tinh",
        "xa",
        "ngay_sinh_precision",
        "birth_year",
        "birth_month",
        "updated_at",
    }
    shown |= {"thon"} if layout.hamlet_rows else set()
    found = {name: values for name, values in sheet.expected.items() if name in shown}
    if layout.circumstances is not Circumstances.WORDS:
        found["hoan_canh_dac_biet"] = [groups_of(codes) for codes in sheet.details.circumstances]
    if layout.sex_marks:
        found["gioi_tinh"] = [
            None if code < 0 else ("male", "female")[code] for code in sheet.written.sex_code
        ]
    return found
