"""Counts over the files a run has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq


def count_decisions(links: Path) -> dict[str, int]:
    """Return how many rows were accepted, sent to review and left alone."""
    counted = {"accepted": 0, "review": 0, "none": 0}
    for batch in pq.ParquetFile(links).iter_batches(columns=["decision"]):
        for name in counted:
            counted[name] += _true(pc.equal(batch.column(0), name))
    return counted


def _true(values: Any) -> int:
    return int(values.true_count)


def count_children(persons: Path) -> int:
    """Return how many children the rows are: a child's label is its own smallest row."""
    return sum(
        _true(pc.equal(batch.column("record_id"), batch.column("child_id")))
        for batch in pq.ParquetFile(persons).iter_batches()
    )
