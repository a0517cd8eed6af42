"""What a unit's text or code meant on a day and means now: decided, or undecided with the candidates listed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

from childdb.places.history import (
    FIRST_DAY,
    LAST_LEGACY_DAY,
    MERGER_DAY,
    Commune,
    History,
    UnitName,
    history,
    name_key,
    plain_key,
)
from childdb.places.scope import (
    ProvinceScope,
    find_districts,
    province_scope,
    says_a_district,
    similar_districts,
)
from childdb.places.wording import (
    Reading,
    UnitText,
    commune_readings,
    named_communes,
    read_commune_text,
)

RULE_UNKNOWN = "PLACE-001"
RULE_TWINS = "PLACE-002"
RULE_DIVIDED = "PLACE-003"
RULE_OLD_UNIT = "PLACE-004"
RULE_MERGED_EARLIER = "PLACE-005"
RULE_WORDING = "PLACE-006"
RULE_PROVINCE_UNKNOWN = "PLACE-007"
RULE_DISTRICT_UNKNOWN = "PLACE-008"
RULE_EVIDENCE = "PLACE-009"
RULE_CONTRADICTION = "PLACE-010"
RULE_LATER_UNIT = "PLACE-011"
RULE_NO_DATE = "PLACE-012"
RULE_MISSING = "PLACE-013"
RULE_NO_SUCCESSOR = "PLACE-014"


class Status(StrEnum):
    """How far a unit's text was understood."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Query:
    """What a row says of its commune, and the day that counts; texts as cleaned, None if blank."""

    province: str | None = None
    district: str | None = None
    commune: str | None = None
    day: date | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A commune on a day (`commune_id`) and since 1 July 2025 (`current_id`), each None with candidates if undecided."""

    status: Status
    commune_id: str | None = None
    current_id: str | None = None
    province_code: str | None = None
    candidates: tuple[str, ...] = ()
    current_candidates: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@lru_cache(maxsize=262144)
def resolve(query: Query) -> Answer:
    """Return the commune of a row on its day and now."""
    day = max(query.day, FIRST_DAY) if query.day else None
    if query.district and not says_a_district(query.district):
        query = replace(query, district=None)
    words = read_commune_text(query.commune) if query.commune else UnitText()
    district = query.district or words.district
    if day is None:
        return _without_day(query, district)
    scope = province_scope(query.province or words.province, day)
    if scope.is_open and scope.is_known is False and words.province and query.province:
        scope = province_scope(words.province, day)
    if district and not query.district and find_districts(district, scope.legacy_codes) == frozenset():
        scope, district = _province_in_its_place(scope, district, day)
    if words.code is None and words.name is None:
        return Answer(
            Status.UNKNOWN,
            province_code=_own_province(scope, day),
            rules=_scope_rules(scope, query, (RULE_MISSING,)),
        )
    return _resolve_words(query, words, district, scope, day)


def _province_in_its_place(
    scope: ProvinceScope, district: str, day: date
) -> tuple[ProvinceScope, str | None]:
    """Return scope and district where the text behind the commune is no district but the province (TP Hà Nội)."""
    stated = province_scope(district, day)
    if not stated.is_known:
        return scope, district
    is_same = scope.is_open or bool(scope.legacy_codes & stated.legacy_codes)
    return (stated if scope.is_open else scope), (None if is_same else district)


def _without_day(query: Query, district: str | None) -> Answer:
    """Return the answer where the file has no date: only what is the same in each period, or has a district."""
    former = resolve(Query(query.province, query.district, query.commune, LAST_LEGACY_DAY, query.evidence))
    if district and former.commune_id:
        return former
    present = resolve(Query(query.province, query.district, query.commune, MERGER_DAY, query.evidence))
    if present.commune_id is None and former.commune_id is not None:
        return former
    if former.commune_id is None and present.commune_id is not None:
        return present
    candidates = tuple(
        sorted(
            {*former.candidates, *present.candidates} | {former.commune_id or "", present.commune_id or ""}
        )
    )
    same = present.current_id if former.current_id == present.current_id else None
    return Answer(Status.UNDECIDED, None, same, None, tuple(filter(None, candidates)), (), (RULE_NO_DATE,))


def _scope_rules(scope: ProvinceScope, query: Query, rules: tuple[str, ...]) -> tuple[str, ...]:
    return rules if scope.is_known or not query.province else (*rules, RULE_PROVINCE_UNKNOWN)


def _own_province(scope: ProvinceScope, day: date) -> str | None:
    codes = scope.legacy_codes if day < MERGER_DAY else scope.present_codes
    return next(iter(codes)) if len(codes) == 1 else None


def _resolve_words(
    query: Query, words: UnitText, district: str | None, scope: ProvinceScope, day: date
) -> Answer:
    known = history()
    districts = find_districts(district, scope.legacy_codes)
    rules: tuple[str, ...] = (RULE_DISTRICT_UNKNOWN,) if districts == frozenset() else ()
    if districts == frozenset():
        # Only a slip of the pen may be passed over: the district that was meant must still be recognised.
        districts = similar_districts(district or "", scope.legacy_codes)
    is_former = day < MERGER_DAY or bool(districts) or scope.is_former_name or words.is_former
    orders = (LAST_LEGACY_DAY, day) if is_former and day >= MERGER_DAY else (day, _other_day(day))
    for place, search_day in enumerate(orders):
        found = _candidates(known, words, districts or None, scope, search_day)
        if found:
            return _answer(query, sorted(found), day, scope, rules + _wording_rule(words, found, search_day))
        if place == 0:
            found = _at_other_times(known, words, districts or None, scope, search_day)
            if found:
                return _answer(query, sorted(found), day, scope, rules)
    reason = RULE_UNKNOWN
    if not scope.is_open and _candidates(known, words, None, ProvinceScope(), day):
        reason = RULE_CONTRADICTION
    rules = _scope_rules(scope, query, (*rules, reason))
    return Answer(Status.UNKNOWN, province_code=_own_province(scope, day), rules=rules)


def _other_day(day: date) -> date:
    return LAST_LEGACY_DAY if day >= MERGER_DAY else MERGER_DAY


def _candidates(
    known: History, words: UnitText, districts: frozenset[str] | None, scope: ProvinceScope, day: date
) -> set[str]:
    """Return the communes in force on a day that fit the words, the district and the province."""
    units = _by_code(known, words.code, day) if words.code else _by_name(known, words.name or "", day)
    fitting = {unit.commune_id for unit in units if _fits(known, unit, districts, scope, day)}
    return _named_alike(known, fitting, words) if words.code else fitting


def _named_alike(known: History, units: set[str], words: UnitText) -> set[str]:
    """Return those units of a code that also carry, at any time, the name written beside the code."""
    if not words.name or not units:
        return units
    return units & {name.unit_id for name in _matching_names(words.name)}


def _fits(
    known: History, unit: Commune, districts: frozenset[str] | None, scope: ProvinceScope, day: date
) -> bool:
    codes = scope.legacy_codes if day < MERGER_DAY else scope.present_codes
    if not scope.is_open and unit.province_code not in codes:
        return False
    if districts is None:
        return True
    if day < MERGER_DAY:
        return unit.district_code in districts
    links = known.predecessors.get(unit.commune_id, [])
    return any(known.communes[link.unit_id].district_code in districts for link in links)


def _by_code(known: History, code: str, day: date) -> list[Commune]:
    """Return units with a code; one typed as a number may have lost its zeros."""
    exact = known.units_with_code(code, day)
    padded = known.units_with_code(code.zfill(5), day) if len(code) < 5 else []
    return [*exact, *padded]


def _by_name(known: History, text: str, day: date) -> list[Commune]:
    names = [
        name
        for name in _matching_names(text)
        if name.valid_from <= day and (name.valid_to is None or day < name.valid_to)
    ]
    return [known.communes[unit_id] for unit_id in sorted({name.unit_id for name in names})]


@lru_cache(maxsize=65536)
def _matching_names(text: str) -> tuple[UnitName, ...]:
    known = history()
    found: dict[UnitName, None] = {}
    for reading in commune_readings(text):
        names = known.by_name.get("=" + name_key(reading.name), [])
        if not names and text.isascii():
            names = known.by_name.get("~" + plain_key(reading.name), [])
        fitting = [name for name in names if reading.unit_type in (None, name.unit_type)]
        found.update(dict.fromkeys(fitting))
        if fitting:
            break
    return tuple(found)


def _at_other_times(
    known: History, words: UnitText, districts: frozenset[str] | None, scope: ProvinceScope, day: date
) -> set[str]:
    """Return units of the same map that fit under a name or day of another time: a stale text, a merged unit."""
    if words.code is not None:
        codes = {words.code, words.code.zfill(5)}
        coded = [unit for code in sorted(codes) for unit in known.by_code.get(code, [])]
        alike = _named_alike(known, {unit.commune_id for unit in coded}, words)
        units = [unit for unit in coded if unit.commune_id in alike]
    else:
        units = [known.communes[name.unit_id] for name in _matching_names(words.name or "")]
    same_map = [unit for unit in units if (unit.valid_from < MERGER_DAY) == (day < MERGER_DAY)]
    fitting = {unit.commune_id for unit in same_map if _fits(known, unit, districts, scope, day)}
    in_force = {unit for unit in fitting if known.communes[unit].is_in_force(day)}
    return in_force or fitting


def _wording_rule(words: UnitText, found: set[str], day: date) -> tuple[str, ...]:
    if words.name is None or len(found) != 1:
        return ()
    official = history().name_on(next(iter(found)), day)
    return (
        () if name_key(words.name) in (name_key(official.full), name_key(official.name)) else (RULE_WORDING,)
    )


def _answer(
    query: Query, found: list[str], day: date, scope: ProvinceScope, rules: tuple[str, ...]
) -> Answer:
    """Return the answer for the units the words fit: one is decided, several are listed."""
    known = history()
    own, own_candidates, own_rules = _on_day(known, found, day)
    current, current_candidates = _now(known, found, own)
    extra = list(own_rules)
    if current is None and not current_candidates and own:
        extra.append(RULE_NO_SUCCESSOR)
    if current is None and len(current_candidates) > 1:
        current = _by_evidence(known, query.evidence, current_candidates, found, day)
        extra.append(RULE_EVIDENCE if current else RULE_DIVIDED if len(found) == 1 else RULE_TWINS)
        if current and own is None and day >= MERGER_DAY:
            own = current
    province = (
        known.communes[own].province_code if own else _common_province(known, own_candidates, scope, day)
    )
    status = Status.DECIDED if own else Status.UNDECIDED
    all_rules = tuple(dict.fromkeys((*rules, *extra)))
    return Answer(
        status,
        own,
        current,
        province,
        () if own else own_candidates,
        () if current else current_candidates,
        all_rules,
    )


def _on_day(
    known: History, found: list[str], day: date
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Return the unit in force on the day that a set of found units leads to, candidates otherwise, and rules."""
    if len(found) == 1 and known.communes[found[0]].is_in_force(day):
        return found[0], (), ()
    if all(known.communes[unit].valid_from > day for unit in found):
        return None, tuple(found), (RULE_LATER_UNIT,)
    reached: set[str] = set()
    for unit in found:
        reached.update(known.successors_on(unit, day) or [])
    if len(reached) == 1 and all(known.successors_on(unit, day) for unit in found):
        is_merger = day >= MERGER_DAY
        return next(iter(reached)), (), ((RULE_OLD_UNIT if is_merger else RULE_MERGED_EARLIER),)
    twins = (RULE_TWINS,) if len(found) > 1 else ()
    return None, tuple(sorted(reached or found)), twins or ((RULE_UNKNOWN,) if not reached else ())


