"""Addresses of pages and files: from the root when served, relative when the pages are files."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

from childdb.forms.words import Language


class Links(Protocol):
    """Where a page finds other pages and files."""

    def page(self, path: str, language: Language) -> str:
        """Return the address of a page by its path within a language."""
        ...

    def asset(self, name: str) -> str:
        """Return the address of a style sheet or picture."""
        ...

    def release_file(self, release_id: str, name: str) -> str:
        """Return the address of a file of a release."""
        ...

    def quality_file(self, name: str) -> str:
        """Return the address of a page of the quality reports."""
        ...


@dataclass(frozen=True, slots=True)
class ServedLinks:
    """Addresses on the portal's own server; an older release stays chosen from page to page."""

    release_id: str = ""

    def page(self, path: str, language: Language) -> str:
        query = f"?{urlencode({'release': self.release_id})}" if self.release_id else ""
        return f"/{language.value}/{quote(path)}{query}"

    def asset(self, name: str) -> str:
        return f"/static/{name}"

    def release_file(self, release_id: str, name: str) -> str:
        return f"/files/{quote(release_id)}/{quote(name)}"

    def quality_file(self, name: str) -> str:
        return f"/quality/{quote(name)}"


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Addresses between files of an exported portal, relative to the page at ``here``."""

    here: str

    def page(self, path: str, language: Language) -> str:
        return self._relative(page_file(path, language))

    def asset(self, name: str) -> str:
        return self._relative(f"static/{name}")

    def release_file(self, release_id: str, name: str) -> str:
        return self._relative(f"files/{release_id}/{name}")

    def quality_file(self, name: str) -> str:
        # The quality reports stay where they are: beside the portal's folder in the workspace.
        return self._relative(f"../quality/{name}")

    def _relative(self, target: str) -> str:
        return quote(posixpath.relpath(target, posixpath.dirname(self.here) or "."))


def page_file(path: str, language: Language) -> str:
    """Return the file of a page in an exported portal.

    >>> page_file("", Language.VI), page_file("communes/00004", Language.EN)
    ('vi/index.html', 'en/communes/00004.html')
    """
    return f"{language.value}/{path}.html" if path else f"{language.value}/index.html"
