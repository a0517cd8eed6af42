"""Checks of cells, rows and columns that need no knowledge of children: hostile text, errors, shifts."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from childdb.findings import Severity
from childdb.reading.grid import column_letters
from childdb.reading.keys import fold
from childdb.reading.reasons import make_finding, rank_reason
from childdb.reading.shapes import STRONG_SHAPES, distinctive_column, fits, misfits_of, share_fitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from childdb.findings import Finding
    from childdb.reading.column_map import ColumnMap
    from childdb.reading.compose import Composer

_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u2018-\u201e\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2020-\u2026\u2030\u2039\u203a\u20ac\u2122]{1,3}")  # fmt: skip
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SYMBOL = re.compile("[\u2600-\u27bf\ue000-\uf8ff\U0001f000-\U0001faff\U000f0000-\U0010ffff\ufe0f]")
_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2600-\u27bf\ue000-\uf8ff\U0001f000-\U0010ffff\ufe0f"
    "={}<>$;|\\\\\uff1d\uff0b\uff0d\uff20\n]|--|^[\\s\u200b-\u200f\ufeff\u00ad]*[-+@%]"
)
_SEPARATOR = "\x1f"
_SUSPECT_SIGN = re.compile(
    "[\x00-\x08\x0b-\x1e\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2600-\u27bf\ue000-\uf8ff\U0001f000-\U0010ffff\ufe0f"
    "={}<>$;|\\\\\uff1d\uff0b\uff0d\uff20\n]"
)
_SUSPECT_LEAD = frozenset("-+@% \t\u00a0\u200b\u200c\u200d\u200e\u200f\ufeff\u00ad")
_INSTRUCTION_WORDS = ("mark", "ignore", "disregard", "bỏ qua", "đánh dấu")
_FORMULA = re.compile("^[\\s\u200b-\u200f\ufeff\u00ad\x00-\x1f]*[=+\\-@|%\uff1d\uff0b\uff0d\uff20]")
_INNER_FORMULA = re.compile('[;\t][\\s"]*[=@]')
_HARMLESS = re.compile(r"[-+−\s]*[\d\s.,()/%\-]*", re.ASCII)
_DASH_WORD = re.compile(r"\s*[-–]\s*(?:[^\W\d_]|$)")
_SQL = re.compile(
    r"['\";)]\s*(?:;|--)|;\s*(?:drop|delete|insert|update|alter|create|truncate|select|grant)\b|\$\$|\\copy|\bunion\s+select\b"
    r"|'\s*or\s+'?\d", re.I
)  # fmt: skip
_TEMPLATE = re.compile(r"\{\{|\{%|\$\{|%\(|<%|#\{")
_HTML = re.compile(
    r"<\s*/?\s*(?:script|img|iframe|svg|a|b|i|u|p|div|span|style|table|br|html|object|embed|form|input)\b",
    re.I,
)
_LOG = re.compile(
    r"\x1b\[|[\r\n].*(?:\b(?:info|warn|warning|error|debug|critical)\b|\d{4}-\d\d-\d\d[ T]\d\d:\d\d)", re.I
)
_INSTRUCTION = re.compile(
    r"mark(?:ed)? as (?:matched|accepted|correct)|ignore (?:the|all|previous)|bỏ qua (?:các |mọi )?(?:quy tắc|luật|kiểm tra)"
    r"|đánh dấu (?:là )?(?:đã )?(?:khớp|đúng)|disregard", re.I
)  # fmt: skip
_ROW_CODES = frozenset({"CELL-LONG", "INJ-REDOS", "CELL-BIDI"})
_ESSENTIAL_CODES = frozenset({"CELL-CONTROL", "CELL-ERROR", "CELL-FORMULA"})
_NAME_SHAPES = frozenset({"name", "person"})
_TELLING = frozenset({"gioi_tinh", "dan_toc", "ngay_sinh", "so_dinh_danh", "tinh", "xa", "ho_ten_tre"})


def text_codes(text: str, limit: int) -> list[str]:
    """Return the reason codes a single text gives cause for, whatever column it stands in.

    >>> text_codes("=HYPERLINK(0)", 4000), text_codes("Nguyễn Thị Hòa", 4000)
    (['INJ-FORMULA'], [])
    """
    codes: list[str] = []
    if len(text) > limit:
        return ["INJ-REDOS" if _is_probe(text) else "CELL-LONG"]
    if not _SUSPECT.search(text):
        return ["INJ-TEXT"] if len(text) > 12 and _INSTRUCTION.search(text) else codes
    if _CONTROL.search(text) and _CONTROL.search(_MOJIBAKE.sub("", text)):
        codes.append("INJ-LOG" if "\x1b[" in text else "CELL-CONTROL")
    if _BIDI.search(text):
        codes.append("CELL-BIDI")
    if _SYMBOL.search(text):
        codes.append("CELL-SCRIPT")
    codes.extend(_injection_codes(text))
    return codes


def _is_probe(text: str) -> bool:
    """Return whether a text is one letter over and over with another end: made to stall a backtracking expression."""
    rest = text.lstrip(text[0])
    return 0 < len(rest) < 16 and len(text) - len(rest) >= 1000


def _injection_codes(text: str) -> list[str]:
    codes = []
    starts = _FORMULA.match(text) and not _HARMLESS.fullmatch(text) and not _DASH_WORD.match(text)
    if starts or _INNER_FORMULA.search(text):
        codes.append("INJ-FORMULA")
    for code, pattern in (
        ("INJ-SQL", _SQL), ("INJ-TEMPLATE", _TEMPLATE), ("INJ-HTML", _HTML), ("INJ-LOG", _LOG), ("INJ-TEXT", _INSTRUCTION),
    ):  # fmt: skip
        if pattern.search(text):
            codes.append(code)
    return codes


def header_codes(texts: list[str]) -> set[str]:
    """Return what is unusual about headers, sheet names or file names; they are only ever text."""
    codes: set[str] = set()
    for text in texts:
        if "\x1b" in text or _LOG.search(text):
            codes.add("INJ-LOG")
        if _TEMPLATE.search(text):
            codes.add("INJ-TEMPLATE")
        plain = re.sub(r"(?<=[^\W\d_])['’](?=[^\W\d_])", "", text)  # the apostrophe of a word
        if re.search(r"[\"';`\\]|%s|--|\$\$|/\*", plain) or len(text) > 200:
            codes.add("INJ-IDENTIFIER")
    return codes


def _positions(text: str, word: str) -> list[int]:
    """Return where a word begins in a text."""
    found, place = [], text.find(word)
    while place >= 0:
        found.append(place)
        place = text.find(word, place + 1)
    return found


def _suspect_numbers(numbers: list[int], texts: list[str], limit: int) -> list[int]:
    """Return the values that need a closer look, found by one search over all of them together."""
    chosen = [texts[number] for number in numbers]
    joined = _SEPARATOR.join(chosen)
    if joined.count(_SEPARATOR) != len(chosen) - 1:
        return numbers
    lengths = np.fromiter(map(len, chosen), dtype=np.int64, count=len(chosen))
    ends = np.cumsum(lengths + 1)
    hits = [match.start() for match in _SUSPECT_SIGN.finditer(joined)]
    hits += _positions(joined, "--")
    lowered = joined.lower()
    if len(lowered) == len(joined):
        hits += [place for word in _INSTRUCTION_WORDS for place in _positions(lowered, word)]
    places = set(np.searchsorted(ends, np.array(hits, dtype=np.int64), side="right").tolist())
    places |= {place for place, text in enumerate(chosen) if text[:1] in _SUSPECT_LEAD and text}
    places |= set(np.flatnonzero(lengths > limit).tolist())
    return [numbers[place] for place in sorted(places)]


class RowChecks:
    """Judges the child rows of one sheet; gives row reasons and findings with places, never values."""

    def __init__(self, composer: Composer, column_map: ColumnMap, limit: int) -> None:
        self.composer, self.map, self.limit = composer, column_map, limit
        self.grid = composer.layout.grid
        self.row_nos = self.grid.row_nos[composer.rows]
        self.reasons: dict[int, str] = {}
        self.findings: list[Finding] = []
        self.target_at = {place: column for column, place in composer.sources.single.items()}
        for column, parts in composer.sources.composed.items():
            self.target_at.update({place: column for place, _ in parts})

    def run(self) -> None:
        """Judge texts, errors, formulas and shifted rows."""
        self._judge_values()
        self._judge_formulas()
        self._judge_shifts()
        for row, row_no in enumerate(self.row_nos):
            code = self.grid.row_reasons.get(int(row_no))
            if code:
                self._hold_row(row, code)

    def _hold_row(self, row: int, code: str) -> None:
        current = self.reasons.get(row)
        if current is None or rank_reason(code) < rank_reason(current):
            self.reasons[row] = code

    def _judge_values(self) -> None:
        values = self.grid.values
        suspects: dict[int, list[str]] = {}
        used = np.unique(self.composer.cells).tolist()
        for number in _suspect_numbers(used, values.texts, self.limit):
            codes = text_codes(values.texts[number], self.limit) if values.kinds[number] == "t" else []
            if codes:
                suspects[number] = codes
        for number in used:
            if values.kinds[number] in "ef":
                suspects[number] = ["CELL-ERROR"] if values.kinds[number] == "e" else ["CELL-FORMULA"]
        if not suspects:
            return
        hits = np.isin(self.composer.cells, list(suspects))
        for row, place in zip(*np.nonzero(hits), strict=True):
            for code in suspects[int(self.composer.cells[row, place])]:
                self._judge_cell(int(row), int(place), code)

    def _judge_cell(self, row: int, place: int, code: str) -> None:
        column = self.target_at.get(place)
        if column == "stt" and code in ("CELL-FORMULA", "CELL-ERROR"):
            return
        holds = code in _ROW_CODES or (code in _ESSENTIAL_CODES and self._is_essential(column))
        if code == "CELL-SCRIPT":
            if column is None or self.map.rules[column].shape not in _NAME_SHAPES:
                return
            holds = self.map.rules[column].shape == "name"
        if holds:
            self._hold_row(row, code)
        severity = Severity.ERROR if holds else Severity.WARNING
        self._note(code, row, place, severity)

    def _is_essential(self, column: str | None) -> bool:
        if column is None:
            return False
        rule = self.map.rules[column]
        return rule.essential or rule.shape in _NAME_SHAPES

    def _note(self, code: str, row: int, place: int, severity: Severity) -> None:
        self.findings.append(
            make_finding(
                code,
                sheet=self.grid.sheet,
                row_no=int(self.row_nos[row]),
                column=self.target_at.get(place) or column_letters(int(self.grid.column_nos[place])),
                severity=severity,
                limit=self.limit,
                count=1,
            )
        )

    def _judge_formulas(self) -> None:
        """Report per column that stored results of formulas were used; a number column's formulas are no matter."""
        stored = [n for n in self.grid.values.formulas if self.grid.values.kinds[n] != "f"]
        if not stored:
            return
        hits = np.isin(self.composer.cells, stored)
        for place in map(int, np.flatnonzero(hits.any(axis=0))):
            column = self.target_at.get(place) or column_letters(int(self.grid.column_nos[place]))
            finding = make_finding(
                "CELL-FORMULA", sheet=self.grid.sheet, column=column, severity=Severity.INFO
            )
            count = int(np.count_nonzero(hits[:, place]))
            text_vi = f"{count} ô là công thức; đã dùng kết quả được lưu, không tính lại."
            text_en = f"{count} cells are formulas; their stored results were used, nothing was recalculated."
            self.findings.append(_reworded(finding, text_vi, text_en))

    def _judge_shifts(self) -> None:
        strong = {
            place: self.map.rules[column].shape
            for column, place in self.composer.sources.single.items()
            if self.map.rules[column].shape in STRONG_SHAPES
        }
        if len(strong) < 3:
            return
        position = {int(number): place for place, number in enumerate(self.grid.column_nos)}
        for row in self._misfits(strong):
            now = self._fitting(row, strong, 0, position)
            moved = max(self._fitting(row, strong, step, position) for step in (1, -1))
            if moved >= max(3, 2 * now + 1) and moved >= 0.5 * len(strong):
                self._hold_row(row, "ROW-SHIFT")
                self.findings.append(
                    make_finding("ROW-SHIFT", sheet=self.grid.sheet, row_no=int(self.row_nos[row]))
                )

    def _misfits(self, strong: dict[int, str]) -> list[int]:
        """Return rows where at least two of the strong columns hold something that does not belong there."""
        wrong = np.zeros(len(self.row_nos), dtype=np.int16)
        texts = self.grid.values.texts
        for place, shape in strong.items():
            numbers = self.composer.cells[:, place]
            bad = misfits_of(np.unique(numbers).tolist(), texts, shape)
            misfits = np.isin(numbers, bad)
            if bad and np.count_nonzero(misfits) <= max(1, 0.3 * len(numbers)):
                wrong += misfits
        return [int(row) for row in np.flatnonzero(wrong >= 2)]

    def _fitting(self, row: int, strong: dict[int, str], step: int, position: dict[int, int]) -> int:
        """Return how many strong columns fit when the row is read a cell to the right or left."""
        found = 0
        for place, shape in strong.items():
            source = position.get(int(self.grid.column_nos[place]) + step)
            if source is None:
                continue
            number = int(self.composer.cells[row, source])
            found += bool(number) and fits(self.grid.values.texts[number], shape)
        return found


