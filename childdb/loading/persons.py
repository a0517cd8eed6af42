"""The population extract into its raw and clean tables, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import Connection
from pyarrow import csv as pa_csv

from childdb.contracts import source_table
from childdb.errors import ContractError, InputRefusedError
from childdb.flow.exchange import copy_table
from childdb.loading.ledger import RowCounts, lock_batch, record_judgement, record_reading
from connectors.population import read_messages

TABLE = "raw.population__persons"
BATCH_ROWS = 200_000
REQUIRED = ("person_id", "full_name", "birth_date", "sex")
PARQUET_MAGIC = b"PAR1"

CLEAN = """
insert into clean.population__persons
select
    _batch_id, person_id,
    case when btrim(personal_id_no) ~ '^[0-9]{12}$' then btrim(personal_id_no) end,
    full_name,
    case when sex in ('1', '2') then sex end,
    case when birth_date ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then birth_date::date end,
    ethnic_group_text, province_code, commune_code, hamlet_name, household_no, mother_name, mother_personal_id_no,
    father_name, father_personal_id_no, phone_no, birth_registration_no, status
from raw.population__persons
where _batch_id = %s
"""


def load_extract(connection: Connection, batch_id: str, path: Path) -> RowCounts | None:
    """Load an extract (Parquet or CSV, by its content) and return its counts.

    Raises:
        InputRefusedError: the file is neither, or lacks a required column.
    """
    if not lock_batch(connection, batch_id, "landed"):
        return None
    connection.execute("delete from raw.population__persons where _batch_id = %s", [batch_id])
    header_rows, batches = _open(path)
    rows = 0
    for batch in batches:
        rows += copy_table(connection, TABLE, _raw_rows(batch_id, batch, rows))
    counts = RowCounts(rows + header_rows, header_rows, rows, 0, 0)
    record_reading(connection, batch_id, counts, "accept" if rows else "quarantine_file", None, {})
    return counts


def _open(path: Path) -> tuple[int, Iterator[pa.Table]]:
    with open(path, "rb") as file:
        head = file.read(64)
    is_parquet = head.startswith(PARQUET_MAGIC)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return 0, read_messages(path)
    try:
        if is_parquet:
            source = pq.ParquetFile(path)
            _require(source.schema_arrow.names)
            return 0, (pa.Table.from_batches([batch]) for batch in source.iter_batches(BATCH_ROWS))
        names = _csv_names(path)
        _require(names)
        types = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
        )
        reader = pa_csv.open_csv(path, convert_options=types)
        return 1, (pa.Table.from_batches([batch]) for batch in reader)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise InputRefusedError(
            "The population extract is neither Parquet, CSV in UTF-8 nor a population message. Ask its sender for one of them.",
            "Tệp dữ liệu dân cư không phải Parquet, CSV (UTF-8) hoặc gói tin dân cư. Hãy đề nghị bên gửi xuất lại.",
        ) from None


def _csv_names(path: Path) -> list[str]:
    with open(path, encoding="utf-8-sig") as file:
        return [name.strip().strip('"') for name in file.readline().rstrip("\r\n").split(",")]


def _require(names: list[str]) -> None:
    missing = sorted(set(REQUIRED) - set(names))
    if missing:
        raise ContractError(
            f"The population extract lacks the columns {', '.join(missing)}. "
            "docs/sources/population.md lists what it has to hold.",
        )


def _raw_rows(batch_id: str, batch: pa.Table, offset: int) -> pa.Table:
    count = batch.num_rows
    wanted = source_table("raw_population", "population__persons").column_names
    own = {
        "_batch_id": pa.array([batch_id] * count, pa.string()),
        "_row_no": pa.array(range(offset + 1, offset + count + 1), pa.int32()),
    }
    nothing = pa.nulls(count, pa.string())
    columns = [
        own[name]
        if name in own
        else batch.column(name).cast(pa.string())
        if name in batch.column_names
        else nothing
        for name in wanted
    ]
    return pa.table(columns, names=list(wanted))


def clean_extract(connection: Connection, batch_id: str) -> None:
    """Type a loaded extract, date it by its newest birth and let it take the place of an older one."""
    connection.execute("delete from clean.population__persons where _batch_id = %s", [batch_id])
    connection.execute(CLEAN, [batch_id])
    row = connection.execute(
        "select count(*), max(birth_date) from clean.population__persons where _batch_id = %s", [batch_id]
    ).fetchone()
    rows, newest = row or (0, None)
    record_judgement(
        connection,
        batch_id,
        outcome="accept",
        reason_code=None,
        accepted=rows,
        quarantined=0,
        file_date=newest,
        sender_commune_id=None,
    )
    supersede_older_extracts(connection)


def supersede_older_extracts(connection: Connection) -> None:
    """Let the newest extract stand for the population, whatever the order of arrival."""
    connection.execute(
        "with newest as (select batch_id from ops.batches where dataset = 'population__persons' and status = 'judged' "
        "order by file_date desc, file_sha256 desc limit 1) "
        "update ops.batches as b set superseded_by = nullif(newest.batch_id, b.batch_id) from newest "
        "where b.dataset = 'population__persons' and b.status = 'judged' "
        "and b.superseded_by is distinct from nullif(newest.batch_id, b.batch_id)"
    )
