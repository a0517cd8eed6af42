"""How people write units: types, abbreviations, numbers, a district or a code in the same cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from childdb.cleaning.text import clean_text, fold
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


@dataclass(frozen=True, slots=True)
class UnitText:
    """What a cell for a commune says: a code, a name in one or more readings, and units above it."""

    code: str | None = None
    name: str | None = None
    district: str | None = None
    province: str | None = None


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
    parts = [part.strip() for part in re.split(r"\s*[,;]\s*", hint[1] if hint else text) if part.strip()]
    if not parts:
        return UnitText(code=code)
    district = province = None
    for part in parts[1:]:
        if _PROVINCE_MARK.match(part) or (district is not None and part is parts[-1]):
            province = part
        elif _DISTRICT_MARK.match(part) or district is None:
            district = part
    if hint and district is None and not fold(hint[2]).endswith("cu"):
        district = hint[2].strip()
    return UnitText(code, parts[0], district, province)
