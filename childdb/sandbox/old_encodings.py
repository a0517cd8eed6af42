"""Unicode text as the old Vietnamese fonts and wrong code pages would show it; written from TCVN 5712:1993 and VNI."""

from __future__ import annotations

import unicodedata

_VOWELS = "aăâeêioôơuưy"
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_TCVN3 = {
    "a": "aµ¶·¸¹",
    "ă": "¨»¼½¾Æ",
    "â": "©ÇÈÉÊË",
    "e": "eÌÎÏÐÑ",
    "ê": "ªÒÓÔÕÖ",
    "i": "i×ØÜÝÞ",
    "o": "oßáâãä",
    "ô": "«åæçèé",
    "ơ": "¬êëìíî",
    "u": "uïñòóô",
    "ư": "\u00adõö÷øù",
    "y": "yúûüýþ",
}
_TCVN3_CAPITALS = {"Ă": "¡", "Â": "¢", "Ê": "£", "Ô": "¤", "Ơ": "¥", "Ư": "¦", "Đ": "§", "đ": "®"}
_VNI_SIGNS = {
    "": ("", "ø", "û", "õ", "ù", "ï"),
    "â": ("â", "à", "å", "ã", "á", "ä"),
    "ă": ("ê", "è", "ú", "ü", "é", "ë"),
}
_VNI_BASE = {
    "a": "a",
    "ă": "a",
    "â": "a",
    "e": "e",
    "ê": "e",
    "o": "o",
    "ô": "o",
    "ơ": "ô",
    "u": "u",
    "ư": "ö",
    "y": "y",
}
_VNI_I = ("i", "ì", "æ", "ó", "í", "ò")


def _tcvn3_table() -> dict[str, str]:
    table = dict(_TCVN3_CAPITALS)
    for vowel, shown in _TCVN3.items():
        for tone, sign in zip(_TONES, shown, strict=True):
            letter = unicodedata.normalize("NFC", vowel + tone)
            table[letter] = sign
            # The font has no toned capitals: an officer types the small letter and a capital font.
            table.setdefault(letter.upper(), sign if tone else letter.upper())
    return table


def _vni_letter(vowel: str, tone: int) -> str:
    if vowel == "i":
        return _VNI_I[tone]
    if vowel == "y" and tone == 5:
        return "î"
    family = "â" if vowel in "âêô" else "ă" if vowel == "ă" else ""
    return _VNI_BASE[vowel] + _VNI_SIGNS[family][tone]


def _vni_table() -> dict[str, str]:
    table = {"đ": "ñ", "Đ": "Ñ"}
    for vowel in _VOWELS:
        for tone, mark in enumerate(_TONES):
            letter = unicodedata.normalize("NFC", vowel + mark)
            shown = _vni_letter(vowel, tone)
            table[letter] = shown
            table[letter.upper()] = shown.upper()
    return table


_TCVN3_MAP = str.maketrans(_tcvn3_table())
_VNI_MAP = str.maketrans(_vni_table())


def as_tcvn3(text: str) -> str:
    """Return composed text as a TCVN3 (ABC) document shows it in Unicode.

    >>> as_tcvn3("Nguyễn Thị Hòa")
    'NguyÔn ThÞ Hßa'
    """
    return unicodedata.normalize("NFC", text).translate(_TCVN3_MAP)


def as_vni(text: str) -> str:
    """Return composed text as a VNI document shows it in Unicode.

    >>> as_vni("Nguyễn Thị Hòa")
    'Nguyeãn Thò Hoøa'
    """
    return unicodedata.normalize("NFC", text).translate(_VNI_MAP)


def as_mojibake(text: str) -> str:
    """Return UTF-8 text as a Western code page shows it (undefined bytes as Latin-1, so nothing is lost)."""
    shown = []
    for byte in unicodedata.normalize("NFC", text).encode():
        try:
            shown.append(bytes([byte]).decode("cp1252"))
        except UnicodeDecodeError:
            shown.append(chr(byte))
    return "".join(shown)


def as_question_marks(text: str) -> str:
    """Return text as it comes out of an ANSI code page: letters the page lacks become question marks."""
    return unicodedata.normalize("NFC", text).encode("cp1252", "replace").decode("cp1252")


def _cp1258_table() -> dict[str, str]:
    table = {}
    for vowel in _VOWELS + _VOWELS.upper():
        for tone in _TONES[1:]:
            letter = unicodedata.normalize("NFC", vowel + tone)
            try:
                letter.encode("cp1258")
            except UnicodeEncodeError:
                table[letter] = vowel + tone
    return table


_CP1258_MAP = str.maketrans(_cp1258_table())


def as_cp1258(text: str) -> bytes:
    """Return bytes in Windows-1258: half-composed letters followed by a combining tone, as that code page needs.

    Raises UnicodeEncodeError where the page lacks a letter even so.
    """
    return unicodedata.normalize("NFC", text).translate(_CP1258_MAP).encode("cp1258")


def can_cp1258(text: str) -> bool:
    """Return whether every letter exists in Windows-1258, alone or with a combining tone."""
    try:
        as_cp1258(text)
    except UnicodeEncodeError:
        return False
    return True
