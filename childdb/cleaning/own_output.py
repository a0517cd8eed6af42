"""Our own `records.parquet` as an input: what it says besides the 58 columns is kept, so that cleaning twice is once.

A date of which only month or year is known stands in columns of its own, and units stand as ids. Both are read back,
from the Parquet file itself or from a table somebody made of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from childdb.places.history import history
from childdb.reading.model import FileKind, FileProfile, FileReading, Outcome
from childdb.reference import export_columns

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import Path

PRECISION, YEAR, MONTH = "ngay_sinh_precision", "birth_year", "birth_month"
UNIT_IDS = ("commune_id", "province_code", "commune_id_2025")
MARKS = frozenset([PRECISION, "commune_id_2025"])
RECEIVED = "_received"
_MAGIC = b"PAR1"
_HELD = "ROW-HELD"


def is_own_output(headers: Iterable[str]) -> bool:
    """Return whether headers beside the 58 columns are those of our own records."""
    return set(headers) >= MARKS


def given_values(rows: pa.Table) -> list[Mapping[str, str]]:
    """Return per row what our own columns say; rows without them say nothing."""
    return [_parsed(text) for text in rows["_extra"].to_pylist()]


def _parsed(text: str | None) -> Mapping[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return (
        {key: value for key, value in found.items() if isinstance(value, str)}
        if isinstance(found, dict)
        else {}
    )


def partial_dates(births: pa.Array, given: list[Mapping[str, str]]) -> pa.Array:
    """Return birth dates with month and year, or the year, written in blank cells where our own columns know them."""
    filled = [
        text if text is not None else _partial(row)
        for text, row in zip(births.to_pylist(), given, strict=True)
    ]
    return pa.array(filled, pa.string())


def _partial(row: Mapping[str, str]) -> str | None:
    year, month = row.get(YEAR, "").removesuffix(".0"), row.get(MONTH, "").removesuffix(".0")
    if row.get(PRECISION) == "month" and year and month.isdigit():
        return f"{int(month):02d}/{year}"
    return year or None if row.get(PRECISION) == "year" else None


def unit_ids(found: Mapping[str, pa.Array], given: list[Mapping[str, str]]) -> dict[str, pa.Array]:
    """Return the ids of units as our own columns give them, if they are known ones; else as found."""
    known = history()
    columns: dict[str, pa.Array] = {}
    for name in UNIT_IDS:
        valid: Container[str] = (
            known.communes if name != "province_code" else {key.split("@")[0] for key in known.provinces}
        )
        own = [row.get(name) for row in given]
        columns[name] = pa.array(
            [
                mine if mine in valid else other
                for mine, other in zip(own, found[name].to_pylist(), strict=True)
            ],
            pa.string(),
        )
    return columns


def read_records(path: Path, schema: pa.Schema) -> Iterator[FileReading] | None:
    """Return the files whose cleaned rows a `records.parquet` holds, each as a reading; None for any other file."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return None
    try:
        source = pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        return None
    return _files(source, path.name) if source.schema_arrow.equals(schema) else None


def _files(source: pq.ParquetFile, name: str) -> Iterator[FileReading]:
    held: list[pa.Table] = []
    current: str | None = None
    for batch in source.iter_batches():
        table = pa.Table.from_batches([batch])
        hashes = table["file_sha256"].to_pylist()
        start = 0
        for place in range(1, len(hashes) + 1):
            if place < len(hashes) and hashes[place] == hashes[start]:
                continue
            if held and hashes[start] != current:
                yield _reading(pa.concat_tables(held), name)
                held = []
            current = hashes[start]
            held.append(table.slice(start, place - start))
            start = place
    if held:
        yield _reading(pa.concat_tables(held), name)


def _reading(records: pa.Table, name: str) -> FileReading:
    columns = {column: _as_text(records[column], column) for column in export_columns()}
    given = records.select([PRECISION, YEAR, MONTH, *UNIT_IDS]).to_pylist()
    extra = [
        json.dumps({key: str(value) for key, value in row.items() if value is not None}, ensure_ascii=False)
        for row in given
    ]
    reasons = [_HELD if outcome == "quarantined" else None for outcome in records["outcome"].to_pylist()]
    columns |= {
        "sheet": records["sheet"],
        "row_no": records["row_no"],
        "row_reason": pa.array(reasons, pa.string()),
        "_extra": pa.array(extra, pa.string()),
    }
    received = {RECEIVED + column: records[f"{column}_raw"] for column in export_columns()}
    present = tuple(
        column for column in export_columns() if records[f"{column}_raw"].null_count < records.num_rows
    )
    profile = FileProfile(kind=FileKind.UNKNOWN, columns_present=present, unmapped_headers=tuple(sorted(MARKS)),
                          stated_ethnic_list="tctk_1979")  # fmt: skip
    rows = pa.table(columns | received)
    return FileReading(
        name, records["file_sha256"][0].as_py(), Outcome.ACCEPT, None, rows.num_rows, 0, rows, [], profile
    )


def _as_text(column: pa.ChunkedArray, name: str) -> pa.Array | pa.ChunkedArray:
    """Return a column as text; a list of no circumstances says that there are none."""
    if name != "hoan_canh_dac_biet":
        return column
    texts = [None if codes is None else "; ".join(codes) or "không" for codes in column.to_pylist()]
    return pa.array(texts, pa.string())
