"""The engine beside Splink (four set-ups) and a plain deterministic join: one run, the same data, the same normalised columns.

Splink has the family fields in one comparison with a dozen blocks as its users write them and with the engine's own blocks (the
only way to the engine's recall), each trained on the two blocks that cost it least; with the dozen blocks again, trained as its
manual teaches (on a full name, then on a date of birth); and the set-up of its manual.

.venv/bin/python -m bench.identity_comparison --children 100000 --profile hard
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_level_library as levels
import splink.comparison_library as library
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from childdb.identity import features, match
from childdb.identity.engine import open_database
from childdb.identity.inputs import open_input
from childdb.identity.rules_file import load_rules
from childdb.sandbox.generate import Order, generate

SEED = 7201
REGISTER, POPULATION = "a_register", "b_population"
# Passes of the plain join, strongest first: a key that one row and one person alone have is a link.
PASSES = (
    ("number", "name_fold"), ("number", "born_day"), ("name_fold", "born_day", "commune"), ("name_fold", "born_day", "mother_fold"),
    ("name_fold", "born_day", "father_fold"), ("name_fold", "mother_fold", "father_fold"), ("name_fold", "born_day", "phone"),
    ("name_fold", "born_day", "registration"), ("name_fold", "born_day", "province"), ("name_fold", "born_day", "hamlet"),
    ("born_day", "mother_fold", "father_fold", "sex"), ("name_fold", "born_year", "commune", "hamlet"),
)  # fmt: skip
BLOCKS = (
    ("number",), ("name_fold", "born_day"), ("name_fold", "commune"), ("name_fold", "mother_fold"), ("born_day", "mother_fold"),
    ("born_day", "commune"), ("name_given", "born_day", "province"), ("mother_number",), ("father_number",), ("phone",),
    ("mother_fold", "name_given"), ("mother_fold", "father_fold"),
)  # fmt: skip
RULES = load_rules(None)
OUR_BLOCKS = tuple(
    " and ".join(
        f"l.{ours} = r.{theirs}" for ours, theirs in zip(block.register, block.population, strict=True)
    )
    for block in RULES.blocks
)
COLUMNS = sorted(
    {c for keys in (*PASSES, *BLOCKS) for c in keys}
    | {c for block in RULES.blocks for c in (*block.register, *block.population)}
    | {
        "name_text",
        "mother_text",
        "father_text",
        "name_ends",
        "born_year",
        "born_month",
        "born_month_day",
        "household",
        "ethnic",
    }
)


@contextmanager
def _clock(into: dict[str, Any]) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into |= {
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "wall_seconds": round(time.perf_counter() - wall, 1),
    }


def _normalised(folder: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
    connection = open_database(scratch / "compare.duckdb", scratch / "spill", 2, "8GB")
    words = features.WordReader(RULES)
    for table, side, name in (
        (features.REGISTER, RULES.register, REGISTER),
        (features.POPULATION, RULES.population, POPULATION),
    ):
        path = folder / f"{table.name}/{table.name}.parquet"
        open_input(connection, path, side, table)
        features.FeatureMaker(connection, RULES, words, table).make(path, f"{name}_all")
        has = {row[0] for row in connection.execute(f"describe {name}_all").fetchall()}
        listed = ", ".join(column for column in COLUMNS if column in has)
        connection.execute(f"create table {name} as select no, {listed} from {name}_all")
        connection.execute(f"drop table {name}_all")
    connection.execute(
        f"create table truth as select f.file_row_number as r, q.file_row_number as p from read_parquet('{folder}/truth/links.parquet') as t"
        " join register_file as f using (record_id) left join population_file as q using (person_id)"
    )
    words.close()
    return connection


def _measure(connection: duckdb.DuckDBPyConnection, links: str, threshold: float) -> dict[str, float]:
    given, right = connection.execute(
        f"select count(*), count(*) filter (where l.p = t.p) from {links} as l join truth as t on t.r = l.r where l.chance >= {threshold}"
    ).fetchall()[0]
    findable = connection.execute("select count(p) from truth").fetchall()[0][0]
    return {
        "links": given,
        "false_links": given - right,
        "precision": right / max(given, 1),
        "recall": right / findable,
    }


def _at_recall(connection: duckdb.DuckDBPyConnection, links: str, recall: float) -> dict[str, float] | None:
    """Return what the engine gives at the highest threshold that reaches a recall, None if none does."""
    found = connection.execute(
        f"with ordered as (select l.chance, sum((l.p = t.p)::int) over (order by l.chance desc range unbounded preceding) as good"
        f" from {links} as l join truth as t on t.r = l.r) select max(chance) from ordered where good >= {recall} * (select count(p) from truth)"
    ).fetchall()[0][0]
    return None if found is None else _measure(connection, links, found)


def _deterministic(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table plain (r integer, p integer, chance double)")
    for keys in PASSES:
        listed, present = ", ".join(keys), " and ".join(f"{key} is not null" for key in keys)
        connection.execute(
            f"insert into plain with a as (select {listed}, min(no) as r from {REGISTER} where {present} and no not in (select r from plain) group by all having count(*) = 1),"
            f" b as (select {listed}, min(no) as p from {POPULATION} where {present} group by all having count(*) = 1)"
            " select r, p, 1.0 from a join b using (" + listed + ")"
        )


def _name(column: str, text: str) -> Any:
    return library.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            levels.NullLevel(column),
            levels.ExactMatchLevel(column, term_frequency_adjustments=True),
            levels.LevenshteinLevel(text, 1),
            levels.LevenshteinLevel(text, 2),
            levels.JaroWinklerLevel(text, 0.9),
            levels.ElseLevel(),
        ],
    )


def _born() -> Any:
    return library.CustomComparison(
        output_column_name="born",
        comparison_levels=[
            levels.NullLevel("born_year"),
            levels.CustomLevel("born_day_l = born_day_r", "same day"),
            levels.CustomLevel("born_month_day_l = born_month_day_r", "same day of the year"),
            levels.CustomLevel("born_year_l = born_year_r and born_month_l = born_month_r", "same month"),
            levels.CustomLevel("born_year_l = born_year_r", "same year"),
            levels.ElseLevel(),
        ],
    )


def _family() -> Any:
    mother, father = "mother_fold_l = mother_fold_r", "father_fold_l = father_fold_r"
    number = "mother_number_l = mother_number_r or father_number_l = father_number_r or phone_l = phone_r"
    return library.CustomComparison(
        output_column_name="family",
        comparison_levels=[
            levels.CustomLevel("mother_fold_l is null and father_fold_l is null", "nothing known").configure(is_null_level=True),
            levels.CustomLevel(f"({mother}) and ({father})", "both parents"),
            levels.CustomLevel(f"(({mother}) or ({father})) and ({number})", "one parent and a number"),
            levels.CustomLevel(f"({mother}) or ({father})", "one parent"),
            levels.CustomLevel(number, "a number"),
            levels.CustomLevel("hamlet_l = hamlet_r and commune_l = commune_r", "hamlet"),
            levels.ElseLevel(),
        ],
    )  # fmt: skip


# Blocks on which expectation and maximisation run: few pairs, and every comparison is outside one of them.
FRUGAL_TRAINING = (("name_fold", "born_day"), ("mother_fold", "father_fold"))
TAUGHT_TRAINING = (("name_fold",), ("born_day",))


def _splink(
    connection: duckdb.DuckDBPyConnection,
    target: str,
    comparisons: list[Any],
    prior: float,
    blocks: Sequence[Any],
    training: Sequence[tuple[str, ...]] = FRUGAL_TRAINING,
) -> None:
    api = DuckDBAPI(connection=connection)
    inputs = [api.register(name, dataset_display_name=name) for name in (REGISTER, POPULATION)]
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="no",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=list(blocks),
        probability_two_random_records_match=prior,
    )
    linker = Linker(inputs, settings, log_level=40)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for keys in training:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*keys))
    scored = linker.inference.predict(threshold_match_probability=0.01)
    connection.execute(
        f"create table {target} as select no_l as r, arg_max(no_r, (match_weight, -no_r)) as p, max(match_probability) as chance from {scored.physical_name} group by no_l"
    )
    connection.execute(f"drop table {scored.physical_name}")


def _manual() -> list[Any]:
    exact = (
        "number",
        "sex",
        "mother_number",
        "father_number",
        "phone",
        "registration",
        "commune",
        "hamlet",
        "household",
        "ethnic",
    )
    names = [_name(f"{who}_fold", f"{who}_text") for who in ("name", "mother", "father")]
    return [*names, _born(), *(library.ExactMatch(column) for column in exact)]


def _collapsed() -> list[Any]:
    exact = ("number", "sex", "registration")
    return [
        _name("name_fold", "name_text"),
        _born(),
        _family(),
        *(library.ExactMatch(column) for column in exact),
    ]


def main() -> None:
    """Run every engine one after the other and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--profile", default="hard", choices=["default", "hard"])
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        choices=["manual", "collapsed", "collapsed_taught", "collapsed_our_blocks", "deterministic"],
    )
    chosen = parser.parse_args()
    result: dict[str, Any] = {
        "children": chosen.children,
        "profile": chosen.profile,
        "seed": SEED,
        "load": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "nation"
        generate(Order(chosen.children, SEED, chosen.profile, communes=0), folder)
        result["engine"] = {}
        with _clock(result["engine"]):
            report = match(
                folder / "register/register.parquet", folder / "population/population.parquet", Path(scratch) / "out", threads=2, memory="8GB"
            )  # fmt: skip
        reading = sum(
            stage.cpu_seconds
            for stage in report.stages
            if stage.name.startswith(("features", "open", "write"))
        )
        result["engine"]["cpu_without_reading_and_writing"] = round(
            result["engine"]["cpu_seconds"] - reading, 1
        )
        result["normalised"] = {}
        with _clock(result["normalised"]):
            connection = _normalised(folder, Path(scratch))
        connection.execute(
            f"create table ours as select f.file_row_number as r, q.file_row_number as p, l.match_probability as chance from read_parquet('{scratch}/out/links.parquet') as l"
            " join register_file as f using (record_id) join population_file as q using (person_id)"
        )
        result["engine"] |= _measure(connection, "ours", 0.95)
        recall = result["engine"]["recall"]
        people = report.rows["population"]
        blocks = [block_on(*keys) for keys in BLOCKS]
        engines: dict[str, Callable[[], None]] = {
            "deterministic": lambda: _deterministic(connection),
            "collapsed": lambda: _splink(connection, "collapsed", _collapsed(), 0.95 / people, blocks),
            "collapsed_our_blocks": lambda: _splink(
                connection, "collapsed_our_blocks", _collapsed(), 0.95 / people, OUR_BLOCKS
            ),
            "collapsed_taught": lambda: _splink(
                connection, "collapsed_taught", _collapsed(), 0.95 / people, blocks, TAUGHT_TRAINING
            ),
            "manual": lambda: _splink(connection, "manual", _manual(), 0.95 / people, blocks),
        }
        for name, engine in engines.items():
            if name in chosen.without:
                continue
            result[name] = {}
            with _clock(result[name]):
                engine()
            table = "plain" if name == "deterministic" else name
            result[name] |= _measure(connection, table, 0.95)
            result[name]["at_0.5"] = _measure(connection, table, 0.5)
            result[name]["at_equal_recall"] = _at_recall(connection, table, recall)
            # Where an engine never reaches our recall, both are compared at the recall it does reach.
            most = _measure(connection, table, 0.0)["recall"]
            result[name]["highest_recall"] = most
            result[name]["engine_at_that_recall"] = _at_recall(connection, "ours", min(most, recall))
            print(json.dumps({name: result[name]}), flush=True)
        connection.close()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
