"""A sheet as a matrix of value numbers, and the one table of distinct values its cells point into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLANK = 0
ERROR_VALUES = frozenset({"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!"})
"""Errors of a spreadsheet; in a text file they are the words a spreadsheet left behind."""


@dataclass(slots=True)
class ValueTable:
    """Distinct cell values of a file: text, kind letter, and whether a formula gave it. Number 0 is blank."""

    texts: list[str] = field(default_factory=lambda: [""])
    kinds: list[str] = field(default_factory=lambda: ["-"])
    formulas: set[int] = field(default_factory=set)
    _numbers: dict[tuple[str, str, bool], int] = field(default_factory=dict)

    def add(self, text: str, kind: str, *, is_formula: bool = False) -> int:
        """Return the number of a value, 0 for one that is blank to a person's eye."""
        if kind == "t" and (not text or text.isspace()):
            return BLANK
        if kind == "t" and text in ERROR_VALUES:
            kind = "e"
        key = (kind, text, is_formula)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.texts)
            self.texts.append(text)
            self.kinds.append(kind)
            if is_formula:
                self.formulas.add(number)
        return number

    def add_texts(self, texts: list[str]) -> int:
        """Enter many texts at once, blank ones and repeats too, and return the number of the first."""
        first = len(self.texts)
        self.texts.extend(texts)
        self.kinds.extend("t" * len(texts))
        return first


@dataclass(slots=True)
class Grid:
    """One visible sheet: only rows with a non-blank cell, only columns that are used."""

    sheet: str
    row_nos: NDArray[np.int32]
    column_nos: NDArray[np.int32]
    cells: NDArray[np.int32]
    values: ValueTable
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    row_reasons: dict[int, str] = field(default_factory=dict)
    """Reasons known before the layout is: row number → reason code (fields too many, bytes undecodable)."""
    remarks: set[str] = field(default_factory=set)
    row_widths: dict[int, int] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """Return the number of physical rows."""
        return len(self.row_nos)

    def text(self, row: int, column: int) -> str:
        """Return the text of a cell by its place in the matrix."""
        return self.values.texts[int(self.cells[row, column])]

    def kind(self, row: int, column: int) -> str:
        """Return the kind letter of a cell by its place in the matrix."""
        return self.values.kinds[int(self.cells[row, column])]

    def row_texts(self, row: int) -> list[str]:
        """Return the texts of one row, blank cells as empty texts."""
        return [self.values.texts[number] for number in self.cells[row]]


def empty_grid(sheet: str, values: ValueTable) -> Grid:
    """Return a sheet without a row."""
    nothing = np.zeros(0, dtype=np.int32)
    return Grid(sheet, nothing, nothing, np.zeros((0, 0), dtype=np.int32), values)


def build_grid(
    sheet: str,
    values: ValueTable,
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    numbers: NDArray[np.int32],
) -> Grid:
    """Return the dense matrix of non-blank cells given as three arrays of one length, in any order."""
    filled = numbers != BLANK
    if not filled.any():
        return empty_grid(sheet, values)
    rows, columns, numbers = rows[filled], columns[filled], numbers[filled]
    row_nos, row_places = np.unique(rows, return_inverse=True)
    column_nos, column_places = np.unique(columns, return_inverse=True)
    cells = np.zeros((len(row_nos), len(column_nos)), dtype=np.int32)
    cells[row_places, column_places] = numbers
    return Grid(sheet, row_nos.astype(np.int32), column_nos.astype(np.int32), cells, values)


def column_letters(number: int) -> str:
    """Return a column's letters as a spreadsheet shows them.

    >>> column_letters(1), column_letters(27), column_letters(16384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the number of a column by its letters.

    >>> column_number("XFD")
    16384
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
