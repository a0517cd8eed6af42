"""What a whole file tells before a row is judged: its date, encodings, code lists and the order of its dates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning.codes import ethnic_list_votes, find_code
from childdb.cleaning.dates import RULE_ORDER, DateContext, Precision, parse_date
from childdb.cleaning.encodings import (
    READINGS_1258,
    READINGS_VIQR,
    UNICODE_ONLY,
    UNICODE_ONLY_1258,
    VIQR_SIGNS,
    CodePage,
    Decision,
    Encoding,
    Reading,
    Regime,
    candidate_words,
    decide,
    witness_words,
)
from childdb.cleaning.fields import split_clock
from childdb.cleaning.own_output import is_own_output
from childdb.cleaning.vectors import distinct, for_each, matches, present, text_array
from childdb.places.history import LAST_LEGACY_DAY
from childdb.places.scope import find_districts, province_scope
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
_ODD_ORDER_COUNT = 2
_WORTH_DISTINCT = 1_000
_OLD_COLUMNS = 2
_VIQR_FIRST = ("ho_ten_tre", "ho_ten_me", "ho_ten_cha", "ho_ten_chu_ho")
_ODD_SIGNS = "[\x80-\xbf×÷€ƒ„†‡‰‹œÃÄÆÅÇËÎÏÖØÛÜÞßåäæçëîïöøûüþÿ]|á[º»]"


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
    file_date = profile.stated_date or latest_update(updates, profile.date_system, as_of) or as_of
    units = _stated_units(profile, file_date)
    return FileDays(file_date, _place_day(districts, units, file_date), units)


def gather_facts(rows: pa.Table, profile: FileProfile, as_of: date | None) -> FileFacts:
    """Return the facts of a file from all its rows and its profile."""
    columns = {name: text_array(rows[name]) for name in export_columns()}
    columns["ngay_cap_nhat"] = split_clock(columns["ngay_cap_nhat"])[0]
    days = days_and_units(columns["ngay_cap_nhat"], columns["huyen"], profile, as_of)
    contexts = {
        name: _date_context(columns[name], days.file_date, profile.date_system) for name in DATE_COLUMNS
    }
    kinds = text_array(rows["_kinds"]) if "_kinds" in rows.column_names else pa.nulls(len(rows), pa.string())
    looks = look_at_texts({name: columns[name] for name in TEXT_COLUMNS})
    return FileFacts(
        file_date=days.file_date,
        place_day=days.place_day,
        encodings=decide_encodings(looks),
        date_contexts=contexts,
        mixed_order=frozenset(name for name in DATE_COLUMNS if _mixes_orders(columns[name], contexts[name])),
        swapped_cells=frozenset(
            name for name in DATE_COLUMNS if _dates_were_swapped(columns[name], kinds, name)
        ),
        sex_marks=decide_sex_marks(columns),
        ethnic_list=_ethnic_list(columns["dan_toc"], profile),
        units=days.units,
        suspect_columns=frozenset(name for name, look in looks.items() if look.is_suspect),
        columns_present=frozenset(profile.columns_present) or _filled(columns),
        is_own_output=is_own_output(profile.unmapped_headers),
    )


def _filled(columns: Mapping[str, pa.Array]) -> frozenset[str]:
    return frozenset(name for name, cells in columns.items() if cells.null_count < len(cells))


def latest_update(cells: pa.Array, date_system: str, as_of: date | None) -> date | None:
    """Return the latest day of the updates; one lone day years after all others is a slip and does not count."""
    context = DateContext(date_system=date_system)
    found = distinct(cells)
    counts = np.bincount(found.places[found.places >= 0], minlength=len(found.values))
    days: dict[date, int] = {}
    for value, count in zip(found.values, counts, strict=True):
        day = parse_date(value, context).value
        if day is not None and (as_of is None or day <= as_of):
            days[day] = days.get(day, 0) + int(count)
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


def _place_day(districts: pa.Array, units: Mapping[str, str], file_date: date | None) -> date | None:
    """Return the day that counts for units: a district in the file means before 1 July 2025."""
    written = matches(districts, r"[\p{L}\d]")
    filled = int(written.sum())
    if units.get("district") or (filled and filled * 2 >= len(districts)):
        return min(file_date, LAST_LEGACY_DAY) if file_date else LAST_LEGACY_DAY
    return file_date


def _date_context(cells: pa.Array, latest: date | None, date_system: str) -> DateContext:
    context = DateContext(latest=latest, date_system=date_system)
    found = distinct(cells)
    weights = np.bincount(found.places[found.places >= 0], minlength=len(found.values))
    readable = sum(
        int(weight)
        for value, weight in zip(found.values, weights, strict=True)
        if parse_date(value, context).precision is not Precision.UNKNOWN
    )
    return DateContext(latest, date_system=date_system, serials_are_dates=readable * 2 >= int(weights.sum()))


def _mixes_orders(cells: pa.Array, context: DateContext) -> bool:
    """Return whether some dates can only be month/day: then those valid both ways are in doubt."""
    odd = cells.filter(
        pa.array(matches(cells, r"^\s*\d{1,2}\s*[/.\-]\s*(1[3-9]|2\d|3[01])\s*[/.\-]\s*\d{2,4}"))
    )
    found = distinct(odd)
    weights = np.bincount(found.places[found.places >= 0], minlength=len(found.values))
    count = sum(
        int(weight)
        for value, weight in zip(found.values, weights, strict=True)
        if RULE_ORDER in parse_date(value, context).rules
    )
    filled = int(present(cells).sum())
    return count >= _ODD_ORDER_COUNT and count * 100 >= filled


def _dates_were_swapped(cells: pa.Array, kinds: pa.Array, column: str) -> bool:
    """Return whether a spreadsheet of another country turned day/month text into dates where it could.

    Then the date cells never have a day over twelve, and the cells left as text always do.
    """
    kind = pl.Series(kinds).str.slice(export_columns().index(column), 1)
    if not (kind == "d").any():
        return False
    text = pl.Series(cells)
    day_of_dates = (
        text.filter((kind == "d").fill_null(False)).str.extract(r"^\d{4}-\d{2}-(\d{2})", 1).cast(pl.Int8)
    )
    day_of_texts = (
        text.filter((kind == "t").fill_null(False))
        .str.extract(r"^\s*(\d{1,2})[/.\-]\d{1,2}[/.\-]\d{4}", 1)
        .cast(pl.Int8)
    )
    if day_of_dates.count() < 10 or day_of_texts.count() < 10:
        return False
    return bool((day_of_dates.drop_nulls() <= 12).all() and (day_of_texts.drop_nulls() > 12).all())


def _no_cells() -> pl.Series:
    return pl.Series([], dtype=pl.String)


@dataclass(frozen=True, slots=True)
class TextLook:
    """What one look at a text column shows: cells that may be of an old encoding, cells that are Unicode, odd signs.

    `candidates` may have come through Windows-1252, `wider` through Windows-1258, `typed` are letters with marks behind.
    """

    candidates: pl.Series
    unicode_cells: int
    is_suspect: bool
    wider: pl.Series = field(default_factory=_no_cells)
    typed: pl.Series = field(default_factory=_no_cells)

    @property
    def is_unicode(self) -> bool:
        """Return whether the column plainly holds Unicode text."""
        return self.unicode_cells > len(self.candidates)


def look_at_texts(columns: Mapping[str, pa.Array]) -> dict[str, TextLook]:
    """Return what the columns with text show; blank ones are left out."""
    names = tuple(name for name, cells in columns.items() if cells.null_count < len(cells))
    size = len(columns[names[0]]) if names else 0
    looks = dict(zip(names, for_each(names, size, lambda name: _look_at(columns[name])), strict=True))
    typed = {name: _typed_cells(columns[name]) for name in names if name in _VIQR_FIRST}
    if any(len(cells) for cells in typed.values()):
        typed |= {name: _typed_cells(columns[name]) for name in names if name not in typed}
        looks = {name: replace(look, typed=typed[name]) for name, look in looks.items()}
    return looks


def _typed_cells(cells: pa.Array) -> pl.Series:
    series = pl.Series(cells)
    return series.filter(series.str.contains(VIQR_SIGNS).fill_null(False))


def _look_at(cells: pa.Array) -> TextLook:
    series = pl.Series(cells)
    foreign = series.filter((series.str.len_bytes() != series.str.len_chars()).fill_null(False))
    if not len(foreign):
        return TextLook(foreign, 0, False)
    if len(foreign) > _WORTH_DISTINCT and foreign.head(_WORTH_DISTINCT).n_unique() * 20 < _WORTH_DISTINCT:
        counts = foreign.value_counts(name="times")
        foreign, times = counts.to_series(0), counts["times"]
    else:
        times = None
    is_suspect = bool(foreign.str.contains(_ODD_SIGNS).any())
    candidates, unicode_cells = _candidates(foreign, times, UNICODE_ONLY)
    wider = _candidates(foreign, times, UNICODE_ONLY_1258)[0] if is_suspect else _no_cells()
    return TextLook(candidates, unicode_cells, is_suspect, wider)


def _candidates(foreign: pl.Series, times: pl.Series | None, unicode_only: str) -> tuple[pl.Series, int]:
    """Return the cells that hold no letter of Unicode alone, and the count of the others."""
    is_unicode = foreign.str.contains(unicode_only)
    unicode_cells = int(is_unicode.sum()) if times is None else int(times.filter(is_unicode).sum() or 0)
    candidates = foreign.filter(~is_unicode)
    if times is not None:
        candidates = candidates.repeat_by(times.filter(~is_unicode)).explode()
    return candidates, unicode_cells


def decide_encodings(looks: Mapping[str, TextLook]) -> dict[str, Decision]:
    """Return the columns that hold an old encoding; what the file shows settles columns with little text."""
    decisions = {name: found for name, look in looks.items() if (found := _decide_column(look)).encoding}
    _settle_weak(decisions, looks)
    return decisions


def _decide_column(look: TextLook) -> Decision:
    """Return the best decision among the readings through one code page, the other, and typed marks."""
    found = Decision()
    if len(look.candidates):
        found = decide(_weighted_words(look.candidates), len(look.candidates), look.unicode_cells)
    if len(look.wider):
        # Windows-1258 shows more letters, so fewer cells are plainly Unicode.
        plain = max(0, look.unicode_cells + len(look.candidates) - len(look.wider))
        other = decide(_weighted_words(look.wider), len(look.wider), plain, READINGS_1258)
        if other.rank > found.rank:
            found = other
    if len(look.typed) and found.encoding is None:
        words = _weighted_words(look.typed, with_ascii=True)
        found = decide(words, len(look.typed), look.unicode_cells, READINGS_VIQR)
    return found


def _weighted_words(cells: pl.Series, *, with_ascii: bool = False) -> dict[str, int]:
    words = cells.str.split(" ").explode().value_counts(sort=False)
    return {
        word: int(count)
        for word, count in sorted(words.iter_rows())
        if isinstance(word, str) and (with_ascii or not word.isascii())
    }


def _settle_weak(decisions: dict[str, Decision], looks: Mapping[str, TextLook]) -> None:
    """Let the encoding that the file's own columns show decide columns with too few words to decide alone."""
    shown: dict[Reading, int] = {}
    for decision in decisions.values():
        if decision.reading and decision.encoding is not Encoding.VIQR:
            shown[decision.reading] = shown.get(decision.reading, 0) + decision.supporting_words
    if not shown:
        return
    reading = max(sorted(shown), key=lambda key: shown[key])
    whole = sum(
        decision.regime is Regime.WHOLE and decision.reading == reading for decision in decisions.values()
    )
    is_all_old = whole >= _OLD_COLUMNS and not any(look.is_unicode for look in looks.values())
    for name, look in looks.items():
        if name not in decisions and (found := _weak_column(look, reading, is_all_old=is_all_old)):
            decisions[name] = found


