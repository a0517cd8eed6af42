"""A decision computed again out of a kept store: levels, weights, competing candidates, and whether the bits are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from childdb.errors import UsageError
from childdb.identity import assignment, outputs, store
from childdb.identity.candidates import Search
from childdb.identity.comparison import layout
from childdb.identity.engine import open_database
from childdb.identity.key_store import KeyStore
from childdb.identity.model import Model, read_model
from childdb.identity.rules import Comparison, Rules
from childdb.identity.rules_file import load_rules

_SHOWN = 10


@dataclass(frozen=True)
class Candidate:
    """One person the row was weighed against."""

    person_id: str
    match_weight: float
    chance: float
    levels: Mapping[str, str]


@dataclass(frozen=True)
class Replay:
    """Why a row was decided as it was; no value of the row or of a person is in it."""

    record_id: str
    decision: str
    rule_id: str
    person_id: str | None
    match_probability: float
    evidence: Mapping[str, float]
    candidates: tuple[Candidate, ...]
    model: str
    rules: str
    inputs: Mapping[str, str]
    same_bits: bool

    def document(self) -> dict[str, Any]:
        """Return the replay as plain values."""
        return asdict(self)


def level_names(rules: Rules, pattern: int) -> dict[str, str]:
    """Return for each comparison the level a pair reached."""
    return {
        place.comparison.name: _level(place.comparison, (pattern >> place.shift) & place.mask)
        for place in layout(rules)
    }


def _level(comparison: Comparison, code: int) -> str:
    if code == 0:
        return "missing"
    context, level = divmod(code - 1, len(comparison.levels))
    name = comparison.levels[level].name
    return name if len(comparison.contexts) == 1 else f"{comparison.contexts[context].name}.{name}"


def replay(folder: Path, record_id: str, *, rules: Path | None = None, memory: str = "4GB") -> Replay:
    """Return one decision of a kept store, computed anew from features and model; the store is left as it is."""
    loaded = load_rules(rules)
    database = store.database_of(folder)
    model = read_model(folder / "model.json", loaded)
    connection = open_database(database, folder / ".spill", None, memory)
    try:
        connection.execute("begin")
        return _replayed(connection, folder, loaded, model, record_id)
    finally:
        connection.execute("rollback")
        connection.close()


def _replayed(
    connection: duckdb.DuckDBPyConnection, folder: Path, rules: Rules, model: Model, record_id: str
) -> Replay:
    found = connection.execute(
        f'select file_row_number from register_names where "{rules.register.key}" = ?', [record_id]
    ).fetchall()
    if not found:
        raise UsageError(
            "The store has no row with this record_id. Take it from links.parquet of the same store."
        )
    no = int(found[0][0])
    before = _decided(connection, no)
    connection.execute(f"create or replace table changed as select * from register where no = {no}")
    connection.execute(
        f"create or replace table settled_now as select * from settled where r = {no} and rule = 'decision'"
    )
    search = Search(
        connection,
        rules,
        model,
        KeyStore(connection, folder / "keys"),
        "changed",
        "settled_now",
        "scored_now",
    )
    for strong in rules.strong_keys:
        search.settle(strong)
    search.find()
    search.score()
    assignment.decide(
        connection, rules, model, "scored_now", "settled_now", "decided_now", keep_claimed="claimed_now"
    )
    again = _decided(connection, no, "decided_now")
    links = _link_row(connection, rules, model, no)
    held = before is not None and before["rule"] == "kept_apart"
    return Replay(
        record_id=record_id,
        decision=links["decision"],
        rule_id=links["rule_id"],
        person_id=links["person_id"],
        match_probability=links["match_probability"],
        evidence=dict(links["evidence"]),
        candidates=_candidates(connection, rules),
        model=model.version,
        rules=rules.sha256,
        inputs=dict(connection.execute("select name, sha256 from store_inputs order by name").fetchall()),
        same_bits=_bits(before, held) == _bits(again, held),
    )


def _decided(connection: duckdb.DuckDBPyConnection, no: int, table: str = "decided") -> dict[str, Any] | None:
    rows = connection.sql(f"select * from {table} where r = {no}").to_arrow_table().to_pylist()
    return rows[0] if rows else None


def _bits(row: dict[str, Any] | None, held: bool) -> dict[str, Any] | None:
    """Return what must be the same to the last bit; a row that people keep apart has its chance from them."""
    if row is None:
        return None
    left_out = {"chance", "rule"} if held else set()
    return {
        name: float(np.float64(value)).hex() if isinstance(value, float) else value
        for name, value in row.items()
        if name not in left_out
    }


def _link_row(connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, no: int) -> dict[str, Any]:
    return dict(outputs.link_rows(connection, rules, model, f"select {no}")[0])


def _candidates(connection: duckdb.DuckDBPyConnection, rules: Rules) -> tuple[Candidate, ...]:
    """Return the strongest candidates with their share of the chance that is left."""
    person = rules.population.key
    rows = connection.execute(
        f'select q."{person}"::varchar, c.pattern, c.odds_now, c.odds_now / 1000.0 from'
        " (select p, pattern, odds + claim as odds_now from claimed_now union all select p, pattern, odds from settled_now) as c"
        f" join population_file as q on q.file_row_number = c.p order by c.odds_now desc, 1 limit {_SHOWN}"
    ).fetchall()
    odds = np.exp2(np.minimum(np.array([row[3] for row in rows], np.float64), 40.0))
    chances = odds / (odds.sum() + 1.0) if len(rows) else odds
    return tuple(
        Candidate(str(key), round(now / 1000.0, 3), round(float(chance), 6), level_names(rules, int(pattern)))
        for (key, pattern, now, _), chance in zip(rows, chances, strict=True)
    )
