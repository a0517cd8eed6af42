"""The same bytes for any order of the input, any number of threads, any limit of memory, and under a frozen model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from childdb.identity import match

FILES = ("links.parquet", "persons.parquet")


def _digests(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES]


def _shuffled(source: Path, target: Path) -> Path:
    table = pq.read_table(source)
    order = np.random.default_rng(7).permutation(len(table))
    pq.write_table(table.take(pa.array(order)), target, row_group_size=997)
    return target


def test_shuffled_input_one_thread_little_memory(hard_nation, tmp_path: Path) -> None:
    register = _shuffled(hard_nation.register, tmp_path / "r.parquet")
    population = _shuffled(hard_nation.population, tmp_path / "p.parquet")
    match(register, population, tmp_path / "out", threads=1, memory="400MB")
    assert _digests(tmp_path / "out") == _digests(hard_nation.out)
    assert (tmp_path / "out/model.json").read_bytes() == (hard_nation.out / "model.json").read_bytes()


def test_frozen_model_gives_the_same_decisions(default_nation, tmp_path: Path) -> None:
    match(
        default_nation.register,
        default_nation.population,
        tmp_path,
        threads=2,
        memory="1GB",
        model=default_nation.out / "model.json",
    )
    assert _digests(tmp_path) == _digests(default_nation.out)
    assert not (tmp_path / ".scratch").exists()
