"""Old encodings: the tables against the standard, and the decision on columns of 20, 200 and 2,000 names."""

from __future__ import annotations

import random
import shutil
import subprocess
import unicodedata
from collections.abc import Callable

import pytest

from childdb.cleaning.encoding_tables import TCVN3, VISCII, VNI, windows_bytes
from childdb.cleaning.encodings import Encoding, Regime, convert, convert_cell
from childdb.cleaning.looks import decide_encodings, look_at_texts
from childdb.cleaning.vectors import text_array
from childdb.reference import SeedFolder, seed_rows
from tests.unit.cleaning.readings import clean_rows

import pyarrow as pa  # isort: skip

SURNAMES = "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý".split()
MIDDLES = "Thị Văn Đức Hữu Ngọc Minh Thanh Quốc Gia Bảo Thùy Như Xuân".split()
GIVEN = ("An Ánh Bình Châu Dũng Duyên Đạt Giang Hà Hải Hạnh Hiền Hòa Hùng Hương Khánh Kiệt Lan Liễu Lộc Mẫn Mỹ Nga Ngân "
         "Nghĩa Nguyệt Nhi Oanh Phúc Phượng Quân Quyền Quỳnh Sơn Tâm Thảo Thủy Trang Trí Tuấn Tú Uyên Vân Việt Vũ Ý Yến").split()  # fmt: skip


def names(count: int, rng: random.Random) -> list[str]:
    return [f"{rng.choice(SURNAMES)} {rng.choice(MIDDLES)} {rng.choice(GIVEN)}" for _ in range(count)]


def by_table(table: dict[int, str]) -> Callable[[str], str]:
    back: dict[str, int] = {}
    for byte, letter in table.items():
        back.setdefault(letter, byte)

    def write(name: str) -> str:
        # TCVN3 fonts have no accented capitals: the letter is typed small.
        data = bytes(
            back.get(letter, back.get(letter.lower(), ord(letter) if ord(letter) < 256 else 63))
            for letter in name
        )
        return "".join(
            bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in data
        )

    return write


def to_vni(name: str) -> str:
    back: dict[str, str] = {}
    for group, letter in VNI.items():
        back.setdefault(letter, group)
    return "".join(back.get(letter, letter) for letter in name)


def to_cp1258(name: str) -> str:
    out = ""
    for letter in name:
        parts = unicodedata.normalize("NFD", letter)
        tones = [part for part in parts if part in "\u0300\u0301\u0309\u0303\u0323"]
        base = unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones))
        out += base + "".join(tones)
    return out.encode("cp1258").decode("cp1252", "replace")


def to_mojibake(name: str) -> str:
    return "".join(
        bytes([b]).decode("cp1252", "replace").replace("\ufffd", chr(b)) for b in name.encode("utf-8")
    )


_VIQR_SIGNS = {"\u0302": "^", "\u0306": "(", "\u031b": "+", "\u0301": "'", "\u0300": "`", "\u0309": "?",
               "\u0303": "~", "\u0323": "."}  # fmt: skip


def to_viqr(name: str) -> str:
    out = ""
    for letter in name.replace("đ", "dd").replace("Đ", "DD"):
        base, *marks = unicodedata.normalize("NFD", letter)
        shapes = [mark for mark in marks if mark in "\u0302\u0306\u031b"]
        out += base + "".join(_VIQR_SIGNS[mark] for mark in [*shapes, *(m for m in marks if m not in shapes)])
    return out


def through_1258(text: str) -> str:
    """Return old text as a reader with the Vietnamese code page shows it; its open bytes lose the name."""
    try:
        return (windows_bytes(text) or b"").decode("cp1258")
    except UnicodeDecodeError:
        return ""


def small_letters_under_capitals(name: str) -> str:
    """Return TCVN3 text as typed for the fonts that show capitals only (.VnTimeH)."""
    return "".join(letter.upper() if letter.isascii() else letter for letter in WRITERS[Encoding.TCVN3](name))


WRITERS = {
    Encoding.TCVN3: by_table(TCVN3),
    Encoding.VISCII: by_table(VISCII),
    Encoding.VNI: to_vni,
    Encoding.CP1258: to_cp1258,
    Encoding.MOJIBAKE: to_mojibake,
    Encoding.VIQR: to_viqr,
}


def decide_column(cells: list[str]) -> tuple[list[str], Encoding | None]:
    decision = decide_encodings(look_at_texts({"ho_ten_tre": text_array(pa.array(cells))})).get("ho_ten_tre")
    if decision is None:
        return cells, None
    return [convert_cell(cell, decision) for cell in cells], decision.encoding


