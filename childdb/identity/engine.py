"""The run from two Parquet files to links and persons: features, training, strong keys, residual, decisions, outputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from childdb.errors import ConfigurationError, EnvironmentFailedError
from childdb.identity import (
    assignment,
    children,
    deduplication,
    features,
    frequency,
    outputs,
    sampling,
    store,
    summary,
)
from childdb.identity.candidates import Search, WholePopulation
from childdb.identity.decisions import Decision, hold_apart, pin
from childdb.identity.inputs import InputFile, open_input
from childdb.identity.key_store import write_keys
from childdb.identity.macros import create_macros
from childdb.identity.model import Model, read_model, write_model
from childdb.identity.progress import Progress, Stage
from childdb.identity.rules import Rules
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
    keep: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> MatchReport:
    """Match a register with a population extract and write links, persons, report and model into ``out``.

    With ``keep``, everything later increments need is kept there.
    """
    loaded = load_rules(rules)
    frozen = read_model(model, loaded) if model else None
    out.mkdir(parents=True, exist_ok=True)
    scratch = (keep or out) / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    connection = open_database(scratch / "work.duckdb", scratch / "spill", threads, memory)
    run = _Run(connection, loaded, out, Progress(tell or (lambda text: None)), {}, [])
    try:
        report = _match(run, register, population, frozen, decisions)
        if keep:
            _keep(run, keep, report)
        return report
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        kind = "memory" if isinstance(error, duckdb.OutOfMemoryException) else "disk"
        raise EnvironmentFailedError(
            f"Matching ran out of {kind} (limit {memory}). Give more with --memory or free the disk of the output folder, then repeat the same command.",
            "Máy hết bộ nhớ hoặc dung lượng đĩa khi ghép dữ liệu. Hãy tăng --memory hoặc giải phóng đĩa rồi chạy lại.",
        ) from None
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)


def open_database(path: Path, spill: Path, threads: int | None, memory: str) -> duckdb.DuckDBPyConnection:
    """Return a database of our own that honours the limit of memory and spills beyond it."""
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads:
        settings["threads"] = threads
    try:
        connection = duckdb.connect(str(path), config=settings)
    except duckdb.Error:
        raise ConfigurationError(
            "The memory limit or the number of threads is not understood; write for example --memory 12GB --threads 2."
        ) from None
    connection.execute("set preserve_insertion_order = false")
    # Packing texts so tightly costs more processor time, in writing and in reading, than the disk it saves is worth.
    connection.execute("set disabled_compression_methods = 'fsst,dict_fsst,zstd'")
    create_macros(connection)
    return connection


def _match(
    run: _Run, register: Path, population: Path, frozen: Model | None, decided: Sequence[Decision]
) -> MatchReport:
    inputs = _open(run, register, population)
    _features(run, register, population)
    model = frozen or _train(run)
    run.pairs["pinned"] = pin(run.connection, run.rules, model, decided)
    _search(run, model)
    with run.progress.stage("decide"):
        model = assignment.assign(run.connection, run.rules, model)
        write_model(model, run.out / "model.json")
        run.pairs["kept_apart"] = hold_apart(run.connection, run.rules)
    with run.progress.stage("duplicates"):
        joined = deduplication.join_duplicates(run.connection, run.rules, model)
        children.label(run.connection, run.rules)
    run.pairs["joined_without_person"], run.pairs["joins_refused"] = joined.joined, joined.refused
    run.blocks += [{"stage": "duplicates", **asdict(item)} for item in joined.blocks]
    with run.progress.stage("write"):
        outputs.write_links(run.connection, run.rules, model, run.out / "links.parquet")
        outputs.write_persons(run.connection, run.rules, run.out / "persons.parquet")
    return _report(run, inputs, model)


def _keep(run: _Run, folder: Path, report: MatchReport) -> None:
    """Leave features, pairs, claims and keys of the people behind for increments; the database comes last, as the sign of a whole store."""
    with run.progress.stage("keep"):
        store.keep_names(run.connection, run.rules)
        store.keep_inputs(run.connection, {name: str(item["sha256"]) for name, item in report.inputs.items()})
        for name, values in features.known_numbers(run.connection, run.rules).items():
            np.save(folder / f"numbers.{name}.npy", values)
        write_keys(run.connection, run.rules, folder / "keys")
        shutil.copyfile(run.out / "model.json", folder / "model.json")
        run.connection.execute("checkpoint")
        run.connection.close()
        (folder / ".scratch/work.duckdb").replace(folder / store.DATABASE)


def _open(run: _Run, register: Path, population: Path) -> dict[str, InputFile]:
    with run.progress.stage("open"):
        return {
            "register": open_input(run.connection, register, run.rules.register, features.REGISTER),
            "population": open_input(run.connection, population, run.rules.population, features.POPULATION),
        }


def _features(run: _Run, register: Path, population: Path) -> None:
    words = features.WordReader(run.rules)
    with run.progress.stage("features_population"):
        features.FeatureMaker(run.connection, run.rules, words, features.POPULATION).make(
            population, "population"
        )
    with run.progress.stage("features_register"):
        numbers = features.known_numbers(run.connection, run.rules)
        features.FeatureMaker(run.connection, run.rules, words, features.REGISTER).make(
            register, "register", numbers
        )
    words.close()
    with run.progress.stage("frequencies"):
        frequency.count_values(run.connection, run.rules)
        frequency.weigh_values(run.connection, run.rules, "population")


def _train(run: _Run) -> Model:
    with run.progress.stage("train"):
        data, blocks = sampling.draw(run.connection, run.rules)
        run.pairs["training"] = len(data.candidates.rows)
        run.blocks += [{"stage": "training", **asdict(item)} for item in blocks]
        return learn(run.rules, data)


def _search(run: _Run, model: Model) -> None:
    """Make ``settled`` and ``scored`` for every row of the register."""
    search = Search(run.connection, run.rules, model, WholePopulation(run.connection))
    for strong in run.rules.strong_keys:
        with run.progress.stage(f"strong_{strong.name}"):
            run.pairs[f"strong_{strong.name}"] = search.settle(strong)
    with run.progress.stage("residual_block"):
        rows, pairs, blocks = search.find()
        run.blocks += [{"stage": "residual", **asdict(item)} for item in blocks]
        run.pairs["residual_rows"], run.pairs["residual"] = rows, pairs
    with run.progress.stage("residual_score"):
        search.score()


def _report(run: _Run, inputs: dict[str, InputFile], model: Model) -> MatchReport:
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
        learnt={
            "duplicate": model.duplicate,
            "counterpart": model.counterpart,
            "relatives": model.relatives,
        },
        folder=run.out,
    )
    (run.out / "report.json").write_text(
        json.dumps(report.document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return report
