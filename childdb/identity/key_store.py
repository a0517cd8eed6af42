"""Keys of the people on disk, sorted and cut into partitions: a few rows find their candidates without a look at everybody."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from childdb.identity.blocking import BlockCount, key_of, known
from childdb.identity.rules import Block, Rules, StrongKey

# Keys are cut by their highest bits, so that a lookup opens one small file after the other.
_PARTITION_BITS = 4
_Found = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]


def write_keys(connection: duckdb.DuckDBPyConnection, rules: Rules, folder: Path) -> None:
    """Write the sorted keys of every block and strong key of ``population`` below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {item.population for item in rules.blocks} | {item.population for item in rules.strong_keys}
    for columns in sorted(wanted):
        key = key_of("p", columns)
        connection.execute(
            f"create or replace temp table sorted_keys as select {key} as key, p.no, p.tie from population as p where {known('p', columns)} order by key, p.tie"
        )
        for part in range(1 << _PARTITION_BITS):
            low, high = _bounds(part)
            found = connection.execute(
                f"select key, no from sorted_keys where key between {low} and {high} order by key, tie"
            ).fetchnumpy()
            np.save(folder / f"{_name(columns)}.{part:02}.keys.npy", np.asarray(found["key"], np.uint64))
            np.save(folder / f"{_name(columns)}.{part:02}.rows.npy", np.asarray(found["no"], np.int32))
        connection.execute("drop table sorted_keys")


def _bounds(part: int) -> tuple[int, int]:
    width = 1 << (64 - _PARTITION_BITS)
    return part * width, (part + 1) * width - 1


def _name(columns: Sequence[str]) -> str:
    return "-".join(columns)


class KeyStore:
    """Looks up candidates in the keys of a folder."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._connection, self._folder = connection, folder

    def collect_pairs(self, rules: Rules, rows: str, target: str) -> list[BlockCount]:
        """Fill ``target`` (r, p) as :func:`childdb.identity.blocking.collect_pairs` does against the whole population."""
        self._connection.execute("create or replace table found_pairs (r integer, p integer)")
        counts = [self._collect(block, rows, rules.cap) for block in rules.blocks]
        self._connection.execute(f"create or replace table {target} as select distinct r, p from found_pairs")
        self._connection.execute("drop table found_pairs")
        return counts

    def collect_single(self, strong: StrongKey, rows: str, target: str) -> None:
        """Fill ``target`` with the pairs whose key one person alone has."""
        found, people, sizes = self._look_up(strong, rows)
        alone = sizes == 1
        self._connection.execute(f"create or replace table {target} (r integer, p integer)")
        self._insert(target, found[alone], people[alone])

    def table(self, pairs: str) -> str:
        """Return a table with the features of the people of these pairs alone; how rare they are stands beside it."""
        for kept in ("", "_bits"):
            self._connection.execute(
                f"create or replace table people_needed{kept} as select * from population{kept} where no in (select p from {pairs})"
            )
        return "people_needed"

    def _collect(self, block: Block, rows: str, cap: int) -> BlockCount:
        found, people, sizes = self._look_up(block, rows)
        kept = sizes <= cap
        self._insert("found_pairs", found[kept], people[kept])
        over = np.unique(found[~kept])
        return BlockCount(block.name, int(kept.sum()), int((sizes > cap).any()), len(over))

    def _look_up(self, block: Block | StrongKey, rows: str) -> _Found:
        """Return row, person, and how many people have the key, pair by pair."""
        asked = self._connection.execute(
            f"select {key_of('r', block.register)} as key, r.no from {rows} as r where {known('r', block.register)} order by key, r.tie"
        ).fetchnumpy()
        keys, numbers = np.asarray(asked["key"], np.uint64), np.asarray(asked["no"], np.int32)
        places = (keys >> np.uint64(64 - _PARTITION_BITS)).astype(np.int64)
        parts = [
            self._look_up_part(block.population, part, keys[places == part], numbers[places == part])
            for part in np.unique(places).tolist()
        ]
        empty = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64))
        rows_found, people, sizes = zip(empty, *parts, strict=True)
        return np.concatenate(rows_found), np.concatenate(people), np.concatenate(sizes)

    def _look_up_part(
        self,
        columns: Sequence[str],
        part: int,
        keys: npt.NDArray[np.uint64],
        numbers: npt.NDArray[np.int32],
    ) -> _Found:
        stored = np.load(self._folder / f"{_name(columns)}.{part:02}.keys.npy", mmap_mode="r")
        people = np.load(self._folder / f"{_name(columns)}.{part:02}.rows.npy", mmap_mode="r")
        first, end = np.searchsorted(stored, keys, "left"), np.searchsorted(stored, keys, "right")
        sizes = end - first
        starts = np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        places = starts + np.arange(int(sizes.sum()))
        return np.repeat(numbers, sizes), np.asarray(people[places], np.int32), np.repeat(sizes, sizes)

    def _insert(self, target: str, rows: npt.NDArray[np.int32], people: npt.NDArray[np.int32]) -> None:
        self._connection.register("pairs_in", pa.table({"r": pa.array(rows), "p": pa.array(people)}))
        self._connection.execute(f"insert into {target} select r, p from pairs_in")
        self._connection.unregister("pairs_in")
