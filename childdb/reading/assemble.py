"""A raw file as a reading: sheets chosen, header and rows told apart, totals checked, every row accounted for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from childdb.findings import Severity
from childdb.reading.checks import RowChecks, header_codes, swapped_columns
from childdb.reading.compose import Composer, unmapped_rows
from childdb.reading.grid import column_letters
from childdb.reading.headers import Header, find_duplicates, find_header
from childdb.reading.layout import Layout, RowKind, lay_out
from childdb.reading.model import FileKind, FileProfile, Outcome
from childdb.reading.reasons import REASONS, FileStopped, make_finding, rank_reason, worst_reason
from childdb.reading.shapes import fits
from childdb.reading.titles import Stated, find_units, merge_units, normal

if TYPE_CHECKING:
    from childdb.findings import Finding
    from childdb.reading.column_map import ColumnMap
    from childdb.reading.grid import Grid
    from childdb.reading.model import ReadOptions
    from childdb.reading.workbook import RawFile

_ROW_LIMITS = (65_536, 1_048_576)
_SHOWN = re.compile(r"[^\w\s.,;:/()%&+\-–“”'\"]")


@dataclass(slots=True)
class Sheet:
    """One list sheet on its way to rows."""

    grid: Grid
    layout: Layout
    composer: Composer
    checks: RowChecks


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
    sheets: list[Sheet] = field(default_factory=list)
    others: list[Grid] = field(default_factory=list)

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
            raise FileStopped("DEL-VERSION", version=version, ended=ended.isoformat())

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
                self.hold("STRUCT-HEADER", what="trang không có tiêu đề / a sheet without a header")
                return

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
        tables = []
        for grid in self.raw.grids:
            columns = {name: pa.nulls(grid.row_count, pa.string()) for name in self.column_map.columns}
            blank = "-" * len(self.column_map.columns)
            tables.append(
                self._table(
                    grid,
                    grid.row_nos,
                    columns,
                    unmapped_rows(grid.cells, self.raw.values.texts),
                    [blank] * grid.row_count,
                )
            )
        physical = sum(grid.row_count for grid in self.raw.grids)
        return self._result(pa.concat_tables(tables), physical, 0)

    def _finish(self) -> Reading:
        tables: list[pa.Table] = []
        reasons: list[str | None] = []
        for sheet in self.sheets:
            built = sheet.composer.build()
            width = len(self.column_map.columns)
            kinds = [bytes(row).decode("ascii") for row in built.kinds.reshape(-1, width)]
            tables.append(self._table(sheet.grid, sheet.checks.row_nos, built.columns, built.extra, kinds))
            reasons.extend(sheet.checks.reasons.get(row) for row in range(len(kinds)))
            self.findings.extend(sheet.checks.findings)
            self._report_sheet(sheet)
        self._report_file()
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
        if self.holds:
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

    def _report_sheet(self, sheet: Sheet) -> None:
        grid, header, layout = sheet.grid, sheet.layout.header, sheet.layout
        name = None if self.kind is FileKind.CSV else grid.sheet
        add = self.findings.append
        header_rows = layout.count(RowKind.HEADER)
        if int(grid.row_nos[header.first]) != 1 or header_rows > 1:
            what = f"{header_rows} dòng tiêu đề và tên bảng / {header_rows} title and header rows"
            add(make_finding("STRUCT-HEADER", sheet=name, row_no=int(grid.row_nos[header.last]), what=what))
        odd = [text for path in header.paths for text in path if text != normal(text)]
        if odd:
            what = f"{len(odd)} tiêu đề được chuẩn hóa khi so sánh / {len(odd)} headings compared in one normal form"
            add(make_finding("STRUCT-HEADER", sheet=name, severity=Severity.REPAIRED, what=what))
        for place, why in sorted(header.proposals.items()):
            match = header.matches[place]
            what = f"cột {column_letters(int(grid.column_nos[place]))} được hiểu là {match.column if match else ''} ({why})"
            column = match.column if match else None
            add(
                make_finding("STRUCT-HEADER", sheet=name, column=column, severity=Severity.WARNING, what=what)
            )
        self._report_unmapped(sheet, name)
        sections = layout.count(RowKind.SECTION)
        footers = (
            layout.count(RowKind.TOTAL) + layout.count(RowKind.FOOTER) + layout.count(RowKind.BLANK_FORM)
        )
        if sections:
            add(make_finding("STRUCT-SECTION", sheet=name, count=sections))
        if footers:
            add(make_finding("STRUCT-FOOTER", sheet=name, count=footers))
        self._report_hidden(sheet, name)
        for remark in sorted(grid.remarks & set(REASONS)):
            add(make_finding(remark, sheet=name))
        for encoding in header.encodings:
            add(make_finding("ENC-TCVN3" if encoding == "tcvn3" else "ENC-VNI", sheet=name))

    def _report_unmapped(self, sheet: Sheet, name: str | None) -> None:
        for place in sheet.composer.sources.unmapped:
            path = sheet.layout.header.paths[place]
            if not path and not sheet.composer.cells[:, place].any():
                continue
            letters = column_letters(int(sheet.grid.column_nos[place]))
            shown = _SHOWN.sub("·", " > ".join(path))[:60] or letters
            self.findings.append(
                make_finding("STRUCT-NEW-COLUMN", sheet=name, column=letters, header=shown, columns=letters)
            )

    def _report_hidden(self, sheet: Sheet, name: str | None) -> None:
        grid = sheet.grid
        hidden = [int(n) for n in sheet.checks.row_nos if int(n) in grid.hidden_rows]
        for row_no in hidden:
            self.findings.append(
                make_finding("STRUCT-HIDDEN", sheet=name, row_no=row_no, what="dòng ẩn / row", count=1)
            )
        columns = [n for n in map(int, grid.column_nos) if n in grid.hidden_columns]
        if columns:
            self.findings.append(
                make_finding("STRUCT-HIDDEN", sheet=name, what="cột / columns", count=len(columns))
            )
        if "FILTER" in grid.remarks and not hidden:
            self.findings.append(
                make_finding("STRUCT-HIDDEN", sheet=name, what="bộ lọc đang bật / active filter", count=1)
            )

    def _report_file(self) -> None:
        add = self.findings.append
        for remark in sorted((self.raw.remarks & set(REASONS)) - {"ENC-MIXED"}):
            records = sum(grid.row_count for grid in self.raw.grids)
            add(make_finding(remark, lines=self.raw.line_count, records=records))
        if self.raw.hidden_sheets:
            add(make_finding("STRUCT-HIDDEN", what="trang tính / sheets", count=len(self.raw.hidden_sheets)))
        if len(self.sheets) > 1 or self.others:
            add(make_finding("STRUCT-SHEETS", read=len(self.sheets), skipped=len(self.others)))
        texts = [text for sheet in self.sheets for path in sheet.layout.header.paths for text in path]
        for code in sorted(header_codes([*texts, *self.raw.sheet_names])):
            add(make_finding(code, count=1))

    def _units(self) -> dict[str, str]:
        names = [sheet.grid.sheet for sheet in self.sheets if sheet.grid.sheet]
        from_sheets = merge_units(*(find_units(name) for name in names))
        file_name = re.sub(r"[_\-]+", " ", (self.options.file_name or "").rsplit(".", 1)[0])
        return merge_units(self.stated.units, from_sheets, find_units(file_name))

    def _profile(self) -> FileProfile:
        first = self.sheets[0] if self.sheets else None
        targets = (
            set().union(*(sheet.composer.sources.targets for sheet in self.sheets)) if self.sheets else set()
        )
        header = first.layout.header if first else None
        return FileProfile(
            kind=self.kind,
            encoding=self.raw.encoding,
            delimiter=self.raw.delimiter,
            sheet_names=self.raw.sheet_names,
            read_sheets=tuple(sheet.grid.sheet for sheet in self.sheets),
            hidden_sheets=self.raw.hidden_sheets,
            header_rows=tuple(int(first.grid.row_nos[row]) for row in range(header.first, header.last + 1))
            if first and header
            else (),
            columns_present=tuple(name for name in self.column_map.columns if name in targets),
            unmapped_headers=tuple(
                " > ".join(first.layout.header.paths[place]) for place in first.composer.sources.unmapped
            )
            if first
            else (),
            stated_date=self.stated.day,
            stated_unit_texts=self._units(),
            stated_ethnic_list=self.stated.ethnic_list,
            date_system=self.raw.date_system,
            stated_total=self.stated.totals[0] if self.stated.totals else None,
            column_map_version=self.column_map.version,
            header_signature=header.signature if header else None,
            header_proposal=_proposal(header) if header else {},
        )


def _proposal(header: Header) -> dict[str, str]:
    """Return header text → column for the wordings that were taken by likeness or content."""
    return {
        " > ".join(header.paths[place]): match.column
        for place in sorted(header.proposals)
        if (match := header.matches[place]) is not None
    }


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


def profile_json(profile: FileProfile) -> str:
    """Return a profile as JSON, for the way from the child process to its parent."""
    from dataclasses import asdict

    plain = asdict(replace(profile, stated_unit_texts=dict(profile.stated_unit_texts)))
    plain["stated_date"] = profile.stated_date.isoformat() if profile.stated_date else None
    return json.dumps(plain, ensure_ascii=False)
