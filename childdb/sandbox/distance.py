"""How far delivered figures are from the nation's truth, and which entry errors it comes from; adds up child by child."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from childdb.sandbox.truth_figures import (
    CountedChild,
    DeliveredRow,
    age_group,
    counted,
    spoken_for,
    with_identity,
)

FIELDS = ("figure", "error_class", "too_many", "too_few", "elsewhere")
MEASURES = (
    "children",
    "special",
    "special_helped",
    "confirmed",
    "at_risk",
    "poor",
    "under_5",
    "registered_under_5",
)
GROUPS = ("commune", "sex", "age_group", "ethnic_group")
NOT_LISTED, NO_ERROR, TWICE = "in no list", "no error of its own", "a child counted again"
UNDECIDED = "unit of a divided commune"
# The columns each figure is read from; "" stands for errors of the row as a whole (another's row, moved, left).
_COLUMNS = {
    "children": ("", "ngay_sinh", "bien_dong", "ngay_bien_dong"),
    "special": ("hoan_canh_dac_biet",),
    "special_helped": ("ho_tro", "hoan_canh_dac_biet"),
    "confirmed": ("so_dinh_danh", ""),
    "at_risk": ("nguy_co",),
    "poor": ("ho_ngheo",),
    "under_5": ("ngay_sinh",),
    "registered_under_5": ("da_dang_ky_khai_sinh", "so_khai_sinh", "ngay_sinh"),
    "commune": ("", "xa", "huyen", "tinh"),
    "sex": ("gioi_tinh",),
    "age_group": ("ngay_sinh",),
    "ethnic_group": ("dan_toc",),
}
CHILDREN = pa.schema(
    [(name, pa.string()) for name in ("child_key", "province", "commune", "sex")]
    + [("age", pa.int32()), ("ethnic", pa.string()), ("measures", pa.list_(pa.string()))]
)
RowKey = tuple[str, int]
Errors = Mapping[RowKey, list[tuple[str, str]]]


@dataclass
class _Tally:
    """Counts per figure and error class."""

    too_many: Counter[tuple[str, str]] = field(default_factory=Counter)
    too_few: Counter[tuple[str, str]] = field(default_factory=Counter)
    elsewhere: Counter[tuple[str, str]] = field(default_factory=Counter)

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield the counts in a fixed order."""
        for figure, error in sorted({*self.too_many, *self.too_few, *self.elsewhere}):
            key = (figure, error)
            counts = (self.too_many[key], self.too_few[key], self.elsewhere[key])
            yield dict(zip(FIELDS, (figure, error, *counts), strict=True))


def write_children(children: Mapping[str, CountedChild], path: Path) -> None:
    """Write the nation's true children, one row each."""
    columns: dict[str, list[object]] = {"child_key": list(children)}
    for item in fields(CountedChild):
        values = [getattr(child, item.name) for child in children.values()]
        columns[item.name] = [sorted(value) for value in values] if item.name == "measures" else values
    pq.write_table(pa.table(columns, schema=CHILDREN), path)


def load_children(truth: Path) -> dict[str, CountedChild]:
    """Return the nation's true children by their key."""
    rows = pq.read_table(truth / "children.parquet").to_pylist()
    return {
        row.pop("child_key"): CountedChild(**row | {"measures": frozenset(row["measures"])}) for row in rows
    }


def load_errors(truth: Path) -> dict[RowKey, list[tuple[str, str]]]:
    """Return the planted errors (error, column) of each row of each list."""
    lists = pq.read_table(truth / "rows.parquet", columns=["file_name", "file_sha256"]).to_pylist()
    shas = {row["file_name"]: row["file_sha256"] for row in lists}
    found: dict[RowKey, list[tuple[str, str]]] = defaultdict(list)
    for row in pq.read_table(truth / "errors.parquet").to_pylist():
        found[shas[row["file_name"]], row["row_no"]].append((row["error_id"], row["column"] or ""))
    return found


def distances(
    nation: Mapping[str, CountedChild],
    rows: Iterable[DeliveredRow],
    errors: Errors,
    day: dt.date,
    identity: Mapping[RowKey, tuple[str, bool]] | None = None,
) -> list[dict[str, object]]:
    """Return per figure and error class how many children are counted too many, too few or in another group.

    Over all classes, too many less too few is exactly what the delivered figure differs by. `identity` gives the child
    and whether its number is confirmed as matching saw it; without it every row's child is the one it is about.
    """
    rows = list(rows)
    told = {_key(row): row.child_key for row in rows}
    about: dict[str, list[DeliveredRow]] = defaultdict(list)
    for row in rows:
        about[row.child_key].append(row)
    tally, seen = _Tally(), set[str]()
    for row in spoken_for(with_identity(rows, identity or {})):
        child = counted(row, day)
        if child is None:
            continue
        true_key = told[_key(row)]
        if true_key in seen:
            _compare(tally, None, child, [], bare=TWICE)
            continue
        seen.add(true_key)
        _compare(tally, nation.get(true_key), child, errors.get(_key(row), []))
    for key in sorted(set(nation) - seen):
        known = [error for row in about[key] for error in errors.get(_key(row), [])]
        _compare(tally, nation[key], None, known, bare=NO_ERROR if about[key] else NOT_LISTED)
    return list(tally.rows())


def _key(row: DeliveredRow) -> RowKey:
    return (row.file_sha256, row.row_no)


def _compare(
    tally: _Tally,
    truth: CountedChild | None,
    delivered: CountedChild | None,
    errors: list[tuple[str, str]],
    *,
    bare: str = NO_ERROR,
) -> None:
    for measure in MEASURES:
        should = truth is not None and measure in truth.measures
        does = delivered is not None and measure in delivered.measures
        if should != does:
            both_count = truth is not None and delivered is not None
            (tally.too_few if should else tally.too_many)[
                measure, _named(measure if both_count else "children", errors, bare)
            ] += 1
    if truth is not None and delivered is not None:
        for group in GROUPS:
            if _group(truth, group) != _group(delivered, group):
                is_undecided = group == "commune" and delivered.commune.endswith("_U")
                tally.elsewhere[group, UNDECIDED if is_undecided else _named(group, errors, bare)] += 1


def _group(child: CountedChild, group: str) -> str:
    return {
        "commune": child.commune,
        "sex": child.sex,
        "age_group": age_group(child.age),
        "ethnic_group": child.ethnic,
    }[group]


def _named(figure: str, errors: list[tuple[str, str]], bare: str) -> str:
    """Return the errors of the row that can change a figure; several that stand together are one class."""
    return ";".join(sorted({error for error, column in errors if column in _COLUMNS[figure]})) or bare
