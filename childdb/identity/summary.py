"""Counts over the files a run has written."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq


def count_decisions(links: Path) -> dict[str, int]:
    """Return how many rows were accepted, sent to review and left alone."""
    counted = {"accepted": 0, "review": 0, "none": 0}
    for batch in pq.ParquetFile(links).iter_batches(columns=["decision"]):
        for item in pc.value_counts(batch.column(0)).to_pylist():
            counted[item["values"]] += item["counts"]
    return counted


def count_children(persons: Path) -> int:
    """Return how many children the rows are: a child's label is its own smallest row."""
    children = 0
    for batch in pq.ParquetFile(persons).iter_batches():
        children += int(pc.sum(pc.equal(batch.column("record_id"), batch.column("child_id"))).as_py() or 0)
    return children
