"""Where the lists come from: the counted children of the core, with the columns a list shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

import psycopg
from psycopg import Connection

from childdb.errors import ContractError
from childdb.reference import SeedFolder, seed_rows
from childdb.worklists.judging import RegisteredPerson
from childdb.worklists.model import SHOWN_COLUMNS, ListedChild
from childdb.worklists.vietnamese import short_date

SEXES_VI = {"male": "Nam", "female": "Nữ"}
_FETCHED = 5_000


class ChildListSource(Protocol):
    """Gives the children that count on a day, one by one, in any order."""

    def newest_file_date(self) -> date | None:
        """Return the day of the newest list; the default day of an export."""

    def children(self) -> Iterator[ListedChild]:
        """Yield every counted child once."""

    def children_by_id(self, child_ids: Iterable[str]) -> Mapping[str, ListedChild]:
        """Return the counted children among those asked for."""

    def counted(self, child_ids: Collection[str]) -> tuple[set[str], set[str]]:
        """Return which of these children are counted, and which of the counted have no addressee."""


_QUERY = """
select
    d.child_id, d.record_id,
    coalesce(r.commune_id_2025, case when b.file_date < date '2025-07-01' then null else r.commune_id end) as commune_id,
    r.ngay_sinh, r.ngay_sinh_precision, r.birth_year, r.gioi_tinh, d.is_number_confirmed, r.so_dinh_danh,
    r.ho_ten_tre, r.dan_toc, r.ho_ten_cha, r.ho_ten_me, r.ho_ten_giam_ho, r.thon, r.dia_chi,
    r.ho_ten_tre_raw, r.ngay_sinh_raw, r.gioi_tinh_raw, r.dan_toc_raw, r.so_dinh_danh_raw
from core.dim_children as d
inner join clean.treem__children as r on d.record_id = r.record_id
inner join ops.batches as b on r._batch_id = b.batch_id
where d.counting_status_code = 'counted'
"""


class DatabaseChildList:
    """The counted children of the last build: the same rows that the figures count."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest_file_date(self) -> date | None:
        """Return the day of the newest list of children."""
        row = self._connection.execute(
            "select max(file_date) from ops.batches where dataset = 'treem__children'"
        ).fetchone()
        found: date | None = row[0] if row else None
        return found

    def children(self) -> Iterator[ListedChild]:
        """Yield every counted child once, streamed from the server."""
        try:
            with self._connection.cursor(name="listed_children") as cursor:
                cursor.itersize = _FETCHED
                cursor.execute(_QUERY)
                names = [column.name for column in cursor.description or ()]
                for row in cursor:
                    yield listed_child(dict(zip(names, row, strict=True)))
        except psycopg.errors.UndefinedTable:
            raise ContractError(
                "The children of the last build are not there yet. Run 'childdb run' first, then export the lists.",
                "Chưa có kết quả của lần dựng gần nhất. Hãy chạy 'childdb run' trước, rồi xuất danh sách.",
            ) from None

    def children_by_id(self, child_ids: Iterable[str]) -> Mapping[str, ListedChild]:
        """Return the counted children among those asked for."""
        return children_by_id(self._connection, child_ids)

    def counted(self, child_ids: Collection[str]) -> tuple[set[str], set[str]]:
        """Return which of these children are counted, and which of the counted have no addressee."""
        found = self.children_by_id(child_ids)
        return set(found), {key for key, child in found.items() if child.commune_id is None}


def children_by_id(connection: Connection, child_ids: Iterable[str]) -> Mapping[str, ListedChild]:
    """Return the counted children among those asked for."""
    cursor = connection.execute(_QUERY + " and d.child_id = any(%s)", [sorted(child_ids)])
    names = [column.name for column in cursor.description or ()]
    found = (listed_child(dict(zip(names, row, strict=True))) for row in cursor)
    return {child.child_id: child for child in found}


def listed_child(row: dict[str, Any]) -> ListedChild:
    """Return a child as the lists show it; a value that could not be read is shown as it was received."""
    born = date.fromisoformat(row["ngay_sinh"]) if row["ngay_sinh"] else None
    shown = {
        "ho_ten_tre": row["ho_ten_tre"] or row["ho_ten_tre_raw"],
        "ngay_sinh": short_date(born) if born else row["ngay_sinh_raw"],
        "gioi_tinh": SEXES_VI.get(row["gioi_tinh"] or "") or row["gioi_tinh_raw"],
        "dan_toc": ethnic_group_name(row["dan_toc"]) or row["dan_toc_raw"],
        "so_dinh_danh": row["so_dinh_danh"] or row["so_dinh_danh_raw"],
        **{
            column: row[column] for column in ("ho_ten_cha", "ho_ten_me", "ho_ten_giam_ho", "thon", "dia_chi")
        },
    }
    return ListedChild(
        child_id=row["child_id"],
        record_id=row["record_id"],
        commune_id=row["commune_id"],
        birth_date=born,
        birth_date_precision=row["ngay_sinh_precision"] or "unknown",
        birth_year=row["birth_year"],
        sex=row["gioi_tinh"],
        is_number_confirmed=bool(row["is_number_confirmed"]),
        number=row["so_dinh_danh"],
        shown=tuple(str(shown[column] or "") for column in SHOWN_COLUMNS),
        name=row["ho_ten_tre"],
        ethnic_group=row["dan_toc"],
        has_guardian=any(row[column] for column in ("ho_ten_cha", "ho_ten_me", "ho_ten_giam_ho")),
        has_number_text=bool((row["so_dinh_danh_raw"] or "").strip()),
    )


def ethnic_group_name(code: str | None) -> str | None:
    """Return the name of an ethnic group of the 1979 list."""
    return _ethnic_groups().get(code or "")


@lru_cache(maxsize=1)
def _ethnic_groups() -> dict[str, str]:
    return {
        row["ethnic_group_code"]: row["name_vi"] for row in seed_rows(SeedFolder.CODES, "codes_ethnic_groups")
    }


class DatabaseFacts:
    """What answers are compared with: the counted children and the population extract."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def children_by_id(self, child_ids: Iterable[str]) -> Mapping[str, ListedChild]:
        """Return the counted children among those asked for."""
        return children_by_id(self._connection, child_ids)

    def persons_by_number(self, numbers: Iterable[str]) -> Mapping[str, RegisteredPerson]:
        """Return who the newest population extract knows under each number."""
        rows = self._connection.execute(
            "select distinct on (p.personal_id_no) p.personal_id_no, p.full_name, "
            "case p.sex when '1' then 'male' when '2' then 'female' end, p.birth_date "
            "from clean.population__persons as p inner join ops.batches as b on p._batch_id = b.batch_id "
            "where p.personal_id_no = any(%s) order by p.personal_id_no, b.file_date desc nulls last, b.batch_id desc",
            [sorted(numbers)],
        )
        return {number: RegisteredPerson(name, sex, born) for number, name, sex, born in rows}
