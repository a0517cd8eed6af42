"""Which old encoding a column holds, decided by evidence over the whole column, and its conversion.

A cell that already has letters only Unicode has (ạ, ă, đ, ơ, ư …) is never touched. The others are tried with each
table; a word counts for a table when it was no Vietnamese syllable before and is one after, and against it when a
syllable would be destroyed. Single cells are never judged on their own.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from childdb.cleaning.encoding_tables import TCVN3, VISCII, from_codec, from_table, from_vni
from childdb.cleaning.syllables import is_syllable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Encoding(StrEnum):
    """Ways Vietnamese text is met when it is not Unicode."""

    TCVN3 = "tcvn3"
    VNI = "vni"
    VISCII = "viscii"
    CP1258 = "cp1258"
    MOJIBAKE = "mojibake"


class Regime(StrEnum):
    """How much of a column an encoding holds."""

    WHOLE = "whole"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Decision:
    """The encoding a column holds besides Unicode; none means the column is left as it is."""

    encoding: Encoding | None = None
    regime: Regime = Regime.WHOLE
    supporting_words: int = 0
    opposing_words: int = 0


NOT_ASCII = r"[^\x00-\x7F]"
UNICODE_ONLY = "[ĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300-\u036f]"
NEVER_IN_VIETNAMESE = re.compile(
    "[\x80-\x9f¡-¬\xad®¯°±²³´µ¶¸¹º»¼½¾¿×÷ÄÅÆÇËÎÏÐÖØÛÜÞßäåæçëîïðöøûüþÿ€‚ƒ„…†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ]"
)
MOJIBAKE_SIGNS = re.compile("á[º»]|Ã[\x80-¿]|Ä[\x80-¿‘’“”ƒ]|Æ[°¡¯]|Å©|Å¨|áº|á»")
_EDGES = " \t.,;:()[]\"'/-_0123456789"
_MINIMUM_WORDS = 2
_OPPOSING_SHARE = 0.05
_UNICODE_SHARE = 0.10


@lru_cache(maxsize=65536)
def convert(text: str, encoding: Encoding) -> str | None:
    """Return text read in one old encoding, or None where it cannot be of that encoding."""
    if encoding is Encoding.VNI:
        return from_vni(text)
    if encoding is Encoding.TCVN3:
        return from_table(text, TCVN3)
    if encoding is Encoding.VISCII:
        return from_table(text, VISCII)
    return from_codec(text, "cp1258" if encoding is Encoding.CP1258 else "utf-8")


def _word_votes(word: str, encoding: Encoding) -> int:
    """Return 1 if the encoding makes a syllable of the word, -1 if it destroys one, 0 if it says nothing."""
    read = convert(word, encoding)
    before = is_syllable(word.strip(_EDGES))
    if read is None:
        return -1 if before else 0
    if read == word:
        return 0
    after = is_syllable(read.strip(_EDGES))
    return int(after) - int(before)


def _tally(words: Mapping[str, int], encoding: Encoding) -> tuple[int, int, int]:
    """Return words for, words against, and distinct words for an encoding."""
    votes = {word: _word_votes(word, encoding) for word in words}
    in_favour = sum(words[word] for word, vote in votes.items() if vote > 0)
    against = sum(words[word] for word, vote in votes.items() if vote < 0)
    return in_favour, against, sum(vote > 0 for vote in votes.values())


def _is_enough(words: Mapping[str, int], encoding: Encoding, distinct: int) -> bool:
    if distinct >= _MINIMUM_WORDS:
        return True
    supporters = (word for word in words if _word_votes(word, encoding) > 0)
    return any(NEVER_IN_VIETNAMESE.search(word) for word in supporters)


def candidate_words(cells: Iterable[str]) -> Counter[str]:
    """Return the words of cells that may be of an old encoding, with how often each occurs."""
    return Counter(word for cell in cells for word in cell.split(" ") if not word.isascii())


def decide(words: Mapping[str, int], candidate_cells: int, unicode_cells: int) -> Decision:
    """Return the decision for a column from the words of its candidate cells and its two counts of cells."""
    best: tuple[int, int, int, Encoding] | None = None
    for encoding in Encoding:
        in_favour, against, distinct = _tally(words, encoding)
        if in_favour and (best is None or (in_favour, -against) > (best[0], -best[1])):
            best = (in_favour, against, distinct, encoding)
    if best is None or not _is_enough(words, best[3], best[2]):
        return Decision()
    in_favour, against, _, encoding = best
    is_whole = against <= _OPPOSING_SHARE * (in_favour + against)
    is_whole = is_whole and unicode_cells <= _UNICODE_SHARE * (unicode_cells + candidate_cells)
    return Decision(encoding, Regime.WHOLE if is_whole else Regime.MIXED, in_favour, against)


@lru_cache(maxsize=65536)
def convert_cell(cell: str, decision: Decision) -> str:
    """Return a candidate cell read as its column was decided; in mixed columns only where the cell is evident."""
    encoding = decision.encoding
    if encoding is None:
        return cell
    if decision.regime is Regime.MIXED:
        votes = [_word_votes(word, encoding) for word in cell.split(" ") if not word.isascii()]
        if not votes or max(votes) < 1 or min(votes) < 0:
            return cell
    read = convert(cell, encoding)
    return cell if read is None else read


def is_unread(cell: str) -> bool:
    """Return whether a cell still shows the signs of UTF-8 read as Windows text that no table could mend."""
    return bool(MOJIBAKE_SIGNS.search(cell))
