"""A raw file as a reading: sheets chosen, header and rows told apart, totals checked, every row accounted for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from childdb.findings import Severity
from childdb.reading.checks import RowChecks, swapped_columns
from childdb.reading.compose import Composer, unmapped_rows
from childdb.reading.headers import Header, find_duplicates, find_header
from childdb.reading.layout import lay_out
from childdb.reading.model import FileKind, FileProfile, Outcome
from childdb.reading.profiling import build_profile
from childdb.reading.reasons import FileStopped, make_finding, rank_reason, worst_reason
from childdb.reading.reporting import Reporter, Sheet
from childdb.reading.shapes import fits
from childdb.reading.titles import Stated, find_units, merge_units

if TYPE_CHECKING:
    from childdb.findings import Finding
    from childdb.reading.column_map import ColumnMap
    from childdb.reading.grid import Grid
    from childdb.reading.model import ReadOptions
    from childdb.reading.workbook import RawFile

_ROW_LIMITS = (65_536, 1_048_576)


@dataclass(slots=True)
class Reading:
    """What the child process hands back: the rows, and everything else as plain values."""

    rows: pa.Table
    outcome: Outcome
    reason_code: str | None
    physical_rows: int
    header_footer_rows: int
    findings: list[Finding]
    profile: FileProfile


def rows_schema(column_map: ColumnMap) -> pa.Schema:
    """Return the schema of ``FileReading.rows`` for a dataset."""
    lead = [
        pa.field("sheet", pa.string()),
        pa.field("row_no", pa.int32()),
        pa.field("row_reason", pa.string()),
    ]
    tail = [pa.field("_extra", pa.string()), pa.field("_kinds", pa.string())]
    return pa.schema([*lead, *(pa.field(name, pa.string()) for name in column_map.columns), *tail])


@dataclass(slots=True)
class Assembler:
    """Puts one raw file together; holds are collected so that a held file is still counted row by row."""

    raw: RawFile
    kind: FileKind
    options: ReadOptions
    column_map: ColumnMap
    stated: Stated = field(default_factory=Stated)
    findings: list[Finding] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    others: list[Grid] = field(default_factory=list)
    headless: list[Grid] = field(default_factory=list)
    """Sheets of children without a header of their own: held with their rows, which are nobody's footer."""

    def run(self) -> Reading:
        """Return the reading of the whole file."""
        if not any(grid.row_count for grid in self.raw.grids):
            raise FileStopped("FILE-EMPTY")
        headers = self._find_lists()
        if not headers:
            return self._without_header()
        all_texts = pa.array(self.raw.values.texts, pa.string())
        for grid, header in headers:
            self._add_sheet(grid, header, all_texts)
        self._check_file()
        return self._finish()

    def hold(self, code: str, **counts: Any) -> None:
        """Hold the whole file for a reason."""
        self.holds.append(code)
        self.findings.append(make_finding(code, severity=Severity.ERROR, **counts))

    def _find_lists(self) -> list[tuple[Grid, Header]]:
        found = []
        for grid in self.raw.grids:
            header = find_header(grid, self.column_map, self.options.approved_mappings)
            if header is not None and self._is_list(header):
                found.append((grid, header))
            elif grid.row_count:
                self.others.append(grid)
        return found

    def _is_list(self, header: Header) -> bool:
        targets = header.targets
        anchors = self.column_map.anchors
        found = targets >= anchors if self.column_map.rows_are_figures else bool(targets & anchors)
        return found and len(targets) >= (2 if self.column_map.rows_are_figures else 3)

    def _add_sheet(self, grid: Grid, header: Header, all_texts: pa.Array) -> None:
        duplicates = find_duplicates(grid, header)
        if duplicates:
            self.hold("STRUCT-DUP-COLUMN", columns="; ".join(" = ".join(group) for group in duplicates))
        layout = lay_out(grid, header, self.column_map, self.stated)
        composer = Composer(layout, self.column_map, all_texts)
        checks = RowChecks(composer, self.column_map, self.options.limits.cell_characters)
        self.sheets.append(Sheet(grid, layout, composer, checks))

    # -- checks of the whole file ------------------------------------------------------------------

    def _check_file(self) -> None:
        self._check_missing()
        self._check_version()
        self._check_header_known()
        for sheet in self.sheets:
            self._check_widths(sheet)
            sheet.checks.run()
            swapped = swapped_columns(sheet.composer, self.column_map)
            if swapped:
                self.hold("STRUCT-SHIFT", columns=", ".join(swapped))
        self._check_others()
        self._check_limits()
        self._check_totals()
        if not sum(len(sheet.layout.data_rows) for sheet in self.sheets):
            self.hold("FILE-NO-ROWS")

    def _check_missing(self) -> None:
        units = self._units()
        for sheet in self.sheets:
            targets = sheet.composer.sources.targets | {
                target for target, _ in sheet.layout.sections.values()
            }
            missing = [
                name
                for name in self.column_map.required
                if name not in targets and self.column_map.stated_instead.get(name, "") not in units
            ]
            if missing:
                self.hold(
                    "STRUCT-MISSING-COLUMN", missing=", ".join(missing), found=", ".join(sorted(targets))
                )
                return

    def _check_version(self) -> None:
        version = self.stated.format_version
        known = self.column_map.format_versions
        if version is None or not known:
            return
        if version not in known:
            self.hold("STRUCT-VERSION", version=version)
            return
        ended = known[version]
        if ended is not None:
            self.refusals.append("DEL-VERSION")
            self.findings.append(
                make_finding("DEL-VERSION", severity=Severity.ERROR, version=version, ended=ended.isoformat())
            )

    def _check_header_known(self) -> None:
        """In the pipeline, a wording nobody has approved waits for a person; alone, the clear proposal is used."""
        if self.options.hold_unknown_headers and any(sheet.layout.header.proposals for sheet in self.sheets):
            count = sum(len(sheet.layout.header.proposals) for sheet in self.sheets)
            self.hold("STRUCT-HEADER", what=f"{count} tiêu đề chưa duyệt / headings not yet approved")

    def _check_widths(self, sheet: Sheet) -> None:
        widths = sheet.grid.row_widths
        if not widths:
            return
        expected = widths.get(int(sheet.grid.row_nos[sheet.layout.header.last]), 0)
        wrong = []
        for row in map(int, sheet.layout.data_rows):
            row_no = int(sheet.grid.row_nos[row])
            if widths[row_no] != expected and not self._only_blank_beyond(sheet, row, expected):
                wrong.append(row_no)
                sheet.grid.row_reasons.setdefault(row_no, "CSV-WIDTH")
        if wrong and self._is_cut(sheet, wrong[-1], expected):
            self.hold("FILE-TRUNCATED")
        elif len(wrong) > 0.01 * len(sheet.layout.data_rows):
            self.hold("CSV-WIDTH", found=len(wrong), expected=expected)
        for row_no in wrong:
            self.findings.append(
                make_finding("CSV-WIDTH", sheet=None, row_no=row_no, found=widths[row_no], expected=expected)
            )

    def _only_blank_beyond(self, sheet: Sheet, row: int, expected: int) -> bool:
        width = sheet.grid.row_widths[int(sheet.grid.row_nos[row])]
        beyond = sheet.grid.column_nos > expected
        return width > expected and not sheet.grid.cells[row, beyond].any()

    def _is_cut(self, sheet: Sheet, row_no: int, expected: int) -> bool:
        is_last = row_no == int(sheet.grid.row_nos[-1])
        declared = self.options.declared_row_count or self.stated.totals
        return (
            is_last
            and "UNFINISHED" in self.raw.remarks
            and sheet.grid.row_widths[row_no] < expected
            and not declared
        )

    def _check_others(self) -> None:
        """A sheet without a header whose cells read like children under the first list's columns is no look-up."""
        if not self.others or not self.sheets:
            return
        places = {
            int(self.sheets[0].grid.column_nos[place]): column
            for column, place in self.sheets[0].composer.sources.single.items()
            if column in ("ho_ten_tre", "ngay_sinh", "gioi_tinh")
        }
        for grid in self.others:
            if _reads_like_children(grid, places, self.column_map):
                self.headless.append(grid)
        if self.headless:
            self.hold("STRUCT-HEADER", what="trang không có tiêu đề / a sheet without a header")

    def _check_limits(self) -> None:
        if self.options.confirmed_row_count is not None:
            return
        for grid in self.raw.grids:
            if grid.row_count and (int(grid.row_nos[-1]) in _ROW_LIMITS or grid.row_count in _ROW_LIMITS):
                self.hold("FILE-ROW-LIMIT", rows=int(grid.row_nos[-1]))
                return

    def _check_totals(self) -> None:
        counts = [len(sheet.layout.data_rows) for sheet in self.sheets]
        total = sum(counts)
        if self.options.confirmed_row_count == total:
            return
        stated = list(self.stated.totals)
        for sheet, count in zip(self.sheets, counts, strict=True):
            stated.extend(n for n, is_grand in sheet.layout.totals if is_grand and n != count)
        if self.options.declared_row_count is not None:
            stated.append(self.options.declared_row_count)
        wrong = [number for number in stated if number not in (total, *counts)]
        if wrong:
            self.hold("DEL-COUNT", stated=wrong[0], found=total)

    # -- results -----------------------------------------------------------------------------------

    def _without_header(self) -> Reading:
        """Hold a file no sheet of which has a header: nothing is guessed, every row is kept and counted."""
        self.hold("STRUCT-HEADER", what="không tìm thấy dòng tiêu đề / no header row was found")
        tables = [self._unmapped_table(grid) for grid in self.raw.grids]
        physical = sum(grid.row_count for grid in self.raw.grids)
        return self._result(pa.concat_tables(tables), physical, 0)

    def _unmapped_table(self, grid: Grid) -> pa.Table:
        """Return all rows of a sheet whose columns have no known meaning, each kept whole beside blank columns."""
        columns = {name: pa.nulls(grid.row_count, pa.string()) for name in self.column_map.columns}
        kinds = ["-" * len(self.column_map.columns)] * grid.row_count
        extra = unmapped_rows(grid.cells, self.raw.values.texts)
        return self._table(grid, grid.row_nos, columns, extra, kinds)

    def _finish(self) -> Reading:
        tables: list[pa.Table] = []
        reasons: list[str | None] = []
        reporter = Reporter(self.raw, self.kind, self.findings)
        for sheet in self.sheets:
            built = sheet.composer.build()
            width = len(self.column_map.columns)
            kinds = [bytes(row).decode("ascii") for row in built.kinds.reshape(-1, width)]
            tables.append(self._table(sheet.grid, sheet.checks.row_nos, built.columns, built.extra, kinds))
            reasons.extend(sheet.checks.reasons.get(row) for row in range(len(kinds)))
            self.findings.extend(sheet.checks.findings)
            reporter.report_sheet(sheet)
        reporter.report_file(self.sheets, self.others)
        tables.extend(self._unmapped_table(grid) for grid in self.headless)
        reasons.extend("STRUCT-HEADER" for grid in self.headless for _ in range(grid.row_count))
        table = pa.concat_tables(tables)
        place = table.schema.get_field_index("row_reason")
        table = table.set_column(place, "row_reason", pa.array(reasons, pa.string()))
        self._report_rows(table)
        physical = sum(grid.row_count for grid in self.raw.grids)
        return self._result(table, physical, physical - table.num_rows)

    def _table(
        self,
        grid: Grid,
        row_nos: np.ndarray,
        columns: dict[str, Any],
        extra: list[str | None] | list[str],
        kinds: list[str],
    ) -> pa.Table:
        count = len(row_nos)
        name = None if self.kind is FileKind.CSV else grid.sheet
        sheet = pa.array([name] * count, pa.string())
        arrays = [sheet, pa.array(row_nos, pa.int32()), pa.nulls(count, pa.string())]
        for name in self.column_map.columns:
            values = columns[name]
            arrays.append(pa.array(values, pa.string()) if isinstance(values, list) else values)
        arrays += [pa.array(extra, pa.string()), pa.array(kinds, pa.string())]
        return pa.Table.from_arrays(arrays, schema=rows_schema(self.column_map))

    def _result(self, table: pa.Table, physical: int, header_footer: int) -> Reading:
        reason: str | None
        if self.refusals:
            # Readable and refused: its rows are counted as rejected and go nowhere.
            reason, outcome = self.refusals[0], Outcome.REJECT_FILE
            table = table.slice(0, 0)
            self.findings = [finding for finding in self.findings if finding.row_no is None]
        elif self.holds:
            reason = min(self.holds, key=rank_reason)
            place = table.schema.get_field_index("row_reason")
            held = pa.compute.fill_null(table["row_reason"], reason)
            table = table.set_column(place, "row_reason", held)
            outcome = Outcome.QUARANTINE_FILE
        else:
            reason = worst_reason(finding.reason_code for finding in self.findings)
            outcome = Outcome.ACCEPT_FLAGGED if reason else Outcome.ACCEPT
        findings = sorted(
            self.findings,
            key=lambda f: (f.sheet or "", f.row_no or 0, rank_reason(f.reason_code), f.column or ""),
        )
        return Reading(
            table.combine_chunks(), outcome, reason, physical, header_footer, findings, self._profile()
        )

    def _report_rows(self, table: pa.Table) -> None:
        """Give every held row a finding of its own, whoever held it."""
        told = {(f.sheet, f.row_no, f.reason_code) for f in self.findings}
        held = table.filter(pa.compute.is_valid(table["row_reason"])).select(
            ["sheet", "row_no", "row_reason"]
        )
        for row in held.to_pylist():
            if (row["sheet"], row["row_no"], row["row_reason"]) not in told:
                self.findings.append(
                    make_finding(
                        row["row_reason"], sheet=row["sheet"], row_no=row["row_no"], severity=Severity.ERROR
                    )
                )

    def _profile(self) -> FileProfile:
        return build_profile(self.kind, self.raw, self.sheets, self.stated, self._units(), self.column_map)

    def _units(self) -> dict[str, str]:
        names = [sheet.grid.sheet for sheet in self.sheets if sheet.grid.sheet]
        from_sheets = merge_units(*(find_units(name) for name in names))
        file_name = re.sub(r"[_\-]+", " ", (self.options.file_name or "").rsplit(".", 1)[0])
        return merge_units(self.stated.units, from_sheets, find_units(file_name))


def _reads_like_children(grid: Grid, places: dict[int, str], column_map: ColumnMap) -> bool:
    position = {int(number): place for place, number in enumerate(grid.column_nos)}
    wanted = [(position[n], column_map.rules[c].shape) for n, c in places.items() if n in position]
    if len(wanted) < 2:
        return False
    sample = range(min(grid.row_count, 50))
    like = sum(
        all((text := grid.text(row, p)) and fits(text, shape) for p, shape in wanted) for row in sample
    )
    return like >= max(1, 0.5 * len(sample))
