"""Mistakes of units: E50 to E56."""

from __future__ import annotations

import random
from datetime import date

from bench.error_modes.cases import Case, Row, rules
from bench.error_modes.units import (
    Unit,
    divided_units,
    former_wordings,
    merged_earlier,
    present_by_id,
    twins,
    units_on,
    whole_units,
    wording_key,
)
from bench.invented import Nation

WITH_DISTRICTS = date(2025, 9, 11)


def e50(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A former unit in a later list goes to the one unit that holds its people."""
    unit = rng.choice(whole_units())
    gives = {"commune_id_2025": unit.homes[0]}
    if nation.file_date == WITH_DISTRICTS:
        # A district in the file means before the merger: the former unit is the one in force, and the present one is known.
        words = {"xa": unit.text, "huyen": unit.district, "tinh": unit.province}
        return Case({**row, **words}, {**gives, "commune_id": unit.unit_id})
    words = {"xa": f"{unit.text}, {unit.district}", "huyen": None, "tinh": unit.province}
    return Case({**row, **words}, gives, rules("PLACE-004"))


def e51(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A unit whose people were divided stays undecided unless the row itself names the new unit."""
    unit = rng.choice(divided_units())
    words = {"xa": unit.text, "huyen": unit.district, "tinh": unit.province}
    named = [home for home in unit.homes if _is_new_wording(unit, present_by_id()[home])]
    if not named or rng.random() < 0.5:
        return Case(
            {**row, **words}, {"commune_id": unit.unit_id, "commune_id_2025": None}, rules("PLACE-003")
        )
    home = rng.choice(named)
    address = rng.choice(("Thôn 3, {}", "Số 12, ngõ 4, {}", "{}", "Tổ 5 - {}")).format(
        present_by_id()[home].text
    )
    column = rng.choice(("dia_chi", "noi_o_hien_tai", "thuong_tru"))
    gives = {"commune_id": unit.unit_id, "commune_id_2025": home}
    return Case({**row, **words, column: address}, gives, rules("PLACE-009"))


def _is_new_wording(unit: Unit, home: Unit) -> bool:
    """Return whether a present unit's type and name were no former unit's in the former province."""
    return (unit.province_code, wording_key(home.text)) not in former_wordings()


def e52(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A bare code means the unit of the file's day."""
    unit = rng.choice(units_on(nation.file_date.isoformat()))
    seen = rng.choice((unit.code, unit.code.lstrip("0"), f"{unit.code.lstrip('0')}.0", f" {unit.code}"))
    return Case({**row, "xa": seen, "huyen": None, "tinh": unit.province}, {"commune_id": unit.unit_id})


def e53(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A unit merged before 2025 is read as the unit that took its place."""
    unit, home = rng.choice(merged_earlier())
    words = {"xa": unit.text, "huyen": unit.district, "tinh": unit.province}
    return Case({**row, **words}, {"commune_id": home}, rules("PLACE-005"))


def e55(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A name that two communes of a province bear needs its district; without it the unit stays undecided."""
    unit = rng.choice(twins())
    if rng.random() < 0.3:
        words = {"xa": unit.text, "huyen": unit.district, "tinh": unit.province}
        return Case({**row, **words}, {"commune_id": unit.unit_id})
    words = {"xa": unit.text, "huyen": None, "tinh": unit.province}
    return Case({**row, **words}, {"commune_id": None}, rules("PLACE-002"))


def e56(rng: random.Random, row: Row, nation: Nation) -> Case:
    """A whole address in the column of the commune names its unit; one in the column of the address is a candidate only."""
    unit = rng.choice(units_on("2025-06-20"))
    whole = f"{unit.text}, {unit.district}, {unit.province}"
    if rng.random() < 0.5:
        return Case({**row, "xa": whole, "huyen": None, "tinh": None}, {"commune_id": unit.unit_id})
    address = rng.choice(("Tổ 5, ấp 2, {}", "Số 12, thôn Hạ, {}", "{}", "Khóm 4 - {}")).format(whole)
    blank = {"xa": None, "huyen": None, "tinh": None}
    gives = {"commune_id": None, "dia_chi": address}
    return Case({**row, **blank, "dia_chi": address}, gives, rules("FIELD-001", "PLACE-013"))


def e54(rng: random.Random, row: Row, nation: Nation) -> Case:
    short = {
        "Phường": ("P.", "P. ", "p ", "phường ", "PHƯỜNG "),
        "Xã": ("X.", "X. ", "xã ", "XÃ "),
        "Thị": ("TT.", "TT ", "tt. "),
    }
    head, *rest = row["xa"].split(" ")
    name = " ".join(rest[1:] if head == "Thị" else rest)
    if head == "Phường" and name.isdigit():
        name = rng.choice([name, f"{int(name):02d}"])
    district = (
        row["huyen"]
        .replace("Huyện ", rng.choice(["H. ", "H.", "huyện ", "Huyện "]))
        .replace("Quận ", rng.choice(["Q. ", "Q."]))
    )
    district = district.replace("Thị xã ", rng.choice(["TX. ", "TX ", "thị xã "])).replace(
        "Thành phố ", rng.choice(["TP. ", "TP ", "Tp."])
    )
    province = (
        row["tinh"]
        .replace("Tỉnh ", rng.choice(["T. ", "", "tỉnh "]))
        .replace("Thành phố ", rng.choice(["TP. ", "TP ", ""]))
    )
    return Case(
        {**row, "xa": rng.choice(short[head]) + name, "huyen": district, "tinh": province},
        {"commune_id": row["_unit"]},
    )
