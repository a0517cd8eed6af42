"""Writes links and persons: sorted by key, the same bytes for any order of the input and any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from childdb.identity.comparison import rare_comparisons
from childdb.identity.model import Model
from childdb.identity.rules import Rules

_ROWS_PER_GROUP = 122_880
_LINKS = pa.schema(
    [
        ("record_id", pa.string()),
        ("person_id", pa.string()),
        ("decision", pa.string()),
        ("match_probability", pa.float64()),
        ("match_weight", pa.float64()),
        ("rule_id", pa.string()),
        ("evidence", pa.map_(pa.string(), pa.float64())),
    ]
)
_PERSONS = pa.schema([("record_id", pa.string()), ("child_id", pa.string())])


class EvidenceWriter:
    """Makes the evidence of many links at once out of their patterns; each pattern is weighed once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model) -> None:
        self._rules = rules
        self._patterns = np.asarray(
            connection.execute(
                "select distinct pattern from decided where pattern is not null order by pattern"
            ).fetchnumpy()["pattern"],
            np.int64,
        )
        self._groups, _ = model.weights(rules, self._patterns)
        self._prior = round(model.prior_stranger * 1000)
        self._rare = {item.name for item in rare_comparisons(rules)}
        self.names = [group.name for group in rules.all_groups()] + ["prior", "relatives", "claims"]

    def finish(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return links with their evidence in place of the pattern."""
        wanted = np.asarray(batch.column("person_id").is_valid().to_numpy(zero_copy_only=False))
        columns = [batch.column(name) for name in _LINKS.names[:-1]]
        return pa.RecordBatch.from_arrays([*columns, self.make(batch, wanted)], schema=_LINKS)

    def make(self, batch: pa.RecordBatch, wanted: npt.NDArray[np.bool_]) -> pa.Array[Any]:
        """Return a map from field to bits for each row; empty where no link is given."""
        rows = np.flatnonzero(wanted)
        column = {name: _numbers(batch, name)[rows] for name in ("pattern", "odds", "claim")}
        place = np.searchsorted(self._patterns, column["pattern"])
        bits = np.empty((len(rows), len(self.names)), np.int64)
        for number, group in enumerate(self._rules.all_groups()):
            bits[:, number] = self._groups[group.name][place]
            for name in group.of:
                if name in self._rare:
                    bits[:, number] += _numbers(batch, f"t_{name}")[rows]
        bits[:, -3] = self._prior
        bits[:, -2] = column["odds"] - bits[:, :-2].sum(axis=1)
        bits[:, -1] = column["claim"]
        ends = np.concatenate([[0], np.cumsum(wanted * len(self.names))]).astype(np.int32)
        keys = pa.array(self.names, pa.string()).take(
            pa.array(np.tile(np.arange(len(self.names)), len(rows)))
        )
        return pa.MapArray.from_arrays(pa.array(ends), keys, pa.array(np.round(bits.ravel() / 1000.0, 3)))


def _numbers(batch: pa.RecordBatch, name: str) -> npt.NDArray[np.int64]:
    return np.asarray(batch.column(name).fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def write_links(
    connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, path: Path, *, only: str = ""
) -> None:
    """Write one row per register row: decision, person, probability and the weight of each field; ``only`` selects rows."""
    writer = EvidenceWriter(connection, rules, model)
    _write(connection, _links_sql(rules, only), path, _LINKS, writer.finish)


def link_rows(
    connection: duckdb.DuckDBPyConnection, rules: Rules, model: Model, only: str
) -> list[dict[str, Any]]:
    """Return the links of the rows ``only`` selects as they would be written."""
    writer = EvidenceWriter(connection, rules, model)
    reader = connection.sql(_links_sql(rules, only)).to_arrow_reader(_ROWS_PER_GROUP)
    return [row for batch in reader for row in writer.finish(batch).to_pylist()]


def _links_sql(rules: Rules, only: str) -> str:
    key, person = rules.register.key, rules.population.key
    accept, review = rules.thresholds.accept, rules.thresholds.review
    decision = f"case when d.chance >= {accept} then 'accepted' when d.chance >= {review} then 'review' else 'none' end"
    rarity = "".join(f", d.t_{item.name}" for item in rare_comparisons(rules))
    return f"""
        select f."{key}"::varchar as record_id, q."{person}"::varchar as person_id,
            case when d.r is null then 'none' else {decision} end as decision, coalesce(round(d.chance, 6), 0.0) as match_probability,
            round((d.odds + d.claim) / 1000.0, 3) as match_weight, coalesce(d.rule, 'no_candidate') as rule_id,
            d.pattern, d.odds, d.claim{rarity}
        from register_file as f
        left join decided as d on d.r = f.file_row_number
        left join population_file as q on q.file_row_number = case when d.chance >= {review} then d.p end{_where(only)}
        order by record_id
    """


def write_persons(connection: duckdb.DuckDBPyConnection, rules: Rules, path: Path, *, only: str = "") -> None:
    """Write one row per register row with the smallest key among the rows of its child; ``only`` selects rows."""
    key = rules.register.key
    sql = (
        f'select f."{key}"::varchar as record_id, coalesce(l.child_id, f."{key}"::varchar) as child_id from register_file as f'
        f" left join labels as l on l.no = f.file_row_number{_where(only)} order by record_id"
    )
    _write(connection, sql, path, _PERSONS, lambda batch: batch)


def _where(only: str) -> str:
    return f" where f.file_row_number in ({only})" if only else ""


def _write(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    path: Path,
    schema: pa.Schema,
    finished: Callable[[pa.RecordBatch], pa.RecordBatch],
) -> None:
    """Write a query through one writer, in groups of a fixed number of rows; a group is written while the next is fetched."""
    reader = connection.sql(sql).to_arrow_reader(_ROWS_PER_GROUP)
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer, ThreadPoolExecutor(1) as behind:

        def write(batch: pa.RecordBatch) -> None:
            writer.write_batch(finished(batch).cast(schema), row_group_size=_ROWS_PER_GROUP)

        waiting = None
        for batch in reader:
            if waiting:
                waiting.result()
            waiting = behind.submit(write, batch)
        if waiting:
            waiting.result()
    partial.replace(path)
