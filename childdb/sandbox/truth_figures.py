"""The true value of every indicator, from rows whose child is known; shares no code with the pipeline."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq

from childdb.sandbox.reference_tables import merger_links

FIELDS = (
    "indicator_set",
    "indicator_code",
    "geography",
    "area_level",
    "area_code",
    "sex",
    "age_group",
    "ethnic_group",
    "breakdown",
    "numerator",
    "denominator",
)
_AGE_GROUPS = ((0, 0, "0"), (1, 2, "1-2"), (3, 5, "3-5"), (6, 10, "6-10"), (11, 14, "11-14"), (15, 15, "15"))
# Indicator: what is counted above and below the line; "" below means a plain count.
_INDICATORS = {
    ("tt13_2021_children", "0101"): ("children", ""),
    ("tt13_2021_children", "0301"): ("special", "children"),
    ("tt13_2021_children", "0302"): ("special_helped", "special"),
    ("register", "number_confirmed"): ("confirmed", "children"),
    ("register", "at_risk"): ("at_risk", "children"),
    ("register", "poor_or_near_poor"): ("poor", "children"),
    ("register", "birth_registered_under_5"): ("registered_under_5", "under_5"),
    ("register", "coverage"): ("children", "residents"),
}


@dataclass(frozen=True)
class DeliveredRow:
    """One accepted or held row of a delivered list, as a perfect reader reads it, with the child it is about."""

    file_sha256: str
    row_no: int
    file_date: str
    commune_id: str
    commune_id_2025: str | None
    province_code_2025: str
    accepted: bool
    child_key: str
    confirmed: bool
    birth: str | None
    precision: str
    birth_year: int | None
    birth_month: int | None
    sex: str | None
    ethnic: str | None
    change: str | None
    change_date: str | None
    updated_at: str
    special: bool
    helped: bool
    at_risk: bool
    poor: bool
    birth_registered: bool


@dataclass(frozen=True)
class CountedChild:
    """A child that counts on the reference date, with where and what it counts as."""

    province: str
    commune: str
    sex: str
    age: int | None
    ethnic: str
    measures: frozenset[str]


Cell = tuple[str, str, str, str, str, str]
Residents = Mapping[tuple[str, str, str, str, str], int]


def age_on(birth: dt.date, day: dt.date) -> int:
    """Return age in full years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def age_group(age: int | None) -> str:
    """Return the group of an age; ``_U`` if it is not known."""
    return "_U" if age is None else next(name for low, high, name in _AGE_GROUPS if low <= age <= high)


def load_delivered(truth: Path) -> list[DeliveredRow]:
    """Return all delivered rows from the truth folder, held ones too."""
    who = pq.read_table(truth / "rows.parquet").to_pylist()
    what = pq.read_table(truth / "expected.parquet").to_pylist()
    return [_delivered(first, second) for first, second in zip(who, what, strict=True)]


def _delivered(who: Mapping[str, object], what: Mapping[str, object]) -> DeliveredRow:
    def text(source: Mapping[str, object], name: str) -> str | None:
        value = source.get(name)
        return None if value is None else str(value)

    def number(name: str) -> int | None:
        value = what.get(name)
        return int(str(value)) if value is not None else None

    return DeliveredRow(
        str(who["file_sha256"]),
        int(str(who["row_no"])),
        str(who["file_date"]),
        str(who["commune_id"]),
        text(who, "commune_id_2025"),
        str(who["province_code_2025"]),
        who["held_reason"] is None,
        str(who["child_key"]),
        who["person_id"] is not None,
        text(what, "ngay_sinh"),
        str(what["ngay_sinh_precision"]),
        number("birth_year"),
        number("birth_month"),
        text(what, "gioi_tinh"),
        text(what, "dan_toc"),
        text(what, "bien_dong"),
        text(what, "ngay_bien_dong"),
        str(what.get("updated_at") or ""),
        bool(what.get("hoan_canh_dac_biet")),
        bool(what.get("ho_tro")),
        what.get("nguy_co") == "true",
        what.get("ho_ngheo") in ("poor", "near_poor"),
        what.get("da_dang_ky_khai_sinh") == "true",
    )


def with_identity(
    rows: Iterable[DeliveredRow], identity: Mapping[tuple[str, int], tuple[str, bool]]
) -> list[DeliveredRow]:
    """Return the rows with other children: ``identity`` gives, per file hash and row number, child key and confirmed."""
    found = []
    for row in rows:
        child, confirmed = identity.get((row.file_sha256, row.row_no), (row.child_key, row.confirmed))
        found.append(replace(row, child_key=child, confirmed=confirmed))
    return found


def current_files(rows: Iterable[DeliveredRow]) -> set[str]:
    """Return hashes of the lists that are in force: the newest of each unit, unless all its heirs have sent a later one."""
    newest: dict[str, tuple[str, str, str]] = {}
    latest: dict[str, str] = defaultdict(str)
    dates: dict[str, tuple[str, str]] = {}
    for row in rows:
        if row.accepted:
            latest[row.file_sha256] = max(latest[row.file_sha256], row.updated_at)
            dates[row.file_sha256] = (row.commune_id, row.file_date)
    for sha, (unit, day) in dates.items():
        newest[unit] = max(newest.get(unit, ("", "", "")), (day, latest[sha], sha))
    heirs: dict[str, list[str]] = defaultdict(list)
    for link in merger_links():
        heirs[link["commune_id"]].append(link["successor_commune_id"])
    in_force = set()
    for unit, (day, _, sha) in newest.items():
        replaced = unit in heirs and all(heir in newest and newest[heir][0] > day for heir in heirs[unit])
        if not replaced:
            in_force.add(sha)
    return in_force


