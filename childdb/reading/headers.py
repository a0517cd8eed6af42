"""Where the header of a sheet is and what each of its columns means."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from childdb.reading.column_map import HeaderMatch
from childdb.reading.grid import column_letters
from childdb.reading.keys import fold
from childdb.reading.legacy_text import readings
from childdb.reading.proposals import propose_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from childdb.reading.column_map import ColumnMap
    from childdb.reading.grid import Grid

_LOOK_ROWS = 80
_TALLEST = 4
_SAMPLE = 200
_CONVINCING = 9.0
_BEYOND = 8
_FEW_KNOWN = 3
_ENOUGH_TOLD = 4
_WIDE_HEADER = 4
_HAS_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}", re.ASCII)
_NUMBERING_CELL = re.compile(
    r"\(?\s*(?:\d{1,3}|[A-Za-z]{1,2}|[ivxIVX]{1,5})\s*\)?(?:\s*=\s*[\d+\-()\s]+)?\)?"
)

Path = tuple[str, ...]


@dataclass(slots=True)
class Header:
    """A header found: its rows, and for each column of the grid the texts above it and what they mean."""

    first: int
    last: int
    paths: list[Path]
    matches: list[HeaderMatch | None]
    proposals: dict[int, str] = field(default_factory=dict)
    """Grid column → why an unknown wording was taken for a known column."""
    encodings: tuple[str, ...] = ()

    @property
    def targets(self) -> set[str]:
        """Return the columns of the dataset that the header gives."""
        found = {match.column for match in self.matches if match}
        by_sex = any(match is not None and match.mode == "date_by_sex" for match in self.matches)
        return found | {"gioi_tinh"} if by_sex else found

    @property
    def signature(self) -> str:
        """Return a fingerprint of the header's wordings, in their order."""
        keys = ("/".join(map(fold, path)) for path in self.paths)
        return hashlib.sha256("|".join(keys).encode()).hexdigest()[:16]


class _Fill:
    """Header texts with merged cells spread over their range."""

    def __init__(self, grid: Grid, column_map: ColumnMap) -> None:
        self.grid = grid
        self.encodings: dict[tuple[int, str], str] = {}
        self.count = min(grid.row_count, _LOOK_ROWS)
        self.texts = [
            [self._readable(row, text.strip(" \u00a0"), column_map) for text in grid.row_texts(row)]
            for row in range(self.count)
        ]
        self.numbering = {row for row, texts in enumerate(self.texts) if is_numbering_row(texts)}
        self.spread = [list(row) for row in self.texts]
        self.known: dict[Path, HeaderMatch | None] = {}
        self.has_merges = False
        self._spread_merges()

    def _readable(self, row: int, text: str, column_map: ColumnMap) -> str:
        """Return a header text out of its old font where only that makes it a known one."""
        if text.isascii() or len(text) > 100 or column_map.find_exact(text):
            return text
        for encoding, read in readings(text):
            if column_map.find_exact(read):
                self.encodings[row, text] = encoding
                return read
        return text

    def _spread_merges(self) -> None:
        rows = {int(number): place for place, number in enumerate(self.grid.row_nos[: self.count])}
        columns = {int(number): place for place, number in enumerate(self.grid.column_nos)}
        for top, left, bottom, right in self.grid.merges:
            if top not in rows or left not in columns:
                continue
            self.has_merges = self.has_merges or right > left
            text = self.texts[rows[top]][columns[left]]
            for row_no in range(top, min(bottom, top + _TALLEST) + 1):
                for column_no in range(left, min(right, left + 400) + 1):
                    if row_no in rows and column_no in columns:
                        self.spread[rows[row_no]][columns[column_no]] = text

    def match(self, path: Path, column_map: ColumnMap) -> HeaderMatch | None:
        """Return what a path means; each is looked up once."""
        if path not in self.known:
            self.known[path] = column_map.match(path)
        return self.known[path]

    def paths(self, first: int, last: int) -> list[Path]:
        """Return the header texts above each column for a block of rows, top to bottom, repeats left out."""
        block = [list(self.spread[row]) for row in range(first, last + 1)]
        if not self.has_merges:
            self._spread_right(block)
        return [_distinct([row[column] for row in block]) for column in range(len(self.grid.column_nos))]

    def _spread_right(self, block: list[list[str]]) -> None:
        """Spread group headers over the columns right of them where the file has no merged cells (CSV)."""
        for upper, lower in pairwise(block):
            for column in range(1, len(upper)):
                if not upper[column] and lower[column] and upper[column - 1] and lower[column - 1]:
                    upper[column] = upper[column - 1]


def _distinct(texts: list[str]) -> Path:
    path: list[str] = []
    for text in texts:
        if text and (not path or fold(path[-1]) != fold(text)):
            path.append(text)
    return tuple(path)


