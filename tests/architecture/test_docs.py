"""The documentation names every setting, DAG, command and dataset, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

from childdb.cli import COMMANDS
from childdb.settings import PREFIX, Settings
from tests.architecture.repository import ROOT, files, python_files, report, text_of

LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Return the pages of documentation."""
    return [
        path
        for path in files()
        if path.suffix == ".md" and path.parts[0] in {"docs", "README.md", "CHANGELOG.md"}
    ]


def all_text() -> str:
    """Return the text of all pages but the changelog."""
    return "\n".join(text_of(path) for path in pages() if path.name != "CHANGELOG.md")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"(?m)^#+\s+(.*)$", text)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def dag_ids(source: str) -> list[str]:
    """Return the literal `dag_id`s of a DAG file."""
    return [
        keyword.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "dag_id" and isinstance(keyword.value, ast.Constant)
    ]


def test_every_setting_is_documented() -> None:
    text = text_of(Path("docs/architecture.md"))
    found = [name for field in fields(Settings) if (name := f"{PREFIX}{field.name.upper()}") not in text]
    why = "an undocumented setting is found by reading code only"
    assert not found, report(found, why, "add a line to the table 'Settings' of docs/architecture.md")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", all_text()))
    found = sorted(named - known)
    assert not found, report(found, "a reader would set it in vain", "correct the name or remove it")


def test_every_setting_says_what_it_means() -> None:
    body = next(
        node
        for node in ast.parse(text_of(Path("childdb/settings.py"))).body
        if getattr(node, "name", "") == "Settings"
    ).body
    found = [
        node.target.id
        for node, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]
    assert not found, report(found, "its home is where it is read", "add a docstring below the field")


def test_every_dag_is_documented() -> None:
    found = [
        f"{path}: {dag_id}"
        for path in python_files("dags")
        for dag_id in dag_ids(text_of(path))
        if f"`{dag_id}`" not in text_of(Path("docs/architecture.md"))
    ]
    assert any(dag_ids(text_of(path)) for path in python_files("dags")), "no dag_id was found in dags/"
    assert not found, report(found, "engineers look a DAG up by its name", "add it to docs/architecture.md")


def test_every_command_is_named_in_the_documentation() -> None:
    text = all_text()
    found = [name for name in COMMANDS if not re.search(rf"childdb {name}\b", text)]
    assert not found, report(found, "a command nobody can find is not there", "name it in docs/running.md")


def test_links_lead_somewhere() -> None:
    found = []
    for page in pages():
        for target in LINK.findall(re.sub(r"(?s)```.*?```", "", text_of(page))):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = unquote(target).partition("#")
            goal = (ROOT / page).parent / name if name else ROOT / page
            if not goal.exists():
                found.append(f"{page}: {target}")
            elif anchor and anchor not in anchors(goal.read_text(encoding="utf-8")):
                found.append(f"{page}: {target} (no such heading)")
    assert not found, report(found, "a dead link costs a reader the afternoon", "correct or remove it")


def test_every_page_can_be_reached() -> None:
    linked = {
        ((ROOT / page).parent / unquote(target).partition("#")[0]).resolve()
        for page in pages()
        for target in LINK.findall(text_of(page))
        if not re.match(r"[a-z]+:", target)
    }
    found = [
        str(page) for page in pages() if page.parts[0] == "docs" and (ROOT / page).resolve() not in linked
    ]
    found = [name for name in found if name != "docs/README.md"]
    assert not found, report(found, "a page that nothing links to is not read", "link it from docs/README.md")


def test_readme_is_vietnamese_first_and_names_both_commands() -> None:
    text = text_of(Path("README.md"))
    assert text.index("Là gì") < text.index("In English")
    assert all(text.count(command) >= 2 for command in ("make demo", "make test"))


def test_the_rules_can_fail() -> None:
    assert dag_ids("dag(dag_id='a__b')") == ["a__b"]
    assert "no-such" not in anchors("# Settings\n## What was and was not tried")
    assert "what-was-and-was-not-tried" in anchors("## What was and was not tried")
