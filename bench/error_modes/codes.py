"""Mistakes of coded fields: E44 to E49."""

from __future__ import annotations

import random

from bench.error_modes.cases import Case, Row, rules
from bench.invented import Nation, seed


def e44(rng: random.Random, row: Row, nation: Nation) -> Case:
    forms = {"female": ["Nu", "nữ", "NỮ", "F", "gái", "Gái", "female", "nu", "Nữ ", "bé gái"],
             "male": ["nam", "NAM", "M", "trai", "Trai", "male", " Nam"]}  # fmt: skip
    return Case({**row, "gioi_tinh": rng.choice(forms[row["_sex"]])}, {"gioi_tinh": row["_sex"]})


def e47(rng: random.Random, row: Row, nation: Nation) -> Case:
    aliases = _aliases()
    spelling, code = rng.choice(aliases)
    seen = rng.choice(
        [
            spelling,
            spelling.upper(),
            spelling.lower(),
            f"Dân tộc {spelling}",
            spelling.replace("-", " "),
            f" {spelling}",
        ]
    )
    return Case({**row, "dan_toc": seen}, {"dan_toc": code})


def _aliases() -> list[tuple[str, str]]:
    if not _ALIASES:
        rows = seed("codes", "codes_ethnic_groups")
        _ALIASES.extend(
            (row["name_vi"], row["ethnic_group_code"]) for row in rows if int(row["ethnic_group_code"]) <= 54
        )
        _ALIASES.extend(
            [
                ("Mèo", "08"),
                ("H’Mông", "08"),
                ("H'mông", "08"),
                ("Khmer", "05"),
                ("Êđê", "12"),
                ("Bana", "13"),
                ("Jrai", "10"),
            ]
        )
    return _ALIASES


_ALIASES: list[tuple[str, str]] = []


def e48(rng: random.Random, row: Row, nation: Nation) -> Case:
    return Case(
        {**row, "dan_toc": rng.choice(["04", "06", "4", "11", "12", "16", "19"])},
        {"dan_toc": None},
        rules("CODE-003"),
    )


def e45(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A blank sex stays blank whatever the number or the middle name hints at."""
    return Case(
        {**row, "gioi_tinh": rng.choice((None, None, "-", "?"))},
        {"gioi_tinh": None},
        rules("FIELD-001", "CODE-001", "CODE-009"),
    )


def e46(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A wrong sex is kept as typed and told of where the number disagrees."""
    wrong = "male" if row["_sex"] == "female" else "female"
    return Case(
        {**row, "gioi_tinh": "Nam" if wrong == "male" else "Nữ"}, {"gioi_tinh": wrong}, rules("ID-020")
    )


def e49(rng: random.Random, row: Row, nation: Nation) -> Case:
    """Kinh by default is kept as typed: an export has no column for the parents' group, the extract tells."""
    return Case({**row, "dan_toc": "Kinh"}, {"dan_toc": "01"})
