"""CSV and its relatives as a grid: encoding proven, separator found, quotes strict, every record counted."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from childdb.reading.grid import Grid, ValueTable, build_grid
from childdb.reading.model import Outcome
from childdb.reading.reasons import FileStopped
from childdb.reading.workbook import RawFile

if TYPE_CHECKING:
    from childdb.reading.column_map import ColumnMap
    from childdb.reading.model import ReadOptions

_DELIMITERS = (",", ";", "\t", "|", "~")
_WIDEST = 2_048
_MULTIBYTE = re.compile(rb"[\xc3-\xc6\xe1][\x80-\xbf]{1,2}")
_HIGH = re.compile(rb"[\x80-\xff]")
_VIETNAMESE = frozenset(
    "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"
    "AÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬEÈÉẺẼẸÊỀẾỂỄỆIÌÍỈĨỊOÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢUÙÚỦŨỤƯỪỨỬỮỰYỲÝỶỸỴĐ–—‘’“”…° ₫\u00a0"
)  # fmt: skip


@dataclass(slots=True)
class Decoded:
    """Text of a file with the way it was decoded; ``bad_lines`` are lines in another encoding."""

    text: str
    encoding: str
    remarks: set[str] = field(default_factory=set)
    bad_lines: frozenset[int] = frozenset()


def decode(data: bytes, options: ReadOptions) -> Decoded:
    """Return the text of a file; nothing is ever replaced or left out, a doubtful file is held."""
    for mark, encoding, remark in (
        (b"\xef\xbb\xbf", "utf-8-sig", "ENC-BOM"),
        (b"\xff\xfe\x00\x00", "utf-32", "ENC-UTF16"),
        (b"\xff\xfe", "utf-16", "ENC-UTF16"),
        (b"\xfe\xff", "utf-16", "ENC-UTF16"),
    ):
        if data.startswith(mark):
            return _decode_marked(data, encoding, remark)
    if b"\x00" in data:
        looks_utf16 = data.count(b"\x00") > 0.2 * len(data)
        raise FileStopped("ENC-UTF16" if looks_utf16 else "ENC-NUL", outcome=Outcome.QUARANTINE_FILE)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        return _decode_other(data, error.start, options)


def _decode_marked(data: bytes, encoding: str, remark: str) -> Decoded:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8-sig":
            mixed = _mixed_lines(data[3:])
            if mixed is not None:
                mixed.remarks.add(remark)
                return mixed
        raise FileStopped("ENC-INVALID", count=1, offset=error.start) from None
    if "\x00" in text:
        raise FileStopped("ENC-NUL")
    return Decoded(text, encoding, {remark})


def _decode_other(data: bytes, offset: int, options: ReadOptions) -> Decoded:
    if options.declared_encoding:
        try:
            text = unicodedata.normalize("NFC", data.decode(options.declared_encoding))
        except (UnicodeDecodeError, LookupError):
            raise FileStopped("ENC-INVALID", count=1, offset=offset) from None
        return Decoded(text, options.declared_encoding, _encoding_remark(options.declared_encoding))
    if _MULTIBYTE.search(data) and any(_is_utf8(m[0]) for m in _MULTIBYTE.finditer(data[:200_000])):
        mixed = _mixed_lines(data)
        if mixed is not None:
            return mixed
    single = _single_byte(data)
    if single is not None:
        return single
    bad = sum(not _is_utf8(line) for line in data.split(b"\n"))
    raise FileStopped("ENC-INVALID", count=bad, offset=offset)


def _encoding_remark(encoding: str) -> set[str]:
    name = encoding.lower().replace("-", "").replace("_", "")
    if name in ("cp1258", "windows1258"):
        return {"ENC-CP1258"}
    return {"ENC-UTF16"} if name.startswith("utf16") else set()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _mixed_lines(data: bytes) -> Decoded | None:
    """Return the text when most lines are UTF-8 and the others are whole lines of another encoding.

    A damaged byte inside a UTF-8 line is no other encoding: then the answer is None and the file is held.
    """
    lines = data.split(b"\n")
    bad = {place for place, line in enumerate(lines) if not _is_utf8(line)}
    good_marked = any(place not in bad and _HIGH.search(line) for place, line in enumerate(lines))
    foreign = all(_is_foreign(lines[place]) for place in bad)
    if not good_marked or not foreign or len(bad) > 0.5 * len(lines):
        return None
    texts = [line.decode("latin-1" if place in bad else "utf-8") for place, line in enumerate(lines)]
    return Decoded("\n".join(texts), "utf-8", {"ENC-MIXED"}, frozenset(bad))


def _is_foreign(line: bytes) -> bool:
    """Return whether a line reads as a single-byte Vietnamese encoding throughout, with no UTF-8 letter in it."""
    utf8_letters = any(_is_utf8(match[0]) for match in _MULTIBYTE.finditer(line))
    return not utf8_letters and len(_HIGH.findall(line)) >= 2


def _single_byte(data: bytes) -> Decoded | None:
    """Return text of a file that is single-byte throughout, when reading it as Vietnamese proves right."""
    try:
        text = unicodedata.normalize("NFC", data.decode("cp1258"))
    except UnicodeDecodeError:
        text = ""
    high = [letter for letter in text if ord(letter) > 127]
    strange = sum(letter not in _VIETNAMESE for letter in high)
    toned = sum(letter in _VIETNAMESE and "\u1e00" <= letter <= "\u1eff" for letter in high)
    if high and strange <= 0.01 * len(high) and toned:
        return Decoded(text, "cp1258", {"ENC-CP1258"})
    latin = data.decode("latin-1")
    if any("\x80" <= letter <= "\x9f" for letter in latin):
        try:
            latin = data.decode("cp1252")
        except UnicodeDecodeError:
            return None
    from childdb.reading.legacy_text import guess_legacy

    legacy = guess_legacy(latin)
    return Decoded(latin, legacy[0], {legacy[1]}) if legacy else None


def find_delimiter(text: str, options: ReadOptions, column_map: ColumnMap) -> str:
    """Return the separator whose columns the map understands best; the declared one where there is one."""
    if options.declared_delimiter:
        return options.declared_delimiter
    head = text[:200_000]
    best, best_score = ",", -1.0
    for delimiter in _DELIMITERS:
        score = _delimiter_score(head, delimiter, column_map)
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    return best


def _delimiter_score(head: str, delimiter: str, column_map: ColumnMap) -> float:
    score, widths = 0.0, []
    try:
        for place, record in enumerate(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)):
            if place >= 60:
                break
            widths.append(len(record))
            score = max(score, float(len({c for text in record[:300] if (c := column_map.find_exact(text))})))
    except csv.Error:
        pass
    wide = max(widths, default=1)
    return score + (0.5 * widths.count(wide) / len(widths) if wide > 1 else 0.0)


@dataclass(slots=True)
class _Records:
    """Records of a file with the number of each as a person counts it, and what stood out."""

    records: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    last_lines: list[int] = field(default_factory=list)
    line_count: int = 0
    remarks: set[str] = field(default_factory=set)


def read_delimited(data: bytes, options: ReadOptions, column_map: ColumnMap) -> RawFile:
    """Return a delimited file as a raw file of one sheet."""
    decoded = decode(data, options)
    if not decoded.text.strip('\ufeff\r\n\t ,;|"'):
        raise FileStopped("FILE-EMPTY")
    delimiter = find_delimiter(decoded.text, options, column_map)
    records = _read_records(decoded.text, delimiter)
    _check_lines(decoded.text, records, delimiter, column_map)
    values = ValueTable()
    raw = RawFile(grids=[], values=values, sheet_names=("",), encoding=decoded.encoding, delimiter=delimiter)
    raw.remarks = decoded.remarks | records.remarks
    raw.line_count = records.line_count
    grid = _grid(records, values)
    grid.row_reasons = _bad_rows(records, decoded)
    grid.row_widths = {
        number: len(record) for number, record in zip(records.numbers, records.records, strict=True)
    }
    raw.grids.append(grid)
    raw.remarks.update({"UNFINISHED"} if not decoded.text.endswith(("\n", "\r")) else set())
    return raw


def _read_records(text: str, delimiter: str) -> _Records:
    found = _Records()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(2**31 - 1)
    number = 0
    try:
        for record in reader:
            number += 1
            if record:
                found.records.append(record)
                found.numbers.append(number)
                found.last_lines.append(reader.line_num)
    except csv.Error:
        raise FileStopped("CSV-QUOTE", line=reader.line_num) from None
    found.line_count = reader.line_num
    return found


def _check_lines(text: str, records: _Records, delimiter: str, column_map: ColumnMap) -> None:
    """Refuse records that swallowed others; note line breaks inside fields and mixed line ends."""
    multiline = [r for r in records.records if any("\n" in f or "\r" in f for f in r)]
    width = max((len(record) for record in records.records), default=0)
    for record in multiline:
        for entry in record:
            lines = re.split(r"\r\n|\r|\n", entry)
            if width > 3 and sum(line.count(delimiter) >= max(2, 0.6 * (width - 1)) for line in lines) >= 1:
                raise FileStopped("CSV-QUOTE", line=records.last_lines[records.records.index(record)])
    ends = set(re.findall(r"\r\n|\r|\n", text[:5_000_000]))
    if multiline or len(ends) > 1 or ends == {"\r"}:
        records.remarks.add("CSV-LINES")
    if _is_mixed(records, delimiter, width):
        raise FileStopped("CSV-DIALECT")


def _is_mixed(records: _Records, delimiter: str, width: int) -> bool:
    """Return whether some records only come apart at another separator than the rest."""
    if width < 4:
        return False
    for other in _DELIMITERS:
        if other == delimiter:
            continue
        odd = sum(
            len(r) <= 0.5 * width and max(f.count(other) for f in r) >= 0.8 * (width - 1)
            for r in records.records
        )
        if odd:
            return True
    return False


def _grid(records: _Records, values: ValueTable) -> Grid:
    known: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    numbers: list[int] = []
    for row_no, record in zip(records.numbers, records.records, strict=True):
        for place, text in enumerate(_bounded(record), start=1):
            number = known.get(text)
            if number is None:
                number = known[text] = values.add(text, "t")
            if number:
                rows.append(row_no)
                columns.append(place)
                numbers.append(number)
    grid = build_grid("", values, *(np.array(items, dtype=np.int32) for items in (rows, columns, numbers)))
    return _with_blank_records(grid, records)


def _bounded(record: list[str]) -> list[str]:
    """Return a record of bearable width; what lies beyond is kept together in the last field."""
    if len(record) <= _WIDEST:
        return record
    return [*record[: _WIDEST - 1], "\u241f".join(record[_WIDEST - 1 :])]


def _with_blank_records(grid: Grid, records: _Records) -> Grid:
    """Add the records that hold only empty fields: a CSV record is a physical row whatever it holds."""
    wanted = np.array(records.numbers, dtype=np.int32)
    if grid.row_count == len(wanted):
        return grid
    cells = np.zeros((len(wanted), grid.cells.shape[1]), dtype=np.int32)
    cells[np.searchsorted(wanted, grid.row_nos)] = grid.cells
    grid.row_nos, grid.cells = wanted, cells
    return grid


def _bad_rows(records: _Records, decoded: Decoded) -> dict[int, str]:
    reasons: dict[int, str] = {}
    if not decoded.bad_lines:
        return reasons
    before = 0
    for number, last in zip(records.numbers, records.last_lines, strict=True):
        if any(line in decoded.bad_lines for line in range(before, last)):
            reasons[number] = "ENC-MIXED"
        before = last
    return reasons
