"""Cell styles of the forms: a serif face, thin rules, Vietnamese separators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

COUNT_FORMAT = "[$-42A]#,##0_)"
SHARE_FORMAT = "[$-42A]#,##0.0_)"
INK, QUIET, SHADE, RULE = "#000000", "#595959", "#F2F2F2", "#7F7F7F"


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of one workbook by their use."""

    plain: Format
    bold: Format
    small: Format
    title: Format
    centred: Format
    unit: Format
    head: Format
    letter: Format
    code: Format
    name: Format
    count: Format
    share: Format
    mark: Format
    total_code: Format
    total_name: Format
    total_count: Format
    total_share: Format
    total_mark: Format
    signature: Format
    signature_note: Format


BASE: dict[str, Any] = {
    "font_name": "Times New Roman",
    "font_size": 11,
    "font_color": INK,
    "valign": "vcenter",
}
BOX: dict[str, Any] = {**BASE, "border": 1, "border_color": RULE}
TOTAL: dict[str, Any] = {**BOX, "bold": True, "bg_color": SHADE}


def make_styles(workbook: Workbook) -> Styles:
    """Return the styles, added to a workbook in a fixed order."""
    add = workbook.add_format
    number = {"align": "right"}
    quiet_mark = {"align": "center", "font_color": QUIET}
    return Styles(
        plain=add({**BASE, "text_wrap": True, "valign": "top"}),
        bold=add({**BASE, "bold": True, "valign": "top"}),
        small=add({**BASE, "font_size": 9, "italic": True, "text_wrap": True}),
        title=add(
            {**BASE, "bold": True, "font_size": 14, "align": "center", "text_wrap": True, "valign": "top"}
        ),
        centred=add({**BASE, "align": "center", "italic": True, "valign": "top"}),
        unit=add({**BASE, "align": "right", "italic": True, "font_size": 10}),
        head=add({**BOX, "bold": True, "align": "center", "text_wrap": True, "font_size": 10}),
        letter=add({**BOX, "italic": True, "align": "center", "font_size": 9}),
        code=add({**BOX, "num_format": "@", "align": "center"}),
        name=add({**BOX, "indent": 1}),
        count=add({**BOX, **number, "num_format": COUNT_FORMAT}),
        share=add({**BOX, **number, "num_format": SHARE_FORMAT}),
        mark=add({**BOX, **quiet_mark}),
        total_code=add({**TOTAL, "num_format": "@", "align": "center"}),
        total_name=add({**TOTAL, "indent": 1}),
        total_count=add({**TOTAL, **number, "num_format": COUNT_FORMAT}),
        total_share=add({**TOTAL, **number, "num_format": SHARE_FORMAT}),
        total_mark=add({**TOTAL, **quiet_mark}),
        signature=add({**BASE, "bold": True, "align": "center"}),
        signature_note=add({**BASE, "italic": True, "align": "center", "font_size": 10}),
    )
