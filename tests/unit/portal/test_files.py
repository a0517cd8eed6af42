"""The pages as files: every link leads to a file, no link leaves them, the same release gives the same bytes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from childdb.forms.places import load_places
from childdb.portal.quality import LedgerLine, report_file, sum_ledger
from childdb.portal.sources import PortalSources
from childdb.portal.static_export import write_pages
from tests.portal_support import ledger, make_release, make_sources


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = make_sources(home)
    make_release(home / "releases")
    return write_pages(made, home / "portal").parent


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_every_link_leads_to_a_file(exported: Path) -> None:
    pages = list(exported.rglob("*.html"))
    assert len(pages) > 100
    missing = set()
    for page in pages:
        for link in re.findall(r'(?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")):
            assert not link.startswith(("/", "http", "file")), f"{page}: {link}"
            if not (page.parent / unquote(link)).is_file():
                missing.add((page.name, link))
    assert missing == set()


def test_pages_of_both_languages_stand_beside_each_other(exported: Path) -> None:
    names = [
        {path.relative_to(exported / language).as_posix() for path in (exported / language).rglob("*.html")}
        for language in ("vi", "en")
    ]
    assert names[0] == names[1]
    assert {"index.html", "quality.html", "provinces/04.html", "communes/01273.html"} <= names[0]


def test_the_same_release_gives_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases")
    again = write_pages(made, tmp_path / "portal").parent
    assert digest(again) == digest(exported)


def test_an_export_replaces_the_one_before(tmp_path: Path) -> None:
    made = make_sources(tmp_path)
    (tmp_path / "portal").mkdir()
    (tmp_path / "portal" / "old.html").write_text("old")
    write_pages(made, tmp_path / "portal")
    assert not (tmp_path / "portal" / "old.html").exists()
    assert "Chưa có lần công bố" in (tmp_path / "portal" / "vi" / "index.html").read_text(encoding="utf-8")


def test_ledger_sums_and_tells_a_broken_equation() -> None:
    lines = ledger()
    broken = LedgerLine("x", "d", None, None, "judged", "accept", None, 10, 1, 8, 0, 0)
    totals = sum_ledger([*lines, broken])
    assert (totals.files, totals.holding, totals.physical_rows, totals.accepted) == (3, 2, 1260, 1238)


def test_only_files_of_known_kinds_inside_the_folder_are_reports(sources: PortalSources) -> None:
    assert report_file(sources.quality, "index.html") is not None
    assert report_file(sources.quality, "../releases") is None
    (sources.quality / "notes.db").write_text("x")
    assert report_file(sources.quality, "notes.db") is None


def test_places_follow_the_day() -> None:
    from datetime import date

    before, after = (load_places(day) for day in (date(2026, 4, 1), date(2026, 5, 1)))
    assert (len(before.provinces), len(before.communes)) == (34, 3321)
    assert before.provinces["75"].title() == "Tỉnh Đồng Nai"
    assert after.provinces["75"].title() == "Thành phố Đồng Nai"
    assert sum(len(after.communes_of(code)) for code in after.provinces) == 3321
