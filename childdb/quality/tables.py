"""The auditors' report as tables: the same rows in the workbook and in the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection

from childdb.quality.areas import AreaLine, commune_areas, commune_name, province_areas
from childdb.quality.reports import QualityReport
from childdb.quality.scores import definition_vi
from childdb.quality.words import DATASETS_VI, OUTCOMES_VI, STATUSES_VI, vietnamese_share
from childdb.worklists.vietnamese import vietnamese_count

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class ReportTable:
    """One table: its name, what it says, its columns with their widths in characters, its rows."""

    name: str
    title: str
    columns: tuple[tuple[str, int], ...]
    rows: tuple[tuple[Value, ...], ...]
    shares: frozenset[int] = frozenset()
    """Columns that hold a share from 0 to 1."""
    note: str = ""
    in_document: bool = True
    """Lists of row numbers stand in the workbook only."""


def cell_text(value: Value, *, is_share: bool) -> str:
    """Return a cell as people here write it."""
    if value is None:
        return "–"
    if is_share and not isinstance(value, str):
        return vietnamese_share(float(value))
    return vietnamese_count(value) if isinstance(value, int) else str(value)


def report_tables(connection: Connection, report: QualityReport) -> list[ReportTable]:
    """Return every table of the report, in the order people read it."""
    return [
        _gates(report),
        _rules(report),
        _areas("Theo tỉnh", "Điểm chất lượng theo tỉnh và tháng", province_areas(report.scores)),
        _areas("Theo xã", "Điểm chất lượng theo xã và tháng", commune_areas(report.scores)),
        _days(report),
        _files(report),
        _decisions(report),
        _rows(connection),
    ]


def _gates(report: QualityReport) -> ReportTable:
    return ReportTable(
        "Cổng kiểm tra",
        "Kết quả các cổng kiểm tra",
        (("Bộ dữ liệu", 34), ("Kết quả", 14), ("Lô đã xem", 9), ("Lô bị giữ", 9), ("Lượt chạy", 30), ("Lúc", 17)),
        tuple(
            (gate.title_vi, OUTCOMES_VI[gate.outcome], gate.batch_count, gate.held_batch_count, gate.run_id, gate.recorded_at)
            for gate in report.gates
        ),
    )  # fmt: skip


def _rules(report: QualityReport) -> ReportTable:
    return ReportTable(
        "Theo quy tắc",
        "Từng quy tắc: mức đạt, mức cần, số dòng sai",
        (("Quy tắc", 16), ("Nội dung", 52), ("Kết quả", 14), ("Đạt", 8), ("Cần", 8), ("Đã xét", 10), ("Sai", 10), ("Cách xử lý", 46), ("Người xử lý", 18)),
        tuple(
            (line.rule.rule_id, line.rule.what_vi, OUTCOMES_VI[line.outcome], line.share, line.limit_share, line.evaluated,
             line.failed, line.rule.resolve_vi, line.rule.who_vi)
            for line in report.rules
        ),
        frozenset({3, 4}),
    )  # fmt: skip


def _areas(name: str, title: str, lines: Sequence[AreaLine]) -> ReportTable:
    rows = [
        (line.province, line.name, f"{score.month:%m/%Y}", score.list_count, score.evaluated, score.failed, score.share)
        for line in lines
        for score in line.scores
    ]  # fmt: skip
    return ReportTable(
        name,
        title,
        (("Tỉnh", 18), ("Đơn vị", 32), ("Tháng", 9), ("Danh sách", 9), ("Ô đã kiểm tra", 13), ("Ô sai", 10), ("Điểm", 9)),
        tuple(rows),
        frozenset({6}),
        definition_vi(),
    )  # fmt: skip


def _days(report: QualityReport) -> ReportTable:
    return ReportTable(
        "Theo ngày",
        "Theo ngày: tệp nhận được và kết quả các cổng",
        (("Ngày", 12), ("Tệp", 8), ("Dòng đọc được", 13), ("Nhận", 10), ("Giữ lại", 10), ("Trả lại", 10), ("Cổng", 8), ("Dừng", 8), ("Cảnh báo", 9), ("Lô bị giữ", 9)),
        tuple(
            (line.day, line.files, line.physical_rows, line.accepted, line.quarantined, line.rejected, line.gates,
             line.stopped, line.warned, line.held_batches)
            for line in report.days
        ),
    )  # fmt: skip


def _files(report: QualityReport) -> ReportTable:
    rows = [
        (line.batch_id, commune_name(line.commune_id) if line.dataset == "treem__children" else DATASETS_VI.get(line.dataset, line.dataset),
         line.file_date, STATUSES_VI.get(line.status or "", "–"), line.physical_rows, line.accepted, line.quarantined, line.rejected,
         line.header_footer_rows, "cân" if line.holds else "LỆCH", " ".join(line.stopped_rules + line.warned_rules))
        for line in report.deliveries
    ]  # fmt: skip
    return ReportTable(
        "Theo tệp",
        "Cân đối từng tệp: đọc được = nhận + giữ lại + trả lại + tiêu đề và chân trang",
        (("Lô", 38), ("Đơn vị", 30), ("Ngày của tệp", 12), ("Trạng thái", 12), ("Đọc được", 9), ("Nhận", 9), ("Giữ lại", 9), ("Trả lại", 9), ("Tiêu đề", 9), ("Cân đối", 8), ("Quy tắc chưa đạt", 30)),
        tuple(rows),
    )  # fmt: skip


def _decisions(report: QualityReport) -> ReportTable:
    return ReportTable(
        "Quyết định",
        "Ai đã quyết định điều gì",
        (("Ngày", 12), ("Quy tắc", 16), ("Phạm vi", 38), ("Quyết định", 12), ("Người quyết định", 26), ("Lý do", 46)),
        tuple(
            (line.decided_on, line.rule_id, line.scope_key, "Cho qua" if line.decision == "release" else "Giữ lại",
             line.decided_by, line.reason)
            for line in report.decisions
        ),
    )  # fmt: skip


def _rows(connection: Connection) -> ReportTable:
    """All failing rows by their numbers, runs of neighbours written as one."""
    found = connection.execute(
        "with newest as (select distinct on (r.scope_key, r.rule_id) r.gate_id, r.scope_key, r.rule_id, r.outcome "
        "from quality.gate_results as r inner join quality.gate_runs as g on r.gate_id = g.gate_id "
        "order by r.scope_key, r.rule_id, g.recorded_at desc, g.gate_id desc) "
        "select f.scope_key, f.rule_id, coalesce(f.sheet, ''), count(*), "
        "range_agg(int8range(f.row_no, f.row_no + 1))::text, g.run_id, g.suite_version "
        "from quality.gate_failures as f inner join newest as n using (gate_id, scope_key, rule_id) "
        "inner join quality.gate_runs as g using (gate_id) "
        "where n.outcome in ('stopped', 'warned', 'released') and f.row_no is not null "
        "group by f.scope_key, f.rule_id, f.sheet, g.run_id, g.suite_version order by f.scope_key, f.rule_id, f.sheet"
    )
    rows = tuple(
        (scope, rule, sheet, int(count), row_ranges(ranges), run, version)
        for scope, rule, sheet, count, ranges, run, version in found
    )
    return ReportTable(
        "Dòng sai",
        "Số dòng của mọi dòng chưa đạt, theo lô, quy tắc và trang tính",
        (("Lô", 38), ("Quy tắc", 16), ("Trang tính", 16), ("Số dòng", 9), ("Các dòng", 70), ("Lượt chạy", 30), ("Phiên bản", 9)),
        rows,
        in_document=False,
    )  # fmt: skip


def row_ranges(multirange: str, most: int = 30_000) -> str:
    """Return the row numbers of a multirange as people write them.

    >>> row_ranges("{[6,9),[12,13)}")
    '6–8, 12'
    """
    parts = []
    for piece in multirange.strip("{}").replace("),[", ")|[").split("|"):
        if piece:
            first, last = (int(number) for number in piece.strip("[)").split(","))
            parts.append(str(first) if last == first + 1 else f"{first}–{last - 1}")
    text = ", ".join(parts)
    return text if len(text) <= most else text[:most].rsplit(", ", 1)[0] + ", …"
