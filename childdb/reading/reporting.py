"""Findings on sheets and files as a whole: what was left aside, repaired or unusual."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from childdb.findings import Severity
from childdb.reading.checks import RowChecks, header_codes
from childdb.reading.compose import Composer
from childdb.reading.grid import Grid, column_letters
from childdb.reading.layout import Layout, RowKind
from childdb.reading.model import FileKind
from childdb.reading.reasons import REASONS, make_finding
from childdb.reading.titles import normal

if TYPE_CHECKING:
    from childdb.findings import Finding
    from childdb.reading.workbook import RawFile

_SHOWN = re.compile(r"[^\w\s.,;:/()%&+\-–“”'\"]")


@dataclass(slots=True)
class Sheet:
    """One list sheet on its way to rows."""

    grid: Grid
    layout: Layout
    composer: Composer
    checks: RowChecks


@dataclass(slots=True)
class Reporter:
    """Adds findings to those of a file."""

    raw: RawFile
    kind: FileKind
    findings: list[Finding]

    def report_sheet(self, sheet: Sheet) -> None:
        """Report header, sections, footers and what is hidden of one list sheet."""
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

    def report_file(self, sheets: list[Sheet], others: list[Grid]) -> None:
        """Report what concerns the file as a whole."""
        add = self.findings.append
        for remark in sorted((self.raw.remarks & set(REASONS)) - {"ENC-MIXED"}):
            records = sum(grid.row_count for grid in self.raw.grids)
            add(make_finding(remark, lines=self.raw.line_count, records=records))
        if self.raw.hidden_sheets:
            add(make_finding("STRUCT-HIDDEN", what="trang tính / sheets", count=len(self.raw.hidden_sheets)))
        if len(sheets) > 1 or others:
            add(make_finding("STRUCT-SHEETS", read=len(sheets), skipped=len(others)))
        texts = [text for sheet in sheets for path in sheet.layout.header.paths for text in path]
        for code in sorted(header_codes([*texts, *self.raw.sheet_names])):
            add(make_finding(code, count=1))
