"""Wording of the pages: Vietnamese is the source, every other language a catalogue of messages as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from childdb.forms.words import Language

CATALOGUES = Path(__file__).parent / "messages"


def mark(text: str) -> str:
    """Return the text unchanged; marks a message of the program that a page translates later."""
    return text


class Translator:
    """Turns Vietnamese messages into the language of the page."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._catalogue = load_catalogue(language)

    def __call__(self, message: str, **values: object) -> str:
        """Return a message in the page's language with its values put in; a missing message stays Vietnamese."""
        text = self._catalogue.get(message, message)
        return text.format(**values) if values else text


@cache
def load_catalogue(language: Language) -> Mapping[str, str]:
    """Return the messages of a language; the source language needs none."""
    if language is Language.VI:
        return {}
    document: dict[str, str] = json.loads((CATALOGUES / f"{language.value}.json").read_text(encoding="utf-8"))
    return document
