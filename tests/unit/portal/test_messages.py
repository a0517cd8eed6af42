"""Every message of the pages has a translation, and no translation is left over."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

import childdb.portal
from childdb.portal.pages import TEMPLATES
from childdb.portal.translation import CATALOGUES

PORTAL = Path(childdb.portal.__file__).parent
CALLS = {"_", "mark", "translate"}
VIETNAMESE = re.compile(
    r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE
)
NAMES = re.compile(r"Hoàng Sa|Trường Sa")


def messages_of_templates() -> Iterator[str]:
    for path in sorted((PORTAL / "templates").glob("*.html")):
        tree = TEMPLATES.parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(jinja2.nodes.Call):
            if isinstance(call.node, jinja2.nodes.Name) and call.node.name == "_":
                argument = call.args[0]
                if isinstance(argument, jinja2.nodes.Const):
                    yield argument.value


def messages_of_program() -> Iterator[str]:
    for path in sorted(PORTAL.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in CALLS and isinstance(node.args[0].value, str):
                    yield node.args[0].value


def used() -> set[str]:
    return {*messages_of_templates(), *messages_of_program()}


def catalogue() -> dict[str, str]:
    document: dict[str, str] = json.loads((CATALOGUES / "en.json").read_text(encoding="utf-8"))
    return document


def test_every_message_is_translated() -> None:
    assert len(used()) > 100
    assert sorted(used() - set(catalogue())) == []


def test_no_translation_is_left_over() -> None:
    assert sorted(set(catalogue()) - used()) == []


def test_translations_have_the_same_places_for_values() -> None:
    for source, text in catalogue().items():
        places = [
            {name for _, name, _, _ in string.Formatter().parse(part) if name} for part in (source, text)
        ]
        assert places[0] == places[1], source


def test_no_translation_is_still_vietnamese() -> None:
    assert [text for text in catalogue().values() if VIETNAMESE.search(NAMES.sub("", text))] == []


@pytest.mark.parametrize("path", sorted((PORTAL / "templates").glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_vietnamese_outside_messages(path: Path) -> None:
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert VIETNAMESE.findall(text.replace("Tiếng Việt", "")) == []
