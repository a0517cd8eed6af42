"""What the title and signature rows of a file state: its date, its unit, its total, its code list."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from childdb.reading.keys import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORDED_DATE = re.compile(r"ngày\s*(\d{1,2})\s*(?:tháng|/|-)\s*(\d{1,2})\s*(?:năm|/|-)\s*(\d{4})", re.I)
_PLAIN_DATE = re.compile(r"(?<![\d/])(\d{1,2})\s?[/.\-]\s?(\d{1,2})\s?[/.\-]\s?(\d{4})(?![\d/])")
_ISO_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)-(\d\d)-(\d\d)(?!\d)")
_LEGAL = re.compile(
    r"ban hành|quyết định|thông tư|nghị định|nghị quyết|kèm theo|căn cứ|công văn|kế hoạch số|luật|tt-b|qđ-|nđ-cp",
    re.I,
)
_TOTAL_LABEL = re.compile(
    r"^(?:tổng\s*(?:cộng|số|toàn|chung)?|cộng(?:\s*(?:dồn|chung|toàn))?|tổng)\b|^(?:tong\s*(?:cong|so)\b|(?:tong|cong)\s*(?:[:=\d]|$)|cong\s+(?:thon|ap|ban|to|khu|xom|buon|lang)\b)"
    r"|^(?:toàn|cả)\s+(?:xã|phường|thị trấn|đặc khu|thôn|ấp|bản|trường)\s*(?:[:=(\d]|$|có\b)|^trong\s+đó\b|^số\s+(?:lượng\s+)?trẻ\b"
    r"|^(?:sub-?\s?total|grand\s+total|total)\b",
    re.I,
)
_GRAND = re.compile(r"tổng|toàn (?:xã|phường|trang|danh sách)|tong|^\s*(?:grand )?total", re.I)
_STATED_IN_TEXT = re.compile(
    r"(?:tổng\s*(?:số|cộng)?|danh sách(?:\s*này)?\s*(?:gồm|có)(?:\s*có)?|gồm(?:\s*có)?|cộng)"
    r"(?:\s+(?:toàn\s+\w+|trẻ em|trẻ|số|cháu|bản ghi|dòng|có|là|danh sách|cộng|trong danh sách|các))*\s*[:=–-]?\s*"
    r"(\d{1,3}(?:[.,]\d{3})+|\d{1,7})(?![\d/%])\s*(trẻ|cháu|em|bản ghi|dòng|người)?",
    re.I,
)
_SIGNATURE = re.compile(
    r"nguoi lap|lap bieu|lap danh sach|nguoi ghi|ky ten|ky ghi ro|ghi ro ho|chu tich|thu truong|tm ubnd|tm uy ban"
    r"|uy ban nhan dan|xac nhan|dong dau|truong thon|ke toan|cong chuc|nguoi tong hop|can bo phu trach|can bo (?:tre em|lap)"
    r"|truong (?:ban|phong|tram)|nguoi kiem|ngay\s*\d*\s*thang\s*\d*\s*nam|hieu truong|to truong|ghi chu\b|luu y\b|noi nhan"
    r"|^bang chu\b|da ky\b|^k ?t chu tich|pho chu tich|prepared by|approved by|^signature"
)
_UNIT_WORDS = {
    "province": r"tỉnh",
    "city": r"thành phố|tp\.?",
    "district": r"quận|huyện|thị xã|tx\.?",
    "commune": r"xã|phường|thị trấn|đặc khu|tt\.",
}
_ANY_UNIT = "|".join(_UNIT_WORDS.values())
_STOP = (
    r"(?=\s*(?:$|[,;:(\[\n–—|]|-\s|\s-|\b(?:năm\s+\d|tính\s+đến|đến\s+(?:ngày|hết|tháng|năm|cuối|\d)"
    r"|ngày\s*(?:\d|…|\.)|tháng\s+\d|quý\s+(?:[ivx]+|\d)\b|kỳ\s+(?:báo|[ivx]+\b|\d)|thời\s+(?:điểm|gian)|theo\s|có\s+(?:hoàn|đến|mặt|\d)"
    r"|gồm\s|tổng\s+(?:số|cộng|hợp)|danh sách)|độc lập\b|(?:thuộc\s+)?\b(?:" + _ANY_UNIT + r")\s))"
)
_CENTRAL_CITIES = frozenset(
    {"ha noi", "hai phong", "da nang", "ho chi minh", "hcm", "can tho", "hue", "dong nai"}
)
_VERSION = re.compile(
    r"(?:phiên bản(?:\s*(?:mẫu|biểu|định dạng|tệp))?|mẫu\s*phiên bản|version)\s*:?\s*v?(\d+(?:\.\d+)*)", re.I
)
_HAMLET = re.compile(
    r"^(?:thôn|ấp|bản|làng|buôn|xóm|khóm|phum|sóc|khu phố|khu|tổ dân phố|tổ|tdp|tổ dp|đội|cụm|plei|plây|tiểu khu|khu dân cư)\b\.?",
    re.I,
)  # fmt: skip
_COMMUNE_TITLE = re.compile(r"^(?:xã|phường|thị trấn|đặc khu)\s+\S", re.I)
_TITLE_NUMBERING = re.compile(r"^\s*(?:[IVXLC]{1,6}|[A-Z]|\d{1,3})\s*[.)\-–:/]+\s*")


@dataclass(slots=True)
class Stated:
    """What the rows around the table say about it."""

    title_date: date | None = None
    signature_date: date | None = None
    units: dict[str, str] = field(default_factory=dict)
    totals: list[int] = field(default_factory=list)
    ethnic_list: str | None = None
    format_version: str | None = None

    @property
    def day(self) -> date | None:
        """Return the file's date: the title's, else the signature's."""
        return self.title_date or self.signature_date


