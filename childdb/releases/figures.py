"""The released figures as files: CSV and Parquet with the same bytes for the same figures anywhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from psycopg import Connection, sql

KINDS = {"numerator": pa.int64(), "denominator": pa.int64(), "value": pa.float64(), "coverage": pa.float64()}
COLUMNS = (
    "release_id cell_id indicator_set indicator_code definition_version period geography area_level area_code sex "
    "age_group ethnic_group breakdown numerator denominator value unit status coverage"
).split()
SCHEMA = pa.schema([pa.field(name, KINDS.get(name, pa.string())) for name in COLUMNS])
"""Released figures as the contract words them, in its order."""
BLOCK_BYTES = 8 * 1024**2
EXPORT = """
copy (
    select
        release_id, cell_id, indicator_set, indicator_code, definition_version, period, geography,
        area_level, area_code, sex, age_group, ethnic_group, breakdown, numerator, denominator,
        case when denominator is null and value = trunc(value) then trunc(value) else value end as value,
        unit, status, coverage
    from marts.agg_release_figures
    where release_id = {release}
    order by
        indicator_set collate "C", indicator_code collate "C", geography collate "C",
        array_position(array['nation', 'province', 'district', 'commune'], area_level),
        area_code collate "C", breakdown collate "C", sex collate "C", age_group collate "C",
        ethnic_group collate "C", cell_id collate "C"
) to stdout with (format csv, header true, encoding 'UTF8')
"""


def write_csv(connection: Connection, release_id: str, path: Path) -> int:
    """Write the figures of a release in their fixed order and return how many there are."""
    statement = sql.SQL(EXPORT).format(release=sql.Literal(release_id))
    lines = 0
    with open(path, "wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            data = bytes(block)
            lines += data.count(b"\n")
            file.write(data)
    return lines - 1


def write_parquet(csv_path: Path, path: Path) -> None:
    """Write the figures of a CSV as Parquet; blocks and order are fixed, so the bytes are too."""
    read = pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
    convert = pa_csv.ConvertOptions(
        column_types=SCHEMA, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=False
    )
    with (
        pa_csv.open_csv(csv_path, read_options=read, convert_options=convert) as reader,
        pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer,
    ):
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]))
