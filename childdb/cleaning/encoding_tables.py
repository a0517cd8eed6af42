"""Tables of the old Vietnamese encodings, from their standards; tested against TCVN 5712:1993 and RFC 1456."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# TCVN 5712:1993 (TCVN3, "ABC" fonts), bytes 0x80 to 0xFF.
_TCVN3 = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ"
    "\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
# RFC 1456 (VISCII 1.1), bytes 0x80 to 0xFF; its six capitals below 0x20 are control signs elsewhere and left out.
_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲ"
    "ÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
TCVN3 = {0x80 + place: letter for place, letter in enumerate(_TCVN3)}
VISCII = {0x80 + place: letter for place, letter in enumerate(_VISCII)}

# VNI: a vowel followed by a sign for its mark; i, y-dot, ơ, ư and đ are single signs.
_VNI_MARKS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323", "ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309",
    "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_SINGLES = {"ñ": "đ", "ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI_TONES = "ùøûõï"
_VNI_CIRCUMFLEX = "âáàåãä"
_VNI_BREVE = "êéèúüë"


def _vni_pairs() -> dict[str, str]:
    """Return every VNI group in both cases with its letter; a capital may carry a sign of either case."""
    pairs: dict[str, str] = {}
    allowed = {"a": _VNI_TONES + _VNI_CIRCUMFLEX + _VNI_BREVE, "e": _VNI_TONES + _VNI_CIRCUMFLEX,
               "o": _VNI_TONES + _VNI_CIRCUMFLEX, "u": _VNI_TONES, "y": _VNI_TONES,
               "ô": _VNI_TONES, "ö": _VNI_TONES}  # fmt: skip
    for vowel, signs in allowed.items():
        base = _VNI_SINGLES.get(vowel, vowel)
        for sign in signs:
            letter = unicodedata.normalize("NFC", base + _VNI_MARKS[sign])
            pairs[vowel + sign] = letter
            for capital in (vowel.upper() + sign, vowel.upper() + sign.upper()):
                pairs[capital] = letter.upper()
    for sign, letter in _VNI_SINGLES.items():
        pairs[sign] = letter
        pairs[sign.upper()] = letter.upper()
    return pairs


VNI = _vni_pairs()
_VNI_PATTERN = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))


def from_vni(text: str) -> str:
    """Return VNI text in Unicode; signs that form no group are left as they are."""
    return _VNI_PATTERN.sub(lambda group: VNI[group.group()], text)


def windows_bytes(text: str) -> bytes | None:
    """Return the bytes a Windows (1252) reader saw, or None if it cannot have produced this text.

    The five bytes that code page leaves open come through as C1 control signs.
    """
    out = bytearray()
    for letter in text:
        try:
            out += letter.encode("cp1252")
        except UnicodeEncodeError:
            if not "\x80" <= letter <= "\x9f":
                return None
            out.append(ord(letter))
    return bytes(out)


def windows_text(data: bytes) -> str:
    """Return bytes as a Windows (1252) reader shows them; the five it leaves open become C1 control signs.

    >>> windows_text("NghÜa".encode("latin-1"))
    'NghÜa'
    """
    return "".join(bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in data)


def reread_1258(text: str) -> str | None:
    """Return text that had been read as Windows-1258 as a Windows-1252 reader would have shown it, or None.

    >>> reread_1258("Th\u0303"), reread_1258("HiƠu")
    ('ThÞ', 'HiÕu')
    """
    out = bytearray()
    for letter in text:
        data = _bytes_1258(letter)
        if data is None:
            return None
        out += data
    return windows_text(bytes(out))


@lru_cache(maxsize=4096)
def _bytes_1258(letter: str) -> bytes | None:
    """Return the bytes of a letter; one that was composed after reading falls apart into letter and tone again."""
    if "\x80" <= letter <= "\x9f":
        return bytes([ord(letter)])
    parts = unicodedata.normalize("NFD", letter)
    tones = "".join(part for part in parts if part in _TONES_OF_1258)
    base = unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones))
    for form in (letter, base + tones):
        try:
            return form.encode("cp1258")
        except UnicodeEncodeError:
            continue
    return None


_TONES_OF_1258 = "\u0300\u0301\u0303\u0309\u0323"


def from_table(text: str, table: dict[int, str]) -> str | None:
    """Return text whose bytes belong to a one-byte table in Unicode NFC, or None if it has no such bytes."""
    data = windows_bytes(text)
    if data is None:
        return None
    return unicodedata.normalize("NFC", "".join(table.get(byte, chr(byte)) for byte in data))


def from_codec(text: str, codec: str) -> str | None:
    """Return text whose Windows bytes are really of another codec, in NFC, or None if they are not."""
    data = windows_bytes(text)
    if data is None:
        return None
    try:
        return unicodedata.normalize("NFC", data.decode(codec))
    except UnicodeDecodeError:
        return None


# VIQR (RFC 1456): the mark typed behind its letter. "d-" and "dd" are đ; "*" stands for "+" with some writers.
_VIQR = re.compile(r"[Dd][Dd\-](?=[A-Za-z])|[Dd]-|([AEIOUYaeiouy])([\^(+*]?)(['`?~.]?)")
_VIQR_SHAPES = {"^": "\u0302", "(": "\u0306", "+": "\u031b", "*": "\u031b"}
_VIQR_TONES = {"'": "\u0301", "`": "\u0300", "?": "\u0309", "~": "\u0303", ".": "\u0323"}
_VIQR_BASES = {"^": "aeo", "(": "a", "+": "ou", "*": "ou"}


def from_viqr(text: str) -> str:
    """Return VIQR text in Unicode.

    >>> from_viqr("Nguye^~n Thi. D-a(ng")
    'Nguyễn Thị Đăng'
    """
    return _VIQR.sub(_viqr_letter, text)


def _viqr_letter(match: re.Match[str]) -> str:
    vowel, shape, tone = match[1], match[2], match[3]
    if vowel is None:
        return "Đ" if match[0][0] == "D" else "đ"
    if shape and vowel.lower() not in _VIQR_BASES[shape]:
        return match[0]
    return unicodedata.normalize("NFC", vowel + _VIQR_SHAPES.get(shape, "") + _VIQR_TONES.get(tone, ""))
