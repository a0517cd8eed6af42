"""How people write units: types, abbreviations, numbers, a district or a code in the same cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from childdb.cleaning.text import clean_text
from childdb.places.history import UnitType

_COMMUNE_TYPES = (
    (UnitType.XA, r"xã|x\.|x(?=\s)", r"xa"),
    (UnitType.PHUONG, r"phường|p\.|p(?=\s|[0-9])|f\.?(?=\s?[0-9])|ph\.", r"phuong"),
    (UnitType.THI_TRAN, r"thị\s*trấn|tt\.|tt(?=\s)|t\.t\.?|thị\s*trấn\.", r"thi\s*tran"),
    (UnitType.DAC_KHU, r"đặc\s*khu|đk\.|đk(?=\s)", r"dac\s*khu"),
    (UnitType.HUYEN_DAO, r"huyện(?:\s*đảo)?|h\.", r"huyen(?:\s*dao)?"),
)
_DISTRICT_TYPES = (
    ("Quận", r"quận|q\.|q(?=\s|[0-9])", r"quan"),
    ("Huyện", r"huyện(?:\s*đảo)?|h\.|h(?=\s)", r"huyen(?:\s*dao)?"),
    ("Thị xã", r"thị\s*xã|tx\.?|t\.x\.?", r"thi\s*xa"),
    ("Thành phố", r"thành\s*phố|tp\.?|t\.p\.?", r"thanh\s*pho"),
)
_PROVINCE_TYPE = re.compile(r"(?i)^(?:tỉnh|thành\s*phố|tinh|thanh\s*pho|tp\.?|t\.p\.?|t\.)\s*(?=\S)")
_CODE = re.compile(r"[0-9]{1,5}(?:\.0)?")
_CODE_AND_NAME = re.compile(
    r"^([0-9]{3,5})\s*[-–.:)_]\s*(\D.*)$|^(\D.*?)\s*[-–(\[_]\s*([0-9]{3,5})\s*[)\]]?$"
)
_DISTRICT_MARK = re.compile(r"(?i)^(?:quận|huyện|thị\s*xã|q\.|h\.|tx\.|tx |quan |huyen |thi\s*xa )")
_PROVINCE_MARK = re.compile(r"(?i)^(?:tỉnh|tinh |t\.)")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a unit's text: its type (None if none is written) and its name."""

    unit_type: str | None
    name: str


# Where the next unit of an address begins without a comma: "Phường 1 Quận 4", "Xã Yên Sơn - huyện Bảo Yên". Behind a
# plain space only a type word with its marks counts: Quan Hoa is a ward.
_MARKED_UNIT = r"(?:quận|huyện|thị\s*xã|thành\s*phố|tỉnh)\s+\S|(?:tp|tx|q|h)\s*\.\s*\S"
_PLAIN_UNIT = r"(?:quan|huyen|thi\s*xa|thanh\s*pho|tinh|tp|tx|q|h)\s+\S"
_BETWEEN_UNITS = re.compile(
    rf"(?i)\s*[,;\n]\s*|\s+[-–—]\s+(?={_MARKED_UNIT}|{_PLAIN_UNIT})|(?<=\S)\s+(?={_MARKED_UNIT})"
)
_FORMER = re.compile(r"(?i)\s*[(\[]?\s*\b(?:cũ|cu)\s*[)\]]?\s*$")


@dataclass(frozen=True, slots=True)
class UnitText:
    """What a cell for a commune says: a code, a name in one or more readings, and units above it.

    `is_former` says that the text itself calls the unit a former one (cũ).
    """

    code: str | None = None
    name: str | None = None
    district: str | None = None
    province: str | None = None
    is_former: bool = False


def _readings(text: str, types: tuple[tuple[str, str, str], ...]) -> tuple[Reading, ...]:
    found = []
    for unit_type, marked, plain in types:
        match = re.match(rf"(?i)^(?:{marked})\s*\.?\s*(?=\S)", text)
        if match is None and text.isascii():
            match = re.match(rf"(?i)^(?:{plain})(?:\s+|\.\s*|(?=[0-9]))(?=\S)", text)
        if match:
            found.append(Reading(unit_type, text[match.end() :].strip()))
    # "TT" before "T", "Huyện" before "H": the longest type word wins; a text may also be all name.
    found.sort(key=lambda reading: len(reading.name))
    return (*found[:1], Reading(None, text))


