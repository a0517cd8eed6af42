"""Cells of a worksheet, streamed: a fast splitter for the plain dialect, expat for every other one.

Both give the same cells. The splitter accepts a sheet only when each byte between two rows and in each cell fits its
grammar; anything else (prefixes, rich text, comments, pretty printing) makes it step aside for expat.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np

from childdb.reading.cell_values import stored_text
from childdb.reading.grid import Grid, build_grid, column_number
from childdb.reading.reasons import FileStopped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from childdb.reading.cell_values import CellResolver
    from childdb.reading.model import Limits

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
_ATTRIBUTE = re.compile(r'([A-Za-z:]+)="([^"<]*)"')
_CELL = re.compile(
    r'((?: [A-Za-z:]+="[^"<]*")*) ?'
    r"(?:/>|>(<f(?: [^>]*?)?(?:/>|>([^<]*)</f>))?"
    r'(?:<v(?: xml:space="preserve")?>([^<]*)</v>|<v ?/>)?'
    r'(?:<is>(?:<t(?: xml:space="preserve")?>([^<]*)</t>|<t ?/>)?</is>)?</c>)'
)
_SHARED_CELL = re.compile(r'(?: s="\d+")? t="s"><v>(\d+)</v></c>')
_ROW_HEAD = re.compile(r'r="(\d{1,8})"((?: [A-Za-z0-9:]+="[^"<]*")*) ?(/?)>')
_REFERENCE = re.compile(r"\$?([A-Z]{1,4})\$?(\d{1,8})")
_RANGE = re.compile(r"([A-Z]{1,4})(\d{1,8})(?::([A-Z]{1,4})(\d{1,8}))?$")
_HIDDEN = re.compile(r'\bhidden="(?:1|true)"')
_COLUMN_TAG = re.compile(r"<col\b[^>]*>")


class NotPlainError(Exception):
    """The sheet is not in the dialect of the fast splitter."""


@dataclass(slots=True)
class SheetCells:
    """What a worksheet part holds, before it becomes a matrix."""

    resolver: CellResolver
    limits: Limits
    rows: list[np.ndarray] = field(default_factory=list)
    columns: list[np.ndarray] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    dimension: str | None = None
    cell_count: int = 0
    marked_rows: int = 0
    """Rows with value markup, counted apart from the cells: the second way of counting."""
    blank_rows: int = 0
    has_filter: bool = False
    largest_row: int = 0
    largest_column: int = 0

    def add(self, rows: list[int], columns: list[int], numbers: list[int]) -> None:
        """Add cells of some rows; the bounds of the sheet and of the limits are checked here."""
        if not rows:
            return
        row_array = np.array(rows, dtype=np.int64)
        column_array = np.array(columns, dtype=np.int64)
        self.largest_row = max(self.largest_row, int(row_array.max()))
        self.largest_column = max(self.largest_column, int(column_array.max()))
        self.cell_count += len(rows)
        outside = self.largest_row > MAX_ROW or self.largest_column > MAX_COLUMN or int(row_array.min()) < 1
        if outside or self.cell_count > self.limits.cells:
            raise FileStopped("FILE-GRID")
        self.rows.append(row_array.astype(np.int32))
        self.columns.append(column_array.astype(np.int32))
        self.numbers.append(np.array(numbers, dtype=np.int32))

    def grid(self, sheet: str) -> Grid:
        """Return the sheet as a matrix; a sheet spread over an absurd area is refused first."""
        if not self.rows:
            return build_grid(sheet, self.resolver.values, *(np.zeros(0, dtype=np.int32),) * 3)
        rows, columns = np.concatenate(self.rows), np.concatenate(self.columns)
        area = self.largest_row * self.largest_column
        if area > self.limits.cells * 8 and self.cell_count * 1000 < area:
            raise FileStopped("FILE-GRID")
        grid = build_grid(sheet, self.resolver.values, rows, columns, np.concatenate(self.numbers))
        if grid.cells.size > self.limits.cells * 2:
            raise FileStopped("FILE-GRID")
        self._check_unique(rows, columns)
        self._count_again(grid)
        grid.merges = self.merges
        grid.hidden_rows = frozenset(self.hidden_rows)
        grid.hidden_columns = frozenset(self.hidden_columns)
        if self._dimension_lies(grid):
            grid.remarks.add("FILE-DIMENSION")
        return grid

    def _check_unique(self, rows: np.ndarray, columns: np.ndarray) -> None:
        """Two cells at one address are refused: which one counts would depend on the reader."""
        places = rows.astype(np.int64) * (MAX_COLUMN + 1) + columns
        if np.all(places[1:] > places[:-1]):
            return
        if len(np.unique(places)) != len(places):
            raise FileStopped("FILE-GRID")

    def _count_again(self, grid: Grid) -> None:
        if grid.row_count + self.blank_rows != self.marked_rows:
            raise FileStopped("FILE-XML")

    def _dimension_lies(self, grid: Grid) -> bool:
        match = _RANGE.match(self.dimension or "")
        if not match or not grid.row_count:
            return False
        last_row = int(match[4] or match[2])
        last_column = column_number(match[3] or match[1])
        used_row, used_column = int(grid.row_nos[-1]), int(grid.column_nos[-1])
        too_small = last_row < used_row or last_column < used_column
        return too_small or last_row > used_row + 100_000 or last_column > used_column + 8_000


def read_sheet(
    chunks: Iterable[bytes], again: Iterable[bytes], resolver: CellResolver, limits: Limits
) -> SheetCells:
    """Return the cells of a worksheet part; ``again`` is the same part for a second pass, used if needed."""
    try:
        return _split_sheet(chunks, SheetCells(resolver, limits))
    except (NotPlainError, UnicodeDecodeError):
        return _parse_sheet(again, SheetCells(resolver, limits))


def _split_sheet(chunks: Iterable[bytes], cells: SheetCells) -> SheetCells:
    text = _texts(chunks)
    rest = _read_prefix(text, cells)
    splitter = _RowSplitter(cells)
    for piece in text:
        rest += piece
        end = rest.find("</sheetData>")
        if end >= 0:
            splitter.take(rest[:end])
            _read_suffix(rest[end:] + "".join(text), cells)
            return cells
        cut = rest.rfind("<row ")
        if cut > 0:
            splitter.take(rest[:cut])
            rest = rest[cut:]
    raise NotPlainError


def _texts(chunks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    for chunk in chunks:
        if b"<!" in chunk:
            raise NotPlainError
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _read_prefix(text: Iterator[str], cells: SheetCells) -> str:
    """Read what stands before the rows; return the text that follows ``<sheetData>``."""
    rest = ""
    for piece in text:
        rest += piece
        match = re.search(r"<sheetData(/?)>", rest)
        if match:
            _note_prefix(rest[: match.start()], cells)
            if match[1]:
                rest = rest[: match.end()] + "</sheetData>" + rest[match.end() :]
            return rest[match.end() :]
        if len(rest) > 1 << 22:
            break
    raise NotPlainError


def _note_prefix(prefix: str, cells: SheetCells) -> None:
    head = re.match(r"\ufeff?\s*(?:<\?xml [^>]*\?>)?\s*<worksheet[\s>]", prefix)
    if head is None or re.search(r"<\?xml [^>]*encoding=[\"'](?!utf-8)", prefix, re.I):
        raise NotPlainError
    dimension = re.search(r'<dimension ref="([^"]*)"', prefix)
    cells.dimension = dimension[1] if dimension else None
    for tag in _COLUMN_TAG.findall(prefix):
        if _HIDDEN.search(tag):
            bounds = dict(_ATTRIBUTE.findall(tag))
            note_hidden_columns(cells, bounds.get("min"), bounds.get("max"))


def note_hidden_columns(cells: SheetCells, first: str | None, last: str | None) -> None:
    """Remember hidden columns; a range to the sheet's edge only hides the empty remainder."""
    if first and last and first.isdigit() and last.isdigit():
        cells.hidden_columns.update(range(int(first), min(int(last), int(first) + 255, MAX_COLUMN) + 1))


