"""Feature tables of both sides: distinct texts are read once, numbers and hashes are what later stages compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from ftfy import fix_encoding

from childdb.identity.reading_dates import read_birth_date
from childdb.identity.rules import ColumnType, Feature, FeatureKind, Rules

NAME_COLUMNS = (
    "exact",
    "fold",
    "joined",
    "bag",
    "sound",
    "tail",
    "ends",
    "given",
    "surname",
    "marked",
    "short",
    "text",
)
DATE_COLUMNS = ("precision", "day", "swapped", "year", "month", "month_day")
DICTIONARY_KINDS = (FeatureKind.PERSON_NAME, FeatureKind.BIRTH_DATE, FeatureKind.TEXT)
_BATCH = 500_000


@dataclass(frozen=True)
class SideTable:
    """One input as the stages see it: a view on the file and the features made of it."""

    name: str
    source: str
    letter: str


REGISTER = SideTable("register", "register_file", "r")
POPULATION = SideTable("population", "population_file", "p")


def build_dictionaries(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Read every distinct text of the dear kinds once: tables ``words_<feature>`` keyed by a hash of the text."""
    for feature in rules.features:
        if feature.kind in DICTIONARY_KINDS:
            _collect_words(connection, rules, feature)
            _READERS[feature.kind](connection, rules, feature)
            connection.execute("drop table raw_words")


def _collect_words(connection: duckdb.DuckDBPyConnection, rules: Rules, feature: Feature) -> None:
    parts = []
    for column, table, side in (
        (feature.register, REGISTER, rules.register),
        (feature.population, POPULATION, rules.population),
    ):
        if column and side.columns[column] is not ColumnType.DATE:
            parts.append(
                f'select distinct "{column}"::varchar as word from {table.source} where "{column}" is not null'
            )
    union = " union all ".join(parts) or "select null::varchar as word where false"
    connection.execute(
        f"create table raw_words as select hash(word) as key, min(word) as word from ({union}) group by all"
    )


def _mend_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Put back names whose UTF-8 was read as a Windows code page; only words with its typical signs are looked at."""
    broken = connection.execute(
        "select key, word from raw_words where regexp_matches(word, '[ÃÂÄÆ]|á[º»]') order by key"
    ).fetchall()
    mended = [(key, word, fix_encoding(word)) for key, word in broken]
    changed = [(key, after) for key, before, after in mended if after != before]
    table = pa.table(
        {
            "key": pa.array([key for key, _ in changed], pa.uint64()),
            "word": pa.array([word for _, word in changed], pa.string()),
        }
    )
    connection.register("words_in", table)
    connection.execute("update raw_words as w set word = i.word from words_in as i where i.key = w.key")
    connection.unregister("words_in")


def _read_names(connection: duckdb.DuckDBPyConnection, rules: Rules, feature: Feature) -> None:
    """Make the parts of a name: surname first, given name last; H'- and Y- names of the highlands have the clan last."""
    _mend_words(connection)
    refused = ", ".join(f"'{word}'" for word in rules.placeholders) or "''"
    connection.execute(
        f"""create table words_{feature.name} as
        with written as (select key, written_name(word) as written from raw_words),
        known as (select key, written, folded(written) as fold from written where folded(written) not in ({refused})),
        split as (select *, string_split(fold, ' ') as parts, regexp_matches(fold, '^[hy][bcdfgjklmnpqrstvwxz]') as clan_last from known),
        placed as (
            select *, case when clan_last then parts[1] else parts[-1] end as given,
                case when len(parts) > 1 then case when clan_last then parts[-1] else parts[1] end end as surname,
                case when len(parts) > 2 then array_to_string(case when clan_last then parts[:-2] else parts[2:] end, ' ') end as tail
            from split)
        select key, short_hash(tone_settled(written)) as exact, short_hash(fold) as fold,
            short_hash(replace(fold, ' ', '')) as joined, short_hash(array_to_string(list_sort(parts), '')) as bag,
            short_hash(sound_key(fold)) as sound, case when tail is not null then short_hash(tail) end as tail,
            case when surname is not null then short_hash(surname || ' ' || given) end as ends, short_hash(given) as given,
            case when surname is not null then short_hash(surname) end as surname, written <> fold as marked,
            len(parts) < 3 or len(list_filter(parts, lambda x: length(x) = 1 and x <> '?')) > 0 as short, fold as text
        from placed"""
    )


def _read_dates(connection: duckdb.DuckDBPyConnection, rules: Rules, feature: Feature) -> None:
    table = f"words_{feature.name}"
    connection.execute(
        f"create table {table} (key ubigint, precision tinyint, year smallint, month tinyint, day_of_month tinyint)"
    )
    reader = connection.cursor().execute("select key, word from raw_words")
    while rows := reader.fetchmany(_BATCH):
        read = [(key, read_birth_date(word)) for key, word in rows]
        columns: dict[str, pa.Array[Any]] = {
            "key": pa.array([key for key, _ in read], pa.uint64()),
            "precision": pa.array([value.precision for _, value in read], pa.int8()),
            "year": pa.array([value.year for _, value in read], pa.int16()),
            "month": pa.array([value.month for _, value in read], pa.int8()),
            "day_of_month": pa.array([value.day for _, value in read], pa.int8()),
        }
        connection.register("dates_read", pa.table(columns))
        connection.execute(f"insert into {table} select * from dates_read")
        connection.unregister("dates_read")


