"""Two homes of released figures: the database's publication schema, and the files of the releases."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.rows import dict_row

from childdb.errors import EnvironmentFailedError
from childdb.portal.figures import COLUMNS, Figure, FigureQuery, make_figure, sort_figures

RELATION = sql.Identifier("publication", "pub_figures_v1")


class PostgresFigureStore:
    """Figures of the view ``publication.pub_figures_v1``, read with the rights of the portal's own login."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect

    def find(self, query: FigureQuery) -> list[Figure]:
        wanted = query.equalities()
        tests = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in wanted]
        values: list[object] = list(wanted.values())
        if query.area_codes:
            tests.append(sql.SQL("area_code = any({})").format(sql.Placeholder()))
            values.append(list(query.area_codes))
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in COLUMNS)
        statement = sql.SQL("select {} from {} where {}").format(
            columns, RELATION, sql.SQL(" and ").join(tests)
        )
        return sort_figures([make_figure(row) for row in self._rows(statement, values)])

    def check(self) -> None:
        self._rows(sql.SQL("select 1 as one from {} limit 1").format(RELATION), [])

    def _rows(self, statement: sql.Composed, values: list[object]) -> list[dict[str, object]]:
        try:
            with self._connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
                cursor.execute("set transaction read only")
                return cursor.execute(statement, values).fetchall()
        except psycopg.Error:
            raise EnvironmentFailedError(
                "The published figures cannot be read from the database. Start it with 'make up', then load the page again.",
                "Không đọc được số liệu đã công bố từ cơ sở dữ liệu. Hãy chạy 'make up' rồi tải lại trang.",
            ) from None


class ParquetFigureStore:
    """Figures of ``figures.parquet`` in the folders of the releases; needs no database."""

    def __init__(self, releases: Path) -> None:
        self._releases = releases
        self._sorted = lru_cache(maxsize=2)(self._read)

    def find(self, query: FigureQuery) -> list[Figure]:
        table, places = self._sorted(query.release_id)
        if query.area_level and query.area_codes:
            parts = [table.slice(*places.get((query.area_level, code), (0, 0))) for code in query.area_codes]
            table = pa.concat_tables(parts)
        condition = pc.scalar(True)
        for name, value in query.equalities().items():
            condition = condition & (pc.field(name) == value)
        if query.area_codes:
            condition = condition & pc.field("area_code").isin(pa.array(query.area_codes, pa.string()))
        return sort_figures([make_figure(row) for row in table.filter(condition).to_pylist()])

    def check(self) -> None:
        if not self._releases.is_dir():
            raise _unreadable()

    def _read(self, release_id: str) -> tuple[pa.Table, dict[tuple[str, str], tuple[int, int]]]:
        """Return the figures sorted by area, and where each area begins and how long it is."""
        path = self._releases / release_id / "figures.parquet"
        try:
            table = pq.read_table(path, columns=list(COLUMNS))
        except (OSError, pa.ArrowException):
            raise _unreadable() from None
        table = table.sort_by([("area_level", "ascending"), ("area_code", "ascending")]).combine_chunks()
        counts = table.group_by(["area_level", "area_code"], use_threads=False).aggregate([([], "count_all")])
        places: dict[tuple[str, str], tuple[int, int]] = {}
        start = 0
        for row in counts.to_pylist():
            places[row["area_level"], row["area_code"]] = (start, row["count_all"])
            start += row["count_all"]
        return table, places


def _unreadable() -> EnvironmentFailedError:
    return EnvironmentFailedError(
        "The files of the releases cannot be read. Check the folder 'releases' of the workspace with 'childdb release verify'.",
        "Không đọc được tệp của các lần công bố. Hãy kiểm tra thư mục 'releases' bằng lệnh 'childdb release verify'.",
    )
