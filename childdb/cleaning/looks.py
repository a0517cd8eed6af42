"""What the text columns of a file show of their encoding: counted part by part, decided once per column."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from childdb.cleaning.encodings import (
    READINGS_1258,
    READINGS_VIQR,
    UNICODE_ONLY,
    UNICODE_ONLY_1258,
    VIQR_SIGNS,
    CodePage,
    Decision,
    Encoding,
    Reading,
    Regime,
    candidate_words,
    decide,
    witness_words,
)
from childdb.cleaning.vectors import HANDFUL, for_each, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

_OLD_COLUMNS = 2
_WORTH_DISTINCT = 1_000
_VIQR_FIRST = ("ho_ten_tre", "ho_ten_me", "ho_ten_cha", "ho_ten_chu_ho")
_ODD_SIGNS = "[\x80-\xbf×÷€ƒ„†‡‰‹œÃÄÆÅÇËÎÏÖØÛÜÞßåäæçëîïöøûüþÿ]|á[º»]"
_ODD, _UNICODE, _UNICODE_1258 = map(re.compile, (_ODD_SIGNS, UNICODE_ONLY, UNICODE_ONLY_1258))
_TYPED = re.compile(VIQR_SIGNS)


@dataclass(frozen=True, slots=True)
class CellCounts:
    """Distinct cells in the order of their first row, with how often each occurs."""

    values: pl.Series
    times: pl.Series

    @property
    def count(self) -> int:
        """Return how many cells were counted."""
        return int(self.times.sum() or 0)


def _no_cells() -> CellCounts:
    return CellCounts(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Int64))


def _merged(counts: Iterable[CellCounts]) -> CellCounts:
    """Return counts of several parts of a column as one."""
    frames = [pl.DataFrame({"cell": part.values, "times": part.times}) for part in counts if len(part.values)]
    if not frames:
        return _no_cells()
    whole = pl.concat(frames)
    if len(frames) > 1:
        whole = whole.group_by("cell", maintain_order=True).agg(pl.col("times").sum())
    return CellCounts(whole["cell"], whole["times"])


def _counted(cells: pl.Series) -> CellCounts:
    found = cells.to_frame("cell").group_by("cell", maintain_order=True).agg(times=pl.len().cast(pl.Int64))
    return CellCounts(found["cell"], found["times"])


@dataclass(frozen=True, slots=True)
class TextLook:
    """What one look at a text column shows: cells that may be of an old encoding, cells that are Unicode, odd signs.

    `candidates` may have come through Windows-1252, `wider` through Windows-1258, `typed` are letters with marks behind.
    """

    candidates: CellCounts
    unicode_cells: int
    is_suspect: bool
    wider: CellCounts = field(default_factory=_no_cells)
    typed: CellCounts = field(default_factory=_no_cells)

    @property
    def is_unicode(self) -> bool:
        """Return whether the column plainly holds Unicode text."""
        return self.unicode_cells > self.candidates.count


def look_at_texts(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> dict[str, TextLook]:
    """Return what the columns with text show; blank ones are left out."""
    names = tuple(name for name, cells in columns.items() if cells.null_count < len(cells))
    size = len(columns[names[0]]) if names else 0
    looks = dict(zip(names, for_each(names, size, lambda name: _look_at(columns[name])), strict=True))
    typed = {name: _typed_cells(columns[name]) for name in names if name in _VIQR_FIRST}
    if any(cells.count for cells in typed.values()):
        typed |= {name: _typed_cells(columns[name]) for name in names if name not in typed}
        looks = {name: replace(look, typed=typed[name]) for name, look in looks.items()}
    return looks


def _by_part(cells: pa.Array | pa.ChunkedArray, count: Callable[[pl.Series], CellCounts]) -> CellCounts:
    return _merged(count(pl.Series(part)) for part in parts_of(cells))


def _typed_cells(cells: pa.Array | pa.ChunkedArray) -> CellCounts:
    if len(cells) <= HANDFUL:
        return _few(Counter(cell for cell in cells.to_pylist() if cell and _TYPED.search(cell)))
    return _by_part(cells, lambda part: _counted(part.filter(part.str.contains(VIQR_SIGNS).fill_null(False))))


def _look_at(cells: pa.Array | pa.ChunkedArray) -> TextLook:
    """Return the look at one column; memory grows with one part and with what is kept of the others."""
    if len(cells) <= HANDFUL:
        return _look_at_few(cells)
    unicode_cells, is_suspect, found = 0, False, []
    for part in parts_of(cells):
        foreign, times = _foreign(pl.Series(part))
        if not len(foreign):
            continue
        is_suspect = is_suspect or bool(foreign.str.contains(_ODD_SIGNS).any())
        is_unicode = foreign.str.contains(UNICODE_ONLY)
        unicode_cells += int(is_unicode.sum()) if times is None else int(times.filter(is_unicode).sum() or 0)
        found.append(_without(foreign, times, is_unicode))
    wider = _by_part(cells, _wider) if is_suspect else _no_cells()
    return TextLook(_merged(found), unicode_cells, is_suspect, wider)


def _look_at_few(cells: pa.Array | pa.ChunkedArray) -> TextLook:
    """Return the same look at a handful of cells, without a trip to the engine of columns."""
    foreign = Counter(cell for cell in cells.to_pylist() if cell and not cell.isascii())
    is_suspect = any(_ODD.search(cell) for cell in foreign)
    candidates = {cell: times for cell, times in foreign.items() if not _UNICODE.search(cell)}
    wider = {cell: times for cell, times in foreign.items() if is_suspect and not _UNICODE_1258.search(cell)}
    unicode_cells = foreign.total() - sum(candidates.values())
    return TextLook(_few(candidates), unicode_cells, is_suspect, _few(wider))


def _few(counts: Mapping[str, int]) -> CellCounts:
    return CellCounts(
        pl.Series(list(counts), dtype=pl.String), pl.Series(list(counts.values()), dtype=pl.Int64)
    )


def _foreign(series: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Return the cells with letters beyond ASCII; distinct ones with their counts where a column repeats itself."""
    head = series.head(_WORTH_DISTINCT)
    if len(series) > _WORTH_DISTINCT and head.n_unique() * 20 < _WORTH_DISTINCT:
        counts = _counted(series)
        beyond = (counts.values.str.len_bytes() != counts.values.str.len_chars()).fill_null(False)
        return counts.values.filter(beyond), counts.times.filter(beyond)
    return series.filter((series.str.len_bytes() != series.str.len_chars()).fill_null(False)), None


