"""What stands on the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest

from childdb.forms.words import Language
from childdb.portal.links import ServedLinks
from childdb.portal.pages import Pages, UnknownPageError
from childdb.portal.senders import SenderLine, by_deadline
from childdb.portal.sources import PortalSources
from childdb.portal.words import number_text
from tests.invented_figures import Edition, figures
from tests.portal_support import RELEASE, areas, make_release, make_sources, rename_places
from tests.unit.portal.test_messages import VIETNAMESE

PAGES: dict[str, Callable[[Pages], str]] = {
    "overview": Pages.overview,
    "indicators": Pages.indicators,
    "count": lambda pages: pages.indicator("tt13_2021_children", "0101"),
    "share": lambda pages: pages.indicator("register", "coverage"),
    "unmeasured": lambda pages: pages.indicator("tt13_2021_children", "0103"),
    "provinces": Pages.provinces,
    "province": lambda pages: pages.province("04"),
    "empty_province": lambda pages: pages.province("96"),
    "commune": lambda pages: pages.commune("01273"),
    "releases": Pages.releases,
    "release": lambda pages: pages.release_page(RELEASE),
    "quality": Pages.quality,
    "senders": Pages.senders,
    "glossary": Pages.glossary,
}


def pages(sources: PortalSources, language: Language = Language.VI) -> Pages:
    return Pages(sources, language, ServedLinks(), sources.shelf.newest())


class Balance(HTMLParser):
    """Checks that elements are closed in the order they were opened, and gathers ids."""

    VOID = frozenset({"meta", "link", "img", "br", "rect", "circle", "path", "input"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_whole_and_asks_no_other_address(
    sources: PortalSources, name: str, language: Language
) -> None:
    page = PAGES[name](pages(sources, language))
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert len(balance.ids) == len(set(balance.ids))
    assert not re.search(r"""(?:src|href|action)=["'](?:[a-z]+:)?//""", page)
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert f'<html lang="{language.value}">' in page


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"count", "share", "unmeasured", "glossary"}))
def test_english_pages_hold_no_vietnamese_but_names(tmp_path: Path, name: str) -> None:
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases", approvers=("first person", "second person"))
    (made.quality / "index.html").write_text("<title>Checks</title>")
    rename_places(made, "Place")
    page = PAGES[name](pages(made, Language.EN))
    page = re.sub(r'<a lang="vi".*?</a>', "", page)
    page = re.sub(r"Hoàng Sa|Trường Sa|TT-BLĐTBXH", "", page)
    page = re.sub(r'class="bars">\s*<caption>By ethnic group.*?</table>', "", page, flags=re.DOTALL)
    assert VIETNAMESE.findall(page) == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_names_are_escaped(tmp_path: Path, name: str) -> None:
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases", approvers=("<script>a</script>", "<img src=x>"))
    rename_places(made, "<script>alert(1)</script>")
    page = PAGES[name](pages(made))
    assert "<script" not in page
    assert "<img src=x" not in page


def test_map_shows_every_province_and_both_archipelagos(sources: PortalSources) -> None:
    page = pages(sources).overview()
    assert len(re.findall(r'id="map-[0-9]{2}"', page)) == 34
    for key, name in (("hoang-sa", "Quần đảo Hoàng Sa"), ("truong-sa", "Quần đảo Trường Sa")):
        drawn = re.search(
            rf'<g class="inset {key}".*?</g>\s*</g>|<g class="inset {key}".*?</g>\s*<text', page, re.DOTALL
        )
        assert drawn is not None
        path = re.search(r'class="shape [^"]+"[^>]* d="([^"]+)"', drawn[0])
        assert path is not None
        assert path[1].count("M") > 20
        assert name in page


def test_the_archipelagos_bear_the_shade_of_their_province(sources: PortalSources) -> None:
    page = pages(sources).overview()
    for code, key in (("48", "hoang-sa"), ("56", "truong-sa")):
        mainland = re.search(rf'id="map-{code}" class="shape ([^"]+)"', page)
        islands = re.search(rf'id="{key}">.*?class="shape ([^"]+)"', page, re.DOTALL)
        assert mainland is not None
        assert islands is not None
        assert mainland[1] == islands[1]


def test_overview_shows_the_released_numbers_and_nothing_else(sources: PortalSources) -> None:
    page = pages(sources).overview()
    for row in figures(areas(), Edition(RELEASE, size=400)).to_pylist():
        if (
            row["breakdown"] == "total"
            and row["area_level"] in ("nation", "province")
            and row["value"] is not None
        ):
            decimals = 1 if row["unit"] == "%" else 0
            assert number_text(row["value"], Language.VI, decimals) in page


def test_three_marks_are_told_apart(tmp_path: Path) -> None:
    rows = [r for r in figures(areas(), Edition(RELEASE, size=400)).to_pylist() if r["area_code"] != "01273"]
    for row in rows:
        if row["area_code"] == "01279":
            row.update(numerator=None, value=None, status="not_applicable")
        if row["area_code"] == "01288":
            row.update(numerator=None, value=None, status="hidden")
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases", table=pa.Table.from_pylist(rows))
    page = pages(made).province("04")
    found = {
        code: re.search(rf'<td class="code">{code}</td>.*?<span class="mark (\w+)"', page, re.DOTALL)
        for code in ("01273", "01279", "01288")
    }
    assert {code: match and match[1] for code, match in found.items()} == {
        "01273": "no_data",
        "01279": "not_applicable",
        "01288": "hidden",
    }


