"""What a whole file tells before a row is judged: its date, encodings, code lists and the order of its dates."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.codes import ethnic_list_votes, find_code
from childdb.cleaning.date_columns import split_clock
from childdb.cleaning.dates import RULE_ORDER, DateContext, Precision, parse_date
from childdb.cleaning.encodings import Decision
from childdb.cleaning.looks import decide_encodings, look_at_texts
from childdb.cleaning.own_output import is_own_output
from childdb.cleaning.vectors import ValueCounts, count_values, parts_of
from childdb.places.history import LAST_LEGACY_DAY
from childdb.places.scope import find_districts, province_scope, says_a_district
from childdb.reference import export_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from childdb.reading.model import FileProfile

DATE_COLUMNS = ("ngay_sinh", "ngay_dang_ky_khai_sinh", "ngay_ho_tro", "ngay_bien_dong", "ngay_cap_nhat")
CODED_FREE = frozenset([*DATE_COLUMNS, "stt", "so_dinh_danh", "so_dinh_danh_cha", "so_dinh_danh_me",
                        "so_dinh_danh_giam_ho", "dien_thoai_cha", "dien_thoai_me", "nam_sinh_cha", "nam_sinh_me",
                        "can_nang", "chieu_cao", "the_bhyt", "ma_tre", "ma_ho"])  # fmt: skip
TEXT_COLUMNS = tuple(column for column in export_columns() if column not in CODED_FREE)
SEX_MARKS = ("0", "1", "2", "3", "N")
_VOTES, _SHARE, _NAME_VOTES, _NAME_SHARE = 5, 0.95, 20, 0.97
_ODD_ORDER_COUNT, _ENOUGH_DAYS, _MONTHS = 2, 10, 12
_MONTH_FIRST = re.compile(r"^\s*\d{1,2}\s*[/.\-]\s*(1[3-9]|2\d|3[01])\s*[/.\-]\s*\d{2,4}")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Decisions taken once per file; every row is judged by them."""

    file_date: date | None = None
    place_day: date | None = None
    encodings: Mapping[str, Decision] = field(default_factory=dict)
    date_contexts: Mapping[str, DateContext] = field(default_factory=dict)
    mixed_order: frozenset[str] = frozenset()
    swapped_cells: frozenset[str] = frozenset()
    sex_marks: Mapping[str, str] = field(default_factory=dict)
    ethnic_list: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    columns_present: frozenset[str] = frozenset()
    suspect_columns: frozenset[str] = frozenset()
    is_own_output: bool = False


@dataclass(frozen=True, slots=True)
class FileDays:
    """The day of a file, the day that counts for its units, and the units its title states."""

    file_date: date | None
    place_day: date | None
    units: Mapping[str, str]


def days_and_units(
    updates: pa.Array, districts: pa.Array, profile: FileProfile, as_of: date | None
) -> FileDays:
    """Return the days and units of a file from its profile and two of its columns."""
    return _days_and_units(count_values(updates), count_values(districts), len(districts), profile, as_of)


def _days_and_units(
    updates: ValueCounts, districts: ValueCounts, rows: int, profile: FileProfile, as_of: date | None
) -> FileDays:
    file_date = profile.stated_date or latest_update(updates, profile.date_system, as_of) or as_of
    units = _stated_units(profile, file_date)
    return FileDays(file_date, _place_day(districts, rows, units, file_date), units)


def gather_facts(rows: pa.Table, profile: FileProfile, as_of: date | None) -> FileFacts:
    """Return the facts of a file from all its rows and its profile; columns are counted, never copied as a whole."""
    counts = {name: count_values(rows[name]) for name in (*DATE_COLUMNS, "huyen", "dan_toc", "gioi_tinh")}
    counts["ngay_cap_nhat"] = _without_clock(counts["ngay_cap_nhat"])
    days = _days_and_units(counts["ngay_cap_nhat"], counts["huyen"], rows.num_rows, profile, as_of)
    contexts = {
        name: _date_context(counts[name], days.file_date, profile.date_system) for name in DATE_COLUMNS
    }
    kinds = count_values(rows["_kinds"]).values if "_kinds" in rows.column_names else []
    looks = look_at_texts({name: rows[name] for name in TEXT_COLUMNS})
    return FileFacts(
        file_date=days.file_date,
        place_day=days.place_day,
        encodings=decide_encodings(looks),
        date_contexts=contexts,
        mixed_order=frozenset(name for name in DATE_COLUMNS if _mixes_orders(counts[name], contexts[name])),
        swapped_cells=frozenset(name for name in DATE_COLUMNS if _dates_were_swapped(rows, kinds, name)),
        sex_marks=decide_sex_marks(rows, counts["gioi_tinh"]),
        ethnic_list=_ethnic_list(counts["dan_toc"], profile),
        units=days.units,
        suspect_columns=frozenset(name for name, look in looks.items() if look.is_suspect),
        columns_present=frozenset(profile.columns_present) or _filled(rows),
        is_own_output=is_own_output(profile.unmapped_headers),
    )


