"""The web application: pages, files, interface for programs, and the headers that keep it to itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from childdb.database import Role, connect
from childdb.errors import ChilddbError
from childdb.forms.words import Language
from childdb.portal.api import make_api
from childdb.portal.links import ServedLinks
from childdb.portal.pages import Pages, UnknownPageError
from childdb.portal.quality import read_ledger, report_file
from childdb.portal.releases import ReleaseShelf
from childdb.portal.senders import read_senders
from childdb.portal.sources import PortalSources
from childdb.portal.stores import PostgresFigureStore
from childdb.portal.translation import mark
from childdb.settings import Settings
from childdb.workspace import Workspace

STATIC = Path(__file__).parent / "static"
SELF_ONLY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
# The quality reports come from another program with styles inside; they run no script and ask nobody else.
REPORTS_ONLY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}
NOT_FOUND = mark("Không có trang này. Có thể địa chỉ sai, hoặc lần công bố chưa được phê duyệt.")
UNAVAILABLE = mark(
    "Hiện không đọc được số liệu. Hãy thử lại sau ít phút; nếu vẫn lỗi, báo cho người vận hành chạy lệnh “childdb doctor”."
)


def create_app(settings: Settings) -> FastAPI:
    """Return the portal of a workspace; figures come from the database with the rights of the portal's login."""
    workspace = Workspace(settings.home)
    login = partial(connect, Role.PORTAL, settings)
    sources = PortalSources(
        store=PostgresFigureStore(login),
        shelf=ReleaseShelf(workspace.releases),
        quality=workspace.quality,
        ledger=partial(read_ledger, login),
        senders=partial(read_senders, login),
    )
    return build_app(sources)


def build_app(sources: PortalSources) -> FastAPI:
    """Return the portal over given sources."""
    # The framework's own documentation pages load from foreign addresses: they stay off.
    app = FastAPI(title="childdb", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.add_middleware(GZipMiddleware, minimum_size=2048)
    app.middleware("http")(_add_headers)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(make_api(sources))
    _add_pages(app, sources)
    _add_files(app, sources)
    _add_errors(app, sources)
    return app


async def _add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    policy = REPORTS_ONLY if request.url.path.startswith("/quality/") else SELF_ONLY
    for name, value in {**HEADERS, "Content-Security-Policy": policy}.items():
        response.headers.setdefault(name, value)
    return response


def _pages(sources: PortalSources, language: Language, release_id: str) -> Pages:
    if not release_id:
        return Pages(sources, language, ServedLinks(), sources.shelf.newest())
    release = sources.shelf.find(release_id)
    if release is None:
        raise UnknownPageError
    return Pages(sources, language, ServedLinks(release_id), release)


ROUTES: dict[str, Callable[[Pages, dict[str, str]], str]] = {
    "": lambda pages, _: pages.overview(),
    "indicators": lambda pages, _: pages.indicators(),
    "indicators/{indicator_set}/{code}": lambda pages, at: pages.indicator(at["indicator_set"], at["code"]),
    "provinces": lambda pages, _: pages.provinces(),
    "provinces/{code}": lambda pages, at: pages.province(at["code"]),
    "communes/{code}": lambda pages, at: pages.commune(at["code"]),
    "releases": lambda pages, _: pages.releases(),
    "releases/{release_id}": lambda pages, at: pages.release_page(at["release_id"]),
    "quality": lambda pages, _: pages.quality(),
    "senders": lambda pages, _: pages.senders(),
    "glossary": lambda pages, _: pages.glossary(),
}


def _add_pages(app: FastAPI, sources: PortalSources) -> None:
    def page_of(
        language: Language, make: Callable[[Pages, dict[str, str]], str]
    ) -> Callable[[Request], HTMLResponse]:
        def answer(request: Request) -> HTMLResponse:
            pages = _pages(sources, language, request.query_params.get("release", ""))
            return HTMLResponse(make(pages, dict(request.path_params)))

        return answer

    for language in Language:
        for path, make in ROUTES.items():
            app.add_api_route(f"/{language.value}/{path}", page_of(language, make), include_in_schema=False)
        app.add_api_route(
            f"/{language.value}", partial(_redirect, f"/{language.value}/"), include_in_schema=False
        )
    app.add_api_route("/", partial(_redirect, "/vi/"), include_in_schema=False)


def _redirect(target: str) -> RedirectResponse:
    return RedirectResponse(target)


def _add_files(app: FastAPI, sources: PortalSources) -> None:
    @app.get("/files/{release_id}/{name:path}", include_in_schema=False)
    def release_file(release_id: str, name: str) -> FileResponse:
        path = sources.shelf.file(release_id, name)
        if path is None:
            raise UnknownPageError
        return FileResponse(path, filename=f"{release_id}-{path.name}")

    @app.get("/quality/{name:path}", include_in_schema=False)
    def quality_file(name: str) -> FileResponse:
        path = report_file(sources.quality, name)
        if path is None:
            raise UnknownPageError
        return FileResponse(path)

    @app.get("/healthz", include_in_schema=False)
    def health() -> PlainTextResponse:
        sources.store.check()
        return PlainTextResponse("ok")


def _add_errors(app: FastAPI, sources: PortalSources) -> None:
    def fail(request: Request, status: int, message: str) -> Response:
        parts = request.url.path.split("/")
        if parts[1:2] == ["api"]:
            return JSONResponse({"error": message}, status)
        language = Language.EN if parts[1:2] == ["en"] else Language.VI
        pages = Pages(sources, language, ServedLinks(), None)
        return HTMLResponse(pages.failure(pages.translate(message)), status)

    def unknown(request: Request, error: Exception) -> Response:
        return fail(request, 404, NOT_FOUND)

    def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, StarletteHTTPException) else 500
        known = isinstance(error, HTTPException) and request.url.path.startswith("/api/")
        return fail(
            request, status, str(error.detail) if known and isinstance(error, HTTPException) else NOT_FOUND
        )

    def unavailable(request: Request, error: Exception) -> Response:
        if request.url.path == "/healthz":
            return PlainTextResponse("unavailable", 503)
        return fail(request, 503, UNAVAILABLE)

    app.add_exception_handler(UnknownPageError, unknown)
    app.add_exception_handler(StarletteHTTPException, http_error)
    app.add_exception_handler(ChilddbError, unavailable)
