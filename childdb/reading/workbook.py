"""A true .xlsx as grids: relations, sheets with their visibility, styles, shared texts, then the cells."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from childdb.reading.cell_values import CellResolver, is_date_format, stored_text
from childdb.reading.container import Container, check_markup, open_container
from childdb.reading.grid import Grid, ValueTable
from childdb.reading.reasons import FileStopped
from childdb.reading.sheet_expat import new_parser
from childdb.reading.sheet_xml import read_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from childdb.reading.model import ReadOptions

_PLAIN_SHARED = re.compile(r'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')
_SHEET_RELATION = "/worksheet"


@dataclass(slots=True)
class RawFile:
    """Everything a reader of bytes hands to the layout: grids of visible sheets and remarks on the file."""

    grids: list[Grid]
    values: ValueTable
    sheet_names: tuple[str, ...] = ()
    hidden_sheets: tuple[str, ...] = ()
    date_system: str = "1900"
    remarks: set[str] = field(default_factory=set)
    encoding: str | None = None
    delimiter: str | None = None
    line_count: int | None = None
    bad_row_count: int = 0


@dataclass(frozen=True, slots=True)
class _SheetEntry:
    name: str
    state: str
    relation: str


class _Elements:
    """Collects the attributes of chosen elements of a small part, in document order."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.found: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.path: list[str] = []

    def read(self, data: bytes) -> list[tuple[str, dict[str, str], tuple[str, ...]]]:
        """Return (element, attributes, path above it) for each wanted element."""
        parser = new_parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(data, True)
        except expat.ExpatError:
            raise FileStopped("FILE-XML") from None
        return self.found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if len(self.path) > 200:
            raise FileStopped("FILE-XML")
        if local in self.wanted:
            self.found.append((local, attributes, tuple(self.path)))
        self.path.append(local)

    def _end(self, _: str) -> None:
        self.path.pop()


def _elements(
    container: Container, name: str, *wanted: str
) -> list[tuple[str, dict[str, str], tuple[str, ...]]]:
    if name not in container.parts:
        return []
    return _Elements(frozenset(wanted)).read(container.read(name))


def _attribute(attributes: dict[str, str], local: str) -> str:
    """Return an attribute by its local name, whatever prefix its writer chose."""
    for name, value in attributes.items():
        if name.rpartition(":")[2] == local:
            return value
    return ""


def _relations(container: Container, part: str) -> dict[str, tuple[str, str]]:
    folder, _, base = part.rpartition("/")
    name = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
    relations = {}
    for _, attributes, _path in _elements(container, name, "Relationship"):
        if attributes.get("TargetMode") == "External":
            continue
        target = attributes.get("Target", "")
        path = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join(folder, target))
        )
        relations[attributes.get("Id", "")] = (attributes.get("Type", ""), path)
    return relations


def read_workbook(path: Path, options: ReadOptions) -> RawFile:
    """Return the visible sheets of a workbook as grids; hidden ones are named, never opened."""
    container = open_container(path, options)
    try:
        return _read_open(container, options)
    finally:
        container.stream.close()


def _read_open(container: Container, options: ReadOptions) -> RawFile:
    main = _main_part(container)
    relations = _relations(container, main)
    entries, date_system = _workbook_facts(container, main)
    values = ValueTable()
    resolver = CellResolver(
        values=values,
        shared=_shared_texts(container, relations),
        date_styles=_date_styles(container, relations),
        date_system=date_system,
    )
    raw = RawFile(grids=[], values=values, date_system=date_system, remarks=container.remarks)
    raw.sheet_names = tuple(entry.name for entry in entries)
    raw.hidden_sheets = tuple(entry.name for entry in entries if entry.state != "visible")
    for entry in entries:
        kind, part = relations.get(entry.relation, ("", ""))
        if entry.state == "visible" and kind.endswith(_SHEET_RELATION):
            raw.grids.append(_read_grid(container, part, entry.name, resolver, options))
    container.look_at_the_rest()
    if date_system == "1904":
        raw.remarks.add("DATE-1904")
    return raw


