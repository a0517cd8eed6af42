"""Columns of dates: read once per distinct value, limited by the file's day, doubted where a file mixes orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning import dates
from childdb.cleaning.vectors import Mark, distinct, mark_where, matches, replace_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from childdb.cleaning.dates import DateContext, DateResult
    from childdb.cleaning.facts import FileFacts


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A column of dates: ISO text where the day is known, and what else is known."""

    iso: pa.Array
    precision: pa.Array
    year: pa.Array
    month: pa.Array
    marks: list[Mark] = field(default_factory=list)


def clean_dates(column: str, cells: pa.Array, context: DateContext, with_time: bool = False) -> DateColumn:
    """Return a column of dates; a time is kept only where the column is of moments."""
    if with_time:
        return _clean_moments(column, cells, context)
    found = distinct(cells)
    results = [dates.parse_date(value, context) for value in found.values]
    unknown = dates.Precision.UNKNOWN.value
    iso = found.spread([_iso(result, with_time) for result in results], pa.string())
    precision = found.spread([result.precision.value for result in results], pa.string()).fill_null(unknown)
    return DateColumn(
        iso,
        precision,
        found.spread([result.year for result in results], pa.int32()),
        found.spread([result.month for result in results], pa.int32()),
        found.marks(column, [result.rules for result in results]),
    )


def _clean_moments(column: str, cells: pa.Array, context: DateContext) -> DateColumn:
    """Return a column of moments: many times of day on few days, so each day is read once."""
    found = distinct(cells)
    days, clocks = split_clock(pa.array(found.values, pa.string()))
    parts = distinct(days)
    results = [dates.parse_date(value, context) for value in parts.values]
    unknown = dates.Precision.UNKNOWN.value
    iso = join_clock(parts.spread([_iso(result, with_time=True) for result in results], pa.string()), clocks)
    columns = [
        parts.spread(values, kind)
        for values, kind in (
            ([result.precision.value for result in results], pa.string()),
            ([result.year for result in results], pa.int32()),
            ([result.month for result in results], pa.int32()),
        )
    ]
    rows = pa.array(found.places, mask=found.places < 0)
    precision, year, month = (values.take(rows) for values in columns)
    rules = [results[place].rules for place in parts.places]
    return DateColumn(iso.take(rows), precision.fill_null(unknown), year, month, found.marks(column, rules))


_WITH_CLOCK = r"^(\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2})[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$"


def split_clock(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return moments of the usual forms without their clock, and the clock as hh:mm:ss."""
    text = pl.Series("cell", cells)
    parts = text.to_frame().select(
        day=pl.col("cell").str.extract(_WITH_CLOCK, 1),
        clock=pl.concat_str(
            pl.col("cell").str.extract(_WITH_CLOCK, 2), pl.col("cell").str.extract(_WITH_CLOCK, 3),
            pl.col("cell").str.extract(_WITH_CLOCK, 4).fill_null("00"), separator=":",
        ),
        cell=pl.col("cell"),
    )  # fmt: skip
    day = parts.select(pl.coalesce("day", "cell")).to_series()
    return day.to_arrow().cast(pa.string()), parts["clock"].to_arrow().cast(pa.string())


def join_clock(days: pa.Array, clocks: pa.Array) -> pa.Array:
    """Return days with their clock behind a T where both are known."""
    frame = pl.DataFrame({"day": pl.Series(days), "clock": pl.Series(clocks)})
    joined = frame.select(pl.coalesce(pl.concat_str("day", "clock", separator="T"), "day")).to_series()
    return joined.to_arrow().cast(pa.string())


def _iso(result: DateResult, with_time: bool) -> str | None:
    value = result.value
    if value is None:
        return None
    return f"{value.isoformat()}T{result.time}" if with_time and result.time else value.isoformat()


def doubtful_order(column: str, raw: pa.Array, kinds: pa.Array, place: int, facts: FileFacts) -> list[Mark]:
    """Return marks for dates valid both ways where the column mixes orders or a spreadsheet swapped them."""
    marks: list[Mark] = []
    if column in facts.mixed_order:
        both = matches(raw, r"^\s*(0?[1-9]|1[0-2])\s*[/.\-]\s*(0?[1-9]|1[0-2])\s*[/.\-]\s*\d{2,4}")
        same = matches(
            raw,
            r"^\s*0?1[/.\-]0?1[/.\-]|^\s*0?2[/.\-]0?2[/.\-]|^\s*0?3[/.\-]0?3[/.\-]|^\s*0?4[/.\-]0?4[/.\-]",
        )
        marks += mark_where(column, dates.RULE_ORDER_DOUBT, both & ~same)
    if column in facts.swapped_cells:
        is_date = (pl.Series(kinds).str.slice(place, 1) == "d").fill_null(False).to_numpy()
        marks += mark_where(column, dates.RULE_ORDER_DOUBT, np.asarray(is_date))
    return marks


def limit_birth_dates(column: DateColumn, latest: date | None) -> DateColumn:
    """Return birth dates without those after the file's date; over age and 1 January are marked and stay."""
    iso, year = pl.Series(column.iso), pl.Series(column.year)
    if latest is not None:
        later = (iso > latest.isoformat()).fill_null(False) | (year > latest.year).fill_null(False)
        this_year = (year == latest.year) & (pl.Series(column.month) > latest.month)
        is_later = np.asarray((later | this_year.fill_null(False)).to_numpy())
    else:
        is_later = np.zeros(len(iso), dtype=bool)
    marks = [*column.marks, *mark_where("ngay_sinh", dates.RULE_FUTURE, is_later)]
    january = np.asarray(iso.str.ends_with("-01-01").fill_null(False).to_numpy())
    marks += mark_where("ngay_sinh", dates.RULE_FIRST_OF_JANUARY, january & ~is_later)
    rows = np.flatnonzero(is_later)
    return DateColumn(
        _blank(column.iso, rows), _set(column.precision, rows, dates.Precision.UNKNOWN.value),
        _blank(column.year, rows), _blank(column.month, rows), marks,
    )  # fmt: skip


def _blank(cells: pa.Array, rows: NDArray[np.int64]) -> pa.Array:
    return replace_rows(cells, rows, pa.nulls(len(rows), cells.type))


def _set(cells: pa.Array, rows: NDArray[np.int64], value: str) -> pa.Array:
    return replace_rows(cells, rows, pa.array([value] * len(rows), pa.string()))


def limit_event_dates(
    column: str, found: DateColumn, births: pa.Array, latest: date | None
) -> tuple[pa.Array, list[Mark]]:
    """Return dates of events; those far after the file's date are emptied, those before the birth marked."""
    iso = pl.Series(found.iso)
    marks = list(found.marks)
    values = found.iso
    if latest is not None and column != "ngay_cap_nhat":
        day = iso.str.slice(0, 10)
        after = np.asarray((day > latest.isoformat()).fill_null(False).to_numpy())
        far = np.asarray((day > dates.birthday(latest, 1).isoformat()).fill_null(False).to_numpy())
        # A list may be written up after the day it states; an event years later is a slip.
        marks += mark_where(column, dates.RULE_LATER_EVENT, after & ~far) + mark_where(
            column, dates.RULE_FUTURE, far
        )
        values = _blank(values, np.flatnonzero(far))
    before = (iso.str.slice(0, 10) < pl.Series(births)).fill_null(False)
    marks += mark_where(column, dates.RULE_SEQUENCE, np.asarray(before.to_numpy()))
    return values, marks