def test_indicator_page_has_the_five_fields_law_version_and_passport(sources: PortalSources) -> None:
    page = pages(sources).indicator("tt13_2021_children", "0301")
    for text in (
        *(
            "Khái niệm, phương pháp tính",
            "Phân tổ chủ yếu",
            "Kỳ công bố",
            "Nguồn số liệu",
            "Cơ quan chịu trách nhiệm",
        ),
        *(
            "Thông tư 13/2021/TT-BLĐTBXH",
            "phiên bản 1",
            "15/11/2021",
            f"childdb explain {RELEASE}",
            "≤ 6,5 %",
        ),
    ):
        assert text in page


def test_province_page_offers_its_form_and_lists_all_its_communes_in_code_order(
    sources: PortalSources,
) -> None:
    page = pages(sources).province("04")
    assert f"/files/{RELEASE}/forms/bieu_tre_em_04.xlsx" in page
    codes = re.findall(r'<tr><td class="code">([0-9]{5})</td>', page)
    assert len(codes) == 56
    assert codes == sorted(codes)


def test_unknown_commune_of_a_province_has_a_row_only_if_it_has_a_figure(tmp_path: Path) -> None:
    rows = figures(areas(), Edition(RELEASE, size=400)).to_pylist()
    rows += [{**row, "area_code": "04_U"} for row in rows if row["area_code"] == "01273"]
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases", table=pa.Table.from_pylist(rows))
    assert "Chưa xác định được xã" in pages(made).province("04")
    assert "Chưa xác định được xã" not in pages(made).province("01")


def test_commune_page_names_the_former_units(sources: PortalSources) -> None:
    assert "phường Hợp Giang" in pages(sources).commune("01273")


def test_release_page_shows_hashes_approvals_and_how_to_verify(sources: PortalSources) -> None:
    page = pages(sources).release_page(RELEASE)
    release = sources.shelf.find(RELEASE)
    assert release is not None
    for text in (
        release.manifest_sha256,
        "Người duyệt hai",
        f"childdb release verify {RELEASE}",
        "figures.csv",
    ):
        assert text in page


def test_quality_page_shows_the_equation_of_each_file_without_its_name(sources: PortalSources) -> None:
    page = pages(sources).quality()
    row = re.search(r"<tr><th scope=\"row\"><code>treem__children@a+.*?</tr>", page, re.DOTALL)
    assert row is not None
    for text in ("1.250", "14", "1.230", "6", "Phường Thục Phán", "30/09/2026", "đúng"):
        assert text in row[0]
    assert "Từ chối cả tệp" in page


@pytest.mark.parametrize(
    "make",
    [
        lambda p: p.province("99"),
        lambda p: p.commune("x"),
        lambda p: p.indicator("a", "b"),
        lambda p: p.release_page("r2026-ffffffffffff"),
    ],
)
def test_unknown_pages_are_refused(sources: PortalSources, make: Callable[[Pages], str]) -> None:
    with pytest.raises(UnknownPageError):
        make(pages(sources))


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"release"}))
def test_pages_work_before_the_first_release(tmp_path: Path, name: str) -> None:
    page = PAGES[name](pages(make_sources(tmp_path)))
    if name in {"overview", "province", "commune", "releases"}:
        assert "Chưa có lần công bố nào" in page


def test_pages_work_without_outlines(tmp_path: Path) -> None:
    made = make_sources(tmp_path, boundaries=tmp_path / "none.csv")
    make_release(tmp_path / "releases")
    page = pages(made).overview()
    assert "<svg viewBox" not in page
    assert "Tỉnh Cao Bằng" in page


def test_two_releases_make_a_series(tmp_path: Path) -> None:
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases", "r2025-00000000000a", reference_date="2025-12-31", hour=0)
    make_release(tmp_path / "releases")
    page = pages(made).indicator("tt13_2021_children", "0101")
    assert re.search(r"Năm 2026.*Năm 2025", page.split("Qua các lần công bố")[1], re.DOTALL)


def test_communes_that_have_not_sent_are_told_by_deadline(sources: PortalSources) -> None:
    def line(deadline: date, code: str, name: str, state: str, province: str = "04") -> SenderLine:
        return SenderLine(deadline, date(2026, 1, 15), province, f"{code}@2025-07-01", name, state, None)

    june, december = date(2025, 6, 25), date(2025, 12, 25)
    lines = [
        line(december, "01273", "Phường Thục Phán", "sent"), line(december, "01279", "Xã <b>", "missing"),
        line(december, "00004", "Phường Ba Đình", "held", "01"), line(june, "01288", "Xã Bế Văn Đàn", "partly"),
    ]  # fmt: skip
    found = by_deadline(lines)
    assert [one.deadline for one in found] == [december, june]
    assert found[0].counts == {"sent": 1, "partly": 0, "held": 1, "missing": 1}
    assert [one.province_code for one in found[0].provinces] == ["04", "01"]
    known = replace(sources, senders=lambda: lines)
    for language in Language:
        page = Pages(known, language, ServedLinks(), sources.shelf.newest()).senders()
        assert "Phường Ba Đình" in page
        assert "Phường Thục Phán" not in page
        assert "Xã &lt;b&gt;" in page
    empty = Pages(sources, Language.VI, ServedLinks(), sources.shelf.newest()).senders()
    assert "Chưa có hạn nộp nào được xét." in empty
