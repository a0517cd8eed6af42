"""``childdb indicator``: released figures with definition, law, version and status."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from childdb.cli import emit
from childdb.database import Role, open_database
from childdb.errors import ExitStatus
from childdb.releases.catalogue import Indicator, definition
from childdb.releases.lookup import check_indicator, chosen_release, find_figures
from childdb.settings import load_settings

HELP = "released figures with definition, law, version and status"
SHOWN: tuple[str, ...] = (
    "indicator_set",
    "indicator_code",
    "definition_version",
    "name_vi",
    "name_en",
    "concept_vi",
    "breakdowns_vi",
)
SHOWN += ("publication_period_vi", "data_source_vi", "lead_agency_vi", "legal_basis", "provenance_code")
STATUS_WORDS = {
    "hidden": "dưới 10, không công bố / fewer than 10, hidden",
    "no_data": "chưa có số liệu / no data",
    "not_applicable": "sổ đăng ký không tính được / not from this register",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("code", help="code of the indicator, such as 0301 or number_confirmed")
    parser.add_argument(
        "--set", dest="indicator_set", metavar="S", help="set of the indicator, such as register"
    )
    parser.add_argument(
        "--area", metavar="CODE", help="an area: VN, a province, a commune; with every breakdown"
    )
    parser.add_argument("--period", metavar="P", help="period: 2026, 2026-S1 or 2026-Q1")
    parser.add_argument("--release", metavar="R", help="a release other than the last approved one")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Print the figures."""
    check_indicator(arguments.indicator_set, arguments.code)
    with open_database(load_settings()) as database, database.connect(Role.PUBLISHER) as connection:
        release = chosen_release(connection, arguments.release, arguments.period)
        figures = find_figures(connection, release, arguments.code, arguments.indicator_set, arguments.area)
    keys = dict.fromkeys((f["indicator_set"], f["indicator_code"], f["definition_version"]) for f in figures)
    definitions = [found for key in keys if (found := definition(*key)) is not None]
    payload = {
        "release_id": release,
        "definitions": [{name: d.fields[name] for name in SHOWN} for d in definitions],
        "figures": figures,
    }
    emit(arguments, payload, _lines(release, definitions, figures))
    return ExitStatus.DONE if figures else ExitStatus.STOPPED


def _lines(release: str, definitions: list[Indicator], figures: list[dict[str, Any]]) -> Iterator[str]:
    yield f"Bản phát hành / release: {release}"
    for known in definitions:
        yield f"{known.indicator_set}/{known.indicator_code} (v{known.definition_version}) {known.fields['name_vi']}"
        yield f"  {known.fields['concept_vi']}"
        yield f"  Căn cứ / legal basis: {known.fields['legal_basis']} ({known.fields['provenance_code']})"
    if not figures:
        yield "Không có số liệu cho địa bàn này / no figure for this area."
    for figure in figures:
        yield "  " + _line(figure)


def _line(figure: Mapping[str, Any]) -> str:
    group = " ".join(
        str(figure[name]) for name in ("sex", "age_group", "ethnic_group") if figure[name] != "_T"
    )
    place = f"{figure['geography']} {figure['area_level']} {figure['area_code']} {group}".strip()
    if figure["status"] != "published":
        return f"{place}: {STATUS_WORDS[figure['status']]}"
    below = "" if figure["denominator"] is None else f" ({figure['numerator']}/{figure['denominator']})"
    cover = "" if figure["coverage"] is None else f", độ bao phủ / coverage {figure['coverage']}"
    return f"{place}: {figure['value']} {figure['unit']}{below}{cover}"
