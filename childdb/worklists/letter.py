"""The cover letter that goes with a commune's lists: an official document to be numbered, signed and sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from childdb.worklists.form import commune_title, form_on
from childdb.worklists.model import ItemClass
from childdb.worklists.vietnamese import official_date, short_date, vietnamese_count

LETTER_SUFFIX = "_cong_van.docx"
_FIXED_TIME = (2022, 7, 14, 0, 0, 0)
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


@dataclass(frozen=True, slots=True)
class LetterList:
    """One list that the letter names."""

    item_class: ItemClass
    rows: int
    file: str


@dataclass(frozen=True, slots=True)
class LetterHead:
    """To whom, about which batch, by when."""

    batch_id: str
    commune_id: str
    as_of: date
    due_date: date


def write_letter(head: LetterHead, lists: Sequence[LetterList]) -> bytes:
    """Return the letter as a document with counts only, no child; the same arguments give the same bytes."""
    form = form_on(head.as_of)
    unit = commune_title(head.commune_id)
    text = _template().render(
        form=form,
        unit=unit[:1].lower() + unit[1:],
        unit_up=f"Ủy ban nhân dân {unit[:1].lower()}{unit[1:]}",
        place=unit.partition(" ")[2] or unit,
        dated=official_date(head.as_of),
        as_of=short_date(head.as_of),
        due=short_date(head.due_date),
        batch=head.batch_id,
        total=sum(entry.rows for entry in lists),
        lists=[
            {"title": form.letter_lists[entry.item_class.value], "rows": entry.rows, "file": entry.file}
            for entry in lists
        ],
    )
    return _package(text)


def _package(document: str) -> bytes:
    buffer = io.BytesIO()
    parts = (("[Content_Types].xml", _TYPES), ("_rels/.rels", _RELATIONS), ("word/document.xml", document))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts:
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _template() -> Template:
    folder = Path(__file__).resolve().parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["count_vi"] = vietnamese_count
    return environment.get_template("letter.xml.j2")
