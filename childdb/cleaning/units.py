"""The communes of a chunk of rows: each distinct wording is resolved once, rows with evidence on their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from childdb.cleaning.syllables import split_tone, with_tone
from childdb.cleaning.vectors import Mark, distinct
from childdb.places.history import MERGER_DAY, history
from childdb.places.resolve import RULE_DIVIDED, RULE_TWINS, Answer, Query, Status, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from childdb.cleaning.facts import FileFacts

_SEPARATOR = "\x1f"
_EVIDENCE_COLUMNS = ("noi_o_hien_tai", "thuong_tru", "dia_chi")


@dataclass(frozen=True, slots=True)
class UnitColumns:
    """The columns about places, standardised, and the marks of what was judged."""

    columns: Mapping[str, pa.Array]
    marks: list[Mark]


def clean_units(cells: Mapping[str, pa.Array], facts: FileFacts) -> UnitColumns:
    """Return ids and standard wordings of the units of each row."""
    keyed = _keyed(cells, facts.units)
    found = distinct(keyed)
    queries = [_query(value, facts.place_day, _file_evidence(facts)) for value in found.values]
    answers = [resolve(query) for query in queries]
    columns, places = _spread(found.values, found.places, queries, answers)
    marks = found.marks("xa", [answer.rules for answer in answers])
    return _with_evidence(UnitColumns(columns, marks), cells, queries, answers, places)


def _file_evidence(facts: FileFacts) -> tuple[str, ...]:
    return tuple(text for key, text in sorted(facts.units.items()) if key == "commune")


def _keyed(cells: Mapping[str, pa.Array], units: Mapping[str, str]) -> pa.Array:
    """Return province, district and commune of each row in one text; the title's units fill blank cells."""
    frame = pl.DataFrame({name: pl.Series(cells[name]) for name in ("tinh", "huyen", "xa")})
    stated = {"tinh": "province", "huyen": "district", "xa": "commune"}
    filled = [pl.col(name).fill_null(units.get(key) or "") for name, key in stated.items()]
    return frame.select(pl.concat_str(filled, separator=_SEPARATOR)).to_series().to_arrow().cast(pa.string())


def _query(value: str, day: date | None, evidence: tuple[str, ...]) -> Query:
    province, district, commune = (part.strip() or None for part in value.split(_SEPARATOR)[:3])
    return Query(province, district, commune, day, evidence)


def _spread(
    values: Sequence[str], places: np.ndarray, queries: Sequence[Query], answers: Sequence[Answer]
) -> tuple[dict[str, pa.Array], np.ndarray]:
    wordings = [_wording(query, answer) for query, answer in zip(queries, answers, strict=True)]
    indices = pa.array(places)
    texts = {
        "tinh": [words[0] for words in wordings],
        "huyen": [words[1] for words in wordings],
        "xa": [words[2] for words in wordings],
        "commune_id": [answer.commune_id for answer in answers],
        "province_code": [answer.province_code for answer in answers],
        "commune_id_2025": [answer.current_id for answer in answers],
    }
    return {name: pa.array(column, pa.string()).take(indices) for name, column in texts.items()}, places


def _wording(query: Query, answer: Answer) -> tuple[str | None, str | None, str | None]:
    """Return the standard wording of province, district and commune; NULL where a unit is not understood."""
    known = history()
    day = query.day or MERGER_DAY
    province_id = known.province_id_on(answer.province_code, day) if answer.province_code else None
    province = known.name_on(province_id, day).full if province_id else None
    shown = answer.commune_id or (answer.candidates[0] if len(answer.candidates) == 1 else None)
    if shown is None:
        return province, None, None
    district = known.districts.get(known.communes[shown].district_code)
    return province, district.full if district else None, known.name_on(shown, day).full


def _with_evidence(
    found: UnitColumns, cells: Mapping[str, pa.Array], queries: Sequence[Query], answers: Sequence[Answer],
    places: np.ndarray,
) -> UnitColumns:  # fmt: skip
    """Decide divided communes row by row where the row itself names the new unit."""
    open_answers = np.array(
        [bool({RULE_DIVIDED, RULE_TWINS} & set(answer.rules)) for answer in answers] or [False]
    )
    rows = np.flatnonzero(open_answers[places]) if len(answers) else np.array([], dtype=np.int64)
    if not len(rows):
        return found
    rows = rows[_may_name_a_unit(cells, rows, answers)]
    texts = [cells[name].take(pa.array(rows)).to_pylist() for name in _EVIDENCE_COLUMNS]
    settled: dict[int, Answer] = {}
    for row, *evidence in zip(rows, *texts, strict=True):
        words = tuple(text for text in evidence if text)
        if not words:
            continue
        query = queries[places[row]]
        answer = resolve(
            Query(query.province, query.district, query.commune, query.day, (*query.evidence, *words))
        )
        if answer.current_id and answer.status is not Status.UNKNOWN:
            settled[int(row)] = answer
    return _settled(found, settled) if settled else found


def _may_name_a_unit(
    cells: Mapping[str, pa.Array], rows: np.ndarray, answers: Sequence[Answer]
) -> np.ndarray:
    """Return which rows hold any word of a candidate's name: only those are looked at one by one."""
    known = history()
    units = {unit for answer in answers for unit in answer.current_candidates}
    words = {name.name.split(" ")[-1].lower() for unit in units for name in known.names[unit]}
    patterns = sorted(words | {with_new_style(word) for word in words})
    found = np.zeros(len(rows), dtype=bool)
    for column in _EVIDENCE_COLUMNS if patterns else ():
        text = pl.Series(cells[column].take(pa.array(rows))).str.to_lowercase()
        found |= text.str.contains_any(patterns).fill_null(False).to_numpy()
    return found


def with_new_style(word: str) -> str:
    """Return a word with its tone mark where the other style of placement puts it."""
    base, tone = split_tone(word)
    onset = base.rstrip("aăâeêioôơuưy")
    return (
        onset + with_tone(base[len(onset) :], tone, new_style=True)
        if tone and len(onset) < len(base)
        else word
    )


def _settled(found: UnitColumns, settled: Mapping[int, Answer]) -> UnitColumns:
    rows = np.array(sorted(settled), dtype=np.int64)
    mask = np.zeros(len(next(iter(found.columns.values()))), dtype=bool)
    mask[rows] = True
    columns = dict(found.columns)
    for name, attribute in (
        ("commune_id_2025", "current_id"),
        ("commune_id", "commune_id"),
        ("province_code", "province_code"),
    ):
        values = pa.array([getattr(settled[int(row)], attribute) for row in rows], pa.string())
        columns[name] = pc.replace_with_mask(columns[name], pa.array(mask), values)
    kept = [
        Mark(mark.column, mark.rule_id, np.setdiff1d(mark.rows, rows))
        if mark.rule_id in (RULE_DIVIDED, RULE_TWINS)
        else mark
        for mark in found.marks
    ]
    return UnitColumns(columns, [*kept, Mark("xa", "PLACE-009", rows)])