@pytest.mark.parametrize(("table", "codec"), [(TCVN3, "TCVN5712-1"), (VISCII, "VISCII")])
def test_table_is_that_of_the_standard(table: dict[int, str], codec: str) -> None:
    assert shutil.which("iconv"), "iconv is missing: apt-get install -y libc-bin"
    wrong = []
    for byte, letter in table.items():
        read = subprocess.run(
            ["iconv", "-f", codec, "-t", "UTF-8"], input=bytes([byte]), capture_output=True, check=False
        )
        standard = unicodedata.normalize("NFC", read.stdout.decode())
        if read.returncode == 0 and standard != letter:
            wrong.append(byte)
    assert wrong == []


def test_tcvn3_does_not_swap_grave_and_acute() -> None:
    assert convert("Hµ ¸", Encoding.TCVN3) == "Hà á"


@pytest.mark.parametrize("encoding", list(WRITERS))
@pytest.mark.parametrize(("count", "columns"), [(20, 60), (200, 8), (2000, 2)])
def test_column_is_decided_right(encoding: Encoding, count: int, columns: int) -> None:
    rng = random.Random(f"{encoding}{count}")
    for _ in range(columns):
        wanted = names(count, rng)
        seen = [WRITERS[encoding](name) for name in wanted]
        read, decided = decide_column(seen)
        assert decided is encoding
        pairs = [(got.casefold(), want.casefold()) for got, want in zip(read, wanted, strict=True)]
        assert sum(got != want for got, want in pairs) == 0


@pytest.mark.parametrize("encoding", [Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.MOJIBAKE])
@pytest.mark.parametrize(("count", "columns"), [(20, 30), (200, 4)])
def test_column_read_through_the_vietnamese_code_page_is_decided_right(
    encoding: Encoding, count: int, columns: int
) -> None:
    rng = random.Random(f"1258{encoding}{count}")
    for _ in range(columns):
        pairs = [(through_1258(WRITERS[encoding](name)), name) for name in names(count, rng)]
        pairs = [(seen, wanted) for seen, wanted in pairs if seen]
        read, decided = decide_column([seen for seen, _ in pairs])
        assert decided is encoding
        assert [got.casefold() for got in read] == [wanted.casefold() for _, wanted in pairs]


@pytest.mark.parametrize("form", ["tcvn3", "vni", "viscii"])
def test_column_of_capitals_is_decided_right(form: str) -> None:
    write = small_letters_under_capitals if form == "tcvn3" else WRITERS[Encoding(form)]
    rng = random.Random(form)
    for _ in range(20):
        wanted = names(20, rng)
        read, decided = decide_column([write(name if form == "tcvn3" else name.upper()) for name in wanted])
        assert decided is Encoding(form)
        assert [got.casefold() for got in read] == [name.casefold() for name in wanted]


def test_text_mistaken_twice_is_read_back() -> None:
    wanted = names(20, random.Random(2))
    assert decide_column([to_mojibake(to_mojibake(name)) for name in wanted])[0] == wanted


@pytest.mark.parametrize("encoding", list(WRITERS))
def test_half_of_a_column_in_an_old_encoding_is_read_and_the_other_half_left(encoding: Encoding) -> None:
    """A cell whose words can be read both ways (Tó, Vò) stays as it is: nothing tells."""
    rng = random.Random(f"half{encoding}")
    for _ in range(5):
        wanted = names(200, rng)
        cells = [WRITERS[encoding](name) if place % 2 else name for place, name in enumerate(wanted)]
        read, decided = decide_column(cells)
        assert decided is encoding
        assert read[::2] == wanted[::2]
        wrong = [
            (got, cell)
            for got, want, cell in zip(read, wanted, cells, strict=True)
            if got.casefold() != want.casefold()
        ]
        assert all(got == cell for got, cell in wrong)
        assert len(wrong) <= 6


LOOK_ALIKES: list[Callable[[str], str]] = [
    lambda name: name.replace("Đ", "\u00d0"),
    lambda name: name.replace("Đ", "\u0189"),
    lambda name: name.replace(" ", "\u00a0"),
    lambda name: name.replace(" ", "\u00a0", 1).replace("Đ", "\u00d0"),
    lambda name: name.replace(" ", "\u00ad ", 1),
    lambda name: name + "\u200b",
    lambda name: unicodedata.normalize("NFD", name),
    lambda name: name.replace(" ", " H’", 1),
    lambda name: "K’ " + name,
    lambda name: "´" + name,
    lambda name: name.replace("ý", "ý.").replace("à", "à®", 1),
]


