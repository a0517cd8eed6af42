"""The portal in a real browser: pictures of every page in both languages and widths, and no foreign request.

Needs Debian's chromium. The pictures are left in the test's folder (``--basetemp``) to be looked at.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from childdb.portal.app import build_app
from childdb.portal.sources import PortalSources
from childdb.portal.static_export import write_pages
from tests.portal_support import RELEASE, make_release, make_sources

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PAGES = {
    "overview": "",
    "indicator": "indicators/tt13_2021_children/0301",
    "indicators": "indicators",
    "provinces": "provinces",
    "province": "provinces/04",
    "commune": "communes/01273",
    "releases": "releases",
    "release": f"releases/{RELEASE}",
    "quality": "quality",
    "glossary": "glossary",
}
WIDTHS = {"desk": 1280, "phone": 390}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> PortalSources:
    home = tmp_path_factory.mktemp("home")
    made = make_sources(home)
    make_release(home / "releases", approvers=("sandbox_approver_1", "sandbox_approver_2"))
    return made


@pytest.fixture(scope="module")
def address(sources: PortalSources) -> Iterator[str]:
    """A portal on a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(build_app(sources), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail("the portal's pictures need a browser: apt-get install -y chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


class Watch:
    """Notes every request and every complaint of a page."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


@pytest.mark.parametrize("width", list(WIDTHS))
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", list(PAGES))
def test_page_renders_and_asks_only_its_own_server(
    browser: Browser, address: str, pictures: Path, name: str, language: str, width: str
) -> None:
    page = browser.new_page(viewport={"width": WIDTHS[width], "height": 900})
    watch = Watch(page)
    answer = page.goto(f"{address}/{language}/{PAGES[name]}")
    page.screenshot(path=pictures / f"{name}_{language}_{width}.png", full_page=True)
    assert answer is not None
    assert answer.status == 200
    assert [url for url in watch.requests if not url.startswith(f"{address}/")] == []
    assert watch.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width], (
        "the page is wider than the screen"
    )
    assert (
        page.evaluate("getComputedStyle(document.querySelector('header.site')).backgroundColor")
        == "rgb(143, 29, 33)"
    )
    page.close()


@pytest.mark.parametrize("width", list(WIDTHS))
def test_both_archipelagos_are_seen_on_the_map(browser: Browser, address: str, width: str) -> None:
    page = browser.new_page(viewport={"width": WIDTHS[width], "height": 900})
    page.goto(f"{address}/vi/")
    for key, name in (("hoang-sa", "Quần đảo Hoàng Sa"), ("truong-sa", "Quần đảo Trường Sa")):
        islands = page.locator(f"#{key} .shape")
        box, frame = islands.bounding_box(), page.locator(f"#{key} .inset-box").bounding_box()
        assert box is not None
        assert frame is not None
        assert box["width"] > 40
        assert box["height"] > 15
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
        label = page.get_by_text(name, exact=True)
        assert label.is_visible()
        edge = label.bounding_box()
        assert edge is not None
        assert edge["x"] + edge["width"] <= WIDTHS[width]
    assert page.locator(".provinces .shape").count() == 34
    page.close()


def test_a_reader_drills_down_from_the_map_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/vi/")
    page.locator("#map-04").click()
    assert page.url == f"{address}/vi/provinces/04"
    page.locator("table.areas").get_by_text("Phường Thục Phán").click()
    assert page.url == f"{address}/vi/communes/01273"
    page.get_by_text("English", exact=True).click()
    assert page.url == f"{address}/en/communes/01273"
    with page.expect_navigation():
        page.get_by_text("Cao Bằng Province", exact=True).click()
    with page.expect_download() as download:
        page.get_by_text("Download the statistical forms").click()
    assert download.value.suggested_filename == f"{RELEASE}-bieu_tre_em_04.xlsx"
    context.close()


def test_text_has_enough_contrast(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/vi/provinces/04")
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('.quiet, .card-name, .card-note, .mark, .lede, td, th, a, footer p')]
            .map(e => { let b = e; while (b && getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
                        return [getComputedStyle(e).color, b ? getComputedStyle(b).backgroundColor : 'rgb(255, 255, 255)',
                                e.className + ' ' + e.tagName]; })"""
    )
    weak = {kind for ink, paper, kind in pairs if contrast(ink, paper) < 4.5}
    assert weak == set()
    page.close()


def contrast(ink: str, paper: str) -> float:
    """Return the contrast ratio of two colours as the web's accessibility guideline defines it."""
    high, low = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_pages_as_files_open_without_a_server(
    browser: Browser, sources: PortalSources, tmp_path: Path, pictures: Path
) -> None:
    start = write_pages(sources, tmp_path / "portal")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    watch = Watch(page)
    page.goto(start.as_uri())
    page.wait_for_url("**/vi/index.html")
    page.get_by_role("link", name="Tỉnh Cao Bằng").last.click()
    assert page.url.endswith("/portal/vi/provinces/04.html")
    page.screenshot(path=pictures / "province_file.png")
    assert all(url.startswith("file://") for url in watch.requests)
    assert page.evaluate("document.styleSheets.length") == 1
    page.close()


def test_province_page_prints_on_a4(browser: Browser, address: str, pictures: Path) -> None:
    page = browser.new_page()
    page.goto(f"{address}/vi/provinces/04")
    printed = page.pdf(path=pictures / "province.pdf", format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    page.close()
