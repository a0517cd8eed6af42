"""A small synthetic nation in two profiles, matched once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from childdb.identity import MatchReport, match
from childdb.sandbox.generate import Order, generate


@dataclass(frozen=True)
class Matched:
    """One matched nation: where the inputs are, what came out, who is who."""

    register: Path
    population: Path
    out: Path
    report: MatchReport
    links: list[dict]
    persons: dict[str, str]
    truth: dict[str, dict]


def _matched(folder: Path, profile: str, seed: int) -> Matched:
    generate(Order(children=6000, seed=seed, profile=profile, communes=0), folder)
    register, population = folder / "register/register.parquet", folder / "population/population.parquet"
    report = match(register, population, folder / "out", threads=2, memory="1GB")
    links = pq.read_table(folder / "out/links.parquet").to_pylist()
    persons = pq.read_table(folder / "out/persons.parquet").to_pylist()
    truth = pq.read_table(folder / "truth/links.parquet").to_pylist()
    return Matched(
        register,
        population,
        folder / "out",
        report,
        links,
        {row["record_id"]: row["child_id"] for row in persons},
        {row["record_id"]: row for row in truth},
    )


@pytest.fixture(scope="session")
def default_nation(tmp_path_factory: pytest.TempPathFactory) -> Matched:
    return _matched(tmp_path_factory.mktemp("default"), "default", 901)


@pytest.fixture(scope="session")
def hard_nation(tmp_path_factory: pytest.TempPathFactory) -> Matched:
    return _matched(tmp_path_factory.mktemp("hard"), "hard", 902)
