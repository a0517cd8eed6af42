"""The extract of the population database: one row per listed child, in the schema of ``childdb match``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from childdb.sandbox.columns import Column, column
from childdb.sandbox.hamlets import Hamlets
from childdb.sandbox.hashing import Bools, Ints
from childdb.sandbox.lexicon import NONE
from childdb.sandbox.people import Nation, People
from childdb.sandbox.reference_tables import rows_of
from childdb.sandbox.spelling import Style
from childdb.sandbox.writing import padded, plain, without

_FIELDS: list[tuple[str, pa.DataType]] = [
    ("person_id", pa.string()),
    ("personal_id_no", pa.string()),
    ("full_name", pa.string()),
    ("sex", pa.int8()),
    ("birth_date", pa.date32()),
    ("ethnic_group_text", pa.string()),
    ("province_code", pa.string()),
    ("commune_code", pa.string()),
    ("hamlet_name", pa.string()),
    ("household_no", pa.string()),
    ("mother_name", pa.string()),
    ("mother_personal_id_no", pa.string()),
    ("father_name", pa.string()),
    ("father_personal_id_no", pa.string()),
    ("phone_no", pa.string()),
    ("birth_registration_no", pa.string()),
    ("former_commune_id", pa.string()),
]
SCHEMA = pa.schema(_FIELDS)
_ID_SPACE = 10**8
_ID_FACTOR = 48_271_771
# How often the extract itself lacks a field when a profile has gaps.
_GAPS = {
    "mother_name": 0.02,
    "mother_no": 0.10,
    "father_name": 0.06,
    "father_no": 0.14,
    "phone": 0.50,
    "household": 0.10,
    "birth": 0.20,
}


def person_ids(nation: Nation, index: Ints) -> Column:
    """Return the extract's own row ids: eight digits that say nothing about the order of children."""
    return pc.binary_join_element_wise(
        "P", padded((index * _ID_FACTOR + nation.seed * 7919) % _ID_SPACE, 8), ""
    )


def child_keys(nation: Nation, index: Ints) -> Column:
    """Return the truth's key of each child; it occurs in no file that a pipeline reads."""
    return pc.binary_join_element_wise(
        "T", padded((index * 73_939_133 + nation.seed * 104_729) % 10**9, 9), ""
    )


def registry_numbers(nation: Nation, people: People) -> Ints:
    """Return the numbers as the extract holds them: a few have a wrong structure there already (E14)."""
    wrong = nation.dice.chance("E14", people.index, nation.profile.records.get("E14", 0.0))
    year = people.number // 1_000_000 % 100
    return np.where(wrong, people.number - year * 1_000_000 + (year - 1) % 100 * 1_000_000, people.number)


def population_table(nation: Nation, people: People, hamlets: Hamlets) -> pa.Table:
    """Return the extract's rows of these children."""
    listed = people.take(np.flatnonzero(people.listed))
    gap = _gaps(nation, listed)
    style = np.full(len(listed), int(Style.UPPER if nation.profile.extract_upper_case else Style.PLAIN))
    moved = listed.home != listed.commune
    columns = [
        person_ids(nation, listed.index),
        padded(registry_numbers(nation, listed), 12),
        nation.lexicon.text(listed.name, style),
        column((listed.sex + 1).astype(np.int8)),
        column(listed.birth.astype(np.int32), pa.int32()).cast(pa.date32()),
        ethnic_names().take(column(listed.ethnic)),
        *commune_columns(nation, listed.home),
        without(moved, hamlets.text(listed.commune, listed.hamlet, np.zeros(len(listed), dtype=np.int64))),
        without(gap["household"] | moved, padded(listed.household_no, 4)),
        nation.lexicon.text(_blanked(listed.mother, gap["mother_name"]), style),
        padded(np.where(gap["mother_no"] | gap["mother_name"], -1, listed.mother_number), 12),
        nation.lexicon.text(_blanked(listed.father, gap["father_name"]), style),
        padded(np.where(gap["father_no"] | gap["father_name"], -1, listed.father_number), 12),
        without(gap["phone"], padded(listed.mother_phone, 10)),
        without(gap["birth"], certificates(listed)),
        _former_ids(nation, listed),
    ]
    return pa.table(columns, schema=SCHEMA)


def _gaps(nation: Nation, people: People) -> dict[str, Bools]:
    whose = {"birth": people.index}
    share = nation.profile.extract_gaps
    return {
        name: nation.dice.chance(f"gap {name}", whose.get(name, people.household), rate * share)
        for name, rate in _GAPS.items()
    }


def _blanked(tokens: Ints, rows: Bools) -> Ints:
    return np.where(rows[:, None], NONE, tokens)


def certificates(people: People) -> Column:
    """Return birth certificate numbers: number in the commune's book of the year, and the year."""
    return pc.binary_join_element_wise(plain(people.certificate), plain(people.year), "/")


def commune_columns(nation: Nation, commune: Ints) -> list[Column]:
    """Return province and commune codes of positions."""
    rows = nation.geography.communes
    return [
        column([row[name] for row in rows]).take(column(commune))
        for name in ("province_code", "commune_code")
    ]


def _former_ids(nation: Nation, people: People) -> Column:
    """Return the id of the former commune a child lived in; NULL where it is not known or the child has moved."""
    former = nation.geography.former
    counts = np.array([max(1, len(units)) for units in former])
    start = np.cumsum(counts) - counts
    ids: list[str | None] = []
    for units in former:
        ids += [unit.commune_id for unit in units] or [None]
    place = start[people.commune] + people.former
    return column(ids, pa.string()).take(column(place, mask=people.home != people.commune))


def ethnic_names() -> Column:
    """Return names of ethnic groups by their 1979 code."""
    names = {int(row["ethnic_group_code"]): row["name_vi"] for row in rows_of("codes_ethnic_groups")}
    return column([names.get(code) for code in range(max(names) + 1)], pa.string())
