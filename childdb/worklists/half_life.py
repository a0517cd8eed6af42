"""How fast defects heal: half-life per commune and class, open items and their age counted in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

NATION = "VN"


@dataclass(frozen=True, slots=True)
class HalfLife:
    """Days until half of the defects opened were healed; None where that has not happened yet."""

    commune_id: str
    item_class: str
    opened_count: int
    closed_count: int
    oldest_open_days: int | None
    half_life_days: int | None


def half_lives(connection: Connection, as_of: date | None = None) -> list[HalfLife]:
    """Return one line per commune and class, and one per class for the nation.

    The day is that of the newest event unless another is given: the clock plays no part.
    """
    day = as_of or _newest_day(connection)
    if day is None:
        return []
    rows = connection.execute(
        "select e.commune_id, e.item_class, coalesce(least(e.ended_date, %(day)s), %(day)s) - e.opened_date, "
        "case when e.ended_date <= %(day)s then e.ended_by end, count(*) from quality.item_episodes as e "
        "where e.opened_date <= %(day)s group by 1, 2, 3, 4",
        {"day": day},
    )
    lives: dict[tuple[str, str], list[tuple[int, str | None, int]]] = {}
    for commune, item_class, days, end, count in rows:
        for place in (commune, NATION):
            lives.setdefault((place, item_class), []).append((max(int(days), 0), end, int(count)))
    return [_line(key, lives[key]) for key in sorted(lives)]


def _newest_day(connection: Connection) -> date | None:
    row = connection.execute("select max(event_date) from quality.work_item_events").fetchone()
    found: date | None = row[0] if row else None
    return found


def _line(key: tuple[str, str], episodes: Iterable[tuple[int, str | None, int]]) -> HalfLife:
    found = list(episodes)
    open_days = [days for days, end, _ in found if end is None]
    closed = sum(count for _, end, count in found if end == "closed")
    return HalfLife(
        *key, sum(count for *_, count in found), closed, max(open_days, default=None), median_survival(found)
    )


def median_survival(episodes: Iterable[tuple[int, str | None, int]]) -> int | None:
    """Return the days after which half of the items are healed; open and withdrawn ones count while they were there.

    (Kaplan and Meier: leaving out what is still open would make slow communes look fast.)

    >>> median_survival([(3, "closed", 1), (10, "closed", 1), (30, None, 2)])
    10
    """
    closed: dict[int, int] = {}
    left: dict[int, int] = {}
    for days, end, count in episodes:
        left[days] = left.get(days, 0) + count
        if end == "closed":
            closed[days] = closed.get(days, 0) + count
    return _first_half(closed, left)


def _first_half(closed: Mapping[int, int], left: Mapping[int, int]) -> int | None:
    at_risk, surviving = sum(left.values()), 1.0
    for days in sorted(left):
        surviving *= 1 - closed.get(days, 0) / at_risk
        if surviving <= 0.5 + 1e-12:
            return days
        at_risk -= left[days]
    return None