def find_header(
    grid: Grid, column_map: ColumnMap, approved: Mapping[str, Mapping[str, str]]
) -> Header | None:
    """Return the header of a sheet, or None when no block of rows reads like one."""
    if not grid.row_count:
        return None
    fill = _Fill(grid, column_map)
    best: tuple[float, Header] | None = None
    for last in range(fill.count):
        if best is not None and last > best[1].last + _BEYOND and best[0] >= _CONVINCING:
            break
        if not _may_end_header(fill, last, column_map):
            continue
        for first in range(last, max(-1, last - _TALLEST), -1):
            if first in fill.numbering:
                break
            block = _judge(fill, first, last, column_map)
            score = _score(block, column_map)
            if best is None or score > best[0] + 1e-9:
                best = (score, block)
    header = best[1] if best is not None else None
    if header is not None:
        _finish(grid, fill, header, column_map, approved)
    if header is None or len(header.targets) < _FEW_KNOWN:
        return _by_content(grid, fill, column_map, approved) or header
    return header


def _finish(
    grid: Grid, fill: _Fill, header: Header, column_map: ColumnMap, approved: Mapping[str, Mapping[str, str]]
) -> None:
    """Give a header its fonts, the decisions of people, and proposals for what is left."""
    header.encodings = _old_fonts(fill, header)
    _apply_decisions(header, approved.get(header.signature, {}))
    propose_columns(grid, header, column_map)


def _by_content(
    grid: Grid, fill: _Fill, column_map: ColumnMap, approved: Mapping[str, Mapping[str, str]]
) -> Header | None:
    """Return a header whose wordings nobody knows, where what stands below tells most of the required columns."""
    row = _worded_row(fill)
    if row is None or column_map.rows_are_figures:
        return None
    header = _judge(fill, row, row, column_map)
    _finish(grid, fill, header, column_map, approved)
    return header if len(header.targets & {*column_map.required}) >= _ENOUGH_TOLD else None


def _worded_row(fill: _Fill) -> int | None:
    """Return the row that heads a table whose wordings nobody knows: many worded cells above rows of values."""
    for row in range(fill.count - 2):
        texts = [text for text in fill.texts[row] if text]
        worded = [text for text in texts if re.search(r"[^\W\d_]{2}", text) and not _HAS_DATE.search(text)]
        below = [sum(map(bool, fill.texts[later])) for later in (row + 1, row + 2)]
        is_wide = len(texts) >= _WIDE_HEADER and min(below) >= 0.5 * len(texts)
        distinct = len(set(map(fold, texts))) == len(texts)
        valued = any(any(letter.isdigit() for letter in text) for text in fill.texts[row + 1])
        if is_wide and distinct and valued and len(worded) >= len(texts) - 1:
            return row
    return None


def _old_fonts(fill: _Fill, header: Header) -> tuple[str, ...]:
    """Return the old fonts that at least two header texts are typed in."""
    used = Counter(name for (row, _), name in fill.encodings.items() if header.first <= row <= header.last)
    return tuple(sorted(name for name, count in used.items() if count >= 2))


def _may_end_header(fill: _Fill, row: int, column_map: ColumnMap) -> bool:
    """Return whether a row has at least two cells that the map knows alone or under the cells above."""
    texts = [text for text in fill.spread[row] if text]
    if row in fill.numbering or len(texts) < 2 or all(len(text) > 200 for text in texts):
        return False
    paths = fill.paths(max(0, row - 1), row)
    known = sum(
        1
        for column, text in enumerate(fill.spread[row])
        if text
        and (
            column_map.find_exact(text) or (len(paths[column]) > 1 and fill.match(paths[column], column_map))
        )
    )
    return known >= 2


def _judge(fill: _Fill, first: int, last: int, column_map: ColumnMap) -> Header:
    paths = fill.paths(first, last)
    matches = [fill.match(path, column_map) if path else None for path in paths]
    _settle_name_parts(paths, matches, column_map)
    _settle_date_parts(paths, matches, column_map)
    return Header(first, last, paths, matches)


def _settle_name_parts(paths: list[Path], matches: list[HeaderMatch | None], column_map: ColumnMap) -> None:
    """Read a surname column and a given-name column side by side as the one name of the child."""
    parts = {fold(name): int(part) for name, part in column_map.sub_labels.get("name_parts", {}).items()}
    found = {
        place: parts[fold(path[-1])]
        for place, path in enumerate(paths)
        if matches[place] is None and len(path) == 1 and fold(path[-1]) in parts
    }
    is_whole = any(match is not None and match.column == "ho_ten_tre" for match in matches)
    if is_whole or not found:
        return
    for place, part in found.items():
        if 1 in found.values() and 3 in found.values():
            matches[place] = HeaderMatch(
                "ho_ten_tre", 1.0, "part of the name", paths[place][-1], "name", part
            )
        elif part == 3:
            matches[place] = HeaderMatch("ho_ten_tre", 0.9, "known header")