def _without_clock(counts: ValueCounts) -> ValueCounts:
    """Return counts of moments with the clock taken off; days that then are equal stand several times."""
    return ValueCounts(split_clock(pa.array(counts.values, pa.string()))[0].to_pylist(), counts.times)


def _filled(rows: pa.Table) -> frozenset[str]:
    return frozenset(name for name in export_columns() if rows[name].null_count < rows.num_rows)


def latest_update(counts: ValueCounts, date_system: str, as_of: date | None) -> date | None:
    """Return the latest day of the updates; one lone day years after all others is a slip and does not count."""
    context = DateContext(date_system=date_system)
    days: dict[date, int] = {}
    for value, count in counts.weighted:
        day = parse_date(value, context).value
        if day is not None and (as_of is None or day <= as_of):
            days[day] = days.get(day, 0) + count
    ordered = sorted(days)
    while len(ordered) > 1 and days[ordered[-1]] == 1 and ordered[-1] - ordered[-2] > timedelta(days=730):
        ordered.pop()
    return ordered[-1] if ordered else None


def _stated_units(profile: FileProfile, file_date: date | None) -> dict[str, str]:
    """Return the units the title states; a district that no province has is no district."""
    units = {key: text for key, text in profile.stated_unit_texts.items() if text}
    district = units.get("district")
    if district and not find_districts(
        district, province_scope(units.get("province"), LAST_LEGACY_DAY).legacy_codes
    ):
        del units["district"]
    return units


def _place_day(
    districts: ValueCounts, rows: int, units: Mapping[str, str], file_date: date | None
) -> date | None:
    """Return the day that counts for units: a district in the file means before 1 July 2025."""
    filled = sum(times for value, times in districts.weighted if says_a_district(value))
    if units.get("district") or (filled and filled * 2 >= rows):
        return min(file_date, LAST_LEGACY_DAY) if file_date else LAST_LEGACY_DAY
    return file_date


def _date_context(counts: ValueCounts, latest: date | None, date_system: str) -> DateContext:
    context = DateContext(latest=latest, date_system=date_system)
    readable = sum(
        count
        for value, count in counts.weighted
        if parse_date(value, context).precision is not Precision.UNKNOWN
    )
    return DateContext(latest, date_system=date_system, serials_are_dates=readable * 2 >= counts.filled)


def _mixes_orders(counts: ValueCounts, context: DateContext) -> bool:
    """Return whether some dates can only be month/day: then those valid both ways are in doubt."""
    count = sum(
        times
        for value, times in counts.weighted
        if _MONTH_FIRST.match(value) and RULE_ORDER in parse_date(value, context).rules
    )
    return count >= _ODD_ORDER_COUNT and count * 100 >= counts.filled


def _dates_were_swapped(rows: pa.Table, kinds: list[str], column: str) -> bool:
    """Return whether a spreadsheet of another country turned day/month text into dates where it could.

    Then the date cells never have a day over twelve, and the cells left as text always do.
    """
    place = export_columns().index(column)
    if not any(letters[place : place + 1] == "d" for letters in kinds):
        return False
    of_dates, of_texts = _days_by_kind(rows, column, place)
    if sum(of_dates.values()) < _ENOUGH_DAYS or sum(of_texts.values()) < _ENOUGH_DAYS:
        return False
    return max(of_dates) <= _MONTHS < min(of_texts)


