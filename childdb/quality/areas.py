"""The report by commune, province and day: lines made from scores, files and gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from psycopg import Connection

from childdb.quality.scores import Score, joined
from childdb.reference import SeedFolder, seed_rows

UNIT_KINDS = {"xa": "Xã", "phuong": "Phường", "thi_tran": "Thị trấn", "dac_khu": "Đặc khu"}
MAX_DAYS = 400


@dataclass(frozen=True, slots=True)
class AreaLine:
    """Scores of one unit, newest month last; the trend is the change between the last two months that have one."""

    area_code: str
    name: str
    province: str
    scores: tuple[Score, ...]

    @property
    def newest(self) -> Score:
        """Score of the newest month."""
        return self.scores[-1]

    @property
    def trend(self) -> float | None:
        """Change of the score since the month before that has one."""
        shares = [score.share for score in self.scores if score.share is not None]
        return shares[-1] - shares[-2] if len(shares) > 1 else None


@dataclass(frozen=True, slots=True)
class DayLine:
    """What one day brought: files and their rows, gates and what they said."""

    day: str
    files: int
    physical_rows: int
    accepted: int
    quarantined: int
    rejected: int
    gates: int
    stopped: int
    warned: int
    held_batches: int


def commune_areas(scores: Iterable[Score]) -> list[AreaLine]:
    """Return one line per unit with scores, by province and name."""
    grouped: dict[str, list[Score]] = {}
    for score in scores:
        grouped.setdefault(score.commune_id, []).append(score)
    lines = [
        AreaLine(unit, commune_name(unit), province_name(province_of(unit)), tuple(found))
        for unit, found in grouped.items()
    ]
    return sorted(lines, key=lambda line: (province_of(line.area_code), line.area_code))


def province_areas(scores: Iterable[Score]) -> list[AreaLine]:
    """Return one line per province: sums over its units, so that a big commune counts for its size."""
    grouped: dict[str, list[Score]] = {}
    for score in scores:
        grouped.setdefault(province_of(score.commune_id), []).append(score)
    return [
        AreaLine(code, province_name(code), province_name(code), tuple(joined(found, code)))
        for code, found in sorted(grouped.items())
    ]


def day_lines(connection: Connection) -> list[DayLine]:
    """Return what each day brought, the newest first."""
    rows = connection.execute(
        "with files as (select (received_at at time zone 'Asia/Ho_Chi_Minh')::date as day, count(*) as files, "
        "sum(physical_rows) as physical, sum(accepted) as accepted, sum(quarantined) as quarantined, "
        "sum(rejected) as rejected from ops.batches group by 1), "
        "gates as (select (recorded_at at time zone 'Asia/Ho_Chi_Minh')::date as day, count(*) as gates, "
        "count(*) filter (where outcome = 'stopped') as stopped, count(*) filter (where outcome = 'warned') as warned, "
        "sum(held_batch_count) as held from quality.gate_runs group by 1) "
        "select to_char(day, 'DD/MM/YYYY'), coalesce(files, 0), coalesce(physical, 0), coalesce(accepted, 0), "
        "coalesce(quarantined, 0), coalesce(rejected, 0), coalesce(gates, 0), coalesce(stopped, 0), coalesce(warned, 0), "
        "coalesce(held, 0) from files full join gates using (day) order by day desc limit %s",
        [MAX_DAYS],
    )
    return [DayLine(row[0], *map(int, row[1:])) for row in rows]


def commune_name(commune_id: str | None) -> str:
    """Return what a commune is called, with its code; the code alone where it is not known."""
    if not commune_id:
        return "Không rõ đơn vị"
    name = _commune_names().get(commune_id)
    code = commune_id.split("@")[0]
    return f"{name} ({code})" if name else code


def province_name(code: str) -> str:
    """Return the newest name of a province; its code where it is not known."""
    return _province_names().get(code, code or "Không rõ tỉnh")


def province_of(commune_id: str) -> str:
    """Return the province of a commune; empty where it is not known."""
    return _provinces().get(commune_id, "")


@lru_cache(maxsize=1)
def _commune_names() -> Mapping[str, str]:
    return {
        row["commune_id"]: f"{UNIT_KINDS.get(row['unit_type'], '')} {row['name_vi']}".strip()
        for row in seed_rows(SeedFolder.REFERENCE, "commune_names")
    }


@lru_cache(maxsize=1)
def _provinces() -> Mapping[str, str]:
    rows = seed_rows(SeedFolder.REFERENCE, "communes")
    return {row["commune_id"]: row["province_code"] for row in rows}


@lru_cache(maxsize=1)
def _province_names() -> Mapping[str, str]:
    rows: Sequence[Mapping[str, str]] = sorted(
        seed_rows(SeedFolder.REFERENCE, "province_names"), key=lambda row: row["valid_from_date"]
    )
    return {row["province_id"].split("@")[0]: row["name_vi"] for row in rows}
