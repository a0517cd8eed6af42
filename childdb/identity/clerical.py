"""A sample of links for people to look at, drawn by strata, and what their answers say of all links."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from childdb.errors import InputRefusedError
from childdb.identity.intervals import Interval, wilson

# Bands of the posterior: the doubtful ones are looked at more closely than their number would ask for.
BANDS = (0.2, 0.5, 0.8, 0.95, 0.99, 0.999, 0.9999)
COLUMNS = ("record_id", "person_id", "stratum", "rows_in_stratum", "match_probability", "rule_id", "answer")
_ANSWERS = {"same": 1, "different": 0}


@dataclass(frozen=True)
class StratumResult:
    """What the answers say of one stratum."""

    rows: int
    looked_at: int
    precision: Interval


@dataclass(frozen=True)
class ClericalResult:
    """Precision of the accepted links, as a whole and by stratum."""

    precision: Interval
    strata: Mapping[str, StratumResult]
    open_answers: int


def draw_sample(links: Path, out: Path, *, per_stratum: int = 50, seed: int = 1) -> int:
    """Write a sample of the links given (accepted and in review) as CSV, the same one for the same seed; return its rows."""
    band = " ".join(f"when match_probability < {high} then 'p<{high}'" for high in BANDS[1:])
    path = str(links).replace("'", "''")
    rows = (
        duckdb.connect()
        .execute(
            f"with banded as (select *, decision || ' ' || case {band} else 'p>={BANDS[-1]}' end || ' ' || case when starts_with(rule_id, 'strong') then 'strong' else rule_id end as stratum"
            f" from read_parquet('{path}') where decision <> 'none'),"
            " placed as (select *, count(*) over (partition by stratum) as rows_in_stratum,"
            f" row_number() over (partition by stratum order by hash(record_id || '#{int(seed)}'), record_id) as place from banded)"
            " select record_id, person_id, stratum, rows_in_stratum, match_probability, rule_id, '' as answer from placed"
            f" where place <= {int(per_stratum)} order by stratum, place"
        )
        .fetchall()
    )
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


def estimate(sample: Path) -> ClericalResult:
    """Return precision with intervals from a sample whose column ``answer`` holds 'same' or 'different'."""
    with sample.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or set(COLUMNS) - set(rows[0]):
        raise InputRefusedError(
            f"The sample does not have its columns; expected {', '.join(COLUMNS)}. Take the file 'childdb link sample' wrote and fill in 'answer'.",
            "Tệp mẫu không đúng cột. Hãy dùng tệp do 'childdb link sample' tạo và điền cột 'answer'.",
        )
    wrong = sum(row["answer"].strip() not in {*_ANSWERS, ""} for row in rows)
    if wrong:
        raise InputRefusedError(
            f"{wrong} answers of the sample are neither 'same' nor 'different' nor empty. Correct them and repeat.",
            f"{wrong} câu trả lời không phải 'same' hoặc 'different'. Hãy sửa rồi chạy lại.",
        )
    strata: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        strata.setdefault(row["stratum"], []).append(row)
    results = {name: _stratum(members) for name, members in sorted(strata.items())}
    accepted = {name: item for name, item in results.items() if name.startswith("accepted ")}
    return ClericalResult(_whole(accepted), results, sum(not row["answer"].strip() for row in rows))


def _stratum(rows: list[dict[str, str]]) -> StratumResult:
    answers = [_ANSWERS[row["answer"].strip()] for row in rows if row["answer"].strip()]
    return StratumResult(int(rows[0]["rows_in_stratum"]), len(answers), wilson(sum(answers), len(answers)))


def _whole(strata: Mapping[str, StratumResult]) -> Interval:
    """Return the share over all strata; their intervals are joined as independent errors on either side."""
    total = sum(item.rows for item in strata.values())
    if not total:
        return Interval(0.0, 0.0, 1.0)
    weight = {name: item.rows / total for name, item in strata.items()}
    share = sum(weight[name] * item.precision.share for name, item in strata.items())
    below = math.sqrt(
        sum((weight[n] * (i.precision.share - i.precision.low)) ** 2 for n, i in strata.items())
    )
    above = math.sqrt(
        sum((weight[n] * (i.precision.high - i.precision.share)) ** 2 for n, i in strata.items())
    )
    return Interval(share, max(0.0, share - below), min(1.0, share + above))
