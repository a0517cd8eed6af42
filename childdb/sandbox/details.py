"""Everything about a child that a list holds beside what matching reads: circumstances, poverty, school, help, changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from childdb.sandbox.geography import date_of, day_number
from childdb.sandbox.hashing import Bools, Floats, Ints, cumulative, pick
from childdb.sandbox.people import Nation
from childdb.sandbox.reference_tables import document, rows_of
from childdb.sandbox.rows import RowKind, Rows

# Share of children per group, by rough published orders of size; ages in which a group occurs.
_CIRCUMSTANCES: dict[str, tuple[float, int, int]] = {
    "SC01": (0.0010, 0, 18),
    "SC02": (0.0004, 0, 18),
    "SC03": (0.0020, 0, 18),
    "SC04": (0.0110, 0, 18),
    "SC05": (0.0002, 0, 18),
    "SC06": (0.0003, 12, 18),
    "SC07": (0.0002, 12, 18),
    "SC08": (0.0040, 11, 18),
    "SC09": (0.0002, 0, 18),
    "SC10": (0.0002, 6, 18),
    "SC11": (0.0003, 4, 18),
    "SC12": (0.0001, 0, 18),
    "SC13": (0.0500, 0, 18),
    "SC14": (0.0003, 0, 18),
}
_HELP = (
    "monthly_allowance",
    "health_insurance",
    "tuition",
    "scholarship",
    "gift",
    "rehabilitation",
    "alternative_care",
)


@dataclass(frozen=True)
class Details:
    """True facts on the day of the list; lists of codes are Python lists, one per row."""

    age: Ints
    circumstances: list[list[str]]
    at_risk: Bools
    poverty: Ints
    disability: Ints
    degree: Ints
    help: list[list[str]]
    help_day: Ints
    school: Ints
    vaccination: Ints
    birth_registered: Bools
    change: list[str | None]
    change_day: Ints
    updated_day: Ints
    updated_minute: Ints


def full_years(birth: Ints, day: Ints) -> Ints:
    """Return ages in full years on a day; 29 February counts from 1 March in other years."""
    born, now = birth.astype("datetime64[D]"), day.astype("datetime64[D]")
    years = now.astype("datetime64[Y]").astype(np.int64) - born.astype("datetime64[Y]").astype(np.int64)
    return years - (_month_day(now) < _month_day(born))


def _month_day(days: Any) -> Ints:
    month = days.astype("datetime64[M]").astype(np.int64) % 12
    inside = (days - days.astype("datetime64[M]")).astype(np.int64)
    result: Ints = month * 32 + inside
    return result


def details_of(nation: Nation, rows: Rows) -> Details:
    """Return the details of these rows; they depend on child, household and day only."""
    people, dice = rows.people, nation.dice
    age = full_years(people.birth, rows.day)
    poverty = _poverty(nation, rows)
    circumstances = _circumstances(nation, rows, age, poverty)
    special = np.array([bool(codes) for codes in circumstances], dtype=bool)
    disability = np.where(_has(circumstances, "SC04"), 1 + dice.below("disability", people.index, 6), 0)
    degree = np.array([_degree(codes) for codes in circumstances], dtype=np.int64)
    given = _help(nation, rows, special, poverty)
    registered = dice.chance("birth registered", people.index, _registered_share(rows, people.ethnic))
    change, change_day = _changes(nation, rows, age)
    updated = _updated(nation, rows, change_day)
    return Details(
        age,
        circumstances,
        _at_risk(nation, rows, special, poverty),
        poverty,
        disability,
        degree,
        given,
        rows.day - 30 - dice.below("help day", people.index, 300),
        _school(nation, rows, age, circumstances),
        dice.choice("vaccination", people.index, [0.93, 0.055, 0.015]),
        registered,
        change,
        change_day,
        updated,
        dice.below("minute", rows.draw + (rows.kind << 40), 600) + 450,
    )


def _poverty(nation: Nation, rows: Rows) -> Ints:
    """Return 0 for poor, 1 for near poor, 2 for other households."""
    settings = cast(dict[str, Any], document("nation"))["provinces"]
    shares = np.array(
        [
            [settings[row["province_code"]][name] for name in ("poor", "near_poor")]
            for row in nation.geography.communes
        ]
    )
    factor = np.where(nation.geography.is_rural, 1.2, 0.4)[:, None] * shares
    own = rows.people.commune
    drawn = nation.dice.uniform("poverty", rows.people.household)
    poor, near = factor[own, 0], factor[own, 1]
    return np.where(drawn < poor, 0, np.where(drawn < poor + near, 1, 2))


def _sub_groups() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows_of("codes_special_circumstances"):
        if row["subgroup_code"]:
            found.setdefault(row["group_code"], []).append(row["subgroup_code"])
    return found


def _circumstances(nation: Nation, rows: Rows, age: Ints, poverty: Ints) -> list[list[str]]:
    """Return per row the sub-groups (or the group where it has none) a child belongs to."""
    dice, index = nation.dice, rows.people.index
    local = 0.6 + 0.9 * dice.uniform("special in commune", rows.people.commune)
    found: list[list[str]] = [[] for _ in range(len(rows))]
    subs = _sub_groups()
    for group, (share, youngest, oldest) in _CIRCUMSTANCES.items():
        able = (age >= youngest) & (age < oldest) & ((group != "SC13") | (poverty < 2))
        hit = np.flatnonzero(able & (dice.uniform(f"special {group}", index) < share * local))
        places = dice.below(f"special sub {group}", index[hit], max(1, len(subs.get(group, []))))
        for row, place in zip(hit, places, strict=True):
            names = subs.get(group, [group])
            found[row].append(f"SC13.{poverty[row] + 1:02d}" if group == "SC13" else names[int(place)])
    return found


def _has(circumstances: list[list[str]], group: str) -> Bools:
    return np.array([any(code.startswith(group) for code in codes) for codes in circumstances], dtype=bool)


def _degree(codes: list[str]) -> int:
    return next((int(code[5:]) for code in codes if code.startswith("SC04.")), 0)


def _at_risk(nation: Nation, rows: Rows, special: Bools, poverty: Ints) -> Bools:
    share = np.where(poverty < 2, 0.22, 0.05) * np.where(special, 0.3, 1.0)
    return nation.dice.chance("at risk", rows.people.index, share)


def _help(nation: Nation, rows: Rows, special: Bools, poverty: Ints) -> list[list[str]]:
    """Return the kinds of help each child receives, in the order of the code list."""
    dice, index = nation.dice, rows.people.index
    any_help = dice.chance(
        "helped",
        index,
        np.where(special, 0.82, np.where(poverty == 0, 0.35, np.where(poverty == 1, 0.15, 0.01))),
    )
    found: list[list[str]] = [[] for _ in range(len(rows))]
    first = dice.choice("help kind", index, [0.4, 0.25, 0.12, 0.05, 0.1, 0.05, 0.03])
    second = dice.choice("second help", index, [0.2, 0.3, 0.2, 0.1, 0.2, 0.0, 0.0])
    both = dice.chance("two kinds", index, 0.3)
    for row in np.flatnonzero(any_help):
        kinds = {int(first[row])} | ({int(second[row])} if both[row] else set())
        found[row] = [_HELP[kind] for kind in sorted(kinds)]
    return found


def _registered_share(rows: Rows, ethnic: Ints) -> Floats:
    days = rows.day - rows.people.birth
    early = np.where(days < 60, 0.35 + 0.6 * np.minimum(days, 60) / 60, 0.985)
    return np.where(ethnic > 1, early * 0.965, early)


def _school(nation: Nation, rows: Rows, age: Ints, circumstances: list[list[str]]) -> Ints:
    """Return codes of school status: 1 in school, 2 too young, 3 dropped out, 4 never."""
    drawn = nation.dice.uniform("school", rows.people.index)
    small = np.where((age >= 3) & (drawn < 0.86), 1, 2)
    grown = pick(drawn, cumulative([0.985, 0.011, 0.004]))
    status = np.where(age < 6, small, np.array([1, 3, 4])[grown])
    return np.where(_has(circumstances, "SC08"), 3, status)


def _changes(nation: Nation, rows: Rows, age: Ints) -> tuple[list[str | None], Ints]:
    """Return the change recorded in each row and its day (−1: none); later events than the list are not known to it."""
    people, dice = rows.people, nation.dice
    known = (people.change_day >= 0) & (people.change_day <= rows.day)
    unclosed = dice.chance("E62", rows.draw, min(0.6, nation.profile.records.get("E62", 0.0) * 300))
    died, left = known & people.died & ~unclosed, known & people.left
    behind = rows.kind == RowKind.LEFT_BEHIND
    closed = behind & dice.chance("closed behind", people.household, 0.5)
    turned = (age >= 16) & dice.chance("closed at 16", people.index, 1.0 if nation.profile.clean else 0.6)
    arrived = dice.chance("moved in", people.household, 0.02) & ~behind
    newborn = (rows.day - people.birth < 365) & dice.chance("born noted", people.index, 0.5)
    kinds = [
        (died, "died"),
        (left | closed, "moved_out"),
        (turned, "turned_16"),
        (newborn, "born"),
        (arrived, "moved_in"),
    ]
    names: list[str | None] = [None] * len(rows)
    day = np.full(len(rows), -1)
    taken = np.zeros(len(rows), dtype=bool)
    for mask, name in kinds:
        for row in np.flatnonzero(mask & ~taken):
            names[row] = name
        day = np.where(mask & ~taken, _day_of(nation, rows, name), day)
        taken |= mask
    return names, day


def _day_of(nation: Nation, rows: Rows, change: str) -> Ints:
    people = rows.people
    recent = np.maximum(
        rows.day - 40 - nation.dice.below("recent change", people.household, 500), people.birth
    )
    if change == "born":
        return people.birth
    if change == "turned_16":
        return np.array([day_number(birthday_16(date_of(int(day)))) for day in people.birth], dtype=np.int64)
    return np.where(people.change_day >= 0, people.change_day, recent)


def birthday_16(birth: dt.date) -> dt.date:
    """Return the day a child turns 16; for one born on 29 February, 16 years later that day exists unless the century lacks it."""
    try:
        return birth.replace(year=birth.year + 16)
    except ValueError:
        return dt.date(birth.year + 16, 3, 1)


def _updated(nation: Nation, rows: Rows, change_day: Ints) -> Ints:
    """Return the day of last update: between birth and list, never before a recorded change; repeats spelt otherwise are older."""
    span = np.minimum(rows.day - rows.people.birth, 500)
    day: Ints = rows.day - (nation.dice.uniform("updated", rows.people.index) * span).astype(np.int64)
    day = np.maximum(day, change_day)
    older: Ints = day - 1 - nation.dice.below("older", rows.people.index, 90)
    return np.where(rows.kind == RowKind.SPELT_OTHERWISE, older, day)
