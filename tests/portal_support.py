"""Releases and sources for tests of the portal: invented figures of real communes, in a folder of a test."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from childdb.forms import FormProvince, FormUnit, write_forms
from childdb.forms.places import Place, make_places
from childdb.portal.quality import LedgerLine
from childdb.portal.releases import ReleaseShelf
from childdb.portal.sources import SEEDS, PortalSources
from childdb.portal.stores import ParquetFigureStore
from childdb.releases.verify import approval_line, approvals_text
from tests.invented_figures import Edition, figures

RELEASE = "r2026-0123456789ab"
OLDER = "r2025-00000000000a"
REFERENCE_DATE = "2026-12-31"
PEOPLE = ("Người duyệt một", "Người duyệt hai")
AREAS: Mapping[str, Sequence[str]] = {
    "01": ("00004", "00008"),
    "04": ("01273", "01279", "01288"),
    "48": ("20194", "20195"),
    "56": ("22327", "22333"),
}


def real_communes(province: str, count: int) -> list[str]:
    """Return the first communes of a province since 2025-07-01."""
    with open(SEEDS / "reference" / "communes.csv", encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["province_code"] == province and not r["valid_to_date"]]
    return sorted(row["commune_code"] for row in rows)[:count]


def areas() -> dict[str, list[str]]:
    """Return the areas that have reported: a few communes of four provinces."""
    return {province: real_communes(province, len(codes)) for province, codes in AREAS.items()}


def make_release(
    releases: Path,
    release_id: str = RELEASE,
    *,
    table: pa.Table | None = None,
    reference_date: str = REFERENCE_DATE,
    approvers: Sequence[str] = PEOPLE,
    hour: int = 1,
    withdrawn: str = "",
) -> Path:
    """Write a release of invented figures and return its folder."""
    folder = releases / release_id
    (folder / "forms").mkdir(parents=True)
    period = release_id.rpartition("-")[0].removeprefix("r")
    found = table if table is not None else figures(areas(), Edition(release_id, period, size=400))
    pq.write_table(found, folder / "figures.parquet")
    pa_csv.write_csv(found, folder / "figures.csv")
    units = [FormUnit(code, f"Xã {code}") for code in areas()["04"]]
    write_forms(
        found,
        folder / "forms",
        release_id=release_id,
        period=period,
        reference_date=date.fromisoformat(reference_date),
        provinces=[FormProvince("04", "tỉnh Cao Bằng", units)],
    )
    digest = _write_manifest(folder, period, reference_date)
    _write_beside(folder, digest, approvers, hour, withdrawn)
    return folder


def _write_manifest(folder: Path, period: str, reference_date: str) -> str:
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    inputs = {"settings": {"period": period, "reference_date": reference_date}}
    document = {"release_id": folder.name, "inputs": inputs, "counts": {}, "files": files}
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def _write_beside(folder: Path, digest: str, approvers: Sequence[str], hour: int, withdrawn: str) -> None:
    if approvers:
        lines = [
            approval_line(name, f"2026-11-21T{hour:02d}:{minute:02d}:00+00:00", digest)
            for minute, name in enumerate(approvers)
        ]
        (folder / "approvals.json").write_text(approvals_text(lines), encoding="utf-8")
    if withdrawn:
        notice = {"release_id": folder.name, "reason_vi": withdrawn, "reason_en": withdrawn}
        (folder / "withdrawal.json").write_text(json.dumps(notice), encoding="utf-8")


def ledger() -> list[LedgerLine]:
    """Return the ledger of two files: one read, one refused."""
    return [
        LedgerLine("treem__children@" + "a" * 20, "treem__children", "01273@2025-07-01", date(2026, 9, 30), "judged",
                   "accept", None, 1250, 14, 1230, 6, 0),
        LedgerLine("treem__children@" + "b" * 20, "treem__children", None, None, "refused",
                   "reject_file", "BAD-012", 0, 0, 0, 0, 0),
    ]  # fmt: skip


def make_sources(home: Path, seeds: Path = SEEDS, boundaries: Path | None = None) -> PortalSources:
    """Return sources over the folders of a workspace."""
    quality = home / "quality"
    (quality / "gx").mkdir(parents=True, exist_ok=True)
    (quality / "index.html").write_text(
        "<html><title>Trang chất lượng</title><p>ok</p></html>", encoding="utf-8"
    )
    releases = home / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    return PortalSources(
        store=ParquetFigureStore(releases),
        shelf=ReleaseShelf(releases),
        quality=quality,
        ledger=ledger,
        seeds=seeds,
        boundaries=boundaries,
    )


def rename_places(sources: PortalSources, name: str) -> None:
    """Call every place of the sources by one name with its code behind."""
    real = sources.places_on(date(2026, 12, 31))
    provinces = {c: Place(c, f"{name} {c}", "tinh", c) for c in real.provinces}
    communes = {c: Place(c, f"{name} {c}", "xa", p.province_code, (name,)) for c, p in real.communes.items()}
    renamed = make_places(provinces, communes)
    object.__setattr__(sources, "places_on", lambda _: renamed)
