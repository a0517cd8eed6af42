"""Names are read by their syllables as they were read as a whole."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from childdb.identity.macros import create_macros
from childdb.identity.names import NAME_COLUMNS, NameReader


@pytest.fixture(scope="module")
def reader() -> NameReader:
    connection = duckdb.connect()
    create_macros(connection)
    return NameReader(connection, ["chua dat ten"])


def _read(reader: NameReader, *names: str | None) -> list[dict]:
    return pa.table(reader.read(pa.array(names, pa.string()))).to_pylist()


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("Nguyễn Văn An", "NGUYEN VAN AN", {"fold", "joined", "bag", "sound", "tail", "ends", "given", "surname", "short", "letters", "text"}),
        ("Nguyễn Hoà", "Nguyễn Hòa", set(NAME_COLUMNS)),
        ("Nguyễn Văn An", "Nguyễn  Văn An ", set(NAME_COLUMNS)),
        ("Nguyễn Văn An", "Nguyễn Văn An (con ông Bình)", set(NAME_COLUMNS)),
        ("Nguyễn Văn An", "Nguyễn Văn An - ở với bà ngoại\u200b", set(NAME_COLUMNS)),
        ("H' Bla Niê", "H'Bla Niê", set(NAME_COLUMNS)),
        ("H - Bla Niê", "HBla Niê", set(NAME_COLUMNS)),
        ("Nguyễn Thị Ba", "Nguyá»…n Thá»‹ Ba", set(NAME_COLUMNS)),
        ("Nguyeãn Vaên Chieán", "Nguyễn Văn Chiến", set(NAME_COLUMNS)),
        ("Tr\u00ad¬ng Quèc Hµo", "Trương Quốc Hào", set(NAME_COLUMNS)),
        ("Lª LÖ M¬", "Lê Lệ Mơ", set(NAME_COLUMNS)),
        ("LÂM GIA HÂN", "Lâm Gia Hân", set(NAME_COLUMNS)),
        ("Nguyen Vanan", "Nguyen Van An", {"joined", "sound", "surname", "marked", "letters"}),
        ("An Van Nguyen", "Nguyen Van An", {"bag", "marked", "short", "letters"}),
        ("Tran Van Chinh", "Chan Dan Trin", {"sound", "marked", "short"}),
    ],
)  # fmt: skip
def test_what_two_ways_of_writing_share(reader: NameReader, first: str, second: str, equal: set[str]) -> None:
    one, other = _read(reader, first, second)
    assert {name for name in NAME_COLUMNS if one[name] == other[name]} == equal


def test_parts_of_a_name(reader: NameReader) -> None:
    name, surname, given, clan, alone = _read(reader, "Lê Thị Hoa", "Lê", "Hoa", "Y Bham Êban", "Hoa")
    assert (name["surname"], name["given"]) == (surname["fold"], given["fold"])
    assert name["tail"] == _read(reader, "Thị Hoa")[0]["fold"]
    assert (clan["surname"], clan["given"]) == tuple(_read(reader, n)[0]["fold"] for n in ("Êban", "Ybham"))
    assert (alone["surname"], alone["tail"], alone["short"]) == (None, None, True)


@given(
    name=st.text("aabchginnoqtu ?z", min_size=1, max_size=14),
    edits=st.lists(
        st.tuples(st.sampled_from("ird"), st.integers(0, 14), st.sampled_from("anhz?")), max_size=3
    ),
)
def test_an_edit_changes_two_bits_of_letters_at_most(
    reader: NameReader, name: str, edits: list[tuple[str, int, str]]
) -> None:
    changed = name
    for kind, place, letter in edits:
        rest = changed[place + (kind != "i") :]
        changed = changed[:place] + (letter if kind != "d" else "") + rest
    one, other = _read(reader, name, changed)
    if one["text"] is not None and other["text"] is not None:
        distance = duckdb.execute("select levenshtein(?, ?)", [one["text"], other["text"]]).fetchall()[0][0]
        assert (one["letters"] ^ other["letters"]).bit_count() <= 2 * distance


def test_nothing_is_read_where_there_is_no_name(reader: NameReader) -> None:
    for row in _read(reader, None, "", "  ", "...", "Chưa đặt tên"):
        assert set(row.values()) == {None}


def test_batches_do_not_change_what_is_read(reader: NameReader) -> None:
    names = ["Trần Văn Bảy", "ÂU (bé)", None, "Hồ, con bà Tư", "Lê ? An"]
    assert _read(reader, *names) == [row for name in names for row in _read(reader, name)]