def _days_by_kind(rows: pa.Table, column: str, place: int) -> tuple[Counter[int], Counter[int]]:
    """Return how often each day of the month stands in date cells, and in cells of text."""
    of_dates, of_texts = Counter[int](), Counter[int]()
    for cells, letters in zip(parts_of(rows[column]), parts_of(rows["_kinds"]), strict=True):
        text, kind = pl.Series(cells), pl.Series(letters).str.slice(place, 1)
        for found, letter, pattern in (
            (of_dates, "d", r"^\d{4}-\d{2}-(\d{2})"),
            (of_texts, "t", r"^\s*(\d{1,2})[/.\-]\d{1,2}[/.\-]\d{4}"),
        ):
            days = text.filter((kind == letter).fill_null(False)).str.extract(pattern, 1).drop_nulls()
            found.update(int(day) for day in days)
    return of_dates, of_texts


def decide_sex_marks(rows: pa.Table, counts: ValueCounts) -> dict[str, str]:
    """Return the sex that bare marks (0, 1, 2, N) stand for in this file, as numbers and names beside them show."""
    words = {_bare(value) for value in counts.values}
    used = [mark for mark in SEX_MARKS if mark in words]
    if not used:
        return {}
    votes = _sex_votes(rows, used)
    has_male_word = any(find_code(word, "sexes") == "male" for word in sorted(words))
    decided: dict[str, str] = {}
    for mark in used:
        by_number, by_name = votes[mark]
        sex = _voted(by_number, _VOTES, _SHARE)
        if sex is None and sum(by_number) == 0:
            sex = _voted(by_name, _NAME_VOTES, _NAME_SHARE)
        # Where the column writes its male children with a word, N can only be the other sex.
        if mark == "N" and sex is None and by_number[0] == 0 and by_name[0] == 0 and has_male_word:
            sex = "female"
        if sex is not None:
            decided[mark] = sex
    return _consistent(decided, used)


def _bare(value: str) -> str:
    return value.strip().upper().removesuffix(".0")


_Votes = dict[str, tuple[tuple[int, int], tuple[int, int]]]


def _sex_votes(rows: pa.Table, used: list[str]) -> _Votes:
    """Return per mark how many male and female numbers, and male and female names, stand beside it."""
    totals = {mark: np.zeros(4, dtype=np.int64) for mark in used}
    columns = (parts_of(rows[name]) for name in ("gioi_tinh", "so_dinh_danh", "ho_ten_tre"))
    for sex_part, number_part, name_part in zip(*columns, strict=True):
        sexes = pl.Series(sex_part).str.strip_chars().str.to_uppercase().str.replace(r"\.0$", "")
        digit = pl.Series(number_part).str.strip_chars().str.extract(r"^0[0-9]{2}([23])[0-9]{8}$", 1)
        name = pl.Series(name_part).str.to_lowercase()
        signs = (digit == "2", digit == "3", name.str.contains(" văn "), name.str.contains(" thị "))
        for mark in used:
            here = (sexes == mark).fill_null(False)
            totals[mark] += [int(sign.filter(here).sum() or 0) for sign in signs]
    return {mark: ((int(n[0]), int(n[1])), (int(n[2]), int(n[3]))) for mark, n in totals.items()}


def _voted(votes: tuple[int, int], minimum: int, share: float) -> str | None:
    male, female = votes
    if male + female < minimum or max(male, female) < share * (male + female):
        return None
    return "male" if male > female else "female"


def _consistent(decided: dict[str, str], used: list[str]) -> dict[str, str]:
    digits = {mark: sex for mark, sex in decided.items() if mark.isdigit()}
    if len(set(digits.values())) < len(digits):
        return {mark: sex for mark, sex in decided.items() if not mark.isdigit()}
    if set(used) & {"0", "1", "2", "3"} == {"1", "2"} and len(digits) == 1:
        mark, sex = next(iter(digits.items()))
        decided["2" if mark == "1" else "1"] = "female" if sex == "male" else "male"
    return decided


def _ethnic_list(counts: ValueCounts, profile: FileProfile) -> str | None:
    """Return the list of ethnic codes the file follows: stated, shown by codes with labels, or our own output."""
    if profile.stated_ethnic_list:
        return profile.stated_ethnic_list
    if is_own_output(profile.unmapped_headers):
        return "tctk_1979"
    votes = {vote for value in counts.values if (vote := ethnic_list_votes(value))}
    return next(iter(votes)) if len(votes) == 1 else None
