"""Feature tables of both sides, made batch by batch: numbers and hashes are what later stages compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from childdb.identity.lexicon import Lexicon, read_by_sql, read_dates
from childdb.identity.macros import create_macros
from childdb.identity.names import NameReader
from childdb.identity.rules import ColumnType, Feature, FeatureKind, Rules

# Kinds whose cells are read outside the database, by distinct text or by syllable.
_WORD_KINDS = (
    FeatureKind.PERSON_NAME,
    FeatureKind.BIRTH_DATE,
    FeatureKind.TEXT,
    FeatureKind.CODE,
    FeatureKind.SEX,
)
_NUMBER_KINDS = (FeatureKind.CHILD_NUMBER, FeatureKind.PARENT_NUMBER)
_BATCH = 400_000
_IDENTIFIER = re.compile(r"[a-z_][a-z_0-9]*")


@dataclass(frozen=True)
class SideTable:
    """One input as the stages see it: a view on the file and the features made of it."""

    name: str
    source: str
    letter: str


REGISTER = SideTable("register", "register_file", "r")
POPULATION = SideTable("population", "population_file", "p")


def used_columns(rules: Rules) -> frozenset[str]:
    """Return every word of the rules that may name a feature column; what is not among them need not be kept."""
    texts: list[str] = [rules.training.near, *rules.training.apart]
    texts += [rules.relatives.same] if rules.relatives else []
    for frequency in rules.frequencies:
        texts += [frequency.of, frequency.near, *frequency.parts]
    for block in rules.blocks:
        texts += [*block.register, *block.population]
    for strong in rules.strong_keys:
        texts += [*strong.register, *strong.population]
    for comparison in rules.comparisons:
        texts += [comparison.missing, *(level.when for level in comparison.levels)]
        texts += [context.when for context in comparison.contexts]
    return frozenset(word for text in texts for word in _IDENTIFIER.findall(text))


class WordReader:
    """Reads the word columns of batches; what it has learnt of words stays between batches and sides."""

    def __init__(self, rules: Rules) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        create_macros(self._connection)
        self._names = NameReader(self._connection, rules.placeholders)
        code = "case when plain_code(word) is not null then short_hash(plain_code(word)) end"
        text = "case when folded_text(word) is not null then short_hash(folded_text(word)) end"
        self._lexicons = {
            FeatureKind.BIRTH_DATE: Lexicon(read_dates),
            FeatureKind.TEXT: Lexicon(
                read_by_sql(self._connection, decode=True, code=text, text="folded_text(word)")
            ),
            FeatureKind.CODE: Lexicon(read_by_sql(self._connection, code=code)),
            FeatureKind.SEX: Lexicon(read_by_sql(self._connection, code="sex_key(word)::tinyint")),
        }

    def read(self, feature: Feature, texts: pa.Array[Any]) -> dict[str, pa.Array[Any]]:
        """Return the columns of one feature for one batch."""
        if feature.kind is FeatureKind.PERSON_NAME:
            found = self._names.read(texts)
            return {f"{feature.name}_{part}": values for part, values in found.items()}
        table = self._lexicons[feature.kind].read(texts)
        parts = {name: table.column(name).combine_chunks() for name in table.column_names}
        if feature.kind is FeatureKind.BIRTH_DATE:
            return {f"_{feature.name}_{part}": values for part, values in parts.items()}
        named = {feature.name: parts["code"]}
        return named | ({f"{feature.name}_text": parts["text"]} if "text" in parts else {})

    def close(self) -> None:
        """Give back what the reader holds."""
        self._connection.close()


@dataclass(frozen=True)
class FeatureMaker:
    """Makes the features of one side, batch by batch."""

    connection: duckdb.DuckDBPyConnection
    rules: Rules
    words: WordReader
    table: SideTable

    def make(self, path: Path, target: str, numbers: dict[str, npt.NDArray[np.int64]] | None = None) -> None:
        """Create the feature table of a file: ``no`` is the place in the file, ``tie`` decides between equals."""
        made = False
        batches = read_batches(path, list(self._side().columns))
        with ThreadPoolExecutor(1) as ahead:
            waiting = ahead.submit(self._next, batches)
            while (batch := waiting.result()) is not None:
                waiting = ahead.submit(self._next, batches)
                self.add(batch, target, numbers or {}, create=not made)
                made = True

    def add(
        self, batch: pa.Table, target: str, numbers: dict[str, npt.NDArray[np.int64]], *, create: bool
    ) -> None:
        """Add one batch that :meth:`prepare` made to the table."""
        for name, known in numbers.items():
            feature = next(item for item in self.rules.features if item.name == name)
            batch = batch.append_column(f"{name}_known", self._known(batch, feature, known))
        self.connection.register("batch_in", batch)
        kept = used_columns(self.rules)
        listed = ",\n".join(
            f"{sql} as {name}"
            for name, sql in self._columns(batch, numbers).items()
            if name in kept or name in ("no", "tie")
        )
        into = f"create or replace table {target} as" if create else f"insert into {target}"
        self.connection.execute(f"{into} select {listed} from batch_in as f")
        self.connection.unregister("batch_in")

    def prepare(self, batch: pa.Table) -> pa.Table:
        """Return a batch of the file with its words read; ``no`` must be among its columns."""
        columns = {name: batch.column(name) for name in batch.column_names}
        for feature, column in self._sources():
            if feature.kind in _WORD_KINDS and self._side().columns[column] is not ColumnType.DATE:
                columns |= self.words.read(feature, _texts(batch, column))
            elif feature.kind in _NUMBER_KINDS:
                for name in (column, feature.spare):
                    if name in batch.column_names and _plain(name) not in columns:
                        columns[_plain(name)] = plain_numbers(_texts(batch, name))
        return pa.table(columns)

    def _next(self, batches: Iterator[pa.Table]) -> pa.Table | None:
        batch = next(batches, None)
        return None if batch is None else self.prepare(batch)

    def _side(self) -> Any:
        return self.rules.register if self.table is REGISTER else self.rules.population

    def _sources(self) -> list[tuple[Feature, str]]:
        """Return the features of this side with their column."""
        named = (
            (item, item.register if self.table is REGISTER else item.population)
            for item in self.rules.features
        )
        return [(feature, column) for feature, column in named if column]

    def _known(self, batch: pa.Table, feature: Feature, known: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """Return whether the number of each row is one of the sorted ``known`` ones."""
        self.connection.register(
            "numbers_in", batch.select([feature.register, _plain(feature.register), "no"])
        )
        found = self.connection.sql(
            f"select coalesce({_child_number('f', feature.register)}, -1) as number from numbers_in as f order by no"
        ).fetchnumpy()["number"]
        self.connection.unregister("numbers_in")
        if not len(known):
            return pa.array(np.zeros(len(found), np.bool_))
        place = np.minimum(np.searchsorted(known, found), len(known) - 1)
        return pa.array(known[place] == found)

    def _columns(self, batch: pa.Table, numbers: dict[str, Any]) -> dict[str, str]:
        columns = {"no": "f.no", "tie": f'hash(f."{self._side().key}"::varchar)'}
        for feature, column in self._sources():
            if feature.kind is FeatureKind.BIRTH_DATE:
                columns |= _date_columns(
                    feature.name, column, f"_{feature.name}_precision" in batch.column_names
                )
            elif feature.kind in _WORD_KINDS:
                columns |= {
                    name: f"f.{name}"
                    for name in batch.column_names
                    if name == feature.name or name.startswith(f"{feature.name}_")
                    if name in _word_columns(feature)
                }
            else:
                columns[feature.name] = _number_sql(feature, column, is_register=self.table is REGISTER)
            if feature.name in numbers:
                columns[f"{feature.name}_known"] = f"f.{feature.name}_known"
        return columns


def read_batches(path: Path, columns: list[str]) -> Iterator[pa.Table]:
    """Yield a Parquet file as tables of many rows with the place of each row in the file (``no``)."""
    first, waiting, rows = 0, list[pa.RecordBatch](), 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH, columns=columns):
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _BATCH:
            yield _numbered(waiting, first)
            first, waiting, rows = first + rows, [], 0
    if rows:
        yield _numbered(waiting, first)


def plain_numbers(texts: pa.Array[Any]) -> pa.Array[Any]:
    """Return texts of ten to twelve digits as 64-bit numbers, any other as NULL.

    >>> plain_numbers(pa.array(["001219000017", "+84912345678", "12 345", None])).to_pylist()
    [1219000017, None, None, None]
    """
    cells = pl.Series(texts)
    number = cells.cast(pl.Int64, strict=False)
    plain = cells.str.len_bytes().is_between(10, 12) & (number >= 0) & ~cells.str.starts_with("+")
    return pl.select(pl.when(plain).then(number)).to_series().to_arrow()


def _plain(column: str) -> str:
    """Return the name of the column that holds a number column's plain numbers."""
    return f"_{column}_plain"


