"""The inside of a table cell: a number, or a mark with its meaning for those who cannot see the mark."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from childdb.forms.words import Language
from childdb.portal.translation import Translator, mark
from childdb.portal.words import Shown

STATUS_TEXTS = {
    "published": mark("Đã công bố"),
    "hidden": mark("Số liệu được giữ kín"),
    "no_data": mark("Không có số liệu"),
    "not_applicable": mark("Không áp dụng"),
}
MARK = Markup(
    '<span class="mark {status}" title="{meaning}"><span aria-hidden="true">{text}</span>'
    '<span class="unseen">{meaning}</span></span>'
)
CELL = Markup('<td class="number">{}</td>')


def status_text(status: str, language: Language) -> str:
    """Return the meaning of a status in words."""
    return Translator(language)(STATUS_TEXTS[status])


@lru_cache(maxsize=4096)
def content(shown: Shown, language: Language) -> Markup:
    """Return what stands for a figure, escaped."""
    if shown.is_number:
        return Markup.escape(shown.text)
    return MARK.format(status=shown.status, text=shown.text, meaning=status_text(shown.status, language))


@lru_cache(maxsize=4096)
def cell(shown: Shown, language: Language) -> Markup:
    """Return a table cell for a figure."""
    # Made here and not by the template: a nation has hundreds of thousands of them.
    return CELL.format(content(shown, language))
