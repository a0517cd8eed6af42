"""What columns of an unknown wording probably mean: by likeness to known wordings, and by what stands below them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from childdb.reading.column_map import HeaderMatch
from childdb.reading.shapes import distinctive_column, reads_like_names, share_fitting

if TYPE_CHECKING:
    from childdb.reading.column_map import ColumnMap
    from childdb.reading.grid import Grid
    from childdb.reading.headers import Header

_SAMPLE = 200
_NAME_COLUMN = "ho_ten_tre"
_SIGNS_OF_PEOPLE = frozenset({"ngay_sinh", "gioi_tinh"})


def propose_columns(grid: Grid, header: Header, column_map: ColumnMap) -> None:
    """Fill in columns whose wording is unknown, where likeness or content makes the meaning clear."""
    taken = header.targets
    offers: dict[str, list[tuple[float, int, HeaderMatch]]] = defaultdict(list)
    for column, path in enumerate(header.paths):
        if header.matches[column] is not None or not path:
            continue
        match, _ = column_map.propose(path)
        if (
            match
            and match.column not in taken
            and _content_agrees(grid, header, column, match.column, column_map)
        ):
            offers[match.column].append((match.confidence, -column, match))
    for target in sorted(offers):
        _, place, match = max(offers[target], key=lambda offer: offer[:2])
        header.matches[-place] = match
        header.proposals[-place] = match.reason
    _propose_by_content(grid, header, column_map)


def _content_agrees(grid: Grid, header: Header, column: int, target: str, column_map: ColumnMap) -> bool:
    texts = sample_texts(grid, header, column)
    return not texts or share_fitting(texts, column_map.rules[target].shape) >= 0.5


def _propose_by_content(grid: Grid, header: Header, column_map: ColumnMap) -> None:
    found: dict[str, list[int]] = defaultdict(list)
    for column, match in enumerate(header.matches):
        if match is not None or column_map.rows_are_figures:
            continue
        texts = sample_texts(grid, header, column)
        target = distinctive_column(texts)
        if target is None and reads_like_names(texts) and not column_map.people_named(header.paths[column]):
            target = _NAME_COLUMN
        if target and target in column_map.required and target not in header.targets:
            found[target].append(column)
    if not ({*header.targets, *found} & _SIGNS_OF_PEOPLE):
        found.pop(_NAME_COLUMN, None)  # names alone are officials or villages as often as children
    for target, columns in found.items():
        if len(columns) == 1:
            reason = f"content reads like {target}"
            header.matches[columns[0]] = HeaderMatch(target, 0.7, reason, mode="proposal")
            header.proposals[columns[0]] = reason


def sample_texts(grid: Grid, header: Header, column: int) -> list[str]:
    """Return up to 200 non-blank texts of a column below the header."""
    numbers = grid.cells[header.last + 1 : header.last + 1 + 2 * _SAMPLE, column]
    return [grid.values.texts[number] for number in numbers[numbers != 0][:_SAMPLE]]
