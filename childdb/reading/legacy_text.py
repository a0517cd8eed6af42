"""Header texts typed in old Vietnamese fonts (TCVN3, VNI), so that the column map can know them.

Cells are not touched here: cleaning decides per column, keeps the old text and names the rule.
"""

from __future__ import annotations

from functools import lru_cache

from childdb.cleaning.encoding_tables import TCVN3, from_table, from_vni

_REMARKS = {"tcvn3": "ENC-TCVN3", "vni": "ENC-VNI"}


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[tuple[str, str], ...]:
    """Return (encoding, text) for each old encoding in which a text can be read differently."""
    if text.isascii():
        return ()
    found = []
    for encoding, read in (("tcvn3", from_table(text, TCVN3)), ("vni", from_vni(text))):
        if read is not None and read != text:
            found.append((encoding, read))
    return tuple(found)


def guess_legacy(text: str) -> tuple[str, str] | None:
    """Return (encoding, remark) when the words of a Latin text become Vietnamese ones in an old encoding."""
    from childdb.cleaning.syllables import is_syllable

    words = [word.strip(" .,;:()\"'") for word in text[:100_000].replace(",", " ").replace(";", " ").split()]
    strange = list(dict.fromkeys(word for word in words if word and not word.isascii()))[:2_000]
    best: tuple[float, str] = (0.0, "")
    for encoding in _REMARKS:
        read = [dict(readings(word)).get(encoding, word) for word in strange]
        share = sum(is_syllable(word) for word in read) / len(strange) if strange else 0.0
        best = max(best, (share, encoding))
    return (best[1], _REMARKS[best[1]]) if best[0] >= 0.6 else None
