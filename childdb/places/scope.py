"""Provinces and districts that a text can mean: on the former map, on the present one, or on both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache

from childdb.cleaning.names import is_missing_word
from childdb.cleaning.text import clean_text
from childdb.places.history import FIRST_DAY, MERGER_DAY, history, name_key, plain_key
from childdb.places.wording import district_readings, province_name, unit_code
from childdb.reference import mapping_rows

_SLIP = 0.8


@dataclass(frozen=True, slots=True)
class ProvinceScope:
    """The provinces a text may mean: codes on the former map and on the present one."""

    legacy_codes: frozenset[str] = frozenset()
    present_codes: frozenset[str] = frozenset()
    is_former_name: bool = False
    is_known: bool = True

    @property
    def is_open(self) -> bool:
        """Return whether nothing is known of the province."""
        return not self.legacy_codes and not self.present_codes


@lru_cache(maxsize=1)
def _province_index() -> dict[str, set[str]]:
    index: dict[str, set[str]] = {}
    by_name: dict[str, set[str]] = {}
    for province_id, names in history().province_names.items():
        for name in names:
            by_name.setdefault(name.name, set()).add(province_id)
            for key in ("=" + name_key(name.name), "~" + plain_key(name.name)):
                index.setdefault(key, set()).add(province_id)
    for row in mapping_rows("provinces"):
        for key in ("=" + name_key(row["spelling"]), "~" + plain_key(row["spelling"])):
            index.setdefault(key, set()).update(by_name[row["name_vi"]])
    return index


@lru_cache(maxsize=16384)
def province_scope(text: str | None, day: date) -> ProvinceScope:
    """Return which provinces a text or code can mean when it was written about a day."""
    cleaned = clean_text(text)[0] if text else None
    if cleaned is None:
        return ProvinceScope()
    code = unit_code(cleaned)
    if code:
        province_id = (
            history().province_id_on(code.zfill(2)[-2:], max(day, FIRST_DAY)) if len(code) <= 3 else None
        )
        return _scope({province_id} if province_id else set(), day)
    index = _province_index()
    for wording in (cleaned, province_name(cleaned)):
        found = index.get("=" + name_key(wording)) or (
            index.get("~" + plain_key(wording)) if wording.isascii() else None
        )
        if found:
            return _scope(found, day)
    return ProvinceScope(is_known=False)


def _scope(province_ids: set[str], day: date) -> ProvinceScope:
    """Return the scope of provinces found by name; on either side of the merger the name of its own day counts."""
    if not province_ids:
        return ProvinceScope(is_known=False)
    known = history()
    legacy = {found for found in province_ids if not found.endswith(MERGER_DAY.isoformat())}
    present = province_ids - legacy
    successors = {known.province_successors[found] for found in legacy}
    if day >= MERGER_DAY and present:
        former = {found for found, later in known.province_successors.items() if later in present}
        return ProvinceScope(_codes(former), _codes(present))
    return ProvinceScope(_codes(legacy), _codes(successors | present), is_former_name=day >= MERGER_DAY)


def _codes(province_ids: set[str]) -> frozenset[str]:
    return frozenset(province_id.split("@")[0] for province_id in province_ids)


@lru_cache(maxsize=16384)
def says_a_district(text: str) -> bool:
    """Return whether a cell names a district by word or code: a dash, a zero and words for nothing name none.

    >>> says_a_district("Không có"), says_a_district("001"), says_a_district("Ba Đình")
    (False, True, True)
    """
    has_sign = any(letter.isalnum() and letter != "0" for letter in text)
    return has_sign and not is_missing_word(text.strip(" ()[]"))


@lru_cache(maxsize=16384)
def find_districts(text: str | None, province_codes: frozenset[str]) -> frozenset[str] | None:
    """Return the codes of the districts a text can mean in some provinces; None if no district is written."""
    cleaned = clean_text(text)[0] if text else None
    if cleaned is None or not any(letter.isalnum() for letter in cleaned):
        return None
    districts = [
        unit
        for unit in history().districts.values()
        if not province_codes or unit.province_code in province_codes
    ]
    code = unit_code(cleaned)
    if code:
        return frozenset(unit.code for unit in districts if unit.code == code.zfill(3))
    for reading in district_readings(cleaned):
        for key, marks in ((name_key, True), (plain_key, False)):
            if not marks and not cleaned.isascii():
                continue
            found = {
                unit.code
                for unit in districts
                if _district_matches(unit.full, reading.unit_type, reading.name, key)
            }
            if found:
                return frozenset(found)
    return frozenset()


@lru_cache(maxsize=16384)
def similar_districts(text: str, province_codes: frozenset[str]) -> frozenset[str]:
    """Return the districts whose names differ from a text by a slip; a code that fits nothing if there is none."""
    same_letters = {
        unit.code
        for unit in history().districts.values()
        if (not province_codes or unit.province_code in province_codes)
        and plain_key(unit.full) == plain_key(text)
    }
    if same_letters:
        return frozenset(same_letters)
    wanted = plain_key(district_readings(text)[0].name)
    found = {
        unit.code
        for unit in history().districts.values()
        if (not province_codes or unit.province_code in province_codes)
        and SequenceMatcher(None, wanted, plain_key(district_readings(unit.full)[0].name)).ratio() >= _SLIP
    }
    return frozenset(found or {"none"})


def _district_matches(full: str, unit_type: str | None, name: str, key: object) -> bool:
    own = district_readings(full)[0]
    if unit_type is not None and own.unit_type != unit_type:
        return False
    make_key = name_key if key is name_key else plain_key
    return make_key(own.name) == make_key(name)
