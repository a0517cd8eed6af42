"""The Vietnamese pages over the engine's own: by dataset, rule, commune, with every file's ledger equation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from childdb.quality.reports import DeliveryLine, QualityReport
from childdb.reference import SeedFolder, seed_rows

TEMPLATES = Path(__file__).resolve().parent / "templates"

OUTCOMES_VI = {
    "passed": "Đạt",
    "warned": "Cảnh báo",
    "stopped": "Dừng",
    "released": "Cho qua có quyết định",
    "not_applicable": "Không áp dụng",
    "not_in_force": "Quy tắc chưa có hiệu lực",
}
STATUSES_VI = {
    "landed": "Đã nhận",
    "loaded": "Đã nạp",
    "held": "Đang giữ",
    "refused": "Đã trả lại",
    "judged": "Đã kiểm tra",
}
DATASETS_VI = {
    "treem__children": "Danh sách trẻ em của xã",
    "population__persons": "Trích xuất dân cư",
    "identity": "Ghép số định danh",
    "figures": "Số liệu công bố",
}


def write_pages(report: QualityReport, links: Mapping[str, tuple[str, ...]], folder: Path) -> None:
    """Write the index, the rules and the deliveries of a report into a folder."""
    environment = _environment()
    shared = {"report": report, "links": links, "communes": commune_lines(report), "totals": totals(report)}
    for name in ("index", "rules", "communes", "deliveries"):
        text = environment.get_template(f"{name}.html.j2").render(page=name, **shared)
        (folder / f"{name}.html").write_text(text, encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=vietnamese_count, share=vietnamese_share)
    environment.globals.update(
        outcomes=OUTCOMES_VI,
        statuses=STATUSES_VI,
        datasets=DATASETS_VI,
        commune_name=commune_name,
        day=lambda day: day.strftime("%d/%m/%Y"),
    )
    return environment


def vietnamese_count(value: int) -> str:
    """Return a whole number as people here write it.

    >>> vietnamese_count(1234567)
    '1.234.567'
    """
    return f"{value:,}".replace(",", ".")


def vietnamese_share(value: float | None) -> str:
    """Return a share as a percentage with one decimal.

    >>> vietnamese_share(0.9876)
    '98,8%'
    """
    return "–" if value is None else f"{value * 100:.1f}%".replace(".", ",")


def commune_name(commune_id: str | None) -> str:
    """Return what a commune is called, with its code; the code alone where it is not known."""
    if not commune_id:
        return "Không rõ đơn vị"
    name = _names().get(commune_id)
    code = commune_id.split("@")[0]
    return f"{name} ({code})" if name else code


def _names() -> Mapping[str, str]:
    kinds = {"xa": "Xã", "phuong": "Phường", "thi_tran": "Thị trấn", "dac_khu": "Đặc khu"}
    return {
        row["commune_id"]: f"{kinds.get(row['unit_type'], '')} {row['name_vi']}".strip()
        for row in seed_rows(SeedFolder.REFERENCE, "commune_names")
    }


def commune_lines(report: QualityReport) -> list[dict[str, Any]]:
    """Return one line per commune: its files, rows, and how many rules they keep; the score is their share."""
    lists = [line for line in report.deliveries if line.dataset == "treem__children"]
    grouped: dict[str, list[DeliveryLine]] = {}
    for line in lists:
        grouped.setdefault(line.commune_id or "", []).append(line)
    return [_commune_line(commune, lines) for commune, lines in sorted(grouped.items())]


def _commune_line(commune: str, lines: list[DeliveryLine]) -> dict[str, Any]:
    newest = lines[-1]
    broken = len(newest.stopped_rules) + len(newest.warned_rules)
    return {
        "commune_id": commune or None,
        "file_count": len(lines),
        "accepted": newest.accepted,
        "quarantined": newest.quarantined,
        "rejected": newest.rejected,
        "stopped": newest.stopped_rules,
        "warned": newest.warned_rules,
        "score": (newest.judged_count - broken) / newest.judged_count if newest.judged_count else None,
    }


def totals(report: QualityReport) -> dict[str, int]:
    """Return the sums of all files' ledger equations."""
    names = ("physical_rows", "header_footer_rows", "accepted", "quarantined", "rejected")
    sums = {name: sum(getattr(line, name) for line in report.deliveries) for name in names}
    return {
        **sums,
        "files": len(report.deliveries),
        "unbalanced": sum(not line.holds for line in report.deliveries),
    }