def _reworded(finding: Finding, vi: str, en: str) -> Finding:
    return replace(finding, message_vi=vi, message_en=en)


def swapped_columns(composer: Composer, column_map: ColumnMap) -> list[str]:
    """Return columns whose content contradicts their header as a whole: swapped or moved columns."""
    grid = composer.layout.grid
    suspects: list[str] = []
    samples: dict[str, list[str]] = {}
    for column, place in sorted(composer.sources.single.items()):
        numbers: NDArray[np.int32] = composer.cells[:200, place]
        samples[column] = [grid.values.texts[n] for n in numbers[numbers != 0]]
    for column, texts in samples.items():
        shape = column_map.rules[column].shape
        if _reads_as_another(column, texts, column_map):
            suspects.append(column)
            continue
        other = {"name": "date", "date": "name", "sex": "date", "person": "date", "person_no": "name"}.get(
            shape
        )
        if other is None or len(texts) < 3:
            continue
        if share_fitting(texts, shape) < 0.2 and share_fitting(texts, other) > 0.7:
            suspects.append(column)
    if _parents_swapped(samples.get("ho_ten_cha", []), samples.get("ho_ten_me", [])):
        suspects.extend(["ho_ten_cha", "ho_ten_me"])
    return suspects


def _reads_as_another(column: str, texts: list[str], column_map: ColumnMap) -> bool:
    """Return whether a column's content is plainly that of another column: sexes under the ethnic group, say."""
    if column not in _TELLING or len(texts) < 3:
        return False
    content = distinctive_column(texts)
    return content in _TELLING and content != column and not (column == "xa" and content == "tinh")


def _parents_swapped(fathers: list[str], mothers: list[str]) -> bool:
    """Return whether fathers mostly carry the middle name Thị and mothers Văn."""
    father_marks = Counter(mark for text in fathers if (mark := _sex_mark(text)))
    mother_marks = Counter(mark for text in mothers if (mark := _sex_mark(text)))
    enough = sum(father_marks.values()) >= 3 and sum(mother_marks.values()) >= 3
    return enough and (
        father_marks["thi"] > 0.8 * sum(father_marks.values())
        and mother_marks["van"] > 0.8 * sum(mother_marks.values())
    )


def _sex_mark(text: str) -> str | None:
    middle = fold(text).split()[1:-1]
    return "thi" if "thi" in middle else "van" if "van" in middle else None
