"""Write the workbooks: one per province, one sheet per form, the same bytes for the same figures on any host."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import xlsxwriter

from childdb.forms.cells import figures_of
from childdb.forms.model import Form, FormHeader, FormProvince, Layouts, load_layouts
from childdb.forms.sheet import SheetFacts, write_sheet
from childdb.forms.styles import make_styles
from childdb.forms.words import date_text, period_text

EPOCH = datetime(1980, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Edition:
    """Which release, period and day the workbooks show."""

    release_id: str
    period: str
    reference_date: date


def form_file_name(province_code: str) -> str:
    """Return the name of a province's workbook; only the official code goes into it."""
    return f"bieu_tre_em_{province_code}.xlsx"


def write_forms(
    figures: pa.Table,
    out_dir: Path,
    *,
    release_id: str,
    period: str,
    reference_date: date,
    provinces: Sequence[FormProvince],
    layouts: Layouts | None = None,
) -> list[Path]:
    """Return the workbooks written into ``out_dir``, one per province, in code order.

    ``figures`` has the columns of released figures; ``reference_date`` is the day the figures refer to and decides
    which heading and which forms are in force.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    edition = Edition(release_id, period, reference_date)
    known = layouts or load_layouts()
    written = []
    for province in sorted(provinces, key=lambda province: province.code):
        path = out_dir / form_file_name(province.code)
        path.write_bytes(_workbook(figures, province, edition, known))
        written.append(path)
    return written


def _workbook(figures: pa.Table, province: FormProvince, edition: Edition, layouts: Layouts) -> bytes:
    buffer = io.BytesIO()
    # Texts never become formulas, numbers or links; the date of creation is fixed so that bytes repeat.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    workbook = xlsxwriter.Workbook(buffer, options)
    properties = {
        "created": EPOCH.replace(tzinfo=None),
        "title": province.name,
        "comments": edition.release_id,
    }
    workbook.set_properties(properties)
    styles = make_styles(workbook)
    found = figures_of(figures, province, edition.period)
    header = layouts.header_on(edition.reference_date)
    for form in layouts.forms_on(edition.reference_date):
        facts = _facts(form, province, edition, header)
        write_sheet(workbook.add_worksheet(form.sheet), styles, form, province, found, facts)
    workbook.close()
    return _stored(buffer.getvalue())


def _facts(form: Form, province: FormProvince, edition: Edition, header: FormHeader) -> SheetFacts:
    return SheetFacts(
        reporting_unit=header.reporting_unit.format(province=province.name),
        receiving_unit=header.receiving_unit,
        period=period_text(edition.period),
        reference_date=date_text(edition.reference_date),
        release_id=edition.release_id,
        issued_with=form.issued_with,
    )


def _stored(packed: bytes) -> bytes:
    """Return the workbook with its parts stored, not deflated: compressors differ from host to host."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target,
    ):
        for entry in source.infolist():
            part = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            part.create_system, part.external_attr = 0, 0
            target.writestr(part, source.read(entry))
    return out.getvalue()
