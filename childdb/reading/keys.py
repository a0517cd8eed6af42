"""Comparison keys of header and title texts; never of people's names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NOT_WORD = re.compile(r"[^0-9a-z]+")
_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_NUMBERING = re.compile(r"^\s*(?:\(?[0-9]{1,2}\)?\s*[.)\-:/]\s*|\([0-9]{1,2}\)\s*)")


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    r"""Return text without case, tone marks, punctuation and spare spaces.

    >>> fold("Ngày,  tháng\nnăm sinh (*)")
    'ngay thang nam sinh'
    """
    lowered = unicodedata.normalize("NFKD", text.casefold()).replace("đ", "d").replace("ð", "d")
    plain = "".join(letter for letter in lowered if not unicodedata.combining(letter))
    return " ".join(_NOT_WORD.sub(" ", plain).split())


@lru_cache(maxsize=16384)
def key_variants(text: str) -> tuple[str, ...]:
    """Return the keys a header may be known by: as it stands, without brackets, without its numbering.

    >>> key_variants("(4) Giới tính (Nam/Nữ)")
    ('4 gioi tinh nam nu', 'gioi tinh', 'gioi tinh nam nu')
    """
    bare = _NUMBERING.sub("", text)
    forms = (text, _BRACKETS.sub(" ", text), bare, _BRACKETS.sub(" ", bare))
    return tuple(dict.fromkeys(key for key in map(fold, forms) if key))


@lru_cache(maxsize=16384)
def words(text: str) -> frozenset[str]:
    """Return the words of a text with their tone marks, in one normal form and case."""
    return frozenset(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))


def has_phrase(key: str, phrase: str) -> bool:
    """Return whether a folded key holds a folded phrase as whole words.

    >>> has_phrase("so cccd nguoi giam ho", "giam ho"), has_phrase("chao", "cha")
    (True, False)
    """
    return f" {phrase} " in f" {key} "