@pytest.mark.parametrize("place", range(len(LOOK_ALIKES)))
def test_look_alikes_and_spare_signs_are_no_old_encoding(place: int) -> None:
    rng = random.Random(place)
    for count in (1, 3, 20, 200):
        for share in (0.05, 0.5, 1.0):
            plain = [
                f"{rng.choice(('Đinh', 'Đoàn', 'Bùi', 'Hà', 'Lý'))} {given}"
                for given in "Thanh Hùng Lan An".split()
            ]
            pool = [*names(count, rng), *plain]
            cells = [
                LOOK_ALIKES[place](name) if rng.random() < share else name
                for name in rng.choices(pool, k=count)
            ]
            assert decide_column(cells) == (cells, None)


def test_misplaced_tones_are_no_old_encoding() -> None:
    cells = "Maì Haò Hoaì Tuâń Hòang Lọai Qúy Gía Thuý Hoà Thoại Huê Bìên".split() * 8
    assert decide_column([f"Lý {word}" for word in cells])[1] is None


@pytest.mark.parametrize(
    "cells",
    [["Lan (con)", "Hoa(sinh đôi)", "An? Bình"], ["H'Linh Niê", "Y'Bia", "K'Brêu"], ["Nguyen? Van", "Tr?n Th?"],
     ["A.B.", "Lê V. Ba.", "Vo. Thi Sau."], ["+84 912", "a+b", "x^2"]],
)  # fmt: skip
def test_signs_behind_letters_are_no_viqr(cells: list[str]) -> None:
    assert decide_column(cells * 10) == (cells * 10, None)


@pytest.mark.parametrize("count", [20, 200, 2000])
def test_clean_column_is_never_changed(count: int) -> None:
    rng = random.Random(count)
    for _ in range(100 if count == 20 else 5):
        cells = names(count, rng)
        assert decide_column(cells) == (cells, None)


def test_clean_columns_of_every_minority_are_never_changed() -> None:
    by_group: dict[str, list[str]] = {}
    for row in seed_rows(SeedFolder.REFERENCE, "minority_name_elements"):
        by_group.setdefault(row["ethnic_name"], []).append(row["element"])
    rng = random.Random(3)
    for elements in by_group.values():
        for count in (1, 3, 20, 200):
            cells = [f"{rng.choice(elements)} {rng.choice(GIVEN + elements)}" for _ in range(count)]
            assert decide_column(cells) == (cells, None)
        assert decide_column(elements) == (elements, None)


def test_foreign_names_are_never_changed() -> None:
    cells = ["José García", "Müller Anna", "Zoë", "François", "Søren", "Ñusta", "Chloé", "Björn Ångström"]
    assert decide_column(cells) == (cells, None)


def test_rows_pasted_from_another_computer_are_read_and_the_others_left() -> None:
    rng = random.Random(8)
    clean = names(200, rng)
    cells = [WRITERS[Encoding.TCVN3](name) if place % 20 == 0 else name for place, name in enumerate(clean)]
    decision = decide_encodings(look_at_texts({"ho_ten_tre": text_array(pa.array(cells))}))["ho_ten_tre"]
    assert (decision.encoding, decision.regime) == (Encoding.TCVN3, Regime.MIXED)
    read = [convert_cell(cell, decision) for cell in cells]
    assert all(got == want for got, want, cell in zip(read, clean, cells, strict=True) if cell == want)
    wrong = [got for got, want in zip(read, clean, strict=True) if got.casefold() != want.casefold()]
    assert len(wrong) <= 1


def test_small_column_follows_the_encoding_the_file_shows() -> None:
    rng = random.Random(5)
    write = WRITERS[Encoding.TCVN3]
    rows = [
        {"ho_ten_tre": write(name), "gioi_tinh": write("Nữ"), "dan_toc": write("Tày")}
        for name in names(30, rng)
    ]
    record = clean_rows(*rows).records.to_pylist()[0]
    assert (record["gioi_tinh"], record["dan_toc"]) == ("female", "02")


def test_lost_bytes_are_not_mended_by_guess() -> None:
    record = clean_rows({"ho_ten_tre": "Nguyá»?n Thá»? Hoa"}).records.to_pylist()[0]
    assert (record["ho_ten_tre"], record["outcome"]) == (None, "quarantined")


def test_a_capital_word_before_a_no_break_space_is_no_misread_text() -> None:
    names = ["MÃ\u00a0MAI\u00a0NHI", "MÃ\u00a0mai", "HÃ\u00a0 Thị Lan"]
    records = clean_rows(*({"ho_ten_tre": name} for name in names)).records.to_pylist()
    assert [record["ho_ten_tre"] for record in records] == ["Mã Mai Nhi", None, None]
