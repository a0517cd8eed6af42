"""One million clean rows, every element of minority names among them: what the step changes or finds though it should not.

python -m bench.clean_rows --rows 1000000 --json
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from typing import Any

import pyarrow.compute as pc

from bench.invented import Nation, reading_of
from childdb.cleaning import clean

KEPT = (
    "ho_ten_tre", "ho_ten_me", "ho_ten_cha", "ho_ten_chu_ho", "so_dinh_danh", "so_dinh_danh_me", "xa", "huyen", "tinh",
    "thon", "dia_chi", "noi_sinh", "lop", "truong", "ma_ho", "ma_tre", "dien_thoai_me", "nam_sinh_me", "nam_sinh_cha",
    "can_nang", "chieu_cao",
)  # fmt: skip


def measure(count: int, number: int, part: int = 50_000) -> dict[str, Any]:
    """Return changed cells by column and findings by rule over clean rows."""
    changed: Counter[str] = Counter()
    found: Counter[str] = Counter()
    start, rows_done, place = time.process_time(), 0, 0
    while rows_done < count:
        nation = Nation(number + place)
        size = min(part, count - rows_done)
        rows = [nation.child(rows_done + n, minority=n % 2 == 1) for n in range(size)]
        cleaned = clean(reading_of(rows), as_of=None)
        _count(rows, cleaned, changed, found)
        rows_done, place = rows_done + size, place + 1
    cells = count * len(KEPT)
    return {
        "rows": rows_done, "compared_cells": cells, "changed_cells": dict(changed), "findings": dict(found),
        "changed_per_100000_rows": round(sum(changed.values()) * 100_000 / count, 3),
        "findings_per_100000_rows": round(sum(found.values()) * 100_000 / count, 3),
        "processor_seconds": round(time.process_time() - start, 1),
    }  # fmt: skip


def _count(rows: list[dict[str, Any]], cleaned: Any, changed: Counter[str], found: Counter[str]) -> None:
    records = cleaned.records
    for name in KEPT:
        count = pc.sum(pc.not_equal(records[name].fill_null(""), records[f"{name}_raw"])).as_py() or 0
        changed.update({name: count} if count else {})
    expected = {
        "ngay_sinh": [row["_birth"].isoformat() for row in rows],
        "gioi_tinh": [row["_sex"] for row in rows],
        "commune_id": [row["_unit"] for row in rows],
    }
    for name, wanted in expected.items():
        count = sum(got != want for got, want in zip(records[name].to_pylist(), wanted, strict=True))
        changed.update({name: count} if count else {})
    # That a divided unit stays undecided is no false finding: it is what the register has to be told.
    found.update(rule for rule in cleaned.findings["rule_id"].to_pylist() if rule != "PLACE-003")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    answer = measure(arguments.rows, arguments.seed)
    print(json.dumps(answer, ensure_ascii=False, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
