"""Texts with few distinct values: each is read once, rows take what was read by place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from childdb.cleaning.encodings import read_alone
from childdb.identity.reading_dates import read_birth_date

Reader = Callable[[Sequence[str]], pa.Table]
# Beyond this many distinct texts what was read is forgotten: memory must not grow with the nation.
_MOST_KEPT = 2_000_000


class Lexicon:
    """What distinct texts mean, column by column; grows with every batch."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ids: dict[str, int] = {}
        self._known: pa.Table | None = None

    def read(self, texts: pa.Array[Any]) -> pa.Table:
        """Return one row per text, NULL where the text is."""
        coded = texts.dictionary_encode()
        words = coded.dictionary.to_pylist()
        if len(self._ids) > _MOST_KEPT:
            self._ids, self._known = {}, None
        self._learn([word for word in words if word not in self._ids])
        ids = np.fromiter((self._ids[word] for word in words), np.int64, len(words))
        if self._known is None:
            return self._reader([]).take(pa.nulls(len(texts), pa.int64()))
        return self._known.take(pa.array(ids, pa.int64()).take(coded.indices))

    def _learn(self, new: list[str]) -> None:
        if not new:
            return
        first = len(self._ids)
        self._ids.update(zip(new, range(first, first + len(new)), strict=True))
        read = self._reader(new)
        self._known = read if self._known is None else pa.concat_tables([self._known, read]).combine_chunks()


def read_by_sql(connection: duckdb.DuckDBPyConnection, *, decode: bool = False, **expressions: str) -> Reader:
    """Return a reader that evaluates SQL expressions of ``word``; ``decode`` reads old encodings first."""
    listed = ", ".join(f"{sql} as {name}" for name, sql in expressions.items())

    def read(words: Sequence[str]) -> pa.Table:
        words = [read_alone(word) for word in words] if decode else words
        table = pa.table(
            {"no": pa.array(range(len(words)), pa.int32()), "word": pa.array(words, pa.string())}
        )
        connection.register("new_words", table)
        found = connection.sql(f"select {listed} from new_words order by no").to_arrow_table()
        connection.unregister("new_words")
        return found

    return read


def read_dates(words: Sequence[str]) -> pa.Table:
    """Return what texts say of a date of birth."""
    read = [read_birth_date(word) for word in words]
    return pa.table(
        {
            "precision": pa.array([value.precision for value in read], pa.int8()),
            "year": pa.array([value.year for value in read], pa.int32()),
            "month": pa.array([value.month for value in read], pa.int32()),
            "day": pa.array([value.day for value in read], pa.int32()),
        }
    )
