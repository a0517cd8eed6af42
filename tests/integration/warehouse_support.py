"""Invented register rows, and a count of them in plain Python that shares nothing with the models."""

from __future__ import annotations

import csv
import hashlib
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from childdb.contracts import DBT_PROJECT, source_table
from childdb.database import Database, Role
from childdb.flow.dbt import run_dbt
from childdb.settings import Settings

REFERENCE = DBT_PROJECT / "seeds" / "reference"
GROUPS = {0: "0", 1: "1-2", 2: "1-2", 15: "15"} | dict.fromkeys(range(3, 6), "3-5")
GROUPS |= dict.fromkeys(range(6, 11), "6-10") | dict.fromkeys(range(11, 15), "11-14")
VARIABLES = {"release_id": "r2026-000000000000", "period": "2026", "reference_date": "2026-06-30"}
OLD_DAY, NEW_DAY, LATER_DAY = date(2025, 5, 31), date(2026, 3, 31), date(2026, 6, 30)


@dataclass(frozen=True)
class Record:
    """One accepted row of one delivered list."""

    record_id: str
    batch: str
    file_date: date
    commune_id: str | None
    commune_id_2025: str | None
    province_code: str
    child_id: str
    birth: tuple[str, int | None, int | None, int | None]
    sex: str | None
    ethnic: str | None
    circumstances: tuple[str, ...]
    assisted: bool
    at_risk: bool
    poverty: str | None
    registered: bool
    event: str | None
    event_date: date | None
    entered: date | None
    outcome: str = "accepted"

    @property
    def row_no(self) -> int:
        """Row of the sheet."""
        return int(self.record_id.rsplit(":", 1)[1])


