"""Accuracy over five seeds and two profiles, none of them used for tuning, split by what the children are like.

.venv/bin/python -m bench.identity_quality --children 100000 --write docs/identity-quality.md
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from childdb.identity import match
from childdb.sandbox.generate import Order, generate

SEEDS = (7101, 7102, 7103, 7104, 7105)
PROFILES = ("default", "hard")
BANDS = (
    (0.2, 0.5),
    (0.5, 0.8),
    (0.8, 0.95),
    (0.95, 0.99),
    (0.99, 0.999),
    (0.999, 0.9999),
    (0.9999, 1.0000001),
)
SPLITS = ("error class", "number", "sex", "age", "ethnic group", "province")
FLOORS = {
    "precision": (0.9995, 0.998), "recall": (0.994, 0.98), "review": (0.008, 0.03), "false_twins": (0.008, None),
    "false_without_counterpart": (0.008, None), "duplicates_precision": (0.99, 0.99), "duplicates_recall": (0.95, 0.95),
}  # fmt: skip

# Each row with what happened to it; a twin shares mother's number and birth date with another person of the extract.
_JUDGED = """
create or replace table judged as
with twins as (
    select person_id from (select person_id, count(*) over (partition by mother_personal_id_no, birth_date) as born from read_parquet($population)
        where mother_personal_id_no is not null) where born > 1)
select l.record_id, l.decision, l.match_probability as chance, t.person_id is null as alone, t.error_ids, t.child_key, c.child_id,
    l.decision = 'accepted' and l.person_id is not distinct from t.person_id as is_right,
    l.decision = 'accepted' and l.person_id is distinct from t.person_id as is_false,
    l.person_id is not distinct from t.person_id as best_is_right,
    t.person_id in (select person_id from twins) as twin, r.personal_id_no is not null as has_number,
    coalesce(r.province_code::varchar, '') as province, coalesce(q.sex::varchar, 'none') as sex,
    coalesce((2026 - year(q.birth_date))::varchar, 'none') as age, coalesce(q.ethnic_group_text, 'none') as ethnic
from read_parquet($links) as l join read_parquet($truth) as t using (record_id) join read_parquet($persons) as c using (record_id)
join read_parquet($register) as r using (record_id) left join read_parquet($population) as q on q.person_id = t.person_id
"""
_MEASURES = """
select count(*) as rows, count(*) filter (where is_right) / greatest(count(*) filter (where decision = 'accepted'), 1) as precision,
    count(*) filter (where is_right) / greatest(count(*) filter (where not alone), 1) as recall, avg((decision = 'review')::int) as review,
    count(*) filter (where is_false and twin) / greatest(count(*) filter (where twin), 1) as false_twins,
    count(*) filter (where is_false and alone) / greatest(count(*) filter (where alone), 1) as false_without_counterpart
from judged
"""
_PAIRS = """
with pairs as (select sum(n * (n - 1) / 2) as n from (select count(*) as n from judged group by {group}))
select coalesce(n, 0)::double from pairs
"""
_KINDS = {
    "error class": "unnest(string_split(coalesce(error_ids, 'none'), ';'))", "number": "case when has_number then 'with' else 'without' end",
    "sex": "sex", "age": "age", "ethnic group": "ethnic", "province": "province",
}  # fmt: skip


def judge(folder: Path, out: Path) -> duckdb.DuckDBPyConnection:
    """Return a database with one judged row per register row."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    files = {
        "population": folder / "population/population.parquet", "register": folder / "register/register.parquet",
        "truth": folder / "truth/links.parquet", "links": out / "links.parquet", "persons": out / "persons.parquet",
    }  # fmt: skip
    connection.execute(_JUDGED, {name: str(path) for name, path in files.items()})
    return connection


