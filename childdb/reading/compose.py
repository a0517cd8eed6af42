"""Child rows of a sheet as the columns of the dataset: single cells, marks, parts, and what no column takes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from childdb.reading.grid import column_letters
from childdb.reading.keys import fold
from childdb.reading.layout import Layout
from childdb.reading.titles import section_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from childdb.reading.column_map import ColumnMap, HeaderMatch

_MARKS = frozenset({"x", "co", "1", "v", "true", "yes", "y", "ok", "check"})
_MARK_SIGNS = frozenset("✓✔√×✗☑☒●*+")
_NO_MARKS = frozenset({"", "0", "k", "khong", "false", "no", "n", "ko"})
_PLACE_TARGETS = {5: "tinh", 4: "huyen", 3: "xa", 2: "thon", 1: "dia_chi"}
_ORDINARY_MODES = ("single", "proposal")


def is_mark(text: str) -> bool:
    """Return whether a cell is a mark (x, ✓, Có), not a value of its own.

    >>> is_mark("X"), is_mark("✓"), is_mark("Không"), is_mark("Vận động")
    (True, True, False, False)
    """
    return fold(text) in _MARKS or (text.strip() in _MARK_SIGNS and bool(text.strip()))


def is_no_mark(text: str) -> bool:
    """Return whether a cell under a marked column says no."""
    return fold(text) in _NO_MARKS and not is_mark(text)


@dataclass(slots=True)
class Sources:
    """Which columns of the grid give each column of the dataset, and which give none."""

    single: dict[str, int] = field(default_factory=dict)
    composed: dict[str, list[tuple[int, HeaderMatch]]] = field(default_factory=dict)
    sex_from_date: list[tuple[int, HeaderMatch]] = field(default_factory=list)
    place_parts: dict[str, int] = field(default_factory=dict)
    unmapped: list[int] = field(default_factory=list)

    @property
    def targets(self) -> set[str]:
        """Return the columns of the dataset that are filled from the sheet."""
        found = {*self.single, *self.composed, *self.place_parts}
        return found | {"gioi_tinh"} if self.sex_from_date else found


def find_sources(layout: Layout) -> Sources:
    """Return where each column comes from; where two columns offer one target, the surer one is taken."""
    sources = Sources()
    chosen: dict[str, tuple[float, int]] = {}
    for place, match in enumerate(layout.header.matches):
        if match is None:
            sources.unmapped.append(place)
        elif match.mode in _ORDINARY_MODES:
            best = chosen.get(match.column)
            if best is not None and best[0] >= match.confidence:
                sources.unmapped.append(place)
                continue
            if best is not None:
                sources.unmapped.append(best[1])
            chosen[match.column] = (match.confidence, place)
        else:
            sources.composed.setdefault(match.column, []).append((place, match))
    sources.single = {column: place for column, (_, place) in chosen.items()}
    _settle_composed(sources)
    sources.unmapped.sort()
    return sources


def _settle_composed(sources: Sources) -> None:
    for column, parts in sorted(sources.composed.items()):
        if column == "ngay_sinh":
            sources.sex_from_date = [part for part in parts if part[1].mode == "date_by_sex"]
        if column in sources.single and column != "ngay_sinh":
            is_header_cell = parts[0][1].mode == "marks" and sources.single[column] < parts[0][0]
            if not is_header_cell:
                sources.unmapped.append(sources.single.pop(column))
    for column in ("noi_o_hien_tai", "thuong_tru"):
        for place, match in sources.composed.get(column, []):
            target = _PLACE_TARGETS.get(match.part, "")
            if match.mode == "place" and target and target not in sources.single:
                sources.place_parts.setdefault(target, place)


@dataclass(slots=True)
class SheetRows:
    """The child rows of one sheet, ready to be put into a table."""

    columns: dict[str, list[str | None] | pa.Array]
    kinds: NDArray[np.uint8]
    extra: list[str | None]
    cells: NDArray[np.int32]


class Composer:
    """Builds the columns of the child rows of one sheet."""

    def __init__(self, layout: Layout, column_map: ColumnMap, all_texts: pa.Array) -> None:
        self.layout, self.column_map = layout, column_map
        self.sources = find_sources(layout)
        self.rows = layout.data_rows
        self.cells = layout.grid.cells[self.rows]
        self.texts = layout.grid.values.texts
        self.kind_codes = np.frombuffer("".join(layout.grid.values.kinds).encode("ascii"), dtype=np.uint8)
        self.all_texts = all_texts
        names = column_map.columns
        self.place_of = {name: place for place, name in enumerate(names)}
        self.kinds = np.full((len(self.rows), len(names)), ord("-"), dtype=np.uint8)

    def build(self) -> SheetRows:
        """Return the rows with every column of the dataset, absent ones as blank."""
        columns: dict[str, list[str | None] | pa.Array] = {}
        for name in self.column_map.columns:
            columns[name] = self._column(name)
        self._fill_down(columns)
        self._fill_hamlet(columns)
        return SheetRows(columns, self.kinds, self._extra(), self.cells)

    def _column(self, name: str) -> list[str | None] | pa.Array:
        if name in self.sources.composed:
            return self._composed(name)
        place = self.sources.single.get(name, self.sources.place_parts.get(name))
        if name == "gioi_tinh" and place is None and self.sources.sex_from_date:
            return self._marked(name, self.sources.sex_from_date, by_value=True)
        if place is None:
            return pa.nulls(len(self.rows), pa.string())
        return self._single(name, self.cells[:, place])

    def _single(self, name: str, numbers: NDArray[np.int32]) -> pa.Array:
        kinds = self.kind_codes[numbers]
        self.kinds[:, self.place_of[name]] = kinds
        absent = (numbers == 0) | (kinds == ord("f"))
        return self.all_texts.take(pa.array(numbers, mask=absent))

    def _composed(self, name: str) -> list[str | None]:
        parts = self.sources.composed[name]
        mode = parts[0][1].mode
        if mode == "marks":
            return self._marked(name, parts, by_value=False)
        if mode == "date_by_sex":
            values = self._joined([place for place, _ in parts], " ")
        elif mode == "date":
            values = self._joined(_by_part(parts), "/")
        elif mode == "place":
            values = self._joined(_by_part(parts), ", ")
        else:
            values = self._joined(_by_part(parts), " ")
        return self._with_single(name, values)

    def _with_single(self, name: str, values: list[str | None]) -> list[str | None]:
        """Fill gaps of a composed column from the single column of the same meaning, and note the kinds."""
        place = self.sources.single.get(name)
        kinds = self.kinds[:, self.place_of[name]]
        if place is not None:
            for row, number in enumerate(self.cells[:, place]):
                if values[row] is None and number:
                    values[row] = self.texts[number] or None
        parts = [place for place, _ in self.sources.composed.get(name, [])]
        only_part = {row: self.cells[row, parts].max() for row in range(len(values)) if parts}
        for row, value in enumerate(values):
            filled = np.count_nonzero(self.cells[row, parts]) if parts else 0
            kinds[row] = (
                ord("-") if value is None else (self.kind_codes[only_part[row]] if filled == 1 else ord("t"))
            )
        return values

    def _joined(self, places: list[int], joiner: str) -> list[str | None]:
        block = self.cells[:, places]
        return [joiner.join(self.texts[number] for number in row if number) or None for row in block]

    def _marked(self, name: str, parts: list[tuple[int, HeaderMatch]], *, by_value: bool) -> list[str | None]:
        """Return the labels of the marked columns of each row; ``by_value`` takes any filled cell as a mark."""
        places = [place for place, _ in parts]
        labels = [str(match.label or "") for _, match in parts]
        block = self.cells[:, places]
        chosen: dict[int, list[str]] = {}
        for row, column in zip(*np.nonzero(block), strict=True):
            text = self.texts[block[row, column]]
            if by_value or not is_no_mark(text):
                chosen.setdefault(int(row), []).append(labels[column])
        values: list[str | None] = [None] * len(self.rows)
        for row, found in chosen.items():
            values[row] = "; ".join(found)
        return values if by_value and name != "gioi_tinh" else self._note_marks(name, values)

    def _note_marks(self, name: str, values: list[str | None]) -> list[str | None]:
        column = self.kinds[:, self.place_of[name]]
        place = self.sources.single.get(name)
        for row, value in enumerate(values):
            if value is None and place is not None and self.cells[row, place]:
                values[row] = value = self.texts[self.cells[row, place]] or None
            column[row] = ord("-") if value is None else ord("t")
        return values

    def _fill_down(self, columns: dict[str, list[str | None] | pa.Array]) -> None:
        """Give the hamlet or commune of a section title to the rows below it that state none."""
        if not self.layout.sections:
            return
        current: dict[str, str] = {}
        titles = sorted(self.layout.sections.items())
        filled = {target: _as_list(columns[target]) for target in {target for _, (target, _) in titles}}
        place = 0
        for row, grid_row in enumerate(self.rows):
            while place < len(titles) and titles[place][0] < grid_row:
                target, text = titles[place][1]
                current = {target: text} if target == "xa" else {**current, target: text}
                place += 1
            for target, text in current.items():
                if not filled[target][row]:
                    filled[target][row] = text
                    self.kinds[row, self.place_of[target]] = ord("t")
        columns.update(filled)

    def _fill_hamlet(self, columns: dict[str, list[str | None] | pa.Array]) -> None:
        """Give rows without a hamlet the one their sheet is named for (one sheet per hamlet)."""
        unit = section_unit(self.layout.grid.sheet) if self.layout.grid.sheet else None
        if unit is None or unit[0] != "thon":
            return
        values = _as_list(columns["thon"])
        for row, value in enumerate(values):
            if not value:
                values[row] = unit[1]
                self.kinds[row, self.place_of["thon"]] = ord("t")
        columns["thon"] = values

    def _extra(self) -> list[str | None]:
        """Return the cells of columns outside the map as JSON, by header text or column letter."""
        places = [place for place in self.sources.unmapped if self.cells[:, place].any()]
        result: list[str | None] = [None] * len(self.rows)
        names = self._extra_names(places)
        block = self.cells[:, places] if places else np.zeros((len(self.rows), 0), dtype=np.int32)
        for row in np.flatnonzero(block.any(axis=1)):
            found = {names[place]: self.texts[number] for place, number in enumerate(block[row]) if number}
            result[int(row)] = json.dumps(found, ensure_ascii=False)
        return result

    def _extra_names(self, places: list[int]) -> list[str]:
        names: list[str] = []
        for place in places:
            letters = column_letters(int(self.layout.grid.column_nos[place]))
            name = " > ".join(self.layout.header.paths[place]) or letters
            names.append(f"{name} [{letters}]" if name in names else name)
        return names


def _by_part(parts: list[tuple[int, HeaderMatch]]) -> list[int]:
    return [place for place, _ in sorted(parts, key=lambda part: (part[1].part, part[0]))]


def _as_list(values: list[str | None] | pa.Array) -> list[str | None]:
    return values if isinstance(values, list) else values.to_pylist()


def unmapped_rows(grid_cells: NDArray[np.int32], texts: list[str]) -> list[str]:
    """Return whole rows as JSON by column letter, for a held sheet whose columns have no known meaning."""
    return [
        json.dumps(
            {column_letters(place + 1): texts[number] for place, number in enumerate(row) if number},
            ensure_ascii=False,
        )
        for row in grid_cells
    ]
