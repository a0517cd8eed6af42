"""The web application: headers, addresses, files, interface for programs, and what nobody may read."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import pytest

from childdb.errors import EnvironmentFailedError
from childdb.portal.app import build_app
from childdb.portal.figures import COLUMNS, Figure, FigureQuery
from childdb.portal.sources import PortalSources
from tests.invented_figures import COLUMNS as CONTRACT_COLUMNS
from tests.portal_support import OLDER, RELEASE, make_release, make_sources

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ADDRESSES = [
    "/vi/",
    "/en/",
    "/vi/provinces/04",
    "/en/communes/01273",
    "/vi/quality",
    "/api/figures",
    "/api/releases",
    "/healthz",
    "/static/portal.css",
    "/vi/none",
    "/quality/index.html",
]


@pytest.fixture(scope="module")
def client(sources: PortalSources) -> TestClient:
    return TestClient(build_app(sources))


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_keeps_to_itself(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["content-security-policy"]
    assert policy.startswith(("default-src 'self'", "default-src 'none'"))
    assert "http:" not in policy
    assert "script-src" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_pages_allow_no_inline_style_or_script(client: TestClient) -> None:
    assert "unsafe" not in client.get("/vi/").headers["content-security-policy"]


def test_root_leads_to_vietnamese(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/vi/")


@pytest.mark.parametrize(
    "address",
    [
        "/vi/none",
        "/vi/provinces/99",
        "/vi/communes/%3Cscript%3E",
        "/vi/?release=r2026-ffffffffffff",
        "/vi/?release=../../x",
        "/files/x/y",
        "/quality/none.html",
        "/docs",
        "/redoc",
    ],
)
def test_unknown_addresses_give_a_page_that_says_so(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Không mở được trang" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fsecrets%2fkey", "%2e%2e/%2e%2e/secrets/key", "forms/../../x", "figures.db", "/etc/passwd"],
)
def test_files_outside_a_release_are_not_served(
    client: TestClient, sources: PortalSources, name: str
) -> None:
    secret = sources.quality.parent / "secrets"
    secret.mkdir(exist_ok=True)
    (secret / "key").write_text("never")
    for start in (f"/files/{RELEASE}/", "/quality/", "/static/"):
        answer = client.get(start + name)
        assert answer.status_code == 404
        assert "never" not in answer.text


def test_a_link_out_of_the_quality_folder_is_not_followed(client: TestClient, sources: PortalSources) -> None:
    target = sources.quality.parent / "outside.html"
    target.write_text("never")
    (sources.quality / "link.html").symlink_to(target)
    assert client.get("/quality/link.html").status_code == 404


def test_released_files_are_served_whole(client: TestClient, sources: PortalSources) -> None:
    for name in ("figures.csv", "forms/bieu_tre_em_04.xlsx", "manifest.json"):
        answer = client.get(f"/files/{RELEASE}/{name}")
        assert answer.content == (sources.shelf.folder / RELEASE / name).read_bytes()
        assert "attachment" in answer.headers["content-disposition"]


def test_interface_gives_the_contract_columns_in_order(client: TestClient) -> None:
    assert COLUMNS == CONTRACT_COLUMNS
    figures = client.get("/api/figures", params={"code": "0101", "area": "04"}).json()["figures"]
    assert figures
    assert {tuple(figure) for figure in figures} == {CONTRACT_COLUMNS}
    assert {figure["area_code"] for figure in figures} == {"04"}
    rows = list(
        csv.reader(io.StringIO(client.get("/api/figures", params={"code": "0101", "format": "csv"}).text))
    )
    assert tuple(rows[0]) == CONTRACT_COLUMNS


def test_json_and_csv_say_the_same(client: TestClient) -> None:
    parameters = {"set": "register", "code": "at_risk", "level": "province"}
    figures = client.get("/api/figures", params=parameters).json()["figures"]
    rows = list(
        csv.DictReader(io.StringIO(client.get("/api/figures", params={**parameters, "format": "csv"}).text))
    )
    assert [{k: "" if v is None else str(v) for k, v in figure.items()} for figure in figures] == rows


def test_hidden_figures_have_no_numerator_and_no_value(client: TestClient) -> None:
    figures = client.get("/api/figures").json()["figures"]
    hidden = [figure for figure in figures if figure["status"] == "hidden"]
    assert hidden
    assert all(figure["numerator"] is None and figure["value"] is None for figure in hidden)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("colour=red", 400),
        ("format=xml", 422),
        ("code='%20or%201=1", 422),
        ("release=r2026-ffffffffffff", 404),
        ("code=none", 200),
    ],
)
def test_interface_refuses_what_it_does_not_know(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/api/figures?{query}").status_code == status


def shelf_with(tmp_path: Path, **changes: object) -> PortalSources:
    made = make_sources(tmp_path)
    make_release(tmp_path / "releases", **changes)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("approvers", [(), ("One",), ("One", " one ")])
def test_a_release_without_two_different_approvers_is_invisible(
    tmp_path: Path, approvers: tuple[str, ...]
) -> None:
    made = shelf_with(tmp_path, approvers=approvers)
    client = TestClient(build_app(made))
    assert made.shelf.published() == ()
    for address in (
        f"/vi/releases/{RELEASE}",
        f"/files/{RELEASE}/figures.csv",
        "/api/figures",
        f"/vi/?release={RELEASE}",
    ):
        assert client.get(address).status_code == 404
    assert RELEASE not in client.get("/vi/").text + client.get("/vi/releases").text


def test_a_release_whose_manifest_was_changed_after_signing_disappears(tmp_path: Path) -> None:
    made = shelf_with(tmp_path)
    assert made.shelf.newest() is not None
    path = tmp_path / "releases" / RELEASE / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert made.shelf.newest() is None


def test_a_withdrawn_release_gives_way_to_the_one_before(tmp_path: Path) -> None:
    made = shelf_with(tmp_path, release_id=OLDER, reference_date="2025-12-31", hour=0)
    make_release(tmp_path / "releases", withdrawn="sai lầm")
    client = TestClient(build_app(made))
    newest = made.shelf.newest()
    assert newest is not None
    assert newest.release_id == OLDER
    assert "sai lầm" in client.get(f"/vi/?release={RELEASE}").text
    assert "đã rút" in client.get("/vi/releases").text


def test_an_older_release_stays_chosen_from_page_to_page(tmp_path: Path) -> None:
    made = shelf_with(tmp_path, release_id=OLDER, reference_date="2025-12-31", hour=0)
    make_release(tmp_path / "releases")
    page = TestClient(build_app(made)).get(f"/vi/?release={OLDER}").text
    assert f"/vi/provinces/04?release={OLDER}" in page
    assert "lần công bố cũ" in page


class BrokenStore:
    """A store whose database is away."""

    def find(self, query: FigureQuery) -> list[Figure]:
        raise EnvironmentFailedError("away")

    def check(self) -> None:
        raise EnvironmentFailedError("away")


def test_a_database_that_is_away_gives_one_clear_page(sources: PortalSources) -> None:
    import dataclasses

    broken = dataclasses.replace(sources, store=BrokenStore())
    client = TestClient(build_app(broken))
    answer = client.get("/vi/")
    assert answer.status_code == 503
    assert "childdb doctor" in answer.text
    assert client.get("/api/figures").status_code == 503
    assert client.get("/healthz").status_code == 503
    assert client.get("/vi/glossary").status_code == 200
