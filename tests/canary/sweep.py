"""Searches files, databases and pages for marks, also folded, encoded, hashed and inside containers."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq

from tests.canary.marks import CHILD_NUMBER, CORE, FATHER_NUMBER, INSURANCE, MOTHER_NUMBER, PHONE, hashes

PRINTABLE_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32,64}(?![0-9a-f])")
MAX_DEPTH = 4


def _base64_cores(text: str) -> list[bytes]:
    """Return what is left of a text in Base64 at each of its three alignments, without the unsure ends."""
    size = len(text.encode())
    cores = []
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text.encode())
        cores.append(coded[-(-8 * shift // 6) : 8 * (shift + size) // 6])
    return cores


def _patterns() -> dict[str, re.Pattern[bytes]]:
    plain = CORE.lower().encode()
    digits = "|".join(
        f"0{{0,2}}{number.lstrip('0')}" for number in (CHILD_NUMBER, MOTHER_NUMBER, FATHER_NUMBER)
    )
    return {
        "text": re.compile(re.escape(plain), re.I),
        "reversed text": re.compile(re.escape(plain[::-1]), re.I),
        "UTF-16 text": re.compile(re.escape(CORE.lower().encode("utf-16-le")), re.I),
        "hex text": re.compile(
            CORE.encode().hex().encode() + b"|" + CORE.lower().encode().hex().encode(), re.I
        ),
        "URL-encoded number or name": re.compile(re.escape(quote(f"Thị {CORE}").encode()), re.I),
        "base64 text": re.compile(
            b"|".join(
                re.escape(core) for text in (CORE, CORE.lower(), CORE.upper()) for core in _base64_cores(text)
            )
        ),
        "number": re.compile(rf"(?<![0-9a-fA-F.])(?:{digits})[0-9]{{4}}(?![0-9a-fA-F])".encode()),
        "number in groups": re.compile(rb"001[ .-]320[ .-]97[0-9][ .-]?[0-9]{3}"),
        "telephone": re.compile(rf"(?<![0-9a-fA-F.])0?{PHONE[1:]}[0-9]{{4}}(?![0-9a-fA-F.])".encode()),
        "insurance number": re.compile(INSURANCE.encode()),
    }


PATTERNS = _patterns()
HASHES = hashes()


def marks_in(content: bytes) -> list[str]:
    """Return the forms in which a mark stands in some bytes; looks into containers."""
    found = sorted({form for part in _unpacked(content) for form in _plain_marks(part)})
    return found


def _plain_marks(content: bytes) -> Iterator[str]:
    forms = [form for form, pattern in PATTERNS.items() if pattern.search(content)]
    if "text" not in forms and not content.isascii() and PATTERNS["text"].search(_folded(content)):
        forms.append("folded text")
    if any(match[0].decode() in HASHES for match in PRINTABLE_HASH.finditer(content)):
        forms.append("plain hash of a number")
    yield from forms


def _folded(content: bytes) -> bytes:
    text = unicodedata.normalize("NFD", content.decode("utf-8", errors="ignore"))
    return "".join(c for c in text if not unicodedata.combining(c)).encode()


def _unpacked(content: bytes, depth: int = 0) -> Iterator[bytes]:
    yield content
    opener = next((opener for start, opener in OPENERS.items() if content.startswith(start)), None)
    if opener is None or depth == MAX_DEPTH:
        return
    with contextlib.suppress(zipfile.BadZipFile, OSError, EOFError, zlib.error):
        for part in opener(content):
            yield from _unpacked(part, depth + 1)


def _open_zip(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield name.encode()
            yield archive.read(name)


def _open_gzip(content: bytes) -> Iterator[bytes]:
    yield gzip.decompress(content)


def _open_parquet(content: bytes) -> Iterator[bytes]:
    table = pq.read_table(io.BytesIO(content))
    yield table.schema.to_string().encode()
    for column in table.columns:
        yield "\n".join(str(value) for value in column.to_pylist()).encode()


def _open_pdf(content: bytes) -> Iterator[bytes]:
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(match[1])


OPENERS: dict[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"PK\x03\x04": _open_zip,
    b"\x1f\x8b": _open_gzip,
    b"PAR1": _open_parquet,
    b"%PDF-": _open_pdf,
}


def files_with_marks(root: Path, allowed: tuple[str, ...] = ()) -> list[str]:
    """Return the files below a folder, by name and form of the mark, that hold one outside the allowed places."""
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or path.is_symlink() or name.startswith(allowed):
            continue
        try:
            content = path.read_bytes()
        except OSError:
            continue
        for form in (*marks_in(name.encode()), *marks_in(content)):
            found.append(f"{name}: {form}")
    return found
