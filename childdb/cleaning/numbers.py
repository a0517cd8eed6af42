"""Personal numbers of many rows at once: the common shape by vectors, everything odd one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.identifiers import (
    RULE_CENTURY,
    RULE_PARENT,
    RULE_PREFIX,
    RULE_SEX,
    RULE_YEAR,
    RULE_ZEROS,
    SEQUENCES,
    Holder,
    NumberKind,
    NumberResult,
    judge_child_number,
    read_adult_number,
    read_number,
)
from childdb.cleaning.vectors import Mark, mark_where, matches, present, replace_rows
from childdb.reference import number_province_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TWELVE = "^[0-9]{12}$"
_DUMMIES = (
    *(digit * 12 for digit in "0123456789"),
    *sorted(number for number in SEQUENCES if len(number) == 12),
)
_SHORTENED = "^[1-9][0-9]{9,10}$"


@dataclass(frozen=True, slots=True)
class ChildNumbers:
    """Numbers of children: the column, marks, and what was found in it that belongs elsewhere (row, kind, text)."""

    values: pa.Array
    marks: list[Mark]
    misplaced: list[tuple[int, NumberResult]]


def read_child_numbers(
    cells: pa.Array, sexes: pa.Array, years: pa.Array, parents: Sequence[pa.Array]
) -> ChildNumbers:
    """Return the children's numbers with every rule that applied; sexes and years are the row's own."""
    cells, restored = _restore_zeros(cells, sexes, years)
    common = matches(cells, TWELVE) & ~_is_in(cells, _DUMMIES)
    marks, taken = _judge_common(cells, common, sexes, years, parents)
    marks += [Mark("so_dinh_danh", RULE_ZEROS, restored)]
    rows = np.flatnonzero(present(cells) & ~common)
    results = _read_odd(cells, rows, sexes, years, parents)
    marks += _marks_of("so_dinh_danh", rows, results)
    values = replace_rows(cells, rows, pa.array([result.value for result in results], pa.string()))
    values = replace_rows(values, taken, pa.nulls(len(taken), pa.string()))
    misplaced = [
        (int(row), result) for row, result in zip(rows, results, strict=True) if _is_misplaced(result)
    ]
    held = cells.take(pa.array(taken)).to_pylist()
    misplaced += [
        (int(row), NumberResult(None, NumberKind.PERSONAL, text, (RULE_PARENT,)))
        for row, text in zip(taken, held, strict=True)
    ]
    return ChildNumbers(values, marks, misplaced)


def _restore_zeros(cells: pa.Array, sexes: pa.Array, years: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return numbers with the zeros a spreadsheet took, where code, sex and year all agree, and their rows."""
    rows = np.flatnonzero(matches(cells, _SHORTENED))
    if not len(rows):
        return cells, rows
    chosen = pa.array(rows)
    number = pl.Series(cells.take(chosen)).str.zfill(12)
    digit = number.str.slice(3, 1)
    stated = 1900 + 100 * (digit.cast(pl.Int32) // 2) + number.str.slice(4, 2).cast(pl.Int32)
    states_female = digit.is_in(["1", "3", "5", "7", "9"])
    sex, year = pl.Series(sexes.take(chosen)), pl.Series(years.take(chosen))
    same = _true((states_female == (sex == "female")) & (stated == year)) & _is_in_slice(number)
    values = number.to_arrow().cast(pa.string()).filter(pa.array(same))
    return replace_rows(cells, rows[same], values), rows[same]


def _is_misplaced(result: NumberResult) -> bool:
    return (
        result.held is not None
        and result.value is None
        and (result.kind is NumberKind.INSURANCE or RULE_PARENT in result.rules)
    )


def _is_in(cells: pa.Array, values: Sequence[str]) -> NDArray[np.bool_]:
    return np.asarray(pl.Series(cells).is_in(list(values)).fill_null(False).to_numpy())


def _judge_common(
    cells: pa.Array, common: NDArray[np.bool_], sexes: pa.Array, years: pa.Array, parents: Sequence[pa.Array]
) -> tuple[list[Mark], NDArray[np.int64]]:
    """Return the marks of twelve-digit numbers and the rows whose number is taken away as a parent's."""
    number = pl.Series(cells)
    digit = number.str.slice(3, 1)
    sex, year = pl.Series(sexes), pl.Series(years)
    stated = (
        1900
        + 100 * (digit.cast(pl.Int32, strict=False) // 2)
        + number.str.slice(4, 2).cast(pl.Int32, strict=False)
    )
    states_female = digit.is_in(["1", "3", "5", "7", "9"])
    same_as_parent = np.zeros(len(cells), dtype=bool)
    for parent in parents:
        same_as_parent |= _true(number == pl.Series(parent))
    adult = _true(digit.is_in(["0", "1"]) & ((year >= 2000) | year.is_null()))
    is_parents = common & (adult | same_as_parent)
    kept = common & ~is_parents
    marks = mark_where("so_dinh_danh", RULE_PARENT, is_parents)
    marks += mark_where("so_dinh_danh", RULE_PREFIX, kept & ~_is_in_slice(number))
    marks += mark_where("so_dinh_danh", RULE_CENTURY, kept & _true(digit.is_in(list("456789"))))
    marks += mark_where("so_dinh_danh", RULE_SEX, kept & _true(states_female != (sex == "female")))
    marks += mark_where("so_dinh_danh", RULE_YEAR, kept & _true(digit.is_in(list("0123")) & (stated != year)))
    return marks, np.flatnonzero(is_parents)


def _is_in_slice(number: pl.Series) -> NDArray[np.bool_]:
    return _true(number.str.slice(0, 3).is_in(sorted(number_province_codes())))


def _true(condition: pl.Series) -> NDArray[np.bool_]:
    return np.asarray(condition.fill_null(False).to_numpy())


def _read_odd(
    cells: pa.Array, rows: NDArray[np.int64], sexes: pa.Array, years: pa.Array, parents: Sequence[pa.Array]
) -> list[NumberResult]:
    chosen = pa.array(rows)
    columns = [array.take(chosen).to_pylist() for array in (cells, sexes, years, *parents)]
    results = []
    for cell, sex, year, *others in zip(*columns, strict=True):
        holder = Holder(sex, year)
        results.append(judge_child_number(read_number(cell, holder), holder, tuple(others)))
    return results


def _marks_of(column: str, rows: NDArray[np.int64], results: Sequence[NumberResult]) -> list[Mark]:
    holders: dict[str, list[int]] = {}
    for row, result in zip(rows, results, strict=True):
        for rule in result.rules:
            holders.setdefault(rule, []).append(int(row))
    return [Mark(column, rule, np.array(found, dtype=np.int64)) for rule, found in sorted(holders.items())]


def read_adult_numbers(
    column: str, cells: pa.Array, sex: str | None, years: pa.Array | None
) -> tuple[pa.Array, list[Mark]]:
    """Return the numbers of parents or guardians; their structure is not judged, only what the cell holds."""
    common = matches(cells, TWELVE) & ~_is_in(cells, _DUMMIES)
    rows = np.flatnonzero(present(cells) & ~common)
    chosen = pa.array(rows)
    texts = cells.take(chosen).to_pylist()
    stated = years.take(chosen).to_pylist() if years is not None else [None] * len(rows)
    results = [
        read_adult_number(text, Holder(sex, int(year) if year else None))
        for text, year in zip(texts, stated, strict=True)
    ]
    values = replace_rows(cells, rows, pa.array([result.value for result in results], pa.string()))
    return values, [mark for mark in _marks_of(column, rows, results) if mark.rule_id not in _ADULT_SILENT]


_ADULT_SILENT = frozenset({"ID-001"})
