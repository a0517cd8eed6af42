"""Names read by their syllables: hashes put together from the hashes of the parts, many rows at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ftfy import fix_encoding

from childdb.cleaning.encodings import read_alone
from childdb.identity.syllables import MOJIBAKE, Bits, Kind, Syllables, Words, letter_bits, split
from childdb.mixing import mixed

HASHES = ("exact", "fold", "joined", "bag", "sound", "tail", "ends", "given", "surname")
FLAGS = ("marked", "short")
NAME_COLUMNS = (*HASHES, *FLAGS, "letters", "text")
_ORDERED = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class _Read:
    """Some names as columns; a hash of 0 stands for 'nothing'."""

    hashes: dict[str, Words]
    flags: dict[str, npt.NDArray[np.bool_]]
    letters: Bits
    texts: pa.Array[Any]


class NameReader:
    """Reads names in batches; what it knows of syllables stays between batches."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, placeholders: Sequence[str]) -> None:
        self._connection = connection
        self._syllables = Syllables(connection)
        self._refused = pa.array(sorted(placeholders), pa.string())

    def read(self, names: pa.Array[Any]) -> dict[str, pa.Array[Any]]:
        """Return the parts of each name, NULL where there is none. What several rows say, a mother of many, is read once."""
        coded = names.dictionary_encode()
        # Where no row has a name, an empty one gives the columns their types.
        distinct = coded.dictionary if len(coded.dictionary) else pa.array([""], pa.string())
        return {part: values.take(coded.indices) for part, values in self._read(distinct).items()}

    def _read(self, names: pa.Array[Any]) -> dict[str, pa.Array[Any]]:
        pieces, places, counts = split(names)
        ids = self._syllables.ids(pieces, plain=False)[places]
        kinds = self._syllables.columns()["kind"][ids]
        rows = np.repeat(np.arange(len(counts)), counts)
        hard = np.zeros(len(counts), np.bool_)
        hard[rows[kinds == Kind.HARD]] = True
        if not hard.any():
            return self._columns(self._compose(ids, counts), None)
        easy = self._compose(ids[~hard[rows]], counts[~hard])
        mended, known, known_counts = split(self._mended(names.filter(pa.array(hard))))
        slow = self._compose(self._syllables.ids(mended, plain=True)[known], known_counts)
        order = np.empty(len(counts), np.int64)
        order[np.concatenate([np.flatnonzero(~hard), np.flatnonzero(hard)])] = np.arange(len(counts))
        return self._columns(_stacked(easy, slow), order)

    def _mended(self, names: pa.Array[Any]) -> pa.Array[Any]:
        """Return names that need a look as a whole: notes, marks between letters, old encodings, UTF-8 read as a code page."""
        coded = names.dictionary_encode()
        broken = re.compile(MOJIBAKE)
        words = [fix_encoding(w) if broken.search(w) else read_alone(w) for w in coded.dictionary.to_pylist()]
        table = pa.table(
            {"no": pa.array(range(len(words)), pa.int32()), "word": pa.array(words, pa.string())}
        )
        self._connection.register("hard_names", table)
        written = (
            self._connection.sql("select written_name(word) as written from hard_names order by no")
            .to_arrow_table()
            .column(0)
            .combine_chunks()
        )
        self._connection.unregister("hard_names")
        return written.take(coded.indices)

    def _compose(self, ids: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> _Read:
        """Return the columns of names given as runs of syllable ids; names of equal length are read side by side."""
        known = self._syllables.columns()
        filled = known["kind"][ids] != Kind.EMPTY
        if not filled.all():
            rows = np.repeat(np.arange(len(counts)), counts)
            counts, ids = np.bincount(rows[filled], minlength=len(counts)), ids[filled]
        starts = np.concatenate([[0], np.cumsum(counts)])
        hashes = {name: np.zeros(len(counts), np.uint64) for name in HASHES}
        flags = {name: np.zeros(len(counts), np.bool_) for name in FLAGS}
        letters = np.zeros(len(counts), np.uint32)
        for length in np.unique(counts[counts > 0]).tolist():
            rows = np.flatnonzero(counts == length)
            table = ids[starts[rows][:, None] + np.arange(length)]
            for name, values in _hashes(known, table).items():
                hashes[name][rows] = values
            flags["marked"][rows] = known["marked"][table].any(axis=1)
            flags["short"][rows] = known["single"][table].any(axis=1) if length > 2 else True
            letters[rows] = letter_bits(known["once"][table], known["twice"][table])
        pieces = self._syllables.texts().take(pa.array(ids))
        texts = pc.binary_join(pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pieces), " ")
        return _Read(hashes, flags, letters, texts)

    def _columns(self, read: _Read, order: npt.NDArray[np.int64] | None) -> dict[str, pa.Array[Any]]:
        refused = pc.is_in(read.texts, value_set=self._refused).to_numpy(zero_copy_only=False)
        none = (read.hashes["fold"] == 0) | refused
        columns: dict[str, pa.Array[Any]] = {}
        for name, values in read.hashes.items():
            columns[name] = pa.array((values >> np.uint64(32)).astype(np.uint32), mask=none | (values == 0))
        for name, flags in read.flags.items():
            columns[name] = pa.array(flags, mask=none)
        columns["letters"] = pa.array(read.letters, mask=none)
        columns["text"] = pc.if_else(pa.array(none), pa.scalar(None, pa.string()), read.texts)
        if order is not None:
            where = pa.array(order)
            columns = {name: values.take(where) for name, values in columns.items()}
        return {name: columns[name] for name in NAME_COLUMNS}


def _stacked(first: _Read, second: _Read) -> _Read:
    return _Read(
        {name: np.concatenate([values, second.hashes[name]]) for name, values in first.hashes.items()},
        {name: np.concatenate([values, second.flags[name]]) for name, values in first.flags.items()},
        np.concatenate([first.letters, second.letters]),
        pa.concat_arrays([first.texts, second.texts]),
    )


def _hashes(known: dict[str, npt.NDArray[Any]], table: npt.NDArray[np.int64]) -> dict[str, Words]:
    """Return the hashes of names of one length; surname first and given name last, the other way round where the clan stands last."""
    length = table.shape[1]
    fold = known["fold"][table]
    first, last = fold[:, 0], fold[:, -1]
    clan_last = known["clan"][table[:, 0]]
    with np.errstate(over="ignore"):
        found = {
            "exact": _in_order(known["exact"][table]),
            "fold": _in_order(fold),
            "joined": _run_together(known["fold_letters"][table], known["fold_factor"][table]),
            "bag": mixed(fold.sum(axis=1, dtype=np.uint64)),
            "sound": _run_together(known["sound_letters"][table], known["sound_factor"][table]),
            "given": _in_order(np.where(clan_last, first, last)[:, None]),
        }
        if length > 1:
            found["surname"] = _in_order(np.where(clan_last, last, first)[:, None])
            found["ends"] = mixed(found["surname"] * _ORDERED + found["given"])
        if length > 2:
            found["tail"] = np.where(clan_last, _in_order(fold[:, :-1]), _in_order(fold[:, 1:]))
    return found


def _in_order(values: Words) -> Words:
    total = values[:, 0].copy()
    for place in range(1, values.shape[1]):
        total *= _ORDERED
        total += values[:, place]
    return mixed(total)


def _run_together(letters: Words, factors: Words) -> Words:
    """Return the hash of the letters without the spaces between the syllables."""
    total = letters[:, 0].copy()
    for place in range(1, letters.shape[1]):
        total *= factors[:, place]
        total += letters[:, place]
    return mixed(total + np.uint64(1))