def _weak_column(look: TextLook, reading: Reading, *, is_all_old: bool) -> Decision | None:
    """Return the decision for a column of few words by the reading of its file, or None.

    A word that can be read both ways (Xãm, Xóm) follows the file only where no column of it is Unicode.
    """
    cells = look.candidates if reading.page is CodePage.WINDOWS_1252 else look.wider
    if not len(cells):
        return None
    words = candidate_words(cells.unique(maintain_order=True).to_list())
    witnesses = witness_words(reading)
    trial = decide({**words, **witnesses}, len(cells), look.unicode_cells, [reading])
    if trial.encoding is None or trial.opposing_words:
        return None
    return trial if is_all_old or trial.supporting_words > len(witnesses) else None


def decide_sex_marks(columns: Mapping[str, pa.Array]) -> dict[str, str]:
    """Return the sex that bare marks (0, 1, 2, N) stand for in this file, as numbers and names beside them show."""
    sexes = pl.Series(columns["gioi_tinh"]).str.strip_chars().str.to_uppercase().str.replace(r"\.0$", "")
    used = [mark for mark in SEX_MARKS if bool((sexes == mark).any())]
    if not used:
        return {}
    digit = pl.Series(columns["so_dinh_danh"]).str.strip_chars().str.extract(r"^0[0-9]{2}([23])[0-9]{8}$", 1)
    name = pl.Series(columns["ho_ten_tre"]).str.to_lowercase()
    female_name, male_name = name.str.contains(r" thị "), name.str.contains(r" văn ")
    decided: dict[str, str] = {}
    for mark in used:
        here = (sexes == mark).fill_null(False)
        by_number = (int((digit.filter(here) == "2").sum()), int((digit.filter(here) == "3").sum()))
        by_name = (int(male_name.filter(here).sum()), int(female_name.filter(here).sum()))
        sex = _voted(by_number, _VOTES, _SHARE)
        if sex is None and sum(by_number) == 0:
            sex = _voted(by_name, _NAME_VOTES, _NAME_SHARE)
        if mark == "N" and sex is None and by_number[0] == 0 and by_name[0] == 0 and _has_male_word(sexes):
            sex = "female"
        if sex is not None:
            decided[mark] = sex
    return _consistent(decided, used)