def measure(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Return the measures of the table of the issue."""
    found = connection.execute(_MEASURES)
    names = [item[0] for item in found.description or ()]
    measures = {name: float(value) for name, value in zip(names, found.fetchall()[0], strict=True)}
    true, found_pairs, both = (
        connection.execute(_PAIRS.format(group=group)).fetchall()[0][0]
        for group in ("child_key", "child_id", "child_key, child_id")
    )
    return measures | {
        "duplicates_precision": both / max(found_pairs, 1),
        "duplicates_recall": both / max(true, 1),
    }


def bands(connection: duckdb.DuckDBPyConnection) -> list[list[float]]:
    """Return for each band of the posterior: rows, false ones expected, false ones found."""
    return [
        list(
            connection.execute(
                "select count(*)::double, coalesce(sum(1 - chance), 0)::double, count(*) filter (where not best_is_right)::double from judged where chance >= ? and chance < ?"
                " and decision <> 'none'",
                [low, high],
            ).fetchall()[0]
        )
        for low, high in BANDS
    ]


def splits(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, list[int]]]:
    """Return for each kind of row: rows, with counterpart, right, false, sent to review."""
    return {
        name: {
            str(value): [int(x) for x in counts]
            for value, *counts in connection.execute(
                f"select value, count(*), count(*) filter (where not alone), count(*) filter (where is_right), count(*) filter (where is_false),"
                f" count(*) filter (where decision = 'review') from (select *, {sql} as value from judged) group by value order by value"
            ).fetchall()
        }
        for name, sql in _KINDS.items()
    }


def run(children: int, seed: int, profile: str, scratch: Path) -> dict[str, Any]:
    """Return everything measured on one nation."""
    folder = scratch / f"{profile}-{seed}"
    generate(Order(children, seed, profile, communes=0), folder)
    cpu = time.process_time()
    match(
        folder / "register/register.parquet", folder / "population/population.parquet", folder / "out", threads=2, memory="4GB"
    )  # fmt: skip
    spent = round(time.process_time() - cpu, 1)
    connection = judge(folder, folder / "out")
    result = {
        "seed": seed, "profile": profile, "cpu_seconds": spent, "measures": measure(connection), "bands": bands(connection),
        "splits": splits(connection),
    }  # fmt: skip
    connection.close()
    shutil.rmtree(folder)
    return result


def _added(tables: list[dict[str, list[int]]]) -> dict[str, list[int]]:
    total: dict[str, list[int]] = {}
    for table in tables:
        for value, counts in table.items():
            total[value] = [a + b for a, b in zip(total.get(value, [0] * len(counts)), counts, strict=True)]
    return total


def report(results: list[dict[str, Any]], children: int, load: float) -> str:
    """Return the page: one line per nation, then what is pooled over the seeds."""
    names = list(FLOORS)
    lines = [
        "# Accuracy of the matching",
        "",
        f"Written by `python -m bench.identity_quality`. {children:,} children a nation; seeds {', '.join(map(str, sorted({r['seed'] for r in results})))};"
        f" none was used for tuning. Machine: {os.cpu_count()} cores, load {load:.0f} while it ran.",
        "",
        "| profile | seed | " + " | ".join(name.replace("_", " ") for name in names) + " | processor s |",
        "|" + "---|" * (len(names) + 3),
    ]
    for item in results:
        values = " | ".join(f"{item['measures'][name]:.5f}" for name in names)
        lines.append(f"| {item['profile']} | {item['seed']} | {values} | {item['cpu_seconds']} |")
    for place, profile in enumerate(PROFILES):
        floors = " | ".join("" if FLOORS[name][place] is None else f"{FLOORS[name][place]}" for name in names)
        lines.append(f"| {profile} | must hold | {floors} | |")
    for profile in PROFILES:
        chosen = [item for item in results if item["profile"] == profile]
        if chosen:
            lines += _pooled(profile, chosen)
    return "\n".join(lines) + "\n"


def _pooled(profile: str, chosen: list[dict[str, Any]]) -> list[str]:
    lines = ["", f"## {profile}: expected and found false links by band of the posterior", ""]
    lines += ["| band | rows | expected false | found false |", "|---|---|---|---|"]
    for place, (low, high) in enumerate(BANDS):
        rows, expected, found = (sum(item["bands"][place][i] for item in chosen) for i in range(3))
        lines.append(f"| {low}–{min(high, 1.0)} | {rows:.0f} | {expected:.1f} | {found:.0f} |")
    for name in SPLITS:
        table = _added([item["splits"][name] for item in chosen])
        lines += ["", f"## {profile}: by {name}", ""]
        lines += [
            f"| {name} | rows | missed, % of rows with counterpart | false, % of rows | review, % |",
            "|---|---|---|---|---|",
        ]
        for value, (rows, findable, right, false, review) in sorted(
            table.items(), key=lambda item: -item[1][0]
        ):
            missed = 100 * (findable - right) / max(findable, 1)
            lines.append(
                f"| {value} | {rows} | {missed:.2f} | {100 * false / rows:.3f} | {100 * review / rows:.2f} |"
            )
    return lines


def main() -> None:
    """Run the nations asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES), choices=PROFILES)
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for profile in chosen.profiles:
            for seed in chosen.seeds:
                results.append(run(chosen.children, seed, profile, Path(scratch)))
                print(json.dumps({k: v for k, v in results[-1].items() if k != "splits"}), flush=True)
                if chosen.write:
                    chosen.write.write_text(
                        report(results, chosen.children, os.getloadavg()[0]), encoding="utf-8"
                    )


if __name__ == "__main__":
    main()
