"""One chunk of rows as read, standardised: the 58 columns, what was received beside them, and marks for findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from childdb.cleaning import date_columns, fields
from childdb.cleaning.dates import RULE_OVER_AGE, RULE_TURNED_16, birthday
from childdb.cleaning.facts import TEXT_COLUMNS
from childdb.cleaning.identifiers import RULE_MISSING as RULE_NO_NUMBER
from childdb.cleaning.identifiers import RULE_MOVED, NumberKind, NumberResult, century_sex, stated_year
from childdb.cleaning.numbers import read_adult_numbers, read_child_numbers
from childdb.cleaning.own_output import RECEIVED, given_values, partial_dates, unit_ids
from childdb.cleaning.parents import swapped_parents
from childdb.cleaning.rules import RuleSet
from childdb.cleaning.units import clean_units
from childdb.cleaning.vectors import (
    Mark,
    for_each,
    in_order,
    mark_where,
    matches,
    present,
    replace_rows,
    text_array,
)
from childdb.findings import Severity
from childdb.reference import SeedFolder, export_columns, required_columns, seed_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from childdb.cleaning.facts import FileFacts

ReleasedRows = frozenset[tuple[str | None, int]]
RULE_CELL_ERROR, RULE_CELL_FORMULA = "CELL-001", "CELL-002"
RULE_SHIFTED, RULE_REQUIRED = "ROW-001", "FIELD-001"
RULE_REPEATED_PARENT, RULE_PARENT_AGE, RULE_PARENTS_SWAPPED = "PARENT-001", "PARENT-002", "PARENT-003"
CHILD_NAME = "ho_ten_tre"
EXTRA_COLUMNS = (
    ("ngay_sinh_precision", pa.string()),
    ("birth_year", pa.int32()),
    ("birth_month", pa.int32()),
    ("commune_id", pa.string()),
    ("province_code", pa.string()),
    ("commune_id_2025", pa.string()),
)
_MEASURED = ("nam_sinh_cha", "nam_sinh_me", "dien_thoai_cha", "dien_thoai_me", "can_nang", "chieu_cao")
_EVENT_DATES = ("ngay_dang_ky_khai_sinh", "ngay_ho_tro", "ngay_bien_dong", "ngay_cap_nhat")
_DATE_LIKE = r"^\s*\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}\s*$|^\d{4}-\d{2}-\d{2}"
_SEX_WORD = r"(?i)^\s*(?:nam|nữ|nu)\s*$"


def records_schema() -> pa.Schema:
    """Return the schema of the records: standardised columns, ids and precision, columns as received, lineage."""
    listed = pa.list_(pa.string())
    standard = [(name, listed if name == "hoan_canh_dac_biet" else pa.string()) for name in export_columns()]
    raw = [(f"{name}_raw", pa.string()) for name in export_columns()]
    lineage = [
        ("file_sha256", pa.string()),
        ("sheet", pa.string()),
        ("row_no", pa.int32()),
        ("outcome", pa.string()),
    ]
    return pa.schema([*standard, *EXTRA_COLUMNS, *raw, *lineage])


@dataclass(frozen=True, slots=True)
class CleanedChunk:
    """Standardised rows of a chunk with the marks of every rule that applied."""

    records: pa.Table
    marks: list[Mark]
    quarantined: NDArray[np.bool_]


class ChunkCleaner:
    """Cleans one chunk of rows by the facts of its file; columns are worked through family by family."""

    def __init__(
        self,
        rows: pa.Table,
        facts: FileFacts,
        rules: RuleSet,
        file_sha256: str,
        released: ReleasedRows = frozenset(),
    ) -> None:
        self.released = released
        self.rows, self.facts, self.rules, self.file_sha256 = rows, facts, rules, file_sha256
        self.raw = {name: text_array(rows[name]) for name in export_columns()}
        self.cells = dict(self.raw)
        self.kinds = (
            text_array(rows["_kinds"]) if "_kinds" in rows.column_names else pa.nulls(len(rows), pa.string())
        )
        self.extra: dict[str, pa.Array] = {}
        self.marks: list[Mark] = []
        self.given = given_values(rows) if facts.is_own_output else []

    def clean(self) -> CleanedChunk:
        """Return the chunk, standardised."""
        shifted = self._shifted_rows()
        self._empty_error_cells()
        self._decode()
        self._mark_blanks()
        self._clean_dates()
        self._clean_people()
        self._clean_numbers()
        self._clean_codes()
        self._clean_units()
        self._compare_parents()
        self._close_turned_16()
        self.marks += mark_where(None, RULE_SHIFTED, shifted)
        self._take_back()
        return self._assembled()

    def _shifted_rows(self) -> NDArray[np.bool_]:
        """Return the rows whose cells plainly stand under the wrong headers."""
        sex, birth, name = self.raw["gioi_tinh"], self.raw["ngay_sinh"], self.raw[CHILD_NAME]
        shifted = matches(sex, _DATE_LIKE) | matches(birth, _SEX_WORD)
        shifted |= matches(self.raw["dan_toc"], _SEX_WORD) & ~matches(sex, _SEX_WORD)
        shifted |= fields.holds_ethnic_group(sex)
        return shifted | matches(name, _DATE_LIKE) | matches(name, r"^\s*[0-9]{2,15}\s*$")

    def _empty_error_cells(self) -> None:
        """Empty cells with an error value or a formula without value: they are unknown, not blank."""
        for place, column in enumerate(export_columns()) if bool(matches(self.kinds, "[ef]").any()) else ():
            kind = pl.Series(self.kinds).str.slice(place, 1)
            for letter, rule in (("e", RULE_CELL_ERROR), ("f", RULE_CELL_FORMULA)):
                found = np.flatnonzero((kind == letter).fill_null(False).to_numpy())
                if len(found):
                    self.marks.append(Mark(column, rule, found))
                    self.cells[column] = replace_rows(
                        self.cells[column], found, pa.nulls(len(found), pa.string())
                    )

    def _decode(self) -> None:
        for column in TEXT_COLUMNS:
            decision, is_suspect = self.facts.encodings.get(column), column in self.facts.suspect_columns
            if decision is not None or is_suspect:
                self._store(column, fields.decode_column(column, self.cells[column], decision, is_suspect))

    def _store(self, column: str, result: tuple[pa.Array, list[Mark]]) -> None:
        self.cells[column] = result[0]
        self.marks += result[1]

    def _mark_blanks(self) -> None:
        """Mark blank cells of required fields, in columns the file has; the title may state the units."""
        stated = {"tinh": "province", "xa": "commune"}
        for column in required_columns():
            if column in self.facts.columns_present and not self.facts.units.get(stated.get(column, "")):
                self.marks += mark_where(column, RULE_REQUIRED, ~present(self.raw[column]))
        if "so_dinh_danh" in self.facts.columns_present:
            self.marks += mark_where("so_dinh_danh", RULE_NO_NUMBER, ~present(self.raw["so_dinh_danh"]))

    def _clean_dates(self) -> None:
        facts = self.facts
        if self.given:
            self.cells["ngay_sinh"] = partial_dates(self.cells["ngay_sinh"], self.given)
        birth = date_columns.clean_dates(
            "ngay_sinh", self.cells["ngay_sinh"], facts.date_contexts["ngay_sinh"]
        )
        birth = date_columns.limit_birth_dates(birth, facts.file_date)
        self._store("ngay_sinh", (birth.iso, birth.marks))
        self.extra |= {
            "ngay_sinh_precision": birth.precision,
            "birth_year": birth.year,
            "birth_month": birth.month,
        }
        events = for_each(_EVENT_DATES, len(self.rows), lambda column: date_columns.clean_dates(
            column, self.cells[column], facts.date_contexts[column], column == "ngay_cap_nhat"
        ))  # fmt: skip
        for column, found in zip(_EVENT_DATES, events, strict=True):
            self._store(column, date_columns.limit_event_dates(column, found, birth.iso, facts.file_date))
        for place, column in enumerate(export_columns()):
            if column == "ngay_sinh" or column in _EVENT_DATES:
                self.marks += date_columns.doubtful_order(column, self.raw[column], self.kinds, place, facts)

    def _clean_people(self) -> None:
        self._store("gioi_tinh", fields.clean_sexes(self.cells["gioi_tinh"], self.facts.sex_marks))
        plain = for_each(
            fields.PLAIN_COLUMNS,
            len(self.rows),
            lambda column: fields.clean_plain(column, self.cells[column]),
        )
        for column, result in zip(fields.PLAIN_COLUMNS, plain, strict=True):
            self._store(column, result)
        people = for_each(
            fields.NAME_COLUMNS, len(self.rows), lambda column: fields.clean_names(column, self.cells[column])
        )
        for column, (values, notes, marks) in zip(fields.NAME_COLUMNS, people, strict=True):
            self._store(column, (values, marks))
            if column == CHILD_NAME and notes.null_count < len(notes):
                self._add_notes(notes)
        latest = self.facts.file_date
        measured = for_each(
            _MEASURED, len(self.rows), lambda column: fields.clean_measure(column, self.cells[column], latest)
        )
        for column, result in zip(_MEASURED, measured, strict=True):
            self._store(column, result)

    def _add_notes(self, notes: pa.Array) -> None:
        frame = pl.DataFrame({"old": pl.Series(self.cells["ghi_chu"]), "new": pl.Series(notes)})
        joined = frame.select(pl.concat_str("old", "new", separator="; ", ignore_nulls=True)).to_series()
        blank = frame["old"].is_null() & frame["new"].is_null()
        self.cells["ghi_chu"] = (
            joined.zip_with(~blank, pl.Series([None], dtype=pl.String)).to_arrow().cast(pa.string())
        )

    def _clean_numbers(self) -> None:
        for column, sex, year in (
            ("so_dinh_danh_cha", "male", "nam_sinh_cha"),
            ("so_dinh_danh_me", "female", "nam_sinh_me"),
            ("so_dinh_danh_giam_ho", None, None),
        ):
            years = self.cells[year] if year else None
            self._store(column, read_adult_numbers(column, self.cells[column], sex, years))
        parents = [
            self.cells[name] for name in ("so_dinh_danh_cha", "so_dinh_danh_me", "so_dinh_danh_giam_ho")
        ]
        found = read_child_numbers(
            self.cells["so_dinh_danh"], self.cells["gioi_tinh"], self.extra["birth_year"], parents
        )
        self._store("so_dinh_danh", (found.values, found.marks))
        self._move_misplaced(found.misplaced)

    def _move_misplaced(self, misplaced: list[tuple[int, NumberResult]]) -> None:
        """Fill the blank column a number belongs to: the insurance card, or the parent whose sex and year it states."""
        moves: dict[str, dict[int, str]] = {}
        for row, result in misplaced:
            column = self._home_of(row, result)
            if column and result.held and not self.cells[column][row].is_valid:
                moves.setdefault(column, {})[row] = result.held
        for column, texts in sorted(moves.items()):
            rows = np.array(sorted(texts), dtype=np.int64)
            values = pa.array([texts[int(row)] for row in rows], pa.string())
            self._store(
                column, (replace_rows(self.cells[column], rows, values), [Mark(column, RULE_MOVED, rows)])
            )

    def _home_of(self, row: int, result: NumberResult) -> str | None:
        if result.kind is NumberKind.INSURANCE:
            return "the_bhyt"
        if result.held is None:
            return None
        parent = "cha" if century_sex(result.held[3])[1] == "male" else "me"
        year = self.cells[f"nam_sinh_{parent}"][row].as_py()
        is_same = year is None or int(year) == stated_year(result.held)
        return f"so_dinh_danh_{parent}" if is_same and self.cells[f"ho_ten_{parent}"][row].is_valid else None

    def _clean_codes(self) -> None:
        coded = ("dan_toc", *fields.CODE_LISTS, *fields.SEVERAL_CODES)
        found = for_each(
            coded, len(self.rows), lambda column: fields.clean_codes(column, self.cells[column], self.facts)
        )
        for column, result in zip(coded, found, strict=True):
            self._store(column, result)
        place = export_columns().index("hoan_canh_dac_biet")
        self._store(
            "hoan_canh_dac_biet",
            fields.clean_circumstances(self.cells["hoan_canh_dac_biet"], self.kinds, place),
        )

    def _clean_units(self) -> None:
        found = clean_units(self.cells, self.facts)
        for column, values in found.columns.items():
            (self.cells if column in self.cells else self.extra)[column] = values
        self.marks += found.marks
        if self.given:
            self.extra |= unit_ids(self.extra, self.given)

    def _compare_parents(self) -> None:
        father, mother = pl.Series(self.cells["ho_ten_cha"]), pl.Series(self.cells["ho_ten_me"])
        repeated = np.asarray((father == mother).fill_null(False).to_numpy())
        self.marks += mark_where("ho_ten_cha", RULE_REPEATED_PARENT, repeated)
        rows = np.flatnonzero(repeated)
        self.cells["ho_ten_cha"] = replace_rows(
            self.cells["ho_ten_cha"], rows, pa.nulls(len(rows), pa.string())
        )
        child_year = pl.Series(self.extra["birth_year"])
        for parent in ("cha", "me"):
            gap = child_year - pl.Series(self.cells[f"nam_sinh_{parent}"]).cast(pl.Int32, strict=False)
            limits = self.rules[RULE_PARENT_AGE].parameters
            odd = ((gap > limits["oldest_years"]) | (gap < limits["youngest_years"])).fill_null(False)
            self.marks += mark_where(f"nam_sinh_{parent}", RULE_PARENT_AGE, np.asarray(odd.to_numpy()))
        numbers = [self.cells[f"so_dinh_danh_{parent}"] for parent in ("cha", "me")]
        self.marks += mark_where(
            "ho_ten_cha", RULE_PARENTS_SWAPPED, swapped_parents((father, mother), numbers)
        )

    def _close_turned_16(self) -> None:
        """Close children who turned sixteen by the file's date as of their birthday; older slips are only marked."""
        latest = self.facts.file_date
        if latest is None:
            return
        limit = child_age_limit()
        born_before = birthday(latest, -limit)
        iso, year = pl.Series(self.cells["ngay_sinh"]), pl.Series(self.extra["birth_year"])
        turned = (iso <= born_before.isoformat()).fill_null(False) | (
            iso.is_null() & (year < born_before.year)
        ).fill_null(False)
        self.marks += mark_where("ngay_sinh", RULE_OVER_AGE, np.asarray(turned.to_numpy()))
        open_rows = (
            turned
            & pl.Series(self.cells["bien_dong"]).is_null()
            & (year > born_before.year - 10).fill_null(False)
        )
        rows = np.flatnonzero(open_rows.to_numpy())
        if not len(rows):
            return
        days = [
            birthday(date.fromisoformat(text), limit).isoformat() if text else None
            for text in self.cells["ngay_sinh"].take(pa.array(rows)).to_pylist()
        ]
        self._store("bien_dong", (replace_rows(self.cells["bien_dong"], rows, pa.array(["turned_16"] * len(rows))),
                                  [Mark("bien_dong", RULE_TURNED_16, rows)]))  # fmt: skip
        self._store(
            "ngay_bien_dong",
            (replace_rows(self.cells["ngay_bien_dong"], rows, pa.array(days, pa.string())), []),
        )

    def _released_rows(self) -> NDArray[np.bool_]:
        if not self.released:
            return np.zeros(len(self.rows), dtype=bool)
        places = zip(self.rows["sheet"].to_pylist(), self.rows["row_no"].to_pylist(), strict=True)
        return np.array([place in self.released for place in places], dtype=bool)

    def _received(self) -> list[pa.Array]:
        """Return the columns as received; our own records carry what was received before them."""
        names = [RECEIVED + name for name in self.raw]
        is_own = set(names) <= set(self.rows.column_names)
        return [text_array(self.rows[name]) for name in names] if is_own else list(self.raw.values())

    def _take_back(self) -> None:
        """Take back the repairs of rules that are switched off: names and texts as received, all else to nothing."""
        switched_off = {rule.id for rule in self.rules.rules.values() if not rule.enabled}
        off = [mark for mark in self.marks if mark.rule_id in switched_off]
        for mark in off:
            if mark.column is not None and self.rules[mark.rule_id].severity is Severity.REPAIRED:
                self._restore(mark.column, mark.rows)
        self.marks = [mark for mark in self.marks if mark.rule_id not in switched_off]

    def _restore(self, column: str, rows: NDArray[np.int64]) -> None:
        is_text = column in fields.NAME_COLUMNS or column in fields.PLAIN_COLUMNS
        blank = pa.nulls(len(rows), self.cells[column].type)
        values = self.raw[column].take(pa.array(rows)) if is_text else blank
        self.cells[column] = replace_rows(self.cells[column], rows, values)
        beside = {"ngay_sinh": ("birth_year", "birth_month"), "xa": ("commune_id", "commune_id_2025")}
        for name in beside.get(column, ()):
            self.extra[name] = replace_rows(
                self.extra[name], rows, pa.nulls(len(rows), self.extra[name].type)
            )
        if column == "ngay_sinh":
            precision = self.extra["ngay_sinh_precision"]
            self.extra["ngay_sinh_precision"] = replace_rows(
                precision, rows, pa.array(["unknown"] * len(rows))
            )

    def _assembled(self) -> CleanedChunk:
        marks = [mark for mark in in_order(self.marks) if mark.rule_id in self.rules.rules]
        quarantined = present(text_array(self.rows["row_reason"]))
        for mark in marks:
            if mark.rule_id == RULE_SHIFTED or (
                mark.column == CHILD_NAME and self.rules[mark.rule_id].quarantines
            ):
                quarantined[mark.rows] = True
        quarantined &= ~self._released_rows()
        outcome = pa.array(["accepted", "quarantined"]).take(pa.array(quarantined.astype(np.int8)))
        lineage = [pa.repeat(self.file_sha256, len(self.rows)), text_array(self.rows["sheet"]),
                   self.rows["row_no"].combine_chunks().cast(pa.int32()), outcome]  # fmt: skip
        standard = [self.cells[name] for name in export_columns()]
        extra = [self.extra[name] for name, _ in EXTRA_COLUMNS]
        arrays = [*standard, *extra, *self._received(), *lineage]
        return CleanedChunk(pa.Table.from_arrays(arrays, schema=records_schema()), marks, quarantined)


def held_records(rows: pa.Table, file_sha256: str) -> pa.Table:
    """Return rows of a held file as records: what was received, nothing standardised, all quarantined."""
    count, schema = len(rows), records_schema()
    own = {f"{name}_raw": text_array(rows[name]) for name in export_columns()} | {
        "file_sha256": pa.array([file_sha256] * count, pa.string()),
        "sheet": text_array(rows["sheet"]),
        "row_no": rows["row_no"].combine_chunks().cast(pa.int32()),
        "outcome": pa.array(["quarantined"] * count, pa.string()),
    }
    arrays = [own[entry.name] if entry.name in own else pa.nulls(count, entry.type) for entry in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def child_age_limit() -> int:
    """Return the age below which a person is a child (Luật Trẻ em 2016, Điều 1)."""
    rows = seed_rows(SeedFolder.REFERENCE, "legal_parameters")
    return int(next(row["value"] for row in rows if row["parameter_code"] == "child_age_limit"))