@lru_cache(maxsize=65536)
def commune_readings(text: str) -> tuple[Reading, ...]:
    """Return the ways to read a commune's text, the one with a type first.

    >>> commune_readings("P.01")[0]
    Reading(unit_type=<UnitType.PHUONG: 'phuong'>, name='01')
    """
    return _readings(text, _COMMUNE_TYPES)


@lru_cache(maxsize=65536)
def district_readings(text: str) -> tuple[Reading, ...]:
    """Return the ways to read a district's text, the one with a type first."""
    return _readings(text, _DISTRICT_TYPES)


@lru_cache(maxsize=65536)
def province_name(text: str) -> str:
    """Return a province's name without its type."""
    return _PROVINCE_TYPE.sub("", text).strip() or text


def unit_code(text: str | None) -> str | None:
    """Return the digits of a cell that holds nothing but a code, as typed."""
    if text is None or not _CODE.fullmatch(text):
        return None
    return text.removesuffix(".0")


@lru_cache(maxsize=65536)
def read_commune_text(text: str) -> UnitText:
    """Return what a cell for a commune says.

    >>> read_commune_text("Phường Trúc Bạch, Quận Ba Đình").district
    'Quận Ba Đình'
    """
    cleaned = clean_text(text)[0]
    if cleaned is None:
        return UnitText()
    code = unit_code(cleaned)
    if code:
        return UnitText(code=code)
    match = _CODE_AND_NAME.match(cleaned)
    if match:
        return _with_parts(match[2] or match[3], match[1] or match[4])
    return _with_parts(cleaned, None)


def _with_parts(text: str, code: str | None) -> UnitText:
    hint = re.match(r"^(.+?)\s*\(([^()]+)\)\s*$", text)
    hinted = hint[2].strip() if hint and not _FORMER.fullmatch(hint[2]) else None
    whole = hint[1] if hint else text
    is_former = bool(hint and _FORMER.search(hint[2]))
    parts = [part.strip(" .-–—") for part in _BETWEEN_UNITS.split(whole)]
    parts = [part for part in parts if part]
    if not parts:
        return UnitText(code=code)
    name = _FORMER.sub("", parts[0])
    is_former = is_former or (name != parts[0] and bool(name))
    district, province = _units_above(parts[1:])
    if hinted and district is None and not is_former:
        district = hinted
    return UnitText(code, name or parts[0], district, province, is_former)


def _units_above(parts: list[str]) -> tuple[str | None, str | None]:
    """Return the district and the province that follow a commune in its text, where they are written."""
    district = province = None
    for place, part in enumerate(parts):
        if _PROVINCE_MARK.match(part) or (district is not None and place == len(parts) - 1):
            province = part
        elif _DISTRICT_MARK.match(part) or district is None:
            district = part
    return district, province


_TYPED_NAME = re.compile(
    r"(?i)(?:^|[\s(])(xã|phường|thị\s*trấn|đặc\s*khu|xa|phuong|thi\s*tran|dac\s*khu|[xp]\.|tt\.|đk\.)\s*(?=\S)"
)


@lru_cache(maxsize=65536)
def named_communes(text: str) -> tuple[tuple[Reading, bool], ...]:
    """Return the communes an address names with their type, and for each whether a district follows it.

    >>> named_communes("Tổ 5, xã Phúc Thịnh, Hà Nội")
    ((Reading(unit_type=<UnitType.XA: 'xa'>, name='Phúc Thịnh'), False),)
    """
    parts = [part for part in re.split(r"\s*[()\n]\s*|\s+[-–—]\s+", text) if part]
    parts = [part for piece in parts for part in _BETWEEN_UNITS.split(piece) if part]
    found: list[tuple[Reading, bool]] = []
    for place, part in enumerate(parts):
        match = _TYPED_NAME.search(part)
        if match:
            reading = commune_readings(part[match.start(1) :].strip(" ."))[0]
            has_district = any(_DISTRICT_MARK.match(later) for later in parts[place + 1 :])
            found += [(reading, has_district)] if reading.unit_type else []
    return tuple(found)
