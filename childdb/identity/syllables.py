"""The syllables names are made of: each distinct one is read once, whatever the number of names."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from childdb.cleaning.encodings import is_readable
from childdb.mixing import mixed

Words = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint32]
# Odd, so that a hash of joined texts can be put together from the hashes of the parts.
_BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
# UTF-8 read as a Windows code page: a lead byte's letter before what a following byte looks like (Ã and Â are also Vietnamese letters).
MOJIBAKE = "[ÃÂÄÆ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|á[º»]"
# H' and Y of the highlands are written joined or apart, with the clan behind the name.
_CLAN_LAST = "^[hy][bcdfgjklmnpqrstvwxz]"


# Bits of letters, the commonest first: what is none of them shares the last bit, a second one of the first few has its own.
_LETTERS = "nhaitguocelmyvrdbpsqkx"
_OTHER = len(_LETTERS)
_COMMON = 9


class Kind(IntEnum):
    """What a piece of a text between two spaces is."""

    PLAIN = 0
    EMPTY = 1
    HARD = 2


def _text_hash(text: str) -> tuple[int, int]:
    """Return the hash of a text and the factor that shifts what stands before it."""
    value, factor = 0, 1
    for byte in text.encode():
        value = (value * _BASE + byte + 1) & _MASK
        factor = (factor * _BASE) & _MASK
    return value, factor


def _letters(text: str) -> tuple[int, int]:
    """Return the letters a syllable has as bits, and those it has more than once."""
    once = twice = 0
    for letter in text:
        place = _LETTERS.find(letter)
        bit = 1 << (place if place >= 0 else _OTHER)
        twice |= once & bit
        once |= bit
    return once, twice


def letter_bits(once: Bits, twice: Bits) -> Bits:
    """Return which letters names have, and which of the commonest they have twice, of syllables side by side (axis 1).

    One letter put in, left out or replaced changes two bits at most.
    """
    seen, again = once[:, 0].copy(), twice[:, 0].copy()
    for place in range(1, once.shape[1]):
        again |= twice[:, place] | (seen & once[:, place])
        seen |= once[:, place]
    common = again & np.uint32((1 << _COMMON) - 1)
    return np.asarray(seen | (common << np.uint32(_OTHER + 1)))


class Syllables:
    """A table of syllables that grows: ids into arrays of hashes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}
        self._parts: list[dict[str, npt.NDArray[Any]]] = []
        self._texts: list[str] = []
        self._joined: dict[str, npt.NDArray[Any]] = {}
        self._text_array: pa.Array[Any] | None = None

    def ids(self, syllables: pa.Array[Any], *, plain: bool) -> npt.NDArray[np.int64]:
        """Return the id of each distinct syllable; ``plain`` ones are known to be read already."""
        words = syllables.to_pylist()
        keys = [f" {word}" if plain else word for word in words]
        new = [(key, word) for key, word in zip(keys, words, strict=True) if key not in self._ids]
        if new:
            self._read(new, plain=plain)
        return np.fromiter((self._ids[key] for key in keys), np.int64, len(keys))

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return one array per property, in the order of the ids."""
        if len(self._parts) > 1 or not self._joined:
            self._joined = {
                name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]
            }
            self._parts = [self._joined]
        return self._joined

    def texts(self) -> pa.Array[Any]:
        """Return the folded texts in the order of the ids."""
        if self._text_array is None:
            self._text_array = pa.array(self._texts, pa.string())
        return self._text_array

    def _read(self, new: list[tuple[str, str]], *, plain: bool) -> None:
        for key, _ in new:
            self._ids[key] = len(self._ids)
        self._connection.register(
            "new_syllables",
            pa.table({"no": pa.array(range(len(new)), pa.int32()), "word": [word for _, word in new]}),
        )
        read = self._connection.sql(
            f"""with written as (select no, word, squeezed(plain_letters(word)) as written from new_syllables),
                read as (select *, folded(written) as fold, tone_settled(written) as settled from written)
                select coalesce(fold, '') as fold, coalesce(settled, '') as settled, coalesce(sound_key(fold), '') as sound,
                    coalesce(written <> fold, false) as marked, coalesce(length(fold) = 1 and fold <> '?', false) as single,
                    coalesce(regexp_matches(fold, '{_CLAN_LAST}'), false) as clan,
                    case when regexp_matches(word, '[(\\[;,]|^[-–—]$') or regexp_matches(word, '{MOJIBAKE}') or contains(written, ' ') or fold in ('h', 'y')
                        then {Kind.HARD.value} when written is null then {Kind.EMPTY.value} else {Kind.PLAIN.value} end as kind
                from read order by no"""
        ).to_arrow_table()
        self._connection.unregister("new_syllables")
        if not plain:
            # What is no Vietnamese word may be one in an old encoding: the name is looked at as a whole.
            odd = pa.array([not word.isascii() and not is_readable(word) for _, word in new])
            kind = pc.if_else(
                odd, pa.scalar(Kind.HARD.value, read.schema.field("kind").type), read.column("kind")
            )
            read = read.set_column(read.schema.get_field_index("kind"), "kind", kind)
        self._keep(read, plain=plain)

    def _keep(self, read: pa.Table, *, plain: bool) -> None:
        folds = read.column("fold").to_pylist()
        part: dict[str, npt.NDArray[Any]] = {
            name: read.column(name).to_numpy() for name in ("marked", "single", "clan")
        }
        kinds = read.column("kind").to_numpy().astype(np.int8)
        part["kind"] = np.where(kinds == Kind.HARD, Kind.PLAIN, kinds).astype(np.int8) if plain else kinds
        for name, texts in (("fold", folds), ("sound", read.column("sound").to_pylist())):
            hashes = [_text_hash(text) for text in texts]
            part[f"{name}_letters"] = np.array([value for value, _ in hashes], np.uint64)
            part[f"{name}_factor"] = np.array([factor for _, factor in hashes], np.uint64)
        bits = [_letters(text) for text in folds]
        part["once"] = np.array([once for once, _ in bits], np.uint32)
        part["twice"] = np.array([twice for _, twice in bits], np.uint32)
        settled = np.array([_text_hash(text)[0] for text in read.column("settled").to_pylist()], np.uint64)
        part["fold"], part["exact"] = mixed(part["fold_letters"]), mixed(settled)
        self._parts.append(part)
        self._texts += folds
        self._text_array = None


def split(texts: pa.Array[Any]) -> tuple[pa.Array[Any], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return distinct pieces between spaces, the place of each piece among them, and pieces per text."""
    lists = pc.split_pattern(pc.fill_null(texts, ""), " ")
    counts = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    coded = lists.flatten().dictionary_encode()
    return coded.dictionary, coded.indices.to_numpy().astype(np.int64), counts
