"""The cover letter: an official document that says how many and by when, and nothing of any child."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from xml.etree import ElementTree

from childdb.worklists.letter import LetterHead, LetterList, write_letter
from childdb.worklists.model import ItemClass
from childdb.worklists.vietnamese import official_date

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
HEAD = LetterHead("20260301-abcdef1234", "00004@2025-07-01", date(2026, 3, 1), date(2026, 3, 31))
LISTS = (
    LetterList(ItemClass.NO_NUMBER, 1234, "00004_no_number.xlsx"),
    LetterList(ItemClass.BASIC_DATA, 7, "00004_basic_data.xlsx"),
)


def paragraphs(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return ["".join(text.text or "" for text in par.iter(f"{WORD}t")) for par in root.iter(f"{WORD}p")]


def test_letter_has_the_official_head_the_lists_and_the_last_day() -> None:
    told = paragraphs(write_letter(HEAD, LISTS))
    for line in (
        "ỦY BAN NHÂN DÂN",
        "PHƯỜNG BA ĐÌNH",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Ba Đình, ngày 01 tháng 3 năm 2026",
        "Kính gửi: Công an phường Ba Đình.",
        "1.234",
        "1.241",
        "00004_no_number.xlsx",
        "CHỦ TỊCH",
    ):
        assert line in told
    assert any("trước ngày 31/03/2026" in line for line in told)
    assert any(HEAD.batch_id in line for line in told)


def test_same_lists_give_the_same_bytes() -> None:
    assert write_letter(HEAD, LISTS) == write_letter(HEAD, LISTS)
    assert write_letter(HEAD, LISTS) != write_letter(HEAD, LISTS[:1])


def test_dates_of_letters_follow_the_decree() -> None:
    assert official_date(date(2026, 11, 9)) == "ngày 09 tháng 11 năm 2026"
    assert official_date(date(2026, 1, 30)) == "ngày 30 tháng 01 năm 2026"