def sha(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Places:
    """The reference seeds of places, read on their own."""

    def __init__(self) -> None:
        self.communes = {r["commune_id"]: r for r in self._rows("communes.csv")}
        self.heirs: dict[str, set[str]] = defaultdict(set)
        for row in self._rows("commune_successions.csv"):
            if row["holds_population"] == "1" and row["changed_date"] == "2025-07-01":
                self.heirs[row["commune_id"]].add(row["successor_commune_id"])
        self.parents: dict[str, set[str]] = defaultdict(set)
        for old, new in self.heirs.items():
            for commune in new:
                self.parents[commune].add(old)
        self.province_heirs = {
            r["province_id"].split("@")[0]: r["successor_province_id"].split("@")[0]
            for r in self._rows("province_successions.csv")
        }

        self.types = {
            (
                "legacy" if self.communes[r["commune_id"]]["valid_to_date"] else "2025",
                r["commune_id"].split("@")[0],
            ): (r["unit_type"])
            for r in sorted(
                self._rows("commune_names.csv"), key=lambda r: (r["commune_id"][6:], r["valid_from_date"])
            )
        }

    def settlement(self, geography: str, commune: str) -> str:
        """Return the kind of settlement of a commune on a map."""
        kinds = {
            "phuong": "urban",
            "thi_tran": "urban",
            "xa": "rural",
            "huyen_dao": "rural",
            "dac_khu": "special_zone",
        }
        return kinds.get(self.types.get((geography, commune), ""), "_U")

    @staticmethod
    def _rows(name: str) -> list[dict[str, str]]:
        with open(REFERENCE / name, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def make_records(seed: int, places: Places, children: int = 900) -> tuple[list[Record], set[str]]:
    """Return rows of several lists and the children whose number is confirmed."""
    rng = random.Random(seed)
    new = sorted(c for c in places.communes if c.endswith("@2025-07-01"))
    whole = sorted(o for o, n in places.heirs.items() if len(n) == 1)
    split = sorted(o for o, n in places.heirs.items() if len(n) > 1)
    chosen = rng.sample(new, 4) + [sorted(places.heirs[c])[0] for c in rng.sample(whole, 3)]
    olds = sorted({sorted(places.parents[c])[0] for c in chosen if places.parents[c]}) + rng.sample(split, 2)
    lists = (
        [(c, NEW_DAY) for c in chosen] + [(c, LATER_DAY) for c in chosen[:2]] + [(c, OLD_DAY) for c in olds]
    )
    records: list[Record] = []
    for number in range(children):
        child = f"child-{number:05d}"
        for commune, day in rng.sample(lists, rng.choice([1, 1, 1, 2, 3])):
            records.append(_record(rng, places, child, commune, day, len(records)))
    confirmed = {f"child-{n:05d}" for n in range(children) if rng.random() < 0.6}
    return records, confirmed


def _record(rng: random.Random, places: Places, child: str, commune: str, day: date, number: int) -> Record:
    birth = day - timedelta(days=rng.randrange(0, 17 * 366))
    precision = rng.choices(["day", "month", "year", "unknown"], [90, 4, 4, 2])[0]
    parts = (
        birth.year,
        birth.month if precision in ("day", "month") else None,
        birth.day if precision == "day" else None,
    )
    event = rng.choices([None, "moved_out", "died", "born"], [92, 4, 2, 2])[0]
    heirs = places.heirs.get(commune, {commune} if commune.endswith("@2025-07-01") else set())
    unknown = rng.random() < 0.01
    batch = f"treem__children@{sha(commune + day.isoformat())[:20]}"
    return Record(
        record_id=f"{batch}#1:{number + 1}",
        batch=batch,
        file_date=day,
        commune_id=None if unknown else commune,
        commune_id_2025=None if unknown or len(heirs) != 1 else next(iter(heirs)),
        province_code=places.communes[commune]["province_code"],
        child_id=child,
        birth=(precision, *(parts if precision != "unknown" else (None, None, None))),
        sex=rng.choice(["male", "female", "male", "female", None]),
        ethnic=rng.choice(["01", "01", "01", "02", "08", None]),
        circumstances=tuple(sorted(rng.sample(["SC01", "SC04", "SC13.01"], rng.choice([0, 0, 0, 1, 2])))),
        assisted=rng.random() < 0.5,
        at_risk=rng.random() < 0.2,
        poverty=rng.choice(["poor", "near_poor", "none", None]),
        registered=rng.random() < 0.8,
        event=event,
        event_date=day + timedelta(days=rng.randrange(-200, 400)) if event and rng.random() < 0.8 else None,
        entered=day - timedelta(days=rng.randrange(0, 90)) if rng.random() < 0.9 else None,
        outcome="quarantined" if rng.random() < 0.02 else "accepted",
    )  # fmt: skip


def store(
    database: Database, records: list[Record], confirmed: set[str], residents: list[dict[str, Any]]
) -> None:
    """Put the rows where cleaning and matching would have put them."""
    batches = sorted({(r.batch, r.file_date) for r in records})
    with database.connect(Role.CLEANER) as connection:
        for table in ("treem__children", "population__persons", "selected_batches"):
            connection.execute(f"delete from clean.{table}")
        names = [
            c.name
            for c in source_table("clean_treem", "treem__children").columns
            if not c.name.endswith("_raw")
        ]
        with connection.cursor() as cursor:
            statement = f"copy clean.treem__children ({', '.join(names)}) from stdin"
            with cursor.copy(statement) as copy:
                for record in records:
                    values = _clean_row(record)
                    copy.write_row([values.get(name) for name in names])
            cursor.executemany(
                "insert into clean.selected_batches values (%s, 'treem__children', %s, %s)",
                [(batch, sha(batch), day) for batch, day in batches],
            )
            cursor.execute(
                "insert into clean.selected_batches values ('population__persons@1', 'population__persons', %s, %s)",
                [sha("p"), LATER_DAY],
            )
            cursor.executemany(
                "insert into clean.population__persons (_batch_id, person_id, sex, birth_date, ethnic_group_text, "
                "province_code, commune_code, status) values ('population__persons@1', %(person_id)s, %(sex)s, "
                "%(birth_date)s, %(ethnic)s, %(province)s, %(commune)s, %(status)s)",
                residents,
            )
    with database.connect(Role.MATCHER) as connection:
        connection.execute("delete from identity.record_links")
        connection.execute("delete from identity.children")
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into identity.record_links (record_id, child_id, decision) values (%s, %s, %s)",
                [
                    (r.record_id, r.child_id, "accepted" if r.child_id in confirmed else "none")
                    for r in records
                ],
            )
            cursor.executemany(
                "insert into identity.children (child_id, confirmed) values (%s, %s)",
                [(child, child in confirmed) for child in sorted({r.child_id for r in records})],
            )


def note_batches(database: Database, records: list[Record]) -> None:
    """Enter the batches of the rows into the ledger as judged; their raw rows are not needed here."""
    batches = {(r.batch, "treem__children", sha(r.batch), r.file_date) for r in records}
    batches.add(("population__persons@1", "population__persons", sha("p"), LATER_DAY))
    with database.connect(Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute("delete from ops.batches")
        cursor.executemany(
            "insert into ops.batches (batch_id, dataset, file_sha256, file_date, size_bytes, file_name_text, status, "
            "outcome, physical_rows, header_footer_rows, accepted, quarantined, rejected) "
            "values (%s, %s, %s, %s, 0, 'x.csv', 'judged', 'accept', 0, 0, 0, 0, 0)",
            sorted(batches),
        )


@pytest.fixture(scope="session")
def seeded(warehouse: Database, warehouse_settings: Settings) -> Database:
    """A warehouse with its seeds and staging views."""
    words = ["build", "--select", "resource_type:seed", "path:models/staging"]
    run_dbt(warehouse_settings, words, VARIABLES)
    return warehouse


def _clean_row(r: Record) -> dict[str, Any]:
    precision, year, month, day = r.birth
    return {
        "record_id": r.record_id, "_batch_id": r.batch, "sheet": "1", "row_no": int(r.record_id.split(":")[1]),
        "outcome": r.outcome, "ngay_sinh_precision": precision, "birth_year": year, "birth_month": month,
        "ngay_sinh": date(year, month, day).isoformat() if precision == "day" else None,  # type: ignore[arg-type]
        "gioi_tinh": r.sex, "dan_toc": r.ethnic, "hoan_canh_dac_biet": list(r.circumstances) or None,
        "ho_tro": "Q" if r.assisted else None, "nguy_co": "true" if r.at_risk else None, "ho_ngheo": r.poverty,
        "da_dang_ky_khai_sinh": "true" if r.registered else "false", "bien_dong": r.event,
        "ngay_bien_dong": r.event_date.isoformat() if r.event_date else None,
        "ngay_cap_nhat": r.entered.isoformat() + "T08:00:00" if r.entered else None,
        "commune_id": r.commune_id, "commune_id_2025": r.commune_id_2025, "province_code": r.province_code,
    }  # fmt: skip


def make_residents(seed: int, records: list[Record]) -> list[dict[str, Any]]:
    """Return persons of a population extract around the same communes."""
    rng = random.Random(seed + 1)
    communes = sorted({r.commune_id_2025 for r in records if r.commune_id_2025})
    places = Places().communes
    return [
        {
            "person_id": f"p{n:05d}",
            "sex": rng.choice(["1", "2"]),
            "birth_date": LATER_DAY - timedelta(days=rng.randrange(-60, 17 * 366)),
            "ethnic": rng.choice(["01", "Tày"]),
            "commune": (commune := rng.choice(communes)).split("@")[0],
            "province": places[commune]["province_code"],
            "status": "died" if rng.random() < 0.02 else None,
        }
        for n in range(1200)
    ]


def effective_birth(birth: tuple[str, int | None, int | None, int | None]) -> date | None:
    """Return the day a birth date counts as."""
    precision, year, month, day = birth
    if precision == "unknown" or year is None:
        return None
    return date(year, month or 7, day or (15 if month else 1))


def age_on(birth: date, day: date) -> int:
    """Return full years of age."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def current_records(records: list[Record], places: Places) -> list[Record]:
    """Return the accepted rows of the lists that count."""
    rows = [r for r in records if r.outcome == "accepted"]
    lists: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for r in rows:
        if r.commune_id:
            lists[r.commune_id][r.batch].append(r)

    def rank(batch: str, content: list[Record]) -> tuple[Any, ...]:
        entered = [r.entered for r in content if r.entered]
        return content[0].file_date, max(entered) if entered else date.min, sha(batch)

    newest = {c: max(found.items(), key=lambda item: rank(*item)) for c, found in lists.items()}
    dates = {c: max(content[0].file_date for content in found.values()) for c, found in lists.items()}
    keep = set()
    for commune, (batch, _) in newest.items():
        heirs = places.heirs.get(commune, set())
        if heirs and all(heir in dates and dates[heir] > dates[commune] for heir in heirs):
            continue
        keep.add((batch, commune))
    live = {batch for batch, _ in keep}
    named = {r.batch for r in rows if r.commune_id}
    return [
        r for r in rows
        if (r.batch, r.commune_id) in keep or (r.commune_id is None and (r.batch in live or r.batch not in named))
    ]  # fmt: skip


def speaking_rows(records: list[Record], places: Places) -> dict[str, Record]:
    """Return the row that speaks for each child."""
    by_child: dict[str, list[Record]] = defaultdict(list)
    for r in current_records(records, places):
        by_child[r.child_id].append(r)
    return {
        child: max(
            rows,
            key=lambda r: (r.event != "moved_out", r.file_date, r.entered or date.min, r.batch, r.row_no),
        )
        for child, rows in by_child.items()
    }


def counted(records: list[Record], places: Places, day: date) -> dict[str, tuple[Record, int | None]]:
    """Return the children counted on a day with the row that speaks for each, and its age."""
    found: dict[str, tuple[Record, int | None]] = {}
    for child, r in speaking_rows(records, places).items():
        dead = r.event == "died" and (r.event_date is None or r.event_date <= day)
        birth = effective_birth(r.birth)
        age = None if birth is None else age_on(birth, day)
        if r.event == "moved_out" or dead or (birth is not None and (birth > day or age >= 16)):  # type: ignore[operator]
            continue
        found[child] = (r, age)
    return found


def expected(
    records: list[Record], confirmed: set[str], places: Places, day: date
) -> dict[tuple[str, ...], tuple[int, int | None]]:
    """Return numerator and denominator by (set, code, geography, level, area, sex, age, ethnic)."""
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for child, (r, age) in counted(records, places, day).items():
        flags = flags_of(r, age, child in confirmed)
        for cell in _cells(r, age, places):
            for name, holds in flags.items():
                counts[name][cell] += int(holds)
    return {
        (*key, *cell): (counts[above][cell], counts[below][cell] if below else None)
        for key, (above, below) in PAIRS.items()
        for cell in counts["children"]
        # Nobody of these ages, or of an unknown one, can be under five.
        if above != "birth" or cell[4] not in ("6-10", "11-14", "15", "_U")
    }


PAIRS = {
    ("tt13_2021_children", "0101"): ("children", None),
    ("tt13_2021_children", "0301"): ("sc", "children"),
    ("tt13_2021_children", "0302"): ("sca", "sc"),
    ("register", "number_confirmed"): ("number", "children"),
    ("register", "at_risk"): ("risk", "children"),
    ("register", "poor_or_near_poor"): ("poor", "children"),
    ("register", "birth_registered_under_5"): ("birth", "u5"),
}


def flags_of(r: Record, age: int | None, is_confirmed: bool) -> dict[str, bool]:
    """Return which measures count a child."""
    flags = {"children": True, "sc": bool(r.circumstances), "sca": bool(r.circumstances) and r.assisted}
    flags |= {"number": is_confirmed, "risk": r.at_risk, "poor": r.poverty in ("poor", "near_poor")}
    flags |= {"u5": age is not None and age < 5}
    return flags | {"birth": flags["u5"] and r.registered}


def expected_groups(
    records: list[Record], confirmed: set[str], places: Places, day: date
) -> dict[tuple[str, ...], tuple[int, int | None]]:
    """Return numerator and denominator by (set, code, geography, level, area, circumstance, settlement)."""
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for child, (r, age) in counted(records, places, day).items():
        flags = flags_of(r, age, child in confirmed)
        for geography, areas in _areas(r, places).items():
            kind = places.settlement(geography, areas["commune"])
            groups = [("_T", "_T"), ("_T", kind), *((g, "_T") for g in {c[:4] for c in r.circumstances})]
            for level in ("nation", "province"):
                for group in groups:
                    for name, holds in flags.items():
                        counts[name][geography, level, areas[level], *group] += int(holds)
    found: dict[tuple[str, ...], tuple[int, int | None]] = {}
    for key, (above, below) in PAIRS.items():
        for cell in counts["children"]:
            # Of those in a group of circumstances all are: their share is one of all children.
            whole = (*cell[:3], "_T", cell[4]) if above == "sc" else cell
            if cell[3:] != ("_T", "_T"):
                found[*key, *cell] = (counts[above][cell], counts[below][whole] if below else None)
    return found


def _cells(r: Record, age: int | None, places: Places) -> list[tuple[str, ...]]:
    group = "_U" if age is None else GROUPS[age]
    sex, ethnic = r.sex or "_U", r.ethnic or "_U"
    cells = []
    for geography, areas in _areas(r, places).items():
        for level, area in areas.items():
            members = [("_T", "_T", "_T"), (sex, "_T", "_T"), ("_T", group, "_T"), (sex, group, "_T")]
            if level in ("nation", "province"):
                members.append(("_T", "_T", ethnic))
            cells += [(geography, level, area, *member) for member in members]
    return cells


def _areas(r: Record, places: Places) -> dict[str, dict[str, str]]:
    heir_of = places.province_heirs
    province = r.province_code if r.file_date >= date(2025, 7, 1) else heir_of[r.province_code]
    commune = r.commune_id_2025.split("@")[0] if r.commune_id_2025 else f"{province}_U"
    old_provinces = [old for old, new in heir_of.items() if new == province]
    old_province, district, old = None, None, None
    if r.file_date < date(2025, 7, 1):
        old_province = r.province_code
        if r.commune_id:
            unit = places.communes[r.commune_id]
            district, old = unit["district_code"], unit["commune_code"]
    else:
        parents = [places.communes[p] for p in places.parents.get(r.commune_id or "", ())]
        names = {p["province_code"] for p in parents}
        districts = {p["district_code"] for p in parents}
        old_province = (
            names.pop() if len(names) == 1 else old_provinces[0] if len(old_provinces) == 1 else None
        )
        district = districts.pop() if len(districts) == 1 else None
        old = parents[0]["commune_code"] if len(parents) == 1 else None
    unknown = f"{old_province}_U" if old_province else "_U"
    return {
        "2025": {"nation": "VN", "province": province, "commune": commune},
        "legacy": {
            "nation": "VN", "province": old_province or "_U", "district": district or unknown, "commune": old or unknown,
        },
    }  # fmt: skip
