"""The Vietnamese pages over the engine's own: by dataset, rule, commune, with every file's ledger equation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from childdb.quality.areas import commune_areas, commune_name, province_areas
from childdb.quality.reports import DeliveryLine, QualityReport
from childdb.quality.scores import DEFINITION_EN, definition_vi
from childdb.quality.words import DATASETS_VI, OUTCOMES_VI, STATUSES_VI, vietnamese_share
from childdb.worklists.vietnamese import vietnamese_count

TEMPLATES = Path(__file__).resolve().parent / "templates"

PAGES = ("index", "rules", "provinces", "communes", "days", "deliveries")


def write_pages(
    report: QualityReport, links: Mapping[str, tuple[str, ...]], folder: Path, earlier: Sequence[str] = ()
) -> None:
    """Write every page of a report into a folder; `earlier` are the days whose reports are kept beside."""
    environment = _environment()
    shared = {
        "report": report,
        "links": links,
        "communes": commune_lines(report),
        "totals": totals(report),
        "units": commune_areas(report.scores),
        "provinces": province_areas(report.scores),
        "definition": (definition_vi(), DEFINITION_EN),
        "earlier": earlier,
    }
    for name in PAGES:
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
    environment.filters.update(count=vietnamese_count, share=vietnamese_share, change=_change)
    environment.globals.update(
        outcomes=OUTCOMES_VI,
        statuses=STATUSES_VI,
        datasets=DATASETS_VI,
        commune_name=commune_name,
        day=lambda day: day.strftime("%d/%m/%Y"),
    )
    return environment


def _change(value: float | None) -> str:
    """Return a change of a share in percentage points, with its sign."""
    return "–" if value is None else f"{value * 100:+.1f}".replace(".", ",").replace("-", "−")


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
