"""The engine under a second rules file: Febrl 4 with the number withheld."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from childdb.identity import match

HERE = Path(__file__).with_name("febrl4")
WITHHELD = "soc_sec_id"


def _parquet(source: Path, target: Path) -> Path:
    with source.open(encoding="utf-8", newline="") as stream:
        rows = [
            {name.strip(): value.strip() or None for name, value in row.items()}
            for row in csv.DictReader(stream)
        ]
    table = {name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0] if name != WITHHELD}
    pq.write_table(pa.table(table), target)
    return target


def test_febrl4_without_its_number(tmp_path: Path) -> None:
    first = _parquet(HERE / "dataset4a.csv", tmp_path / "a.parquet")
    second = _parquet(HERE / "dataset4b.csv", tmp_path / "b.parquet")
    match(first, second, tmp_path / "out", rules=HERE / "rules.yml", threads=2, memory="1GB")
    links = [
        row
        for row in pq.read_table(tmp_path / "out/links.parquet").to_pylist()
        if row["decision"] == "accepted"
    ]
    right = sum(row["record_id"].split("-")[1] == row["person_id"].split("-")[1] for row in links)
    assert right / len(links) >= 0.9998
    assert right / 5000 >= 0.999
