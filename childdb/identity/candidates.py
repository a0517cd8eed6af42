"""From rows to scored pairs: strong keys settle what leaves no doubt, blocks find candidates for the rest. Row by row: no row changes another's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import duckdb

from childdb.identity import blocking, comparison, scoring
from childdb.identity.blocking import BlockCount
from childdb.identity.decisions import bar
from childdb.identity.model import Model
from childdb.identity.rules import Rules, StrongKey


class People(Protocol):
    """Where candidates come from."""

    def collect_single(self, strong: StrongKey, rows: str, target: str) -> None:
        """Fill ``target`` with the pairs whose key one person alone has."""

    def collect_pairs(self, rules: Rules, rows: str, target: str) -> list[BlockCount]:
        """Fill ``target`` with the pairs of all blocks."""

    def table(self, pairs: str) -> str:
        """Return the name of a table with the features of every person of these pairs; ``<name>_bits`` says how rare they are."""


@dataclass(frozen=True)
class WholePopulation:
    """The feature table ``population``: the right place for many rows."""

    connection: duckdb.DuckDBPyConnection

    def collect_single(self, strong: StrongKey, rows: str, target: str) -> None:
        """Fill ``target`` with the pairs whose key one person alone has."""
        blocking.collect_single(self.connection, strong, rows, "population", target)

    def collect_pairs(self, rules: Rules, rows: str, target: str) -> list[BlockCount]:
        """Fill ``target`` with the pairs of all blocks."""
        return blocking.collect_pairs(self.connection, rules, rows, "population", target)

    def table(self, pairs: str) -> str:
        """Return the table of all people."""
        return "population"


@dataclass(frozen=True)
class Search:
    """Finds and scores the candidates of the rows of one table."""

    connection: duckdb.DuckDBPyConnection
    rules: Rules
    model: Model
    people: People
    rows: str = "register"
    settled: str = "settled"
    scored: str = "scored"

    def settle(self, strong: StrongKey) -> int:
        """Accept the rows whose strong key one person alone has, if levels and odds leave no doubt; return the pairs seen."""
        self._open_rows()
        self.people.collect_single(strong, "residual", "strong_pairs")
        bar(self.connection, "strong_pairs")
        self._score("strong_pairs", "residual", "strong_scored")
        least = round(self.rules.strong_bits * 1000)
        levels = scoring.in_levels_sql(self.rules, dict(strong.only))
        self.connection.execute(
            f"insert into {self.settled} select c.*, 'strong_{strong.name}' as rule from strong_scored as c where odds >= {least} and {levels}"
        )
        pairs = self._count("strong_pairs")
        self._drop("strong_pairs", "strong_scored")
        return pairs

    def find(self) -> tuple[int, int, list[BlockCount]]:
        """Make ``residual_pairs`` for the rows not settled; return rows, pairs and what the blocks gave."""
        self._open_rows()
        self.connection.execute("create or replace table open_residual as select * from residual")
        blocks = self.people.collect_pairs(self.rules, "open_residual", "residual_pairs")
        bar(self.connection, "residual_pairs")
        return self._count("open_residual"), self._count("residual_pairs"), blocks

    def score(self) -> None:
        """Create the table of scored pairs out of ``residual_pairs``."""
        self._score("residual_pairs", "open_residual", self.scored)
        self._drop("residual_pairs", "open_residual")

    def _open_rows(self) -> None:
        self.connection.execute(
            f"create or replace view residual as select * from {self.rows} where no not in (select r from {self.settled})"
        )

    def _score(self, pairs: str, rows: str, target: str) -> None:
        people = self.people.table(pairs)
        comparison.compare_pairs(self.connection, self.rules, pairs, rows, people, "pairs_compared")
        scoring.score(self.connection, self.rules, self.model, "pairs_compared", target)
        self._drop("pairs_compared")

    def _count(self, table: str) -> int:
        return int(self.connection.execute(f"select count(*) from {table}").fetchall()[0][0])

    def _drop(self, *tables: str) -> None:
        for name in tables:
            self.connection.execute(f"drop table if exists {name}")