def _texts(batch: pa.Table, column: str) -> pa.Array[Any]:
    texts = batch.column(column).cast(pa.string()).combine_chunks()
    if isinstance(texts, pa.ChunkedArray):
        return pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string())
    return texts


def _numbered(batches: list[pa.RecordBatch], first: int) -> pa.Table:
    table = pa.Table.from_batches(batches)
    return table.append_column("no", pa.array(np.arange(first, first + table.num_rows, dtype=np.int32)))


def _word_columns(feature: Feature) -> frozenset[str]:
    from childdb.identity.names import NAME_COLUMNS

    if feature.kind is FeatureKind.PERSON_NAME:
        return frozenset(f"{feature.name}_{part}" for part in NAME_COLUMNS)
    return frozenset({feature.name, f"{feature.name}_text"})


def _date_columns(name: str, column: str, is_read: bool) -> dict[str, str]:
    if is_read:
        precision, year, month, day = (f"f._{name}_{part}" for part in ("precision", "year", "month", "day"))
    else:
        precision = f'(case when f."{column}" is null then 0 else 3 end)'
        year, month, day = (f'{unit}(f."{column}")::integer' for unit in ("year", "month", "day"))
    whole = f"{precision} = 3"
    return {
        f"{name}_precision": f"coalesce({precision}, 0)::tinyint",
        f"{name}_day": f"case when {whole} then (make_date({year}, {month}, {day}) - date '1900-01-01')::integer end",
        f"{name}_swapped": f"case when {whole} and {day} <= 12 and {day} <> {month} then (make_date({year}, {day}, {month}) - date '1900-01-01')::integer end",
        f"{name}_year": f"({year})::smallint",
        f"{name}_month": f"({month})::tinyint",
        f"{name}_month_day": f"case when {whole} then ({month} * 100 + {day}) end::smallint",
    }