def _read_texts(connection: duckdb.DuckDBPyConnection, rules: Rules, feature: Feature) -> None:
    connection.execute(
        f"""create table words_{feature.name} as
        with read as (select key, folded_text(word) as text from raw_words)
        select key, short_hash(text) as code, text from read where text is not null"""
    )


_READERS: dict[FeatureKind, Callable[[duckdb.DuckDBPyConnection, Rules, Feature], None]] = {
    FeatureKind.PERSON_NAME: _read_names,
    FeatureKind.BIRTH_DATE: _read_dates,
    FeatureKind.TEXT: _read_texts,
}


def _date_parts(name: str, precision: str, year: str, month: str, day: str) -> list[str]:
    whole = f"{precision} = 3"
    return [
        f"coalesce({precision}, 0)::tinyint as {name}_precision",
        f"case when {whole} then (make_date({year}, {month}, {day}) - date '1900-01-01')::integer end as {name}_day",
        f"case when {whole} and {day} <= 12 and {day} <> {month} then (make_date({year}, {day}, {month}) - date '1900-01-01')::integer end as {name}_swapped",
        f"({year})::smallint as {name}_year",
        f"({month})::tinyint as {name}_month",
        f"case when {whole} then ({month} * 100 + {day}) end::smallint as {name}_month_day",
    ]


def _date_expressions(feature: Feature, source: str, words: str, is_date: bool) -> list[str]:
    if is_date:
        parts = [f"{unit}({source})::integer" for unit in ("year", "month", "day")]
        return _date_parts(feature.name, f"(case when {source} is null then 0 else 3 end)", *parts)
    parts = [f"{words}.{column}::integer" for column in ("year", "month", "day_of_month")]
    return _date_parts(feature.name, f"{words}.precision", *parts)


def _simple_expression(feature: Feature, source: str, spare: str) -> str:
    expressions = {
        FeatureKind.CHILD_NUMBER: f"child_number({source})",
        FeatureKind.PARENT_NUMBER: f"parent_number({source})",
        FeatureKind.SEX: f"sex_key({source}::varchar)::tinyint",
        FeatureKind.CODE: f"case when plain_code({source}::varchar) is not null then short_hash(plain_code({source}::varchar)) end",
        FeatureKind.PHONE: f"phone_key({source})",
        FeatureKind.WHOLE_NUMBER: f"try_cast({source} as integer)",
    }
    expression = expressions[feature.kind]
    if spare:
        digit = "1" if feature.sex == "female" else "0"
        expression = f"coalesce({expression}, adult_number({spare}, '{digit}'))"
    return f"{expression} as {feature.name}"


def _feature_expressions(feature: Feature, column: str, is_date: bool, is_register: bool) -> list[str]:
    source, words = f'f."{column}"', f"w_{feature.name}"
    if feature.kind is FeatureKind.PERSON_NAME:
        return [f"{words}.{part} as {feature.name}_{part}" for part in NAME_COLUMNS]
    if feature.kind is FeatureKind.TEXT:
        return [f"{words}.code as {feature.name}", f"{words}.text as {feature.name}_text"]
    if feature.kind is FeatureKind.BIRTH_DATE:
        return _date_expressions(feature, source, words, is_date)
    spare = f'f."{feature.spare}"' if feature.spare and is_register else ""
    return [_simple_expression(feature, source, spare)]


def build_features(
    connection: duckdb.DuckDBPyConnection, rules: Rules, table: SideTable, target: str
) -> None:
    """Make the feature table of one side: ``no`` is the place in the file, ``tie`` decides between equals."""
    side = rules.register if table is REGISTER else rules.population
    columns = [f'f.file_row_number::integer as no, hash(f."{side.key}") as tie']
    joins = []
    for feature in rules.features:
        column = feature.register if table is REGISTER else feature.population
        if not column:
            continue
        is_date = side.columns[column] is ColumnType.DATE
        columns += _feature_expressions(feature, column, is_date, table is REGISTER)
        if feature.kind is FeatureKind.CHILD_NUMBER and table is REGISTER:
            columns.append(
                f'child_number(f."{column}") in (select {feature.name} from population where {feature.name} is not null) as {feature.name}_known'
            )
        if feature.kind in DICTIONARY_KINDS and not is_date:
            joins.append(
                f'left join words_{feature.name} as w_{feature.name} on w_{feature.name}.key = hash(f."{column}"::varchar)'
            )
    listed = ",\n".join(columns)
    connection.execute(f"create table {target} as select {listed} from {table.source} as f {' '.join(joins)}")


def drop_dictionaries(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Give back the space of the dictionaries."""
    for feature in rules.features:
        if feature.kind in DICTIONARY_KINDS:
            connection.execute(f"drop table if exists words_{feature.name}")