def _without(foreign: pl.Series, times: pl.Series | None, is_unicode: pl.Series) -> CellCounts:
    """Return the cells that hold no letter of Unicode alone."""
    rest = foreign.filter(~is_unicode)
    return _counted(rest) if times is None else CellCounts(rest, times.filter(~is_unicode))


def _wider(series: pl.Series) -> CellCounts:
    foreign, times = _foreign(series)
    return _without(foreign, times, foreign.str.contains(UNICODE_ONLY_1258))


def decide_encodings(looks: Mapping[str, TextLook]) -> dict[str, Decision]:
    """Return the columns that hold an old encoding; what the file shows settles columns with little text."""
    decisions = {name: found for name, look in looks.items() if (found := _decide_column(look)).encoding}
    _settle_weak(decisions, looks)
    return decisions


def _decide_column(look: TextLook) -> Decision:
    """Return the best decision among the readings through one code page, the other, and typed marks."""
    found, candidates, wider, typed = Decision(), look.candidates.count, look.wider.count, look.typed.count
    if candidates:
        found = decide(_weighted_words(look.candidates), candidates, look.unicode_cells)
    if wider:
        # Windows-1258 shows more letters, so fewer cells are plainly Unicode.
        plain = max(0, look.unicode_cells + candidates - wider)
        other = decide(_weighted_words(look.wider), wider, plain, READINGS_1258)
        if other.rank > found.rank:
            found = other
    if typed and found.encoding is None:
        words = _weighted_words(look.typed, with_ascii=True)
        found = decide(words, typed, look.unicode_cells, READINGS_VIQR)
    return found


def _weighted_words(cells: CellCounts, *, with_ascii: bool = False) -> dict[str, int]:
    if len(cells.values) <= HANDFUL:
        return _few_words(cells, with_ascii=with_ascii)
    frame = pl.DataFrame({"word": cells.values.str.split(" "), "times": cells.times}).explode("word")
    words = frame.group_by("word").agg(pl.col("times").sum())
    return {
        word: int(count)
        for word, count in sorted(words.iter_rows())
        if isinstance(word, str) and (with_ascii or not word.isascii())
    }


def _few_words(cells: CellCounts, *, with_ascii: bool) -> dict[str, int]:
    words = Counter[str]()
    for cell, times in zip(cells.values.to_list(), cells.times.to_list(), strict=True):
        for word in cell.split(" "):
            words[word] += times
    return {word: words[word] for word in sorted(words) if with_ascii or not word.isascii()}


def _settle_weak(decisions: dict[str, Decision], looks: Mapping[str, TextLook]) -> None:
    """Let the encoding that the file's own columns show decide columns with too few words to decide alone."""
    shown: dict[Reading, int] = {}
    for decision in decisions.values():
        if decision.reading and decision.encoding is not Encoding.VIQR:
            shown[decision.reading] = shown.get(decision.reading, 0) + decision.supporting_words
    if not shown:
        return
    reading = max(sorted(shown), key=lambda key: shown[key])
    whole = sum(
        decision.regime is Regime.WHOLE and decision.reading == reading for decision in decisions.values()
    )
    is_all_old = whole >= _OLD_COLUMNS and not any(look.is_unicode for look in looks.values())
    for name, look in looks.items():
        if name not in decisions and (found := _weak_column(look, reading, is_all_old=is_all_old)):
            decisions[name] = found


def _weak_column(look: TextLook, reading: Reading, *, is_all_old: bool) -> Decision | None:
    """Return the decision for a column of few words by the reading of its file, or None.

    A word that can be read both ways (Xãm, Xóm) follows the file only where no column of it is Unicode.
    """
    cells = look.candidates if reading.page is CodePage.WINDOWS_1252 else look.wider
    if not cells.count:
        return None
    words = candidate_words(cells.values.to_list())
    witnesses = witness_words(reading)
    trial = decide({**words, **witnesses}, cells.count, look.unicode_cells, [reading])
    if trial.encoding is None or trial.opposing_words:
        return None
    return trial if is_all_old or trial.supporting_words > len(witnesses) else None
