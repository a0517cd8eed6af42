"""Invented released figures for tests of forms and pages: shaped by the contract, protected by its rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

COLUMNS = (
    *(
        "release_id",
        "cell_id",
        "indicator_set",
        "indicator_code",
        "definition_version",
        "period",
        "geography",
    ),
    *("area_level", "area_code", "sex", "age_group", "ethnic_group", "breakdown", "numerator", "denominator"),
    *("value", "unit", "status", "coverage"),
)
SCHEMA = pa.schema(
    [
        (name, pa.int64() if name in {"numerator", "denominator"} else pa.float64())
        if name in {"numerator", "denominator", "value", "coverage"}
        else (name, pa.string())
        for name in COLUMNS
    ]
)
SEXES = ("male", "female", "_U")
AGES = ("0", "1-2", "3-5", "6-10", "11-14", "15", "_U")
ETHNIC = ("01", "02", "05", "_U")
SHARES: Mapping[tuple[str, str], float] = {
    ("tt13_2021_children", "0301"): 0.04,
    ("tt13_2021_children", "0302"): 0.6,
    ("register", "number_confirmed"): 0.91,
    ("register", "at_risk"): 0.03,
    ("register", "poor_or_near_poor"): 0.12,
    ("register", "birth_registered_under_5"): 0.97,
    ("register", "coverage"): 0.88,
}
Cell = tuple[str, str, str]


@dataclass(frozen=True)
class Edition:
    """The release that the invented figures belong to."""

    release_id: str = "r2026-0123456789ab"
    period: str = "2026"
    size: int = 900
    """Children in a middling commune."""


def chance(*parts: str) -> float:
    """Return a number from 0 to 1 that depends on nothing but the parts."""
    return int(hashlib.sha256("|".join(parts).encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def figures(communes: Mapping[str, Sequence[str]], edition: Edition | None = None) -> pa.Table:
    """Return figures for the nation and the provinces given as ``{province: [commune, …]}``."""
    chosen = edition or Edition()
    rows = list(_rows(communes, chosen))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _rows(communes: Mapping[str, Sequence[str]], edition: Edition) -> Iterator[dict[str, object]]:
    nation: dict[Cell, int] = {}
    for province, codes in communes.items():
        total: dict[Cell, int] = {}
        for code in codes:
            _add(total, counts := _counts(code, edition))
            yield from _area("commune", code, counts, edition)
        _add(nation, total)
        yield from _area("province", province, total, edition)
    yield from _area("nation", "VN", nation, edition)


def _add(into: dict[Cell, int], counts: Mapping[Cell, int]) -> None:
    for cell, count in counts.items():
        into[cell] = into.get(cell, 0) + count


def _counts(code: str, edition: Edition) -> dict[Cell, int]:
    """Return exact counts of one commune by sex, age group and ethnic group, with their margins."""
    size = edition.size * (0.2 + 1.8 * chance(code, "size"))
    finest = {
        (sex, age, ethnic): int(
            size
            * _weight(sex, age)
            * (0.7 if ethnic == "01" else 0.1)
            * (0.5 + chance(code, sex, age, ethnic))
        )
        for sex in SEXES
        for age in AGES
        for ethnic in ETHNIC
    }
    margins: dict[Cell, int] = {}
    for (sex, age, ethnic), count in finest.items():
        for cell in {(s, a, e) for s in (sex, "_T") for a in (age, "_T") for e in (ethnic, "_T")}:
            margins[cell] = margins.get(cell, 0) + count
    return margins


def _weight(sex: str, age: str) -> float:
    by_sex = {"male": 0.52, "female": 0.47, "_U": 0.01}[sex]
    by_age = {"0": 0.06, "1-2": 0.12, "3-5": 0.19, "6-10": 0.32, "11-14": 0.25, "15": 0.05, "_U": 0.01}[age]
    return by_sex * by_age


def _breakdown(cell: Cell) -> str:
    names = [
        name for name, part in zip(("sex", "age_group", "ethnic_group"), cell, strict=True) if part != "_T"
    ]
    return "_by_".join(names) or "total"


def _area(level: str, code: str, counts: Mapping[Cell, int], edition: Edition) -> Iterator[dict[str, object]]:
    for cell in sorted(counts):
        if cell[2] != "_T" and (level == "commune" or cell[:2] != ("_T", "_T")):
            continue
        known = counts[cell]
        yield _figure(("tt13_2021_children", "0101"), level, code, cell, edition, (known, None))
        for pair, share in SHARES.items():
            top = round(known * min(1.0, share * (0.7 + 0.6 * chance(code, *cell, *pair))))
            yield _figure(pair, level, code, cell, edition, (top, known))


def _figure(
    pair: tuple[str, str], level: str, code: str, cell: Cell, edition: Edition, counts: tuple[int, int | None]
) -> dict[str, object]:
    top, bottom = _protected(counts[0]), None if counts[1] is None else _protected(counts[1])
    hidden = top is None or (counts[1] is not None and bottom is None)
    value: float | None = None if hidden else float(top or 0)
    if not hidden and bottom:
        value = round(100 * (top or 0) / bottom, 1)
    row = dict(zip(("sex", "age_group", "ethnic_group"), cell, strict=True))
    identity = "|".join((*pair, "1", edition.period, "2025", level, code, *cell))
    return {
        **row,
        "release_id": edition.release_id,
        "cell_id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "indicator_set": pair[0],
        "indicator_code": pair[1],
        "definition_version": "1",
        "period": edition.period,
        "geography": "2025",
        "area_level": level,
        "area_code": code,
        "breakdown": _breakdown(cell),
        "numerator": None if hidden else top,
        "denominator": bottom,
        "value": value,
        "unit": "người" if counts[1] is None else "%",
        "status": "hidden" if hidden else "published",
        "coverage": round(0.8 + 0.2 * chance(code), 3),
    }


def _protected(count: int) -> int | None:
    """Return a count by the contract's rule: hidden under 10, else the nearest 5."""
    return None if count < 10 else 5 * ((count + 2) // 5)


def only(table: pa.Table, keep: Iterable[bool]) -> pa.Table:
    """Return the rows to keep."""
    return table.filter(pa.array(list(keep)))
