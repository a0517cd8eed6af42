"""The interface for programs: released figures as JSON and CSV, in the contract's columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse

from childdb.portal.figures import COLUMNS, Figure, FigureQuery
from childdb.portal.releases import Release
from childdb.portal.sources import PortalSources

KNOWN = frozenset({"set", "code", "area", "level", "period", "geography", "breakdown", "release", "format"})
WHOLE = frozenset({"numerator", "denominator"})
Text = Annotated[str, Query(max_length=80, pattern=r"^[\w\-.]*$")]


def make_api(sources: PortalSources) -> APIRouter:
    """Return the routes below ``/api``."""
    router = APIRouter(prefix="/api")

    @router.get("/releases", summary="Approved releases, newest first")
    def list_releases() -> JSONResponse:
        return JSONResponse({"releases": [_release(one) for one in sources.shelf.published()]})

    @router.get("/figures", summary="Released figures; without 'release' those of the newest approved one")
    def list_figures(
        request: Request,
        set: Text = "",
        code: Text = "",
        area: Text = "",
        level: Text = "",
        period: Text = "",
        geography: Text = "",
        breakdown: Text = "",
        release: Text = "",
        format: Annotated[str, Query(pattern="^(json|csv)$")] = "json",
    ) -> Response:
        _refuse_unknown(request)
        query = FigureQuery(
            _chosen(sources, release).release_id,
            indicator_set=set,
            indicator_code=code,
            period=period,
            geography=geography,
            area_level=level,
            area_codes=(area,) if area else (),
            breakdown=breakdown,
        )
        return RENDERERS[format](sources.store.find(query))

    return router


def _refuse_unknown(request: Request) -> None:
    unknown = sorted(set(request.query_params) - KNOWN)
    if unknown:
        raise HTTPException(400, f"Unknown parameters. Known ones are: {', '.join(sorted(KNOWN))}.")


def _chosen(sources: PortalSources, release_id: str) -> Release:
    release = sources.shelf.find(release_id) if release_id else sources.shelf.newest()
    if release is None:
        raise HTTPException(404, "There is no such approved release. /api/releases lists them.")
    return release


def _release(release: Release) -> dict[str, object]:
    return {
        "release_id": release.release_id,
        "period": release.period,
        "reference_date": release.reference_date,
        "manifest_sha256": release.manifest_sha256,
        "approvals": [{"approver": one.account, "approved_at": one.at} for one in release.approvals],
        "status": "withdrawn" if release.is_withdrawn else "approved",
    }


def figure_values(figure: Figure) -> dict[str, object]:
    """Return a figure in the contract's columns: counts as whole numbers, a status as text."""
    values: dict[str, object] = {name: getattr(figure, name) for name in COLUMNS}
    for name in WHOLE | ({"value"} if not figure.is_percent else frozenset()):
        number = values[name]
        if isinstance(number, float) and number.is_integer():
            values[name] = int(number)
    return {**values, "status": figure.status.value}


def _json(figures: Sequence[Figure]) -> Response:
    return JSONResponse({"figures": [figure_values(figure) for figure in figures]})


def _csv(figures: Sequence[Figure]) -> Response:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(figure_values(figure) for figure in figures)
    disposition = {"Content-Disposition": 'attachment; filename="figures.csv"'}
    return Response(buffer.getvalue(), media_type="text/csv; charset=utf-8", headers=disposition)


RENDERERS: dict[str, Callable[[Sequence[Figure]], Response]] = {"json": _json, "csv": _csv}
