"""The unit a list is of, in the words of its day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from childdb.sandbox.geography import date_of
from childdb.sandbox.lists import UnitList
from childdb.sandbox.reference_tables import former_communes, present_communes, province_names, rows_of

_UNIT = {"xa": "Xã", "phuong": "Phường", "thi_tran": "Thị trấn", "dac_khu": "Đặc khu", "huyen_dao": "Huyện"}
_PROVINCE = {"tinh": "Tỉnh", "thanh_pho": "Thành phố"}


@dataclass(frozen=True)
class Place:
    """The unit a list is of, in words."""

    province: str
    district: str
    commune: str
    province_code: str
    is_former: bool


def place_of(unit: UnitList) -> Place:
    """Return province, district and commune of a list in words, as they were called on its day."""
    if unit.is_former:
        row = former_communes()[unit.commune_id]
        province = province_names(False)[row["province_code"]]
    else:
        row = {each["commune_id"]: each for each in present_communes()}[unit.commune_id]
        province = province_names(True)[row["province_code"]]
    name = f"{_PROVINCE[province['unit_type']]} {province['name_vi']}"
    district = row.get("district", "")
    return Place(
        name, district, f"{_UNIT[_type_on(unit)]} {row['name']}", row["province_code"], unit.is_former
    )


def _type_on(unit: UnitList) -> str:
    """Return the type of the unit on the day of the list: some became wards on 30 April 2026."""
    day = date_of(unit.day).isoformat()
    names = [row for row in _names_by_id().get(unit.commune_id, []) if row["valid_from_date"] <= day]
    return max(names, key=lambda row: row["valid_from_date"])["unit_type"]


@cache
def _names_by_id() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows_of("commune_names"):
        found.setdefault(row["commune_id"], []).append(row)
    return found
