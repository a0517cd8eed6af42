"""What kind of value a text looks like; used to confirm headers and to find shifted rows and swapped columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from childdb.reading.keys import fold
from childdb.reference import SeedFolder, seed_rows

_DATE = re.compile(
    r"(?:ngày\s*)?\d{1,2}\s*[/.\-\s]\s*(?:tháng\s*)?\d{1,2}\s*[/.\-\s]\s*(?:năm\s*)?\d{2,4}(?:[ T,].*)?"
    r"|ngày\s*\d{1,2}\s*tháng\s*\d{1,2}\s*năm\s*\d{4}|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T].*)?"
    r"|\d{1,2}[/.\-](?:19|20)\d\d|(?:19|20)\d\d|[0-3]\d[01]\d(?:19|20)\d\d|(?:19|20)\d\d[01]\d[0-3]\d|[2-6]\d{4}(?:\.\d+)?",
    re.I | re.ASCII,
)  # fmt: skip
_FULL_DATE = re.compile(r"\d{1,2}\s*[/.\-]\s*\d{1,2}\s*[/.\-]\s*\d{2,4}|(?:19|20)\d\d-\d\d-\d\d.*", re.ASCII)
_SEX = frozenset("nam nu trai gai m f male female 0 1 2 n x be trai be gai".split()) | {"be trai", "be gai"}
_SEX_WORDS = frozenset({"nam", "nu", "trai", "gai", "male", "female"})
_ETHNIC_WORDS = frozenset(
    "kinh tay thai muong khmer kho me hoa nung hmong mong dao gia rai ede e de ba na cham san chay san diu raglai co ho".split()
) | {
    "kho me",
    "gia rai",
    "e de",
    "ba na",
    "san chay",
    "san diu",
    "co ho",
    "hmong",
    "h mong",
    "x dang",
    "hre",
    "mnong",
}
_PERSON_NO = re.compile(r"['’`\s]*\d[\d\s.\-]{7,20}\d|\d(?:[.,]\d+)?e\+\d{1,2}", re.I | re.ASCII)
_PROVINCE_LEAD = re.compile(r"^(?:tinh|thanh pho|tp) ")
_COMMUNE_LEAD = re.compile(r"(?:xã|phường|thị trấn|đặc khu)\s+[^\W_]", re.I)
_UNIT_LEAD = re.compile(
    r"(?:tỉnh|thành phố|tp|quận|huyện|thị xã|xã|phường|thị trấn|thôn|ấp|bản|tổ|khóm|khu)\b", re.I
)
_PHONE = re.compile(r"\+?\d[\d\s.\-()]{7,14}\d", re.ASCII)
_YEAR = re.compile(r"(?:19|20)\d\d(?:\.0)?", re.ASCII)
_MEASURE = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?\s*(?:kg|cm|g|m)?", re.I | re.ASCII)
_INTEGER = re.compile(r"\d{1,7}(?:\.0)?", re.ASCII)
_LETTERS = re.compile(r"[^\d_]+")


def _is_name(text: str) -> bool:
    return len(text) <= 80 and bool(_LETTERS.fullmatch(text)) and any(map(str.isalpha, text))


def _is_ethnic(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,2}", text)) or (_is_name(text) and len(text) <= 25)


_TESTS: dict[str, Callable[[str], bool]] = {
    "date": lambda text: bool(_DATE.fullmatch(text)),
    "sex": lambda text: fold(text) in _SEX,
    "name": _is_name,
    "person": _is_name,
    "ethnic": _is_ethnic,
    "person_no": lambda text: bool(_PERSON_NO.fullmatch(text)),
    "parent_no": lambda text: bool(_PERSON_NO.fullmatch(text)),
    "phone": lambda text: bool(_PHONE.fullmatch(text)),
    "year": lambda text: bool(_YEAR.fullmatch(text)) or bool(_DATE.fullmatch(text)),
    "measure": lambda text: bool(_MEASURE.fullmatch(text)),
    "count": lambda text: bool(_INTEGER.fullmatch(text)),
}
STRONG_SHAPES = frozenset(
    {"date", "sex", "name", "person", "ethnic", "person_no", "parent_no", "phone", "year"}
)


def looks_like(text: str, shape: str) -> bool:
    """Return whether a text looks like a value of a shape; for many different texts, each asked once."""
    return _TESTS[shape](text.strip())


_PLAIN: dict[str, str] = {
    "date": r"^\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}$",
    "person_no": r"^\d{9,12}$",
    "parent_no": r"^\d{9,12}$",
    "phone": r"^\d{9,12}$",
    "year": r"^(19|20)\d\d$",
    "name": r"^\p{L}[\p{L} ]{0,24}$",
    "person": r"^\p{L}[\p{L} ]{0,24}$",
    "ethnic": r"^\p{L}[\p{L} ]{0,24}$",
}
"""The plainest form of a shape, for a look at many texts at once; what has another form is asked one by one."""


def misfits_of(numbers: list[int], texts: list[str], shape: str) -> list[int]:
    """Return the numbers of the texts that do not look like a shape; 0 is a blank cell and fits.

    >>> misfits_of([0, 1, 2, 3], ["", "05/03/2019", "Nam", "2019-03-05"], "date")
    [2]
    """
    asked = [number for number in numbers if number]
    if shape in _PLAIN and len(asked) > 50:
        plain = pc.match_substring_regex(pa.array([texts[n] for n in asked], pa.string()), _PLAIN[shape])
        asked = [number for number, is_plain in zip(asked, plain.to_pylist(), strict=True) if not is_plain]
    return [number for number in asked if not looks_like(texts[number], shape)]


@lru_cache(maxsize=65536)
def fits(text: str, shape: str) -> bool:
    """Return whether a text looks like a value of a shape; every text fits a shape without a test.

    >>> fits("05/03/2019", "date"), fits("Nữ", "sex"), fits("05/03/2019", "name")
    (True, True, False)
    """
    test = _TESTS.get(shape)
    return True if test is None else test(text.strip())


def share_fitting(texts: list[str], shape: str) -> float:
    """Return the share of texts that fit a shape, 0 for no text."""
    return sum(fits(text, shape) for text in texts) / len(texts) if texts else 0.0


def distinctive_column(texts: list[str]) -> str | None:
    """Return the column whose content is so telling that a wording nobody has seen does not matter.

    Sex and ethnic group are told by their words, birth dates by being full dates of the last decades.
    """
    if len(texts) < 2:
        return None
    keys = [fold(text) for text in texts]
    if sum(key in _SEX_WORDS for key in keys) >= 0.9 * len(keys):
        return "gioi_tinh"
    if sum(key in _ETHNIC_WORDS for key in keys) >= 0.9 * len(keys):
        return "dan_toc"
    if sum(bool(_FULL_DATE.fullmatch(text.strip())) for text in texts) >= 0.9 * len(texts):
        return "ngay_sinh"
    if sum(bool(re.fullmatch(r"0\d{2}[0-9]\d{8}", text.strip())) for text in texts) >= 0.9 * len(texts):
        return "so_dinh_danh"
    if sum(_PROVINCE_LEAD.sub("", key) in _province_keys() for key in keys) >= 0.9 * len(keys):
        return "tinh"
    if sum(bool(_COMMUNE_LEAD.match(text.strip())) for text in texts) >= 0.9 * len(texts):
        return "xa"
    return None


@cache
def _province_keys() -> frozenset[str]:
    """Return the folded names of the provinces of every time, without their type."""
    rows = seed_rows(SeedFolder.REFERENCE, "province_names")
    return frozenset(_PROVINCE_LEAD.sub("", fold(row["name_vi"])) for row in rows)


def reads_like_names(texts: list[str]) -> bool:
    """Return whether a column holds different names of people: two to six words, each with a capital, few repeats.

    >>> reads_like_names(["Lò Thị Mai", "Vàng A Páo", "Lê An"]), reads_like_names(["Xã A", "Xã A", "Xã B"])
    (True, False)
    """
    if len(texts) < 3:
        return False
    spelled = [text.split() for text in texts]
    named = sum(
        2 <= len(words) <= 6 and all(word[0].isupper() and word.isalpha() for word in words)
        for words in spelled
    )
    units = sum(bool(_UNIT_LEAD.match(text.strip())) for text in texts)
    return named >= 0.9 * len(texts) and not units and len(set(texts)) >= 0.6 * len(texts)
