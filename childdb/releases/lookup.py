"""Released figures of one indicator, as readers may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from childdb.errors import UsageError
from childdb.releases.catalogue import catalogue
from childdb.releases.figures import COLUMNS

FIGURES = f"""
select {", ".join(COLUMNS)}
from marts.agg_release_figures
where release_id = %(release)s
    and indicator_code = %(code)s
    and (%(set)s::text is null or indicator_set = %(set)s)
    and (%(area)s::text is null or area_code = %(area)s)
    and (%(area)s::text is not null or (area_level in ('nation', 'province') and breakdown = 'total'))
order by indicator_set collate "C", geography collate "C",
    array_position(array['nation', 'province', 'district', 'commune'], area_level), area_code collate "C",
    breakdown collate "C", sex collate "C", age_group collate "C", ethnic_group collate "C"
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class Release:
    """One release as the list shows it."""

    release_id: str
    period: str
    as_of_date: Any
    reference_date: Any
    status: str
    manifest_sha256: str | None
    counts: Mapping[str, int]


def list_releases(connection: Connection) -> list[Release]:
    """Return every release that was planned here, the newest last."""
    rows = connection.execute(
        "select release_id, period, as_of_date, reference_date, status, manifest_sha256, counts "
        "from ops.releases order by planned_at, release_id"
    )
    return [Release(*row) for row in rows]


def chosen_release(connection: Connection, release_id: str | None, period: str | None) -> str:
    """Return the release to read: the one named, else the last approved one, of the period if one is given.

    Raises:
        UsageError: there is none.
    """
    row = connection.execute(
        "select release_id from ops.releases where status <> 'planned' "
        "and (release_id = %(id)s or (%(id)s::text is null and status = 'approved')) "
        "and (%(period)s::text is null or period = %(period)s) "
        "order by released_at desc nulls last, release_id desc limit 1",
        {"id": release_id, "period": period},
    ).fetchone()
    if row is None:
        raise UsageError(
            "No such release is approved yet: 'childdb release list' shows what there is; name one with --release.",
            "Chưa có bản phát hành nào như vậy được phê duyệt: xem 'childdb release list', hoặc nêu rõ --release.",
        )
    return str(row[0])


def check_indicator(indicator_set: str | None, code: str) -> None:
    """Raise when the catalogue does not have the indicator."""
    sets = sorted({i.indicator_set for i in catalogue() if i.indicator_code == code})
    if not sets or (indicator_set is not None and indicator_set not in sets):
        known = ", ".join(sorted({f"{i.indicator_set}/{i.indicator_code}" for i in catalogue()}))
        raise UsageError(
            f"The catalogue has no such indicator; it has {known}.",
            f"Danh mục không có chỉ tiêu này; các chỉ tiêu hiện có: {known}.",
        )


def find_figures(
    connection: Connection, release_id: str, code: str, indicator_set: str | None, area: str | None
) -> list[dict[str, Any]]:
    """Return the figures of an indicator: nation and provinces, or every breakdown of one area."""
    values = {"release": release_id, "code": code, "set": indicator_set, "area": area}
    cursor = connection.execute(FIGURES, values)
    return [dict(zip(COLUMNS, _plain(row), strict=True)) for row in cursor]


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """Return decimals as numbers: whole ones as integers."""
    plain = []
    for value in row:
        if hasattr(value, "as_tuple"):
            plain.append(int(value) if value == value.to_integral_value() else float(value))
        else:
            plain.append(value)
    return plain