def _read_suffix(suffix: str, cells: SheetCells) -> None:
    for reference in re.findall(r'<mergeCell ref="([^"]*)"', suffix):
        note_merge(cells, reference)
    cells.has_filter = "<filterColumn" in suffix


def note_merge(cells: SheetCells, reference: str) -> None:
    """Remember a merged range by its corner coordinates."""
    match = _RANGE.match(reference)
    if match and match[3] and len(cells.merges) < 200_000:
        cells.merges.append((int(match[2]), column_number(match[1]), int(match[4]), column_number(match[3])))


@dataclass(slots=True)
class _RowSplitter:
    """Splits whole rows at their tags; each distinct cell text is understood once."""

    cells: SheetCells
    known: dict[str, int] = field(default_factory=dict)
    column_of: dict[str, int] = field(default_factory=dict)
    blank_texts: set[str] = field(default_factory=set)
    last_row: int = 0

    def take(self, text: str) -> None:
        """Take the text of whole rows."""
        pieces = text.split("<row ")
        if pieces[0].strip():
            raise NotPlainError
        rows: list[int] = []
        columns: list[int] = []
        numbers: list[int] = []
        for piece in pieces[1:]:
            self._row(piece, rows, columns, numbers)
        self.cells.add(rows, columns, numbers)

    def _row(self, piece: str, rows: list[int], columns: list[int], numbers: list[int]) -> None:
        head = _ROW_HEAD.match(piece)
        if head is None:
            raise NotPlainError
        row_no = int(head[1])
        if row_no <= self.last_row:
            raise NotPlainError
        self.last_row = row_no
        if "hidden=" in head[2] and _HIDDEN.search(head[2]):
            self.cells.hidden_rows.add(row_no)
        if head[3]:
            self._check_tail(piece[head.end() :])
            return
        body, tag, tail = piece[head.end() :].partition("</row>")
        if not tag:
            raise NotPlainError
        self._check_tail(tail)
        if "<v>" in body or "<t" in body or "<f" in body or "<v " in body:
            self.cells.marked_rows += 1
            self._cells(body, head[1], row_no, (rows, columns, numbers))

    def _check_tail(self, tail: str) -> None:
        if tail and not tail.isspace():
            raise NotPlainError

    def _cells(
        self, body: str, row_text: str, row_no: int, into: tuple[list[int], list[int], list[int]]
    ) -> None:
        """Take the cells of a row: all contents and all references at once, one by one only where one is new."""
        pieces = [piece.partition('"') for piece in body.split('<c r="')]
        if pieces[0] != ("", "", ""):
            raise NotPlainError
        del pieces[0]
        known = self.known
        numbers = [known.get(rest, -1) for _, _, rest in pieces]
        if -1 in numbers:
            numbers = [self._understand(pieces[at][2]) if n < 0 else n for at, n in enumerate(numbers)]
        self._keep(row_no, self._places([piece[0] for piece in pieces], row_text, row_no), numbers, into)

    def _places(self, references: list[str], row_text: str, row_no: int) -> list[int]:
        """Return the columns of references that all end in the row's own number."""
        joined = "|".join(references) + "|"
        letters = joined.replace(f"{row_text}|", "|")
        if len(joined) - len(letters) != len(references) * len(row_text):
            raise NotPlainError
        try:
            return [self.column_of[letter] for letter in letters[:-1].split("|")]
        except KeyError:
            return [self._place(reference, row_no) for reference in references]

    def _keep(
        self, row_no: int, places: list[int], numbers: list[int], into: tuple[list[int], list[int], list[int]]
    ) -> None:
        if 0 in numbers:
            places = [place for place, number in zip(places, numbers, strict=True) if number]
            numbers = [number for number in numbers if number]
        if not numbers:
            self.cells.blank_rows += 1
            return
        into[0].extend([row_no] * len(numbers))
        into[1].extend(places)
        into[2].extend(numbers)

    def _place(self, reference: str, row_no: int) -> int:
        match = _REFERENCE.fullmatch(reference)
        if match is None or int(match[2]) != row_no:
            raise NotPlainError
        column = column_number(match[1])
        self.column_of[match[1]] = column
        self.cells.largest_column = max(self.cells.largest_column, column)
        if column > MAX_COLUMN:
            raise FileStopped("FILE-GRID")
        return column

    def _understand(self, rest: str) -> int:
        number = self.known.get(rest)
        if number is None:
            shared = _SHARED_CELL.fullmatch(rest)
            number = self.cells.resolver.shared_number(shared[1]) if shared else self._understand_other(rest)
            self.known[rest] = number
        return number

    def _understand_other(self, rest: str) -> int:
        match = _CELL.fullmatch(rest)
        if match is None:
            raise NotPlainError
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        style = attributes.get("s", "0")
        formula = None if match[2] is None else (match[3] or "")
        return self.cells.resolver.resolve(
            attributes.get("t", "n"),
            int(style) if style.isdigit() else 0,
            formula,
            match[4],
            _inline_text(match[5]),
        )


def _inline_text(raw: str | None) -> str | None:
    return None if raw is None else stored_text(raw)


def _parse_sheet(chunks: Iterable[bytes], cells: SheetCells) -> SheetCells:
    from childdb.reading.sheet_expat import ExpatSheet

    engine = ExpatSheet(cells)
    try:
        for chunk in chunks:
            engine.feed(chunk)
        engine.close()
    except expat.ExpatError:
        raise FileStopped("FILE-XML") from None
    return cells
