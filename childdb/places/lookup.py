"""The answer to `childdb place`: what a code or text was on a day, what it came from, and what it is now."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from childdb.places.history import MERGER_DAY, Commune, History, history
from childdb.places.resolve import Answer, Query, Status, resolve
from childdb.places.scope import province_scope


def look_up(text: str, day: date) -> dict[str, Any]:
    """Return the commune, or else the province, that a code or text meant on a day, and what it is now."""
    if re.fullmatch(r"[0-9]{1,2}", text.strip()) and (province := _province(text, day)):
        return province
    answer = resolve(Query(commune=text, day=day))
    if answer.status is Status.UNKNOWN and not answer.candidates:
        province = _province(text, day)
        if province:
            return province
    return _commune_answer(text, day, answer)


def _commune_answer(text: str, day: date, answer: Answer) -> dict[str, Any]:
    known = history()
    on_day = [answer.commune_id] if answer.commune_id else list(answer.candidates)
    now = [answer.current_id] if answer.current_id else list(answer.current_candidates)
    return {
        "query": text,
        "on": day.isoformat(),
        "status": answer.status.value,
        "unit": describe(known, answer.commune_id, day) if answer.commune_id else None,
        "candidates": [describe(known, unit, day) for unit in on_day] if not answer.commune_id else [],
        "now": describe(known, answer.current_id, date.max) if answer.current_id else None,
        "now_candidates": [describe(known, unit, date.max) for unit in now] if not answer.current_id else [],
        "successors": _links(known, answer.commune_id, later=True) if answer.commune_id else [],
        "predecessors": _links(known, answer.commune_id, later=False) if answer.commune_id else [],
        "rules": list(answer.rules),
    }


def describe(known: History, commune_id: str, day: date) -> dict[str, Any]:
    """Return a commune as people and programs read it."""
    unit = known.communes[commune_id]
    shown = min(max(day, unit.valid_from), unit.valid_to or date.max)
    name = known.name_on(commune_id, shown if shown != unit.valid_to else unit.valid_from)
    district = known.districts.get(unit.district_code)
    return {
        "commune_id": commune_id,
        "commune_code": unit.code,
        "name": name.full,
        "unit_type": name.unit_type.value,
        "district_code": unit.district_code or None,
        "district": district.full if district else None,
        "province_code": unit.province_code,
        "province": _province_name(known, unit, shown),
        "valid_from": unit.valid_from.isoformat(),
        "valid_to": unit.valid_to.isoformat() if unit.valid_to else None,
    }


def _province_name(known: History, unit: Commune, day: date) -> str | None:
    inside = day if unit.valid_to is None or day < unit.valid_to else unit.valid_from
    province_id = known.province_id_on(unit.province_code, inside)
    return known.name_on(province_id, inside).full if province_id else None


def _links(known: History, commune_id: str, *, later: bool) -> list[dict[str, Any]]:
    links = known.successions.get(commune_id, []) if later else known.predecessors.get(commune_id, [])
    return [
        {
            "commune_id": link.successor_id if later else link.unit_id,
            "name": known.name_on(link.successor_id if later else link.unit_id, link.changed).full,
            "changed": link.changed.isoformat(),
            "population_share": link.share,
            "holds_population": link.holds_population,
        }
        for link in links
    ]


def _province(text: str, day: date) -> dict[str, Any] | None:
    known = history()
    scope = province_scope(text, day)
    codes = scope.legacy_codes if day < MERGER_DAY or scope.is_former_name else scope.present_codes
    if len(codes) != 1:
        return None
    era = min(day, date(2025, 6, 30)) if scope.is_former_name else day
    province_id = known.province_id_on(next(iter(codes)), era)
    if province_id is None:
        return None
    later = known.province_successors.get(province_id, province_id)
    return {
        "query": text,
        "on": day.isoformat(),
        "status": Status.DECIDED.value,
        "unit": {"province_id": province_id, "name": known.name_on(province_id, era).full},
        "candidates": [],
        "now": {"province_id": later, "name": known.name_on(later, date.max).full},
        "now_candidates": [],
        "successors": [],
        "predecessors": [],
        "rules": [],
    }