def _voted(votes: tuple[int, int], minimum: int, share: float) -> str | None:
    male, female = votes
    if male + female < minimum or max(male, female) < share * (male + female):
        return None
    return "male" if male > female else "female"


def _has_male_word(sexes: pl.Series) -> bool:
    """Return whether the column writes its male children with a word, so that N can only be the other sex."""
    words = sexes.drop_nulls().unique().to_list()
    return any(find_code(word, "sexes") == "male" for word in words)


def _consistent(decided: dict[str, str], used: list[str]) -> dict[str, str]:
    digits = {mark: sex for mark, sex in decided.items() if mark.isdigit()}
    if len(set(digits.values())) < len(digits):
        return {mark: sex for mark, sex in decided.items() if not mark.isdigit()}
    if set(used) & {"0", "1", "2", "3"} == {"1", "2"} and len(digits) == 1:
        mark, sex = next(iter(digits.items()))
        decided["2" if mark == "1" else "1"] = "female" if sex == "male" else "male"
    return decided


def _ethnic_list(cells: pa.Array, profile: FileProfile) -> str | None:
    """Return the list of ethnic codes the file follows: stated, shown by codes with labels, or our own output."""
    if profile.stated_ethnic_list:
        return profile.stated_ethnic_list
    if is_own_output(profile.unmapped_headers):
        return "tctk_1979"
    votes = {vote for value in distinct(cells).values if (vote := ethnic_list_votes(value))}
    return next(iter(votes)) if len(votes) == 1 else None