def normal(text: str) -> str:
    """Return text in one Unicode form with single spaces, letters and tone marks kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def find_date(text: str) -> date | None:
    """Return the date a title or signature states; dates of laws and forms are not the file's.

    >>> find_date("Tính đến ngày 31/12/2024"), find_date("(Kèm theo Thông tư 13 ngày 30/9/2021)")
    (datetime.date(2024, 12, 31), None)
    """
    text = normal(text)
    if _LEGAL.search(text):
        return None
    for pattern, order in ((_WORDED_DATE, (3, 2, 1)), (_PLAIN_DATE, (3, 2, 1)), (_ISO_DATE, (1, 2, 3))):
        for match in pattern.finditer(text):
            year, month, day = (int(match[place]) for place in order)
            if 2005 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31:
                try:
                    return date(year, month, day)
                except ValueError:
                    continue
    return None


def find_units(text: str) -> dict[str, str]:
    """Return the units a title row names, worded as received.

    >>> find_units("DANH SÁCH TRẺ EM XÃ TÂN LONG, HUYỆN PHỤNG HIỆP, TỈNH HẬU GIANG NĂM 2025")["commune"]
    'XÃ TÂN LONG'
    """
    text = normal(text)
    if _LEGAL.search(text):
        return {}
    found: dict[str, str] = {}
    for level, pattern in _UNIT_WORDS.items():
        match = re.search(
            rf"(?<!\w)((?:{pattern})\s*:?\s*(?!(?:{_ANY_UNIT})\b)[^\W_][^,;:(\[\n–—|]*?){_STOP}", text, re.I
        )
        if match:
            found[level] = re.sub(r"\s*:\s*", " ", match[1]).strip(" .:-")
    return _place_city(found)


def _place_city(found: dict[str, str]) -> dict[str, str]:
    city = found.pop("city", None)
    if city is None:
        return found
    bare = fold(re.sub(r"(?i)^(thành phố|tp\.?)\s*", "", city))
    level = "province" if bare in _CENTRAL_CITIES and "province" not in found else "district"
    if level == "district" and "province" not in found and "district" in found:
        level = "province"
    found.setdefault(level, city)
    return found


def find_total(text: str) -> int | None:
    """Return the number of children a title or footer text states.

    >>> (
    ...     find_total("Tổng cộng: 1.204 trẻ"),
    ...     find_total("Danh sách này có 37 cháu"),
    ...     find_total("Tổng hợp 2025"),
    ... )
    (1204, 37, None)
    """
    match = _STATED_IN_TEXT.search(normal(text))
    if match is None:
        return None
    number = int(re.sub(r"[.,]", "", match[1]))
    is_year = 1990 <= number <= 2100 and not match[2]
    return None if is_year and not re.search(r"[:=]", text) else number


def is_total_label(text: str) -> bool:
    """Return whether a cell labels a total; the surname Tống does not.

    >>> is_total_label("Tổng cộng"), is_total_label("Tống Văn An"), is_total_label("Cộng thôn 3: 25")
    (True, False, True)
    """
    return bool(_TOTAL_LABEL.match(normal(text)))


def is_grand_total(text: str) -> bool:
    """Return whether a total label speaks of the whole list, not of one hamlet."""
    plain = normal(text)
    return bool(_GRAND.search(plain)) and not re.search(
        r"\b(?:thôn|ấp|bản|tổ|khóm|xóm|buôn|làng|khu phố)\b", plain, re.I
    )


def is_signature(text: str) -> bool:
    """Return whether a text belongs to the signature block or the notes below a table."""
    return bool(_SIGNATURE.search(fold(text)))


def section_unit(text: str) -> tuple[str, str] | None:
    """Return (column, text) of a section title that names a hamlet or a commune.

    >>> section_unit("II. Thôn 3 (25 trẻ)"), section_unit("Trẻ dưới 6 tuổi")
    (('thon', 'Thôn 3'), None)
    """
    plain = _TITLE_NUMBERING.sub("", normal(text))
    plain = re.split(r"\s*[(:;]", plain)[0].strip(" .-–")
    if _HAMLET.match(plain):
        return "thon", plain
    if _COMMUNE_TITLE.match(plain):
        return "xa", plain
    return None


def read_titles(texts: Iterable[str], stated: Stated) -> None:
    """Note what title rows state; the first statement of each kind counts."""
    for text in texts:
        stated.title_date = stated.title_date or find_date(text)
        for level, unit in find_units(text).items():
            stated.units.setdefault(level, unit)
        stated.ethnic_list = stated.ethnic_list or _ethnic_list(text)
        version = _VERSION.search(normal(text))
        stated.format_version = stated.format_version or (version[1] if version else None)
        total = find_total(text)
        if total is not None:
            stated.totals.append(total)


def read_footers(texts: Iterable[str], stated: Stated) -> None:
    """Note what signature rows state: the date of signing and the code list."""
    for text in texts:
        stated.signature_date = stated.signature_date or find_date(text)
        stated.ethnic_list = stated.ethnic_list or _ethnic_list(text)


def _ethnic_list(text: str) -> str | None:
    key = fold(text)
    if "dan toc" not in key:
        return None
    if "121 tctk" in key or "1979" in key:
        return "tctk_1979"
    if "tong dieu tra" in key or "2009" in key or "15172" in key:
        return "census_2009"
    return None


def merge_units(*sources: Mapping[str, str]) -> dict[str, str]:
    """Return units by level, earlier sources going before later ones."""
    merged: dict[str, str] = {}
    for source in sources:
        for level, text in source.items():
            merged.setdefault(level, text)
    return merged
