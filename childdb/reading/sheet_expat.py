"""Cells of a worksheet in any valid XML dialect, by expat; slower than the splitter and the same in result."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from childdb.reading.cell_values import stored_text
from childdb.reading.grid import column_number
from childdb.reading.reasons import FileStopped
from childdb.reading.sheet_xml import _REFERENCE, SheetCells, note_hidden_columns, note_merge

if TYPE_CHECKING:
    from collections.abc import Callable

_FLUSH_AT = 50_000


def new_parser() -> expat.XMLParserType:
    """Return a parser that refuses document types, entities and outside references."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def refuse(*_: object) -> None:
        raise FileStopped("FILE-XML")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse  # type: ignore[assignment]
    return parser


class ExpatSheet:
    """Receives a worksheet in chunks and fills ``SheetCells``."""

    def __init__(self, cells: SheetCells) -> None:
        self.cells = cells
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.row_no = self.column_no = 0
        self.row_has_value = self.row_is_marked = False
        self.in_cell = self.in_phonetic = False
        self.attributes: dict[str, str] = {}
        self.collecting: list[str] | None = None
        self.formula: str | None = None
        self.value: str | None = None
        self.inline: list[str] | None = None
        self.batch: tuple[list[int], list[int], list[int]] = ([], [], [])
        self.starts: dict[str, Callable[[dict[str, str]], None]] = {
            "row": self._start_row, "c": self._start_cell, "f": self._start_text, "v": self._start_text,
            "t": self._start_text, "is": self._start_inline, "rPh": self._start_phonetic,
            "dimension": self._start_dimension, "col": self._start_column, "mergeCell": self._start_merge,
            "filterColumn": self._start_filter,
        }  # fmt: skip

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the part."""
        self.parser.Parse(chunk, False)

    def close(self) -> None:
        """End the part; raises when it is not whole."""
        self.parser.Parse(b"", True)
        self._flush()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        handler = self.starts.get(name.rpartition(":")[2])
        if handler:
            handler(attributes)

    def _start_dimension(self, attributes: dict[str, str]) -> None:
        self.cells.dimension = attributes.get("ref")

    def _start_column(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            note_hidden_columns(self.cells, attributes.get("min"), attributes.get("max"))

    def _start_merge(self, attributes: dict[str, str]) -> None:
        note_merge(self.cells, attributes.get("ref", ""))

    def _start_filter(self, _: dict[str, str]) -> None:
        self.cells.has_filter = True

    def _start_row(self, attributes: dict[str, str]) -> None:
        stated = attributes.get("r", "")
        self.row_no = int(stated) if stated.isdigit() and len(stated) < 9 else self.row_no + 1
        self.column_no = 0
        self.row_has_value = self.row_is_marked = False
        if attributes.get("hidden") in ("1", "true"):
            self.cells.hidden_rows.add(self.row_no)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.in_cell, self.attributes = True, attributes
        self.formula = self.value = self.inline = None
        reference = attributes.get("r")
        if reference is None:
            self.column_no += 1
            return
        match = _REFERENCE.fullmatch(reference)
        if match is None or (self.row_no and int(match[2]) != self.row_no):
            raise FileStopped("FILE-GRID")
        self.column_no = column_number(match[1])

    def _start_text(self, _: dict[str, str]) -> None:
        if self.in_cell and not self.in_phonetic:
            self.collecting = []
            self.row_is_marked = True

    def _start_inline(self, _: dict[str, str]) -> None:
        self.inline = []

    def _start_phonetic(self, _: dict[str, str]) -> None:
        self.in_phonetic = True

    def _text(self, data: str) -> None:
        if self.collecting is not None:
            self.collecting.append(data)

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            self._end_cell()
        elif local == "row":
            self._end_row()
        elif local == "rPh":
            self.in_phonetic = False
        elif self.collecting is not None and local in ("f", "v", "t"):
            self._end_text(local, "".join(self.collecting))
            self.collecting = None

    def _end_text(self, local: str, text: str) -> None:
        if local == "f":
            self.formula = text
        elif local == "v":
            self.value = text
        elif self.inline is not None:
            self.inline.append(text)

    def _end_cell(self) -> None:
        self.in_cell = False
        style = self.attributes.get("s", "0")
        inline = None if self.inline is None else stored_text("".join(self.inline).replace("&", "&amp;"))
        number = self.cells.resolver.resolve(
            self.attributes.get("t", "n"),
            int(style) if style.isdigit() else 0,
            self.formula,
            None if self.value is None else self.value.replace("&", "&amp;"),
            inline,
        )
        if number:
            self.row_has_value = True
            for values, value in zip(self.batch, (self.row_no, self.column_no, number), strict=True):
                values.append(value)
        elif self.column_no > 16_384:
            raise FileStopped("FILE-GRID")

    def _end_row(self) -> None:
        if self.row_is_marked:
            self.cells.marked_rows += 1
            self.cells.blank_rows += not self.row_has_value
        if len(self.batch[0]) > _FLUSH_AT:
            self._flush()

    def _flush(self) -> None:
        self.cells.add(*self.batch)
        self.batch = ([], [], [])