def _now(known: History, found: list[str], own: str | None) -> tuple[str | None, tuple[str, ...]]:
    units = [own] if own else found
    reached: set[str] = set()
    for unit in units:
        later = (known.communes[unit].valid_from >= MERGER_DAY and [unit]) or known.successors_on(
            unit, date.max
        )
        if not later:
            return None, ()
        reached.update(later)
    return (next(iter(reached)), ()) if len(reached) == 1 else (None, tuple(sorted(reached)))


def _by_evidence(
    known: History, evidence: tuple[str, ...], candidates: tuple[str, ...], found: list[str], day: date
) -> str | None:
    """Return the candidate that the row or file names with its type, if it names exactly one.

    A name that the divided unit itself carried tells nothing, nor does one of the former map that a district or the
    day marks as such.
    """
    own = {_typed(name) for unit in found for name in known.names[unit]}
    by_name = {_typed(name): unit for unit in candidates for name in known.names[unit]}
    former = {known.communes[unit].province_code for unit in found}
    named: set[str] = set()
    for text in evidence:
        for reading, has_district in named_communes(text):
            key = (str(reading.unit_type), name_key(reading.name))
            is_old = (has_district or day < MERGER_DAY) and _is_former_name(known, reading, former)
            if key in by_name and key not in own and not is_old:
                named.add(by_name[key])
    return next(iter(named)) if len(named) == 1 else None


def _typed(name: UnitName) -> tuple[str, str]:
    return str(name.unit_type), name_key(name.name)


def _is_former_name(known: History, reading: Reading, province_codes: set[str]) -> bool:
    """Return whether a unit of the former map carried this type and name in one of some former provinces."""
    return any(
        name.unit_type == reading.unit_type
        and name.valid_from < MERGER_DAY
        and known.communes[name.unit_id].province_code in province_codes
        for name in known.by_name.get("=" + name_key(reading.name), [])
    )


def _common_province(
    known: History, candidates: tuple[str, ...], scope: ProvinceScope, day: date
) -> str | None:
    codes = {
        known.communes[unit].province_code for unit in candidates if known.communes[unit].is_in_force(day)
    }
    return next(iter(codes)) if len(codes) == 1 else _own_province(scope, day)
