"""Gates on many rows: the expectations of both raw suites with their results stored, against the same checks as plain SQL."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from childdb.contracts import source_table
from childdb.database import Role, connect, open_database
from childdb.quality import engine, judge_gate
from childdb.quality.counts import row_rules
from childdb.quality.predicates import bind_query
from childdb.quality.suites import load_suite
from childdb.settings import Settings

LISTS = 300
CHILDREN = """
insert into raw.treem__children (_batch_id, _sheet, _row_no, _outcome, ma_tre, ho_ten_tre, ngay_sinh, gioi_tinh, dan_toc,
    so_dinh_danh, ho_ten_me, thon)
select 'treem__children@' || ((n - 1) * {lists}::bigint / {rows}), 'DS', 6 + n % ({rows} / {lists}), 'accepted', 'T' || n,
    case when n % 97 = 0 then null else 'Nguyễn Thử ' || n end,
    case when n % 41 = 0 then null else lpad((1 + n % 28)::text, 2, '0') || '/03/2019' end,
    case when n % 2 = 0 then 'Nam' else 'Nữ' end, case when n % 53 = 0 then null else 'Kinh' end,
    case when n % 3 = 0 then null else lpad(n::text, 12, '0') end, 'Trần Thử ' || n, 'Thôn ' || n % 20
from generate_series(1, {rows}) as n
"""
PERSONS = """
insert into raw.population__persons (_batch_id, _row_no, person_id, personal_id_no, full_name, sex, birth_date, commune_code)
select 'population__persons@1', n, 'P' || n, lpad(n::text, 12, '0'), 'NGUYEN THU ' || n, (1 + n % 2)::text, '2019-03-05', '00001'
from generate_series(1, {rows}) as n
"""
BATCH = (
    "insert into ops.batches (batch_id, dataset, file_sha256, size_bytes, file_name_text, file_date, sender_commune_id) "
    "select %s || '@' || n, %s, n::text, 1, 'x', date '2026-03-01', null from generate_series({first}, {last}) as n"
)


def run(rows: int, *, only: str | None = None, with_plain: bool = True) -> dict[str, Any]:
    """Return seconds of the gates and of plain SQL, and their ratio; ``only`` names one suite."""
    base = Path(tempfile.mkdtemp(prefix="childdb-bench-"))
    os.chmod(base, 0o755)
    settings = Settings(home=base / "var", system_dir=base / "system")
    try:
        with open_database(settings) as database:
            import psycopg

            with psycopg.connect(database.admin_url, autocommit=True) as connection:
                _fill(connection, rows)
            engine._import_engine()
            scopes = {name: batches for name, batches in SCOPES.items() if only in (None, name)}
            return _measure(settings, rows, scopes, with_plain=with_plain)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _fill(connection: Connection, rows: int) -> None:
    for source, table in (("raw_treem", "treem__children"), ("raw_population", "population__persons")):
        for statement in source_table(source, table).create_statements():
            connection.execute(statement)  # type: ignore[call-overload]
    for dataset, first, last in (("treem__children", 0, LISTS - 1), ("population__persons", 1, 1)):
        connection.execute(BATCH.format(first=first, last=last), [dataset, dataset])  # type: ignore[call-overload]
    connection.execute(CHILDREN.format(lists=LISTS, rows=rows))  # type: ignore[call-overload]
    connection.execute(PERSONS.format(rows=rows))  # type: ignore[call-overload]
    connection.execute("vacuum analyze raw.treem__children")
    connection.execute("vacuum analyze raw.population__persons")


SCOPES = {
    "raw/treem__children": [f"treem__children@{n}" for n in range(LISTS)],
    "raw/population__persons": ["population__persons@1"],
}


def _measure(
    settings: Settings, rows: int, scopes: dict[str, list[str]], *, with_plain: bool
) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    rules = 0
    for name, batches in scopes.items():
        suite = load_suite(name)
        rules += len(suite.rules)
        began = time.perf_counter()
        judge_gate(lambda: connect(Role.CHECKER, settings), suite, run_id="bench", batch_ids=batches)
        seconds[name] = time.perf_counter() - began
    gates = sum(seconds.values())
    found = {
        "rows": rows, "rules": rules, "gate_seconds": round(gates, 1),
        "by_suite": {key: round(value, 1) for key, value in seconds.items()}, "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    if with_plain:
        plain = sum(_plain(settings, name, batches) for name, batches in scopes.items())
        found |= {"plain_sql_seconds": round(plain, 1), "ratio": round(gates / plain, 2)}
    return found


def _plain(settings: Settings, name: str, batches: list[str]) -> float:
    """Return the seconds of the same checks, one statement per rule, as somebody would write them by hand."""
    suite = load_suite(name)
    began = time.perf_counter()
    with connect(Role.CHECKER, settings) as connection:
        for source in suite.sources.values():
            for rule, predicate in row_rules(suite.rules_of(source.name)):
                window = sql.SQL("")
                if predicate.repeats is not None:
                    same = sql.SQL(", ").join(predicate.repeats.columns)
                    window = sql.SQL(", nullif(count(*) over (partition by {}), 1) as {}").format(
                        same, predicate.repeats.name
                    )
                statement = sql.SQL(
                    "select count(*) filter (where {evaluated}), count(*) filter (where {failed}) "
                    "from (select looked_at.*{window} from ({rows}) as looked_at) as counted"
                ).format(
                    evaluated=predicate.evaluated, failed=predicate.failed, window=window,
                    rows=bind_query(source.query, batches, None),
                )  # fmt: skip
                connection.execute(statement).fetchone()
                del rule
    return time.perf_counter() - began


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=sorted(SCOPES), help="one suite alone")
    parser.add_argument("--no-plain", action="store_true", help="leave the same checks as plain SQL out")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    print(json.dumps(run(chosen.rows, only=chosen.only, with_plain=not chosen.no_plain), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