def _number_sql(feature: Feature, column: str, *, is_register: bool) -> str:
    source = f'f."{column}"'
    expression = {
        FeatureKind.CHILD_NUMBER: _child_number("f", column),
        FeatureKind.PARENT_NUMBER: f"parent_number({source}, f.{_plain(column)})",
        FeatureKind.PHONE: f"phone_key({source})",
        FeatureKind.WHOLE_NUMBER: f"try_cast({source} as integer)",
    }[feature.kind]
    if feature.spare and is_register:
        digit = "1" if feature.sex == "female" else "0"
        return f"coalesce({expression}, adult_number(f.\"{feature.spare}\", f.{_plain(feature.spare)}, '{digit}'))"
    return expression


def _child_number(letter: str, column: str) -> str:
    return f'child_number({letter}."{column}", {letter}.{_plain(column)})'


def known_numbers(connection: duckdb.DuckDBPyConnection, rules: Rules) -> dict[str, npt.NDArray[np.int64]]:
    """Return the numbers of the population, sorted, for each feature that is a child's number."""
    return {
        item.name: connection.execute(
            f"select {item.name} as number from population where {item.name} is not null order by number"
        )
        .fetchnumpy()["number"]
        .astype(np.int64)
        for item in rules.features
        if item.kind is FeatureKind.CHILD_NUMBER and item.population and item.register
    }
