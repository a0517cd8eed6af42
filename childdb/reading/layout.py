"""Which rows below a header are children, and which are titles, totals, signatures or repeated headers."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from childdb.reading.headers import Header, is_numbering_row, is_repeated_header
from childdb.reading.keys import fold
from childdb.reading.shapes import fits
from childdb.reading.titles import (
    find_total,
    is_grand_total,
    is_signature,
    is_total_label,
    read_footers,
    read_titles,
    section_unit,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from childdb.reading.column_map import ColumnMap
    from childdb.reading.grid import Grid
    from childdb.reading.titles import Stated

PERSON_COLUMNS = (
    "ho_ten_tre", "ngay_sinh", "so_dinh_danh", "ma_tre", "gioi_tinh", "ho_ten_cha", "ho_ten_me", "so_khai_sinh",
)  # fmt: skip
_IDENTIFYING = frozenset(PERSON_COLUMNS[:5])
_GROUP_WORDS = re.compile(r"^(?:tre|nhom|khoi|lop|ho |dien|doi tuong|danh sach|nam |do tuoi|tu )")
_SMALL_COUNT = re.compile(r"\d{1,6}(?:\.0)?", re.ASCII)
_ORDINAL = re.compile(r"\(?\s*(?:\d{1,7}(?:\.0)?|[IVXLC]{1,6}|[A-Z])\s*[.)]?")


class RowKind(IntEnum):
    """What a physical row is."""

    DATA = 0
    HEADER = 1
    SECTION = 2
    TOTAL = 3
    FOOTER = 4
    BLANK_FORM = 5


@dataclass(slots=True)
class Layout:
    """The rows of one sheet told apart; ``kinds`` has one entry per physical row."""

    grid: Grid
    header: Header
    kinds: NDArray[np.int8]
    sections: dict[int, tuple[str, str]] = field(default_factory=dict)
    totals: list[tuple[int, bool]] = field(default_factory=list)
    """Stated totals found in the rows, with whether they speak of the whole list."""

    @property
    def data_rows(self) -> NDArray[np.intp]:
        """Return the places of the child rows in the grid."""
        return np.flatnonzero(self.kinds == RowKind.DATA)

    def count(self, kind: RowKind) -> int:
        """Return how many rows are of a kind."""
        return int(np.count_nonzero(self.kinds == kind))


@dataclass(slots=True)
class _Columns:
    """Places of the columns the row rules ask about."""

    by_target: dict[str, list[int]]
    mapped: NDArray[np.bool_]
    person: list[int]

    def first(self, target: str) -> int | None:
        """Return the first place of a target column."""
        places = self.by_target.get(target)
        return places[0] if places else None


def _columns(header: Header) -> _Columns:
    by_target: dict[str, list[int]] = {}
    mapped = np.zeros(len(header.matches), dtype=bool)
    for place, match in enumerate(header.matches):
        if match:
            by_target.setdefault(match.column, []).append(place)
            mapped[place] = match.column != "stt"
    person = [place for name in PERSON_COLUMNS for place in by_target.get(name, [])]
    return _Columns(by_target, mapped, person)


def lay_out(grid: Grid, header: Header, column_map: ColumnMap, stated: Stated) -> Layout:
    """Return the rows of a sheet told apart; what titles and signatures state is added to ``stated``."""
    kinds = np.full(grid.row_count, RowKind.DATA, dtype=np.int8)
    kinds[: header.last + 1] = RowKind.HEADER
    layout = Layout(grid, header, kinds)
    read_titles(_title_texts(grid, header), stated)
    columns = _columns(header)
    _RowJudge(layout, columns, column_map).run()
    read_footers(_footer_texts(layout), stated)
    return layout


def _title_texts(grid: Grid, header: Header) -> list[str]:
    texts = []
    for row in range(header.first):
        cells = [text for text in grid.row_texts(row) if text]
        texts.extend(cells)
        if len(cells) > 1:
            texts.append(" ".join(cells))
    return texts


def _footer_texts(layout: Layout) -> list[str]:
    rows = np.flatnonzero(np.isin(layout.kinds, (RowKind.FOOTER, RowKind.TOTAL)))
    return [text for row in rows for text in layout.grid.row_texts(int(row)) if text]


class _RowJudge:
    """Tells the kinds of the rows below a header; only rows that stand out are looked at one by one."""

    def __init__(self, layout: Layout, columns: _Columns, column_map: ColumnMap) -> None:
        self.layout, self.columns, self.column_map = layout, columns, column_map
        self.grid, self.header = layout.grid, layout.header
        filled = self.grid.cells != 0
        self.evidence = np.count_nonzero(filled[:, columns.mapped], axis=1)
        self.filled_count = np.count_nonzero(filled, axis=1)
        name = columns.first("ho_ten_tre")
        names = columns.by_target.get("ho_ten_tre", [])
        self.has_name = (
            filled[:, names].any(axis=1) if name is not None else np.zeros(len(filled), dtype=bool)
        )
        self.person_count = (
            np.count_nonzero(filled[:, columns.person], axis=1) if columns.person else self.evidence
        )

    def run(self) -> None:
        """Set the kind of every row below the header."""
        for row in self._standing_out():
            self.layout.kinds[row] = self._judge(int(row))
        self._settle_counts()
        self._settle_end()

    def _standing_out(self) -> list[int]:
        start = self.header.last + 1
        if self.column_map.rows_are_figures:
            return list(range(start, len(self.evidence)))
        typical = float(np.median(self.evidence[start:])) if len(self.evidence) > start else 0.0
        odd = ~self.has_name | (self.evidence < max(3.0, 0.4 * typical)) | (self.person_count < 2)
        odd[:start] = False
        labelled = set(map(int, np.flatnonzero(odd)))
        labelled.update(self._labelled_rows(start))
        labelled.update(range(start, min(start + 3, len(odd))))
        return sorted(labelled)

    def _labelled_rows(self, start: int) -> list[int]:
        """Return rows whose first columns or name hold a total label or a header text."""
        header_keys = {text.casefold() for path in self.header.paths for text in path}
        looked = sorted(
            {*range(min(4, self.grid.cells.shape[1])), *self.columns.by_target.get("ho_ten_tre", [])}
        )
        texts = self.grid.values.texts
        found: list[int] = []
        for column in looked:
            numbers = self.grid.cells[start:, column]
            wanted = [
                number
                for number in np.unique(numbers)
                if texts[number].strip().casefold() in header_keys or _starts_like_total(texts[number])
            ]
            if wanted:
                found.extend(
                    int(place) + start for place in np.flatnonzero(np.isin(numbers, wanted)) if wanted != [0]
                )
        return found

    def _judge(self, row: int) -> RowKind:
        texts = self.grid.row_texts(row)
        filled = [text for text in texts if text.strip()]
        if self.column_map.rows_are_figures:
            return self._judge_figure(row, texts, filled)
        if is_repeated_header(texts, self.header, self.column_map) or self._is_numbering(row, texts):
            return RowKind.HEADER
        label = next((text for text in filled if is_total_label(text)), None)
        if label and not self._looks_like_child(row):
            self._note_total(row, label, texts)
            return RowKind.TOTAL
        if not self._looks_like_child(row) and any(map(is_signature, filled)):
            return RowKind.FOOTER
        if self._is_section(row, filled):
            return RowKind.SECTION
        if self._is_blank_form(row):
            return RowKind.BLANK_FORM
        return RowKind.DATA

    def _judge_figure(self, row: int, texts: list[str], filled: list[str]) -> RowKind:
        """Return what a row of a report is: a figure has every anchor; a total is a figure like any other."""
        if is_repeated_header(texts, self.header, self.column_map) or is_numbering_row(texts):
            return RowKind.HEADER
        anchored = (self.columns.by_target.get(name, []) for name in self.column_map.anchors)
        if all(any(self.grid.cells[row, place] for place in places) for places in anchored):
            return RowKind.DATA
        if any(map(is_signature, filled)):
            return RowKind.FOOTER
        return RowKind.SECTION if len(filled) <= 2 else RowKind.BLANK_FORM

    def _is_numbering(self, row: int, texts: list[str]) -> bool:
        is_near = row <= self.header.last + 3
        return (
            (is_near or not self._looks_like_child(row))
            and is_numbering_row(texts)
            and not self._has_birth(row)
        )

    def _has_birth(self, row: int) -> bool:
        places = self.columns.by_target.get("ngay_sinh", [])
        texts = (self.grid.text(row, place) for place in places)
        return any(fits(text, "date") and len(text) >= 4 for text in texts if text)

    def _looks_like_child(self, row: int) -> bool:
        """Return whether typed cells of a row read like a child's: birth date, sex or number under their headers."""
        seen = int(self._has_birth(row))
        for target, shape in (("gioi_tinh", "sex"), ("so_dinh_danh", "person_no")):
            texts = [self.grid.text(row, place) for place in self.columns.by_target.get(target, [])]
            seen += any(
                text.strip() and fits(text, shape) and not text.strip().isdigit() for text in texts
            ) or (target == "so_dinh_danh" and any(fits(text, shape) for text in texts if text))
        return seen >= 2 or (seen == 1 and bool(self.has_name[row]))

    def _note_total(self, row: int, label: str, texts: list[str]) -> None:
        is_grand = is_grand_total(label)
        number = find_total(label)
        if number is None:
            number = self._count_beside(row, texts, label)
        if number is not None:
            self.layout.totals.append((number, is_grand))

    def _count_beside(self, row: int, texts: list[str], label: str) -> int | None:
        """Return the count written beside a total label: in the columns of number, code or name, or alone."""
        numbers = {
            place: int(float(text))
            for place, text in enumerate(texts)
            if re.fullmatch(r"\d{1,7}(\.0)?", text)
        }
        near = {
            place: number
            for place, number in numbers.items()
            if (match := self.header.matches[place]) is None
            or match.column in ("stt", "ho_ten_tre", "ma_tre", "ma_ho")
        }
        if len(numbers) == 1:
            return next(iter(numbers.values()))
        return next(iter(near.values())) if near else None

    def _is_section(self, row: int, filled: list[str]) -> bool:
        if self._looks_like_child(row) or len(filled) > 3:
            return False
        worded = [text for text in filled if not _ORDINAL.fullmatch(text.strip())]
        if len(worded) != 1:
            return False
        unit = section_unit(worded[0])
        if unit:
            self.layout.sections[row] = unit
            return True
        is_more = self.evidence[row] > 1 or (self.has_name[row] and self._is_weak_child(row, worded[0]))
        return not is_more

    def _is_weak_child(self, row: int, text: str) -> bool:
        """Return whether a row with little more than a name may still be a child."""
        stt = self.columns.first("stt")
        numbered = stt is not None and fits(self.grid.text(row, stt), "count")
        readable = fits(text, "name") and not _GROUP_WORDS.match(fold(text))
        return readable and (numbered or (len(text.split()) >= 2 and not self._is_merged(row)))

    def _is_merged(self, row: int) -> bool:
        row_no = int(self.grid.row_nos[row])
        return any(
            top <= row_no <= bottom and right - left >= 2 for top, left, bottom, right in self.grid.merges
        )

    def _is_blank_form(self, row: int) -> bool:
        """Return whether a row is an empty line of the form: numbered or prefilled, with nothing about a person."""
        return self.person_count[row] == 0 and not self.has_name[row] and self.evidence[row] <= 6

    def _settle_counts(self) -> None:
        """A label with nothing beside it but counts is a sub-total, whatever its words, when a count is right."""
        if self.column_map.rows_are_figures:
            return
        kinds = self.layout.kinds
        children = np.cumsum(kinds == RowKind.DATA)
        ends = np.flatnonzero(np.isin(kinds, (RowKind.SECTION, RowKind.TOTAL))).tolist()
        taken, before = 0, 0
        for row in self._labelled_counts():
            so_far = int(children[row]) - 1 - taken
            last = bisect_left(ends, row)
            before = max(before, int(children[ends[last - 1]]) - taken) if last else before
            count = self._label_count(row, {so_far - before, so_far} - {0})
            if count is not None:
                kinds[row] = RowKind.TOTAL
                self.layout.totals.append((count, False))
                taken, before = taken + 1, so_far

    def _labelled_counts(self) -> list[int]:
        """Return rows with little in them, no running number, and a small number somewhere."""
        start, texts = self.header.last + 1, self.grid.values.texts
        sparse = (self.layout.kinds[start:] == RowKind.DATA) & (self.filled_count[start:] <= 5)
        rows = np.flatnonzero(sparse) + start
        stt = self.columns.first("stt")
        if stt is not None:
            rows = rows[self.grid.cells[rows, stt] == 0]
        cells = self.grid.cells[rows]
        small = [
            n for n in np.unique(cells).tolist() if len(texts[n]) <= 8 and _SMALL_COUNT.fullmatch(texts[n])
        ]
        found: list[int] = rows[np.isin(cells, small).any(axis=1)].tolist()
        return found

    def _label_count(self, row: int, right: set[int]) -> int | None:
        """Return the count of a row that holds one label and small numbers only, if it is one of the right ones."""
        texts = [text.strip() for text in self.grid.row_texts(row) if text.strip()]
        numbers = [int(float(text)) for text in texts if _SMALL_COUNT.fullmatch(text)]
        if self._looks_like_child(row) or len(texts) - len(numbers) != 1:
            return None
        return next((number for number in numbers if number in right), None)

    def _settle_end(self) -> None:
        """Rows after the last real child row belong to the footer, once a total or a signature has begun it."""
        kinds, start = self.layout.kinds, self.header.last + 1
        if self.column_map.rows_are_figures:
            return
        closing = np.flatnonzero(np.isin(kinds, (RowKind.TOTAL, RowKind.FOOTER)))
        if not len(closing):
            return
        data = np.flatnonzero(kinds == RowKind.DATA)
        signed = np.flatnonzero(kinds == RowKind.FOOTER)
        signature = int(signed[0]) if len(signed) else len(kinds)
        strong = [int(row) for row in data if self._is_strong(int(row), is_signed=bool(row > signature))]
        last = strong[-1] if strong else start - 1
        ends = [int(row) for row in closing if row > last]
        if ends:
            kinds[ends[0] + 1 :][kinds[ends[0] + 1 :] != RowKind.TOTAL] = RowKind.FOOTER
            for row in [row for row in self.layout.sections if row > ends[0]]:
                del self.layout.sections[row]

    def _is_strong(self, row: int, *, is_signed: bool) -> bool:
        """Return whether a row is surely a child; below a signature two names side by side are those who signed."""
        has_names = bool(self.person_count[row] >= 2) and not is_signed
        return has_names or self._looks_like_child(row) or bool(self.evidence[row] >= 4)


_TOTAL_STARTS = (
    "tổng", "cộng", "tong", "cong", "to\u0302", "co\u0323", "toàn", "cả ", "tron", "số t", "tota", "subt", "sub-", "sub ", "gran",
)  # fmt: skip


def _starts_like_total(text: str) -> bool:
    return text.lstrip()[:4].casefold().startswith(_TOTAL_STARTS)
