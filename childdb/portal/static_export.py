"""The pages of the newest approved release as files that open without a server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from childdb.database import Role, connect
from childdb.forms.words import Language
from childdb.portal.links import FileLinks, page_file
from childdb.portal.pages import Pages
from childdb.portal.quality import read_ledger
from childdb.portal.releases import OPEN_FILES, Release, ReleaseShelf
from childdb.portal.senders import read_senders
from childdb.portal.sources import PortalSources
from childdb.portal.stores import ParquetFigureStore
from childdb.settings import Settings
from childdb.workspace import Workspace

STATIC = Path(__file__).parent / "static"
START = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=vi/index.html"><title>childdb</title></head>
<body><p><a href="vi/index.html">Tiếng Việt</a> · <a href="en/index.html">English</a></p></body></html>
"""
Maker = Callable[[Pages], str]


def write_portal_files(settings: Settings, out_dir: Path) -> Path:
    """Write the pages of the newest approved release into ``out_dir`` and return the page to open first."""
    workspace = Workspace(settings.home)
    sources = PortalSources(
        store=ParquetFigureStore(workspace.releases),
        shelf=ReleaseShelf(workspace.releases),
        quality=workspace.quality,
        ledger=partial(read_ledger, partial(connect, Role.PORTAL, settings)),
        senders=partial(read_senders, partial(connect, Role.PORTAL, settings)),
    )
    return write_pages(sources, out_dir)


def write_pages(sources: PortalSources, out_dir: Path) -> Path:
    """Write the pages over given sources; the old pages are gone only when the new ones are whole."""
    building = out_dir.with_name(f".{out_dir.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    shutil.copytree(STATIC, building / "static")
    release = sources.shelf.newest()
    pages = Pages(sources, Language.VI, FileLinks("index.html"), release)
    communes = pages.reporting_communes() & pages.places.communes.keys()
    for path, make in _all_pages(pages, communes):
        for language in Language:
            name = page_file(path, language)
            target = building / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(
                make(Pages(sources, language, FileLinks(name), release, communes)), encoding="utf-8"
            )
    for one in sources.shelf.published():
        _copy_files(sources.shelf, one, building / "files" / one.release_id)
    (building / "index.html").write_text(START, encoding="utf-8")
    shutil.rmtree(out_dir, ignore_errors=True)
    building.rename(out_dir)
    return out_dir / "index.html"


def _all_pages(pages: Pages, communes: frozenset[str]) -> Iterator[tuple[str, Maker]]:
    """Yield every page: of communes those that have a figure, or a nation's files would be mostly empty pages."""
    yield "", Pages.overview
    yield "indicators", Pages.indicators
    yield "provinces", Pages.provinces
    yield "releases", Pages.releases
    yield "quality", Pages.quality
    yield "senders", Pages.senders
    yield "glossary", Pages.glossary
    for indicator in pages.sources.indicators.current():
        yield (
            indicator.path,
            partial(Pages.indicator, indicator_set=indicator.indicator_set, code=indicator.code),
        )
    for one in pages.sources.shelf.published():
        yield f"releases/{one.release_id}", partial(Pages.release_page, release_id=one.release_id)
    for code in pages.places.provinces:
        yield f"provinces/{code}", partial(Pages.province, code=code)
    for code in sorted(communes):
        yield f"communes/{code}", partial(Pages.commune, code=code)


def _copy_files(shelf: ReleaseShelf, release: Release, target: Path) -> None:
    names = (*OPEN_FILES, *(file.name for file in release.files))
    for name in names:
        source = shelf.file(release.release_id, name)
        if source is not None:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
