"""Data Docs as self-contained pages: the engine's own renderers, without any foreign address, without values."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from childdb.database import Role, connect
from childdb.errors import ContractError
from childdb.quality import engine
from childdb.quality.documents import write_document, write_workbook
from childdb.quality.pages import write_pages
from childdb.quality.reports import QualityReport, read_report
from childdb.quality.scores import count_scores
from childdb.quality.tables import report_tables
from childdb.settings import Settings

WORKBOOK, DOCUMENT, DAYS = "bao_cao_chat_luong.xlsx", "bao_cao_chat_luong.pdf", "ngay"
ASSETS = Path(__file__).resolve().parent / "assets"
POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
"""What a browser may load from these pages: nothing but our own stylesheet."""

_REMOTE = re.compile(r"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)
_CUT: tuple[tuple[str, str], ...] = (
    (r"<script\b.*?</script>", ""),
    (r"<link\b[^>]*>", ""),
    (r"<img\b[^>]*>", ""),
    (r"<footer\b.*?</footer>", ""),
    (r"<nav class=\"navbar.*?</nav>\s*</div>\s*</nav>", ""),
    (r"<div class=\"card mb-3\">.*?(?=<div class=\"card d-md-block)", ""),
    (r"<div class=\"modal\b.*?<!--\s*end modal\s*-->", ""),
    (r"<a href=\"[^\"#]*expectations/[^\"]*\"\s*>(.*?)</a>", r"\1"),
    (r"<p class=\"m-0\">\s*<a data-toggle=\"collapse\".*?</p>", ""),
    (r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", ""),
    (r"<br>\s*Data asset: None", ""),
    (r"\son\w+=\"[^\"]*\"", ""),
    (r"<title>\s*</title>", ""),
)


def build_data_docs(settings: Settings, out_dir: Path) -> Path:
    """Write the quality pages below `out_dir` and return their index page.

    The folder is replaced as a whole, so no page of an earlier run stays behind; the reports of earlier days stay
    in its folder `ngay`.
    """
    with connect(Role.CHECKER, settings) as connection:
        count_scores(connection)
        return build_pages(connection, out_dir)


def build_pages(connection: Connection, out_dir: Path) -> Path:
    """Write the quality pages from what the database holds and return their index page."""
    report = read_report(connection)
    fresh = out_dir.with_name(f".{out_dir.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "gx").mkdir(parents=True)
    shutil.copytree(ASSETS, fresh / "assets")
    links = _write_engine_pages(connection, report, fresh / "gx")
    if report.day is not None:
        tables = report_tables(connection, report)
        (fresh / WORKBOOK).write_bytes(write_workbook(tables, report.day))
        (fresh / DOCUMENT).write_bytes(write_document(tables, report.day))
    write_pages(report, links, fresh)
    if report.day is not None:
        write_pages(report, links, fresh, _keep_days(fresh, out_dir / DAYS, report.day))
    _refuse_remote(fresh)
    shutil.rmtree(out_dir, ignore_errors=True)
    fresh.rename(out_dir)
    return out_dir / "index.html"


def _keep_days(fresh: Path, kept: Path, day: date) -> tuple[str, ...]:
    """Keep a copy of the report under its day, beside those of earlier days; return all days, the newest first.

    A day's last report replaces the earlier ones of that day; other days are never touched again.
    """
    own = fresh.with_name(f"{fresh.name}-day")
    shutil.rmtree(own, ignore_errors=True)
    shutil.copytree(fresh, own)
    if kept.is_dir():
        shutil.copytree(kept, fresh / DAYS)
    shutil.rmtree(fresh / DAYS / day.isoformat(), ignore_errors=True)
    (fresh / DAYS).mkdir(exist_ok=True)
    own.rename(fresh / DAYS / day.isoformat())
    return tuple(sorted((path.name for path in (fresh / DAYS).iterdir()), reverse=True))


def _write_engine_pages(
    connection: Connection, report: QualityReport, folder: Path
) -> Mapping[str, tuple[str, ...]]:
    links: dict[str, tuple[str, ...]] = {}
    for gate in report.gates:
        row = connection.execute(
            "select documents from quality.gate_runs where gate_id = %s", [gate.gate_id]
        ).fetchone()
        names = []
        for source, document in sorted((row[0] if row else {}).items()):
            name = f"{gate.suite.replace('/', '--')}--{source}.html"
            page = engine.render_document(document)
            (folder / name).write_text(self_contained(page, gate.title_vi), encoding="utf-8")
            names.append(name)
        links[gate.gate_id] = tuple(names)
    return links


def self_contained(page: str, title: str) -> str:
    """Return a page of the engine with our stylesheet in place of everything it would fetch."""
    for pattern, replacement in _CUT:
        page = re.sub(pattern, replacement, page, flags=re.DOTALL | re.IGNORECASE)
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<link rel="stylesheet" href="../assets/quality.css">'
    )
    page = page.replace("<head>", f"<head>{head}", 1).replace("<html>", '<html lang="en">', 1)
    page = re.sub(r"<title>.*?</title>", f"<title>{title}</title>", page, count=1, flags=re.DOTALL)
    bar = f'<nav class="bar"><a href="../index.html">← Chất lượng dữ liệu</a> <span>{title}</span></nav>'
    return re.sub(r"(<body[^>]*>)", rf"\1{bar}", page, count=1)


def remote_addresses(page: str) -> list[str]:
    """Return the addresses a page would fetch or send to; links that a person clicks count too."""
    return [found.group(0) for found in _REMOTE.finditer(page)]


def _refuse_remote(folder: Path) -> None:
    for path in sorted(folder.rglob("*.html")):
        if remote_addresses(path.read_text(encoding="utf-8")):
            raise ContractError(
                f"Quality page {path.name} names a foreign address after cleaning. The engine's templates changed: "
                "adapt the list of cuts in childdb/quality/datadocs.py; the old pages stay."
            )


def document_values(document: Mapping[str, Any]) -> list[str]:
    """Return the keys of a result document under which the engine would list values; empty is right."""
    telling = ("unexpected_list", "unexpected_index", "unexpected_counts", "unexpected_rows")
    found: list[str] = []
    for entry in document.get("results", ()):
        found += [key for key in entry.get("result", {}) if any(word in key for word in telling)]
    return found
