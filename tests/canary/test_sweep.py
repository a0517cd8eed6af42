"""The search itself: it finds a mark in every form, and nothing where there is none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.canary.marks import child_number, columns, record, spoiled, word, write_deliveries
from tests.canary.sweep import files_with_marks, marks_in


def _zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.xml", text)
    return buffer.getvalue()


def _parquet(text: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [text] * 3}), buffer)
    return buffer.getvalue()


NAME = f"Nguyễn Thị {word(3, 7)}"
LEAKS = {
    "plain": NAME.encode(),
    "upper": NAME.upper().encode(),
    "reversed": NAME[::-1].encode(),
    "utf16": NAME.encode("utf-16-le"),
    "hex": NAME.encode().hex().encode(),
    "base64": base64.b64encode(f"xx {NAME}".encode()),
    "base64 shifted": base64.b64encode(f"x {NAME}".encode()),
    "base64 shifted twice": base64.b64encode(f"xxxx {NAME}".encode()),
    "url": quote(NAME).encode(),
    "toned": b"Z\xcc\x81qvkuuw\xe1\xba\xa1" + "ắ".encode(),
    "number": child_number(3).encode(),
    "number as integer": child_number(3).lstrip("0").encode(),
    "number grouped": b"001 320 970 003",
    "hash of number": hashlib.sha256(child_number(3).encode()).hexdigest().encode(),
    "in a zip": _zipped(NAME),
    "in a zip in gzip": gzip.compress(_zipped(NAME)),
    "in parquet": _parquet(NAME),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_mark_is_found_in_every_form(leak: str) -> None:
    assert marks_in(b"harmless text before " + LEAKS[leak] if leak.isalpha() else LEAKS[leak])


def test_nothing_is_found_where_nothing_is() -> None:
    harmless = "Nguyễn Thị Ánh, 001319000001, 0912345678, treem__children@" + hashlib.sha256(b"x").hexdigest()
    assert marks_in(harmless.encode()) == []


def test_allowed_places_are_left_out_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "lists" / "a.txt").write_text(NAME)
    (tmp_path / "logs" / "b.txt").write_text(NAME)
    (tmp_path / f"{word(1, 1)}.txt").write_text("the mark is in the name")
    assert files_with_marks(tmp_path, ("lists/",)) == [f"{word(1, 1)}.txt: text", "logs/b.txt: text"]


def test_every_field_of_a_child_is_marked(tmp_path: Path) -> None:
    whole = {column for column, text in record(1).items() if text and marks_in(text.encode())}
    broken = {column for column, text in spoiled(1).items() if text and marks_in(text.encode())}
    unmarked = {column for column, _ in columns()} - whole - broken
    assert unmarked <= {"stt", "ma_ho", "tinh", "huyen", "xa", "so_dinh_danh_giam_ho"}
    deliveries = write_deliveries(tmp_path / "in")
    assert len(files_with_marks(deliveries.drop.parent)) >= 7
