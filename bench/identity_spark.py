"""The learnt model on Spark beside the engine itself: the same blocks, the same pairs, the difference of the weights.

Spark is not among the locked packages. In an environment of its own, with Java 17:
    python3.11 -m venv spark && spark/bin/pip install -r requirements.lock pyspark
    spark/bin/python -m bench.identity_spark --store STORE --rows 2000
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import duckdb
from splink import Linker

from childdb.identity.model import read_model
from childdb.identity.rules_file import load_rules
from childdb.identity.splink_model import (
    POPULATION_NAME,
    REGISTER_NAME,
    base_weight,
    columns_needed,
    splink_settings,
)

# Texts are compared letter by letter; every other column is a number.
_TEXT = "_text"


def lay_out(store: Path, rows: int, folder: Path) -> dict[tuple[int, int], int]:
    """Write the features of some residual rows and of all their candidates; return the pattern of each pair."""
    connection = duckdb.connect(str(store / "store.duckdb"), read_only=True)
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


def main() -> None:
    """Score the pairs on Spark and print how far its weights lie from ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2000)
    chosen = parser.parse_args()
    from pyspark.sql import SparkSession
    from splink.backends.spark import SparkAPI, similarity_jar_location

    rules = load_rules(None)
    model = read_model(chosen.store / "model.json", rules)
    with tempfile.TemporaryDirectory() as scratch:
        patterns = lay_out(chosen.store, chosen.rows, Path(scratch))
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.sql.shuffle.partitions", "4")
            .config("spark.driver.memory", "3g")
            .config("spark.ui.enabled", "false")
            .config("spark.jars", similarity_jar_location())
            .getOrCreate()
        )
        started = time.perf_counter()
        api = SparkAPI(spark_session=session, break_lineage_method="persist")
        inputs = [
            api.register(session.read.parquet(f"{scratch}/{name}.parquet"), dataset_display_name=name)
            for name in (REGISTER_NAME, POPULATION_NAME)
        ]
        linker = Linker(inputs, splink_settings(rules, model, "spark"), log_level=40)
        scored = linker.inference.predict().as_record_list()
        seconds = time.perf_counter() - started
        session.stop()
    both = [
        (row["match_weight"], base_weight(rules, model, patterns[key]))
        for row in scored
        if (key := (row["no_l"], row["no_r"])) in patterns
    ]
    print(
        json.dumps(
            {
                "pairs_on_spark": len(scored),
                "pairs_of_the_engine": len(patterns),
                "pairs_of_both": len(both),
                "largest_difference_bits": max((abs(a - b) for a, b in both), default=None),
                "seconds_on_spark": round(seconds, 1),
                "load": os.getloadavg()[0],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
