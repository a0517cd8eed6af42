"""Candidates: pairs that agree on the key of at least one block, each block capped and its losses told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from childdb.identity.rules import Block, Rules, StrongKey


@dataclass(frozen=True)
class BlockCount:
    """What one block gave, and what its cap kept out."""

    name: str
    pairs: int
    keys_over_cap: int
    rows_over_cap: int


def key_of(letter: str, columns: Sequence[str]) -> str:
    """Return SQL for one number that stands for the values of several columns."""
    return f"hash({', '.join(f'{letter}.{column}' for column in columns)})"


def known(letter: str, columns: Sequence[str]) -> str:
    """Return SQL that holds when every column of a key has a value."""
    return " and ".join(f"{letter}.{column} is not null" for column in columns)


def collect_pairs(
    connection: duckdb.DuckDBPyConnection, rules: Rules, rows: str, people: str, target: str
) -> list[BlockCount]:
    """Fill ``target`` (r, p) with the distinct pairs of all blocks for the register rows in ``rows``."""
    connection.execute("create or replace table found_pairs (r integer, p integer)")
    counts = [_collect(connection, block, rows, people, rules.cap) for block in rules.blocks]
    connection.execute(f"create or replace table {target} as select distinct r, p from found_pairs")
    connection.execute("drop table found_pairs")
    return counts


def _collect(
    connection: duckdb.DuckDBPyConnection, block: Block, rows: str, people: str, cap: int
) -> BlockCount:
    _sides(connection, block, rows, people)
    connection.execute(
        "create or replace temp table block_sizes as select key, count(*) as people from block_people group by key"
    )
    inserted = connection.execute(
        "insert into found_pairs select w.no, f.no from block_rows as w join block_people as f using (key)"
        f" join block_sizes as s using (key) where s.people <= {cap}"
    ).fetchall()[0][0]
    over = connection.execute(
        f"select count(distinct key), count(*) from block_rows join block_sizes as s using (key) where s.people > {cap}"
    ).fetchall()[0]
    return BlockCount(block.name, int(inserted), int(over[0]), int(over[1]))


def _sides(connection: duckdb.DuckDBPyConnection, block: Block | StrongKey, rows: str, people: str) -> None:
    """Make the two sides of a block: only people whose key some row asks for."""
    connection.execute(
        f"create or replace temp table block_rows as select r.no, {key_of('r', block.register)} as key from {rows} as r where {known('r', block.register)}"
    )
    connection.execute(
        f"create or replace temp table block_people as select p.no, {key_of('p', block.population)} as key from {people} as p"
        f" where {known('p', block.population)} and {key_of('p', block.population)} in (select key from block_rows)"
    )


def collect_single(
    connection: duckdb.DuckDBPyConnection, strong: StrongKey, rows: str, people: str, target: str
) -> None:
    """Fill ``target`` with pairs whose key one person alone has: the strong keys look no further."""
    _sides(connection, strong, rows, people)
    connection.execute(
        f"create or replace table {target} as"
        " with alone as (select key, min(no) as no from block_people group by key having count(*) = 1)"
        " select w.no as r, a.no as p from block_rows as w join alone as a using (key)"
    )


def drop_block_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Give back what the last block left."""
    for name in ("block_rows", "block_people", "block_sizes"):
        connection.execute(f"drop table if exists {name}")
