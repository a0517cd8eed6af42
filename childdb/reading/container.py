"""A look into a workbook's container before anything is inflated, and bounded inflating afterwards."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from childdb.reading.model import Outcome
from childdb.reading.reasons import FileStopped
from childdb.reading.sniff import OLE_MAGIC, ZIP_MAGICS, holds_malware_mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from childdb.reading.model import Limits, ReadOptions

_STEP = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tar", ".jar")
_ACTIVE_PARTS = re.compile(
    r"(^|/)(externallinks|embeddings|activex|oleobjects|connections\.xml|querytables|webextensions|customui)",
    re.I,
)
_MACRO_PARTS = re.compile(r"(vbaproject|vbadata|(^|/)macrosheets/|(^|/)dialogsheets/)", re.I)
_ACTIVE_TYPES = (b"relationships/attachedTemplate", b"relationships/oleObject", b"relationships/connections")
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the container as its directory declares it."""

    name: str
    offset: int
    method: int
    packed: int
    size: int
    crc: int


@dataclass(slots=True)
class Container:
    """An open workbook container whose directory has been judged; parts are inflated only within limits."""

    stream: BinaryIO
    parts: dict[str, Part]
    limits: Limits
    remarks: set[str] = field(default_factory=set)
    inflated: int = 0
    opened: set[str] = field(default_factory=set)

    def read(self, name: str) -> bytes:
        """Return one whole part, forbidden XML refused; for the small parts, not for sheets."""
        data = b"".join(self.stream_part(name))
        if _is_markup(name):
            check_markup(data)
        return data

    def stream_part(self, name: str) -> Iterator[bytes]:
        """Yield one part in steps; stops with a reason when it inflates past what it declared."""
        part = self.parts[name]
        self.inflated += 0 if name in self.opened else part.size
        self.opened.add(name)
        if self.inflated > self.limits.total_bytes:
            raise FileStopped("FILE-BOMB")
        seen, crc = 0, 0
        for chunk in self._inflate(part):
            seen += len(chunk)
            if seen > part.size:
                raise FileStopped("FILE-BOMB")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if seen != part.size or crc != part.crc:
            raise FileStopped("FILE-TRUNCATED")

    def look_at_the_rest(self) -> None:
        """Inflate what no reader opened, hidden sheets included, for its size and forbidden markup only."""
        for name in sorted(set(self.parts) - self.opened):
            tail = b""
            for chunk in self.stream_part(name):
                if _is_markup(name):
                    check_markup(tail + chunk)
                    tail = chunk[-16:]

    def _inflate(self, part: Part) -> Iterator[bytes]:
        self.stream.seek(_data_offset(self.stream, part))
        left = part.packed
        engine = zlib.decompressobj(-15) if part.method == zipfile.ZIP_DEFLATED else None
        while left > 0:
            packed = self.stream.read(min(_STEP // 4, left))
            if not packed:
                raise FileStopped("FILE-TRUNCATED")
            left -= len(packed)
            if engine is None:
                yield packed
                continue
            yield from _inflate_steps(engine, packed)


def _inflate_steps(engine: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while packed:
        try:
            chunk = engine.decompress(packed, _STEP)
        except zlib.error:
            raise FileStopped("FILE-TRUNCATED") from None
        packed = engine.unconsumed_tail
        if chunk:
            yield chunk


def _data_offset(stream: BinaryIO, part: Part) -> int:
    """Return where a part's bytes begin; its local header must tell the same name as the directory."""
    if part.offset < 0:
        raise FileStopped("FILE-TRUNCATED")
    stream.seek(part.offset)
    raw = stream.read(_LOCAL_HEADER.size)
    if len(raw) < _LOCAL_HEADER.size or raw[:4] != b"PK\x03\x04":
        raise FileStopped("FILE-TRUNCATED")
    fields = _LOCAL_HEADER.unpack(raw)
    name_length, extra_length, flags = fields[9], fields[10], fields[2]
    name = stream.read(name_length)
    if name.decode("utf-8" if flags & 0x800 else "cp437", "replace") != part.name:
        raise FileStopped("FILE-ZIP-AMBIGUOUS")
    return part.offset + _LOCAL_HEADER.size + int(name_length) + int(extra_length)


def open_container(path: Path, options: ReadOptions) -> Container:
    """Return the container of a workbook after its directory alone has been judged."""
    stream = path.open("rb")
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError, IndexError):
        raise FileStopped("FILE-TRUNCATED") from None
    _check_directory(entries, path.stat().st_size, options.limits)
    container = Container(
        stream=stream,
        parts={
            entry.filename: Part(
                entry.filename, entry.header_offset, entry.compress_type, entry.compress_size, entry.file_size, entry.CRC
            )
            for entry in entries
            if not entry.is_dir()
        },
        limits=options.limits,
    )  # fmt: skip
    _check_kind(container, options)
    _look_at_small_parts(container)
    return container


def _check_directory(entries: list[zipfile.ZipInfo], file_size: int, limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise FileStopped("FILE-BOMB")
    seen: set[str] = set()
    total = 0
    for entry in entries:
        _check_entry_name(entry)
        folded = entry.filename.casefold().replace("\\", "/")
        if folded in seen:
            raise FileStopped("FILE-ZIP-AMBIGUOUS")
        seen.add(folded)
        total += entry.file_size
        _check_entry_size(entry, limits)
    if total > limits.total_bytes or (total > limits.ratio_floor_bytes and total > file_size * limits.ratio):
        raise FileStopped("FILE-BOMB")


def _check_entry_name(entry: zipfile.ZipInfo) -> None:
    name = getattr(entry, "orig_filename", entry.filename)
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode) or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)):
        raise FileStopped("FILE-PATH")
    steps = name.replace("\\", "/").split("/")
    is_absolute = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None
    if is_absolute or ".." in steps or "\x00" in name:
        raise FileStopped("FILE-PATH")


