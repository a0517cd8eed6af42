"""Which old encoding a column holds, decided by evidence over the whole column, and its conversion.

A cell that already has letters only Unicode has (ạ, ẵ, ũ …) is never touched. The others are tried with each table and
each code page through which its bytes may have been read. A word counts for a reading when it could not be read before,
look-alikes and spare signs set aside, and is a Vietnamese syllable after; it counts against when a syllable would be
destroyed. Nothing is decided without signs that no clean spelling has. Single cells are never judged on their own.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from childdb.cleaning.encoding_tables import (
    TCVN3,
    VISCII,
    from_codec,
    from_table,
    from_viqr,
    from_vni,
    reread_1258,
    windows_bytes,
)
from childdb.cleaning.syllables import is_syllable, is_well_spelled, split_tone, with_tone
from childdb.cleaning.text import APOSTROPHES, D_FORMS, INVISIBLE, SPACES, composed
from childdb.reference import SeedFolder, seed_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Encoding(StrEnum):
    """Ways Vietnamese text is met when it is not Unicode."""

    TCVN3 = "tcvn3"
    VNI = "vni"
    VISCII = "viscii"
    CP1258 = "cp1258"
    MOJIBAKE = "mojibake"
    VIQR = "viqr"


class CodePage(StrEnum):
    """The code page through which the bytes of a text had been read before it came here."""

    WINDOWS_1252 = "cp1252"
    WINDOWS_1258 = "cp1258"


class Regime(StrEnum):
    """How much of a column an encoding holds."""

    WHOLE = "whole"
    MIXED = "mixed"


class Reading(NamedTuple):
    """One way to read a column: its encoding, and the code page its bytes went through."""

    encoding: Encoding
    page: CodePage = CodePage.WINDOWS_1252


@dataclass(frozen=True, slots=True)
class Decision:
    """The encoding a column holds besides Unicode; none means the column is left as it is."""

    encoding: Encoding | None = None
    regime: Regime = Regime.WHOLE
    supporting_words: int = 0
    opposing_words: int = 0
    page: CodePage = CodePage.WINDOWS_1252

    @property
    def reading(self) -> Reading | None:
        """Return how the column is read, or None where it stays as it is."""
        return None if self.encoding is None else Reading(self.encoding, self.page)

    @property
    def rank(self) -> tuple[int, int]:
        """Return what the decision weighs against another: words for it, then few words against it."""
        return self.supporting_words, -self.opposing_words


NOT_ASCII = r"[^\x00-\x7F]"
# Letters that no single-byte code page shows; through Windows-1258 ă, đ, ơ, ư and five tones can be shown as well.
UNICODE_ONLY_1258 = "[ĨĩŨũẠ-ỹ\u0302\u0306\u031b]"
UNICODE_ONLY = "[ĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300-\u036f]"
VIQR_SIGNS = r"[AEOaeo]\^|[Aa]\(|[OUou][+*]"
MOJIBAKE_SIGNS = re.compile("á[º»]|Ã[\x80-¿]|Ä[\x80-¿‘’“”ƒ]|Æ[°¡¯]|Å©|Å¨|áº|á»")
_OLD_SIGN = "\x80-\x9f¡-¬®¯°±²³´µ¶¸¹º»¼½¾¿×÷ÄÅÆÇËÎÏÖØÛÜÞßäåæçëîïöøûüþÿ€‚ƒ„…†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ"
_EVIDENT = re.compile(f"[{_OLD_SIGN}]|[a-zà-ÿ][ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝ]|[ae][âãê]|[AE][ÂÃÊ]")
_CAPITAL_INSIDE = re.compile("[a-zà-ÿ][ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝ]")
# What is left of Nguyễn where its one odd letter is taken for a soft hyphen; the spelling allows it, no name is so.
_NO_WORDS = frozenset(["nguyn"])
_EVIDENT_1258 = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_EDGES = " \t.,;:()[]\"'/-_0123456789"
_VIQR_EDGES = ' \t,;:)[]"/_0123456789'
_OPPOSING_SHARE = 0.05
_UNICODE_SHARE = 0.10
_EXPLAINED_SHARE = 0.5
_SURE_SHARE, _SURE_WORDS = 0.8, 3
READINGS_1252 = tuple(Reading(encoding) for encoding in Encoding if encoding is not Encoding.VIQR)
READINGS_1258 = tuple(
    Reading(reading.encoding, CodePage.WINDOWS_1258)
    for reading in READINGS_1252
    if reading.encoding is not Encoding.CP1258
)
READINGS_VIQR = (Reading(Encoding.VIQR),)


def convert(text: str, reading: Reading | Encoding) -> str | None:
    """Return text read in one old encoding, or None where it cannot be of that encoding."""
    if isinstance(reading, Encoding):
        reading = Reading(reading)
    if reading.page is CodePage.WINDOWS_1252:
        return _decoded(text, reading.encoding)
    shown = reread_1258(text)
    return None if shown is None else _decoded(shown, reading.encoding)


@lru_cache(maxsize=65536)
def _decoded(text: str, encoding: Encoding) -> str | None:
    if encoding is Encoding.VNI:
        return from_vni(text)
    if encoding is Encoding.TCVN3:
        return from_table(text, TCVN3)
    if encoding is Encoding.VISCII:
        return from_table(text, VISCII)
    if encoding is Encoding.VIQR:
        return from_viqr(text)
    if encoding is Encoding.CP1258:
        return from_codec(text, "cp1258")
    return _from_mojibake(text)


# "à" ends in a no-break space when UTF-8 is read as Windows text, and that is lost at the end of a word.
_CUT_SHORT = re.compile("Ã(?= |$)")


def _from_mojibake(text: str) -> str | None:
    """Return UTF-8 text that had been read as Windows text, once or twice."""
    read = from_codec(_CUT_SHORT.sub("Ã\u00a0", text), "utf-8")
    again = from_codec(read, "utf-8") if read and MOJIBAKE_SIGNS.search(read) else None
    return again or read


@lru_cache(maxsize=1)
def _listed_words() -> frozenset[str]:
    rows = seed_rows(SeedFolder.REFERENCE, "minority_name_elements")
    return frozenset(word.casefold() for row in rows for word in row["element"].split())


def _is_word(text: str) -> bool:
    return is_well_spelled(text) or text.casefold() in _listed_words()


@lru_cache(maxsize=65536)
def is_readable(word: str) -> bool:
    """Return whether a word reads as it stands, once look-alikes, spare signs and placement are set aside.

    >>> is_readable("Ðinh"), is_readable("Bùi\u00a0Thanh"), is_readable("H’"), is_readable("ThÞ")
    (True, True, True, False)
    """
    visible = INVISIBLE.sub("", word)
    plain = APOSTROPHES.sub("", SPACES.sub(" ", composed(visible.translate(D_FORMS))))
    parts = plain.strip(_EDGES).split()
    if _CAPITAL_INSIDE.search(plain) or plain.casefold() in _NO_WORDS:
        return False
    if visible != word:
        return all(_is_word(part) for part in parts)
    return all(
        part.isascii() or is_syllable(part) or part.casefold() in _listed_words() or _has_a_place(part)
        for part in parts
    )


def _has_a_place(word: str) -> bool:
    """Return whether a word becomes a syllable when its tone mark is put where it belongs (Maì, Qúy)."""
    base, tone = split_tone(word)
    onset = re.match(r"(?i)(?:qu|gi(?=[aăâeêioôơuưy])|[^aăâeêioôơuưy]*)", base)
    rhyme = base[onset.end() :] if onset else base
    return bool(tone and rhyme) and is_syllable(
        base[: len(base) - len(rhyme)] + with_tone(rhyme.lower(), tone)
    )


@lru_cache(maxsize=65536)
def _word_votes(word: str, reading: Reading) -> int:
    """Return 1 if a reading makes a syllable of the word, -1 if it destroys one, 0 if it says nothing."""
    is_viqr = reading.encoding is Encoding.VIQR
    before = is_syllable(word.strip(_EDGES)) if is_viqr else is_readable(word)
    read = convert(word, reading)
    if read is None or read == word:
        return -1 if before and read is None else 0
    after = _is_word(read.strip(_VIQR_EDGES if is_viqr else _EDGES))
    return int(after) - int(before)


class _Tally(NamedTuple):
    """Words for and against a reading, those it leaves unreadable, and how many distinct ones carry it."""

    in_favour: int
    against: int
    unexplained: int
    distinct: int
    evident: int


def _tally(words: Mapping[str, int], reading: Reading) -> _Tally:
    favour, against, unexplained, distinct, evident = 0, 0, 0, 0, 0
    for word, times in words.items():
        vote = _word_votes(word, reading)
        if vote > 0:
            favour, distinct = favour + times, distinct + 1
            evident += _is_evident(word, reading)
        elif vote < 0:
            against += times
        elif not is_readable(word):
            unexplained += times
    return _Tally(favour, against, unexplained, distinct, evident)


def _is_evident(word: str, reading: Reading) -> bool:
    """Return whether a word shows a sign of an old encoding that no clean spelling has."""
    if reading.encoding is Encoding.VIQR:
        return True
    if reading.page is CodePage.WINDOWS_1258 and _EVIDENT_1258.search(composed(word)):
        return True
    return bool(_EVIDENT.search(word.translate(D_FORMS)))


def candidate_words(cells: Iterable[str]) -> Counter[str]:
    """Return the words of cells that may be of an old encoding, with how often each occurs."""
    return Counter(word for cell in cells for word in cell.split(" ") if not word.isascii())


def decide(
    words: Mapping[str, int], candidate_cells: int, unicode_cells: int,
    readings: Iterable[Reading] = READINGS_1252,
) -> Decision:  # fmt: skip
    """Return the decision for a column from the words of its candidate cells and its two counts of cells."""
    best: tuple[_Tally, Reading] | None = None
    for reading in readings:
        tally = _tally(words, reading)
        if tally.in_favour and (best is None or _rank(tally) > _rank(best[0])):
            best = (tally, reading)
    if best is None:
        return Decision()
    tally, reading = best
    is_unmixed = unicode_cells <= _UNICODE_SHARE * (unicode_cells + candidate_cells)
    is_proved = _is_enough(tally, is_unmixed=is_unmixed)
    if not is_proved or (reading.encoding is Encoding.VIQR and tally.distinct < _SURE_WORDS):
        return Decision()
    is_whole = is_unmixed and tally.against <= _OPPOSING_SHARE * (tally.in_favour + tally.against)
    regime = Regime.WHOLE if is_whole else Regime.MIXED
    return Decision(reading.encoding, regime, tally.in_favour, tally.against, reading.page)


def _rank(tally: _Tally) -> tuple[int, int]:
    return tally.in_favour, -tally.against


def _is_enough(tally: _Tally, *, is_unmixed: bool) -> bool:
    """Return whether the words prove an old encoding: evident signs, and most of what was unreadable explained."""
    explained = tally.in_favour / (tally.in_favour + tally.unexplained)
    if tally.evident and explained >= _EXPLAINED_SHARE:
        return True
    return is_unmixed and tally.distinct >= _SURE_WORDS and explained >= _SURE_SHARE


@lru_cache(maxsize=65536)
def convert_cell(cell: str, decision: Decision) -> str:
    """Return a candidate cell read as its column was decided; in mixed columns only where the cell is evident."""
    reading = decision.reading
    if reading is None:
        return cell
    if decision.regime is Regime.MIXED and not is_evident_cell(cell, reading):
        return cell
    if reading.encoding is Encoding.MOJIBAKE:
        return convert(cell, reading) or cell
    words = [_convert_word(word, reading) for word in cell.split(" ")]
    read = " ".join(words)
    return read.upper() if _is_capitals(cell) and read != cell else read


def is_evident_cell(cell: str, reading: Reading) -> bool:
    """Return whether a cell shows by itself that it is of the encoding: words for it and none against."""
    words = [word for word in cell.split(" ") if not word.isascii() or reading.encoding is Encoding.VIQR]
    votes = [_word_votes(word, reading) for word in words]
    return bool(votes) and max(votes) > 0 and min(votes) >= 0


_ALONE = tuple(
    Reading(encoding) for encoding in (Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.CP1258)
)


@lru_cache(maxsize=65536)
def _votes_alone(word: str) -> tuple[int, ...]:
    """Return the vote of a word for each of the old encodings."""
    return tuple(_word_votes(word, reading) for reading in _ALONE)


def read_alone(text: str) -> str:
    """Return a text read in the one old encoding that makes syllables of its words and spoils none, else as it is.

    For comparing only, where a list has no columns to judge by: what is kept of a record is decided by whole columns.

    >>> read_alone("Nguyeãn Vaên Chieán"), read_alone("Tr\u00ad¬ng Quèc Hµo"), read_alone("Đặng Thò Én")
    ('Nguyễn Văn Chiến', 'Trương Quốc Hào', 'Đặng Thò Én')
    """
    words = [word for word in text.split(" ") if not word.isascii()]
    if all(map(is_readable, words)):
        return text
    best, most = None, 0
    for reading, votes in zip(_ALONE, zip(*map(_votes_alone, words), strict=True), strict=True):
        if min(votes) >= 0 and sum(votes) > most:
            best, most = reading, sum(votes)
    return text if best is None else convert_cell(text, Decision(best.encoding))


@lru_cache(maxsize=65536)
def _convert_word(word: str, reading: Reading) -> str:
    """Return a word in Unicode; a quotation mark, dash or space of its own stays where it is no letter of a syllable."""
    if word.isascii() and reading.encoding is not Encoding.VIQR:
        return word
    read = convert(word, reading)
    if read is None or is_syllable(read.strip(_EDGES)):
        return word if read is None else read
    parts = re.split("([‘’“”–—…\u00a0])", word)
    if len(parts) == 1:
        return read
    return "".join(part if place % 2 else convert(part, reading) or part for place, part in enumerate(parts))


def _is_capitals(cell: str) -> bool:
    """Return whether the plain letters of a cell are capitals throughout: the font showed the others so as well."""
    plain = [letter for letter in cell if letter.isascii() and letter.isalpha()]
    return len(plain) > len(cell.split(" ")) and all(letter.isupper() for letter in plain)


def is_unread(cell: str) -> bool:
    """Return whether a cell still shows the signs of UTF-8 read as Windows text that no table could mend."""
    signs = set(MOJIBAKE_SIGNS.findall(cell))
    # Ã and a no-break space would be à: no word of capitals holds a small one, so MÃ MAI is what it says.
    return bool(signs) and not (signs == {"Ã\u00a0"} and cell == cell.upper())


_WITNESSES = {
    Encoding.TCVN3: ("NguyÔn", "ThÞ"),
    Encoding.VNI: ("Nguyeãn", "Thò"),
    Encoding.VISCII: ("Nguy\u00ad­n", "Th¸"),
    Encoding.CP1258: ("NguyêÞn", "Thiò"),
    Encoding.MOJIBAKE: ("Nguyá»…n", "Thá»‹"),
    Encoding.VIQR: ("Nguye^~n", "Thi."),
}


def witness_words(reading: Reading) -> dict[str, int]:
    """Return two words that any text of a reading holds, so that a single word of a small column can join them."""
    words: tuple[str, ...] = _WITNESSES[reading.encoding]
    if reading.page is CodePage.WINDOWS_1258:
        words = tuple((windows_bytes(word) or b"").decode("cp1258") for word in words)
    return dict.fromkeys(words, 1)
