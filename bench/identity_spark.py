"""The learnt model on Spark beside the engine itself: the same blocks, the same pairs, the difference of the weights.

Spark needs Java 17 and packages of its own, which ``make spark`` lays beside the environment. Ends with 1 if an engine
lacks a pair of the other, or if both weigh one differently.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
from splink import Linker

from childdb.identity import match
from childdb.identity.model import read_model
from childdb.identity.rules_file import load_rules
from childdb.identity.splink_model import (
    POPULATION_NAME,
    REGISTER_NAME,
    base_weight,
    columns_needed,
    splink_settings,
)
from childdb.identity.store import DATABASE
from childdb.sandbox.generate import Order, generate

# Texts are compared letter by letter; every other column is a number.
_TEXT = "_text"
_SEED = 7201
# Both sum the same weights in another order.
_EQUAL = 1e-6


def lay_out(store: Path, rows: int, folder: Path) -> dict[tuple[int, int], int]:
    """Write the features of some residual rows and of all their candidates; return the pattern of each pair."""
    connection = duckdb.connect(str(store / DATABASE), read_only=True)
    connection.execute(
        f"create temp table chosen as select r, p, pattern from scored where r in (select r from scored group by r order by hash(r) limit {rows})"
    )
    needed = sorted(set.union(*columns_needed(load_rules(None)).values()))
    for name, table, side in ((REGISTER_NAME, "register", "r"), (POPULATION_NAME, "population", "p")):
        has = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
        listed = ", ".join(_column(column, column in has) for column in needed)
        connection.execute(
            f"copy (select no, {listed} from {table} where no in (select {side} from chosen)) to '{folder / name}.parquet' (format parquet)"
        )
    return {(r, p): pattern for r, p, pattern in connection.execute("select * from chosen").fetchall()}


def _column(name: str, is_there: bool) -> str:
    value = name if is_there else "null"
    if name.endswith(_TEXT):
        return f"{value}::varchar as {name}"
    if name.endswith(("_marked", "_short", "_known")):
        return f"{value}::boolean as {name}"
    return f"{value}::bigint as {name}"


def on_spark(store: Path, folder: Path) -> list[dict[str, Any]]:
    """Return every pair Spark finds by our blocks among the rows laid out in a folder, with its weight."""
    from pyspark.sql import SparkSession
    from splink.backends.spark import SparkAPI, similarity_jar_location

    rules = load_rules(None)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.memory", "3g")
        .config("spark.ui.enabled", "false")
        .config("spark.jars", similarity_jar_location())
        .getOrCreate()
    )
    api = SparkAPI(spark_session=session, break_lineage_method="persist")
    inputs = [
        api.register(session.read.parquet(f"{folder}/{name}.parquet"), dataset_display_name=name)
        for name in (REGISTER_NAME, POPULATION_NAME)
    ]
    settings = splink_settings(rules, read_model(store / "model.json", rules), "spark")
    scored = Linker(inputs, settings, log_level=40).inference.predict().as_record_list()
    session.stop()
    return scored


def main() -> None:
    """Score the pairs on Spark and print how far its weights lie from ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--store", type=Path, help="the store of a full run; without it a small nation is matched"
    )
    parser.add_argument("--children", type=int, default=20_000, help="how many, without --store")
    parser.add_argument("--rows", type=int, default=2000)
    chosen = parser.parse_args()
    rules = load_rules(None)
    with tempfile.TemporaryDirectory() as scratch:
        store = chosen.store or _matched(chosen.children, Path(scratch))
        patterns = lay_out(store, chosen.rows, Path(scratch))
        started = time.perf_counter()
        found = {(row["no_l"], row["no_r"]): row["match_weight"] for row in on_spark(store, Path(scratch))}
        seconds = time.perf_counter() - started
        model = read_model(store / "model.json", rules)
    differences = [
        abs(found[key] - base_weight(rules, model, pattern))
        for key, pattern in patterns.items()
        if key in found
    ]
    result = {
        "pairs_on_spark": len(found),
        "pairs_of_the_engine": len(patterns),
        "pairs_of_both": len(differences),
        "largest_difference_bits": max(differences, default=None),
        "seconds_on_spark": round(seconds, 1),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(result, indent=1))
    if not differences or len(differences) < len(patterns) or max(differences) > _EQUAL:
        sys.exit("Spark and the engine do not agree.")


def _matched(children: int, folder: Path) -> Path:
    """Return the store of a full run over an invented nation."""
    generate(Order(children, _SEED, "hard", communes=0), folder / "nation")
    match(
        folder / "nation/register/register.parquet",
        folder / "nation/population/population.parquet",
        folder / "out",
        threads=2,
        memory="2GB",
        keep=folder / "store",
    )
    return folder / "store"


if __name__ == "__main__":
    main()