def spoken_for(rows: Iterable[DeliveredRow]) -> list[DeliveredRow]:
    """Return one row per child: a place it has not left before one it has, then the latest."""
    rows = list(rows)
    in_force = current_files(rows)
    best: dict[str, DeliveredRow] = {}
    for row in rows:
        if row.accepted and row.file_sha256 in in_force:
            other = best.get(row.child_key)
            if other is None or _rank(row) > _rank(other):
                best[row.child_key] = row
    return [best[key] for key in sorted(best)]


def _rank(row: DeliveredRow) -> tuple[bool, str, str, str, int]:
    return (row.change != "moved_out", row.file_date, row.updated_at, row.file_sha256, row.row_no)


def _effective_birth(row: DeliveredRow) -> dt.date | None:
    if row.precision == "day" and row.birth:
        return dt.date.fromisoformat(row.birth)
    if row.precision == "month" and row.birth_year and row.birth_month:
        return dt.date(row.birth_year, row.birth_month, 15)
    if row.precision == "year" and row.birth_year:
        return dt.date(row.birth_year, 7, 1)
    return None


def counted(row: DeliveredRow, day: dt.date) -> CountedChild | None:
    """Return the child a row speaks for as it counts on ``day``; None if it does not count."""
    if row.change == "moved_out" or (
        row.change == "died" and (row.change_date is None or row.change_date <= day.isoformat())
    ):
        return None
    birth = _effective_birth(row)
    age = None if birth is None else age_on(birth, day)
    if birth is not None and (birth > day or (age is not None and age >= 16)):
        return None
    facts = {
        "children": True,
        "special": row.special,
        "special_helped": row.special and row.helped,
        "confirmed": row.confirmed,
        "at_risk": row.at_risk,
        "poor": row.poor,
        "under_5": age is not None and age < 5,
        "registered_under_5": age is not None and age < 5 and row.birth_registered,
    }
    commune = row.commune_id_2025.split("@")[0] if row.commune_id_2025 else f"{row.province_code_2025}_U"
    measures = frozenset(name for name, holds in facts.items() if holds)
    return CountedChild(row.province_code_2025, commune, row.sex or "_U", age, row.ethnic or "_U", measures)


def _cells(province: str, commune: str, sex: str, group: str, ethnic: str) -> list[Cell]:
    """Return all cells a person belongs to: area level and code, sex, age group, ethnic group, breakdown."""
    areas = (("nation", "VN"), ("province", province), ("commune", commune))
    found: list[Cell] = []
    for level, code in areas:
        found += [
            (level, code, "_T", "_T", "_T", "total"),
            (level, code, sex, "_T", "_T", "sex"),
            (level, code, "_T", group, "_T", "age_group"),
            (level, code, sex, group, "_T", "sex_age_group"),
        ]
        if level != "commune":
            found.append((level, code, "_T", "_T", ethnic, "ethnic_group"))
    return found


def figures(children: Iterable[CountedChild], residents: Residents) -> list[dict[str, object]]:
    """Return all cells of all indicators with exact numerators and denominators, sorted."""
    counts: dict[str, Counter[Cell]] = defaultdict(Counter)
    for child in children:
        for cell in _cells(child.province, child.commune, child.sex, age_group(child.age), child.ethnic):
            for measure in child.measures:
                counts[measure][cell] += 1
    for (province, commune, sex, group, ethnic), number in residents.items():
        for cell in _cells(province, commune, sex, group, ethnic):
            counts["residents"][cell] += number
    cells = sorted(set(counts["children"]) | set(counts["residents"]))
    return [row for key in _INDICATORS for row in _indicator_rows(key, cells, counts)]


def _indicator_rows(
    key: tuple[str, str], cells: list[Cell], counts: Mapping[str, Counter[Cell]]
) -> Iterable[dict[str, object]]:
    above, below = _INDICATORS[key]
    for cell in cells:
        denominator = counts[below][cell] if below else None
        level, code, sex, group, ethnic, breakdown = cell
        yield dict(
            zip(
                FIELDS,
                (*key, "2025", level, code, sex, group, ethnic, breakdown, counts[above][cell], denominator),
                strict=True,
            )
        )


def delivered_figures(
    rows: Iterable[DeliveredRow], residents: Residents, day: dt.date
) -> list[dict[str, object]]:
    """Return the figures that the delivered rows give when each row's child is the one it names."""
    children = (counted(row, day) for row in spoken_for(rows))
    return figures([child for child in children if child is not None], residents)


def write_figures(rows: Iterable[Mapping[str, object]], path: Path, columns: Sequence[str] = FIELDS) -> None:
    """Write figures as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def load_residents(truth: Path) -> dict[tuple[str, str, str, str, str], int]:
    """Return residents by province, commune, sex, age group and ethnic group."""
    with (truth / "residents.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {
            (row["province"], row["commune"], row["sex"], row["age_group"], row["ethnic_group"]): int(
                row["residents"]
            )
            for row in rows
        }