def _settle_date_parts(paths: list[Path], matches: list[HeaderMatch | None], column_map: ColumnMap) -> None:
    """Read columns Day, Month, Year side by side without a header above them as the one birth date."""
    parts = {fold(name): int(part) for name, part in column_map.sub_labels.get("date_parts", {}).items()}
    if any(match is not None and match.column == "ngay_sinh" for match in matches):
        return
    found = [parts.get(fold(path[0])) if len(path) == 1 else None for path in paths]
    for place in range(len(paths) - 2):
        if found[place : place + 3] == [1, 2, 3] and not any(matches[place : place + 3]):
            for part in (1, 2, 3):
                column = place + part - 1
                matches[column] = HeaderMatch(
                    "ngay_sinh", 1.0, "part of the date", paths[column][0], "date", part
                )
            return


def _score(header: Header, column_map: ColumnMap) -> float:
    """Return how well a block explains its columns: each target once, required ones more, labels a little."""
    best: dict[str, float] = {}
    labelled = 0
    unknown = 0
    for path, match in zip(header.paths, header.matches, strict=True):
        if match is None:
            unknown += bool(path)
            continue
        best[match.column] = max(best.get(match.column, 0.0), match.confidence)
        labelled += match.mode != "single"
        if match.mode == "date_by_sex":
            best["gioi_tinh"] = 1.0
    required = sum(name in best for name in column_map.required)
    height = header.last - header.first
    return sum(best.values()) + required + 0.1 * labelled - 0.05 * unknown - 0.02 * height


def _apply_decisions(header: Header, decisions: Mapping[str, str]) -> None:
    """Let a person's stored decisions about this very header go before everything else."""
    for column, path in enumerate(header.paths):
        target = decisions.get(" > ".join(path))
        if target is not None:
            header.matches[column] = HeaderMatch(target, 1.0, "approved by a person") if target else None


def find_duplicates(grid: Grid, header: Header) -> list[list[str]]:
    """Return groups of column letters that carry one and the same header."""
    keys = [_identity(path, match) for path, match in zip(header.paths, header.matches, strict=True)]
    counts = Counter(key for key in keys if key)
    groups: dict[str, list[str]] = defaultdict(list)
    for place, key in enumerate(keys):
        if counts[key] > 1 and _column_is_used(grid, header, place):
            groups[key].append(column_letters(int(grid.column_nos[place])))
    return [letters for _, letters in sorted(groups.items()) if len(letters) > 1]


def _identity(path: Path, match: HeaderMatch | None) -> str:
    """Return what makes two headers one: their folded wording and what it means; Nam and Năm are two."""
    key = " > ".join(map(fold, path))
    return f"{key}|{match.column}|{match.label}|{match.part}" if key and match else key


def _column_is_used(grid: Grid, header: Header, column: int) -> bool:
    """Return whether a column has a header cell of its own or any value below; merged remainders have none."""
    own = any(grid.cells[row, column] for row in range(header.first, header.last + 1))
    return own or bool(grid.cells[header.last + 1 :, column].any())


def is_numbering_row(texts: Sequence[str]) -> bool:
    """Return whether a row only numbers the columns: (1) (2) (3), A B 1 2.

    >>> is_numbering_row(["(1)", "(2)", "(3)", "(4)"]), is_numbering_row(["1", "0123", "", "Nam"])
    (True, False)
    """
    filled = [text.strip() for text in texts if text.strip()]
    if len(filled) < 3 or not all(_NUMBERING_CELL.fullmatch(text) for text in filled):
        return False
    numbers = [int(found[0]) for text in filled if (found := re.findall(r"\d+", text.split("=")[0]))]
    rising = all(later > earlier for earlier, later in pairwise(numbers))
    return (
        rising and len(numbers) >= 2 and numbers[0] <= 2 and numbers[-1] - numbers[0] <= 2 * len(numbers) + 2
    )


def is_repeated_header(texts: Sequence[str], header: Header, column_map: ColumnMap) -> bool:
    """Return whether a row below the header repeats it (a printed page break, or the columns' own names)."""
    same = filled = 0
    for text, path, match in zip(texts, header.paths, header.matches, strict=True):
        if not text.strip():
            continue
        filled += 1
        key = fold(text)
        is_own = match is not None and column_map.find_exact(text) == match.column and match.mode == "single"
        same += bool(key) and (is_own or key in map(fold, path))
    return filled >= 2 and same >= 0.7 * filled
