"""The run from two Parquet files to links and persons: features, training, strong keys, residual, decisions, outputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from childdb.errors import ConfigurationError, EnvironmentFailedError
from childdb.identity import (
    assignment,
    blocking,
    comparison,
    deduplication,
    features,
    frequency,
    outputs,
    sampling,
    scoring,
    summary,
)
from childdb.identity.decisions import Decision, bar, pin
from childdb.identity.inputs import InputFile, open_input
from childdb.identity.macros import create_macros
from childdb.identity.model import Model, read_model, write_model
from childdb.identity.progress import Progress, Stage
from childdb.identity.rules import Rules, StrongKey
from childdb.identity.rules_file import load_rules
from childdb.identity.training import learn


@dataclass(frozen=True)
class MatchReport:
    """What a run found; the same content is in ``report.json``."""

    rows: dict[str, int]
    decisions: dict[str, int]
    children: int
    pairs: dict[str, int]
    blocks: list[dict[str, Any]]
    stages: tuple[Stage, ...]
    versions: dict[str, str]
    inputs: dict[str, dict[str, Any]]
    learnt: dict[str, float]
    folder: Path

    def document(self) -> dict[str, Any]:
        """Return the report as plain values."""
        content = asdict(self)
        content.pop("folder")
        return content


@dataclass
class _Run:
    """What the stages of one run share."""

    connection: duckdb.DuckDBPyConnection
    rules: Rules
    out: Path
    progress: Progress
    pairs: dict[str, int]
    blocks: list[dict[str, Any]]

    def count(self, table: str) -> int:
        return int(self.connection.execute(f"select count(*) from {table}").fetchall()[0][0])

    def drop(self, *tables: str) -> None:
        for name in tables:
            self.connection.execute(f"drop table if exists {name}")


def match(
    register: Path,
    population: Path,
    out: Path,
    *,
    threads: int | None = None,
    memory: str = "12GB",
    rules: Path | None = None,
    model: Path | None = None,
    decisions: Sequence[Decision] = (),
    tell: Callable[[str], None] | None = None,
) -> MatchReport:
    """Match a register with a population extract and write links, persons, report and model into ``out``."""
    loaded = load_rules(rules)
    frozen = read_model(model, loaded) if model else None
    out.mkdir(parents=True, exist_ok=True)
    scratch = out / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    connection = _connect(scratch, threads, memory)
    run = _Run(connection, loaded, out, Progress(tell or (lambda text: None)), {}, [])
    try:
        return _match(run, register, population, frozen, decisions)
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        kind = "memory" if isinstance(error, duckdb.OutOfMemoryException) else "disk"
        raise EnvironmentFailedError(
            f"Matching ran out of {kind} (limit {memory}). Give more with --memory or free the disk of the output folder, then repeat the same command.",
            "Máy hết bộ nhớ hoặc dung lượng đĩa khi ghép dữ liệu. Hãy tăng --memory hoặc giải phóng đĩa rồi chạy lại.",
        ) from None
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _connect(scratch: Path, threads: int | None, memory: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads:
        settings["threads"] = threads
    try:
        connection = duckdb.connect(str(scratch / "work.duckdb"), config=settings)
    except duckdb.Error:
        raise ConfigurationError(
            "The memory limit or the number of threads is not understood; write for example --memory 12GB --threads 2."
        ) from None
    connection.execute("set preserve_insertion_order = false")
    create_macros(connection)
    return connection


def _match(
    run: _Run, register: Path, population: Path, frozen: Model | None, decided: Sequence[Decision]
) -> MatchReport:
    inputs = _open(run, register, population)
    _features(run)
    model = frozen or _train(run)
    write_model(model, run.out / "model.json")
    run.pairs["pinned"] = pin(run.connection, run.rules, model, decided)
    _rest(run)
    for strong in run.rules.strong_keys:
        with run.progress.stage(f"strong_{strong.name}"):
            _settle(run, model, strong)
    _residual(run, model)
    with run.progress.stage("decide"):
        learnt = assignment.assign(run.connection, run.rules, model)
    with run.progress.stage("duplicates"):
        joined = deduplication.join_duplicates(run.connection, run.rules, model, learnt["duplicate"])
    run.pairs["joined_without_person"], run.pairs["joins_refused"] = joined.joined, joined.refused
    run.blocks += [{"stage": "duplicates", **asdict(item)} for item in joined.blocks]
    with run.progress.stage("write"):
        outputs.write_links(run.connection, run.rules, model, run.out / "links.parquet")
        outputs.write_persons(run.connection, run.rules, run.out / "persons.parquet")
    return _report(run, inputs, model, learnt)


def _open(run: _Run, register: Path, population: Path) -> dict[str, InputFile]:
    with run.progress.stage("open"):
        return {
            "register": open_input(run.connection, register, run.rules.register, features.REGISTER),
            "population": open_input(run.connection, population, run.rules.population, features.POPULATION),
        }


def _features(run: _Run) -> None:
    with run.progress.stage("read_words"):
        features.build_dictionaries(run.connection, run.rules)
    with run.progress.stage("features_population"):
        features.build_features(run.connection, run.rules, features.POPULATION, "population")
    with run.progress.stage("features_register"):
        features.build_features(run.connection, run.rules, features.REGISTER, "register")
        features.drop_dictionaries(run.connection, run.rules)
    with run.progress.stage("frequencies"):
        frequency.count_values(run.connection, run.rules)
        frequency.add_frequencies(run.connection, run.rules, "population", "population_weighed")
        run.drop("population")
        run.connection.execute("alter table population_weighed rename to population")


def _train(run: _Run) -> Model:
    with run.progress.stage("train"):
        data, blocks = sampling.draw(run.connection, run.rules)
        run.pairs["training"] = len(data.candidates.rows)
        run.blocks += [{"stage": "training", **asdict(item)} for item in blocks]
        return learn(run.rules, data)


def _rest(run: _Run) -> None:
    """Make the view of rows that nothing has settled yet."""
    run.connection.execute(
        "create or replace view residual as select * from register where no not in (select r from settled)"
    )


def _settle(run: _Run, model: Model, strong: StrongKey) -> None:
    """Accept the rows whose strong key one person alone has, if levels and odds leave no doubt."""
    connection = run.connection
    blocking.collect_single(connection, strong, "residual", "population", "strong_pairs")
    bar(connection, "strong_pairs")
    comparison.compare_pairs(
        connection, run.rules, "strong_pairs", "register", "population", "strong_compared"
    )
    scoring.score(connection, run.rules, model, "strong_compared", "strong_scored")
    least = round(run.rules.strong_bits * 1000)
    connection.execute(
        f"insert into settled select c.*, 'strong_{strong.name}' as rule from strong_scored as c"
        f" where odds >= {least} and {scoring.in_levels_sql(run.rules, dict(strong.only))}"
    )
    _rest(run)
    run.pairs[f"strong_{strong.name}"] = run.count("strong_pairs")
    run.drop("strong_pairs", "strong_compared", "strong_scored")


def _residual(run: _Run, model: Model) -> None:
    with run.progress.stage("residual_block"):
        run.connection.execute("create or replace table open_residual as select * from residual")
        blocks = blocking.collect_pairs(
            run.connection, run.rules, "open_residual", "population", "residual_pairs"
        )
        bar(run.connection, "residual_pairs")
        run.blocks += [{"stage": "residual", **asdict(item)} for item in blocks]
        run.pairs["residual_rows"], run.pairs["residual"] = (
            run.count("open_residual"),
            run.count("residual_pairs"),
        )
    with run.progress.stage("residual_score"):
        comparison.compare_pairs(
            run.connection, run.rules, "residual_pairs", "open_residual", "population", "residual_compared"
        )
        scoring.score(run.connection, run.rules, model, "residual_compared", "scored")
        run.drop("residual_pairs", "residual_compared", "open_residual")


def _report(run: _Run, inputs: dict[str, InputFile], model: Model, learnt: dict[str, float]) -> MatchReport:
    report = MatchReport(
        rows={name: item.rows for name, item in inputs.items()},
        decisions=summary.count_decisions(run.out / "links.parquet"),
        children=summary.count_children(run.out / "persons.parquet"),
        pairs=run.pairs,
        blocks=run.blocks,
        stages=tuple(run.progress.stages),
        versions={
            "rules": run.rules.version,
            "rules_sha256": run.rules.sha256,
            "model": model.version,
            "duckdb": duckdb.__version__,
        },
        inputs={name: asdict(item) for name, item in inputs.items()},
        learnt={**learnt, "counterpart": model.counterpart, "relatives": model.relatives},
        folder=run.out,
    )
    (run.out / "report.json").write_text(
        json.dumps(report.document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return report