def _check_entry_size(entry: zipfile.ZipInfo, limits: Limits) -> None:
    if entry.flag_bits & 0x1:
        raise FileStopped("FILE-ENCRYPTED")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileStopped("FILE-TYPE", kind="zip")
    ratio = entry.file_size / max(entry.compress_size, 1)
    if entry.file_size > limits.part_bytes:
        raise FileStopped("FILE-BOMB")
    if entry.file_size > limits.ratio_floor_bytes and ratio > limits.ratio:
        raise FileStopped("FILE-BOMB")


def _check_kind(container: Container, options: ReadOptions) -> None:
    names = {name.casefold() for name in container.parts}
    if "[content_types].xml" not in names:
        _refuse_other_zip(container, names)
    if any(name.endswith(_ARCHIVES) for name in names):
        raise FileStopped("FILE-NESTED")
    if any(_MACRO_PARTS.search(name) for name in names) and not options.allow_macros:
        raise FileStopped("FILE-ACTIVE", outcome=Outcome.REJECT_FILE)
    if "xl/workbook.bin" in names:
        raise FileStopped("FILE-TYPE", kind="xlsb")
    if any(_ACTIVE_PARTS.search(name) for name in names):
        container.remarks.add("FILE-ACTIVE")
    if any("comments" in name for name in names):
        container.remarks.add("STRUCT-COMMENT")


def _refuse_other_zip(container: Container, names: set[str]) -> None:
    if "mimetype" in names and "content.xml" in names:
        raise FileStopped("FILE-TYPE", kind="ods")
    for part in container.parts.values():
        head = next(container.stream_part(part.name), b"") if part.size else b""
        if head.startswith((*ZIP_MAGICS, OLE_MAGIC)) or part.name.lower().endswith(
            (".xlsx", ".xls", *_ARCHIVES)
        ):
            raise FileStopped("FILE-NESTED")
        if holds_malware_mark(head):
            raise FileStopped("FILE-MALWARE")
    raise FileStopped("FILE-NESTED" if len(names) <= 1 else "FILE-TYPE", kind="zip")


def _is_markup(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels", ".vml"))


def check_markup(data: bytes) -> None:
    """Raise when an XML part declares a document type or an entity, in UTF-8 or UTF-16."""
    plain = data.replace(b"\x00", b"") if b"\x00" in data[:200] else data
    if _FORBIDDEN.search(plain):
        raise FileStopped("FILE-XML")


def _look_at_small_parts(container: Container) -> None:
    """Refuse forbidden markup and macros in every part but the large tables, which are watched while read."""
    for name in container.parts:
        if not _is_markup(name) or re.match(r"xl/(worksheets/[^/]+|sharedstrings)\.xml$", name, re.I):
            continue
        data = container.read(name)
        if b"macroEnabled" in data and name.lower() == "[content_types].xml":
            raise FileStopped("FILE-ACTIVE", outcome=Outcome.REJECT_FILE)
        if name.lower().endswith(".rels") and any(kind in data for kind in _ACTIVE_TYPES):
            container.remarks.add("FILE-ACTIVE")
        if b'TargetMode="External"' in data and b"relationships/hyperlink" not in data:
            container.remarks.add("FILE-ACTIVE")