def _main_part(container: Container) -> str:
    for kind, path in _relations(container, "").values():
        if kind.endswith("/officeDocument") and path in container.parts:
            if not path.lower().startswith("xl/") and "word/" in path.lower():
                raise FileStopped("FILE-TYPE", kind="docx")
            return path
    if "xl/workbook.xml" in container.parts:
        return "xl/workbook.xml"
    raise FileStopped("FILE-TYPE", kind="zip")


def _workbook_facts(container: Container, main: str) -> tuple[list[_SheetEntry], str]:
    entries: list[_SheetEntry] = []
    date_system = "1900"
    found = _elements(container, main, "sheet", "workbookPr", "workbook")
    if not any(name == "workbook" for name, _, _ in found):
        raise FileStopped("FILE-TYPE", kind="Office")
    for name, attributes, path in found:
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true", "on"):
            date_system = "1904"
        if name == "sheet" and path[-1:] == ("sheets",):
            state = attributes.get("state", "visible")
            entries.append(_SheetEntry(attributes.get("name", ""), state, _attribute(attributes, "id")))
    return entries, date_system


def _read_grid(
    container: Container, part: str, sheet: str, resolver: CellResolver, options: ReadOptions
) -> Grid:
    if part not in container.parts:
        raise FileStopped("FILE-TRUNCATED")
    before = resolver.external_formulas
    cells = read_sheet(container.stream_part(part), container.stream_part(part), resolver, options.limits)
    grid = cells.grid(sheet)
    if cells.has_filter:
        grid.remarks.add("FILTER")
    if resolver.external_formulas > before:
        container.remarks.add("FILE-ACTIVE")
    return grid


def _date_styles(container: Container, relations: dict[str, tuple[str, str]]) -> frozenset[int]:
    """Return the numbers of the cell styles that show a date."""
    part = next((path for kind, path in relations.values() if kind.endswith("/styles")), "")
    codes: dict[int, str] = {}
    styles: set[int] = set()
    place = 0
    for name, attributes, path in _elements(container, part, "numFmt", "xf"):
        if name == "numFmt" and attributes.get("numFmtId", "").isdigit():
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "xf" and path[-1:] == ("cellXfs",):
            number = int(attributes.get("numFmtId", "0")) if attributes.get("numFmtId", "0").isdigit() else 0
            if is_date_format(number, codes.get(number)):
                styles.add(place)
            place += 1
    return frozenset(styles)


def _shared_texts(container: Container, relations: dict[str, tuple[str, str]]) -> list[str]:
    part = next((path for kind, path in relations.values() if kind.endswith("/sharedStrings")), "")
    if part not in container.parts:
        return []
    data = b"".join(container.stream_part(part))
    check_markup(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _SharedTexts().read(data)
    plain = _PLAIN_SHARED.findall(text)
    if len(plain) == text.count("<si>") and "<si " not in text and "<!" not in text:
        return plain if "&" not in text and "_x" not in text else [stored_text(entry) for entry in plain]
    return _SharedTexts().read(data)


class _SharedTexts:
    """Shared texts in any XML dialect; phonetic hints are left out."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.parts: list[str] = []
        self.collecting = self.phonetic = False

    def read(self, data: bytes) -> list[str]:
        """Return all shared texts in order."""
        parser = new_parser()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)
        except expat.ExpatError:
            raise FileStopped("FILE-XML") from None
        return self.texts

    def _start(self, name: str, _: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self.parts = []
        elif local == "rPh":
            self.phonetic = True
        elif local == "t":
            self.collecting = not self.phonetic

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self.texts.append(stored_text("".join(self.parts).replace("&", "&amp;")))
        elif local == "rPh":
            self.phonetic = False
        elif local == "t":
            self.collecting = False

    def _text(self, data: str) -> None:
        if self.collecting:
            self.parts.append(data)
