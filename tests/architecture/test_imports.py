"""Who may import what: one door to the network, one to the scheduler, one to the environment."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.repository import imported_modules, product_files, python_files, report, text_of

ONE_DOOR = {
    "requests": (
        "connectors/http.py",
        "time limits, retries, TLS and the list of hosts are kept in one place",
    ),
    "urllib3": (
        "connectors/http.py",
        "time limits, retries, TLS and the list of hosts are kept in one place",
    ),
    "airflow": ("dags/", "functions must run and be tested without a scheduler"),
    "dotenv": ("childdb/settings.py", "configuration has one home"),
}


def strangers(source: str, path: str) -> list[str]:
    """Return the modules that a file imports although another file is their only door."""
    tops = {name.partition(".")[0] for name in imported_modules(source)}
    return [name for name, (door, _) in ONE_DOOR.items() if name in tops and not path.startswith(door)]


def environment_reads(source: str) -> list[int]:
    """Return the lines that read this process's environment; setting a library's switch is no reading."""
    tree = ast.parse(source)
    names = {"environ", "getenv", "environb"}
    written = {
        id(node.value)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Attribute) and node.attr == "setdefault")
    }
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in names and id(node) not in written:
            lines += [node.lineno] if isinstance(node.value, ast.Name) and node.value.id == "os" else []
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            lines += [node.lineno] if {alias.name for alias in node.names} & names else []
    return lines


@pytest.mark.parametrize("module", ONE_DOOR)
def test_modules_with_one_door_are_imported_only_there(module: str) -> None:
    door, why = ONE_DOOR[module]
    found = [str(path) for path in product_files() if module in strangers(text_of(path), path.as_posix())]
    assert not found, report(found, why, f"move the call behind {door} and pass values or a Protocol in")


def test_environment_is_read_only_in_settings() -> None:
    found = [
        f"{path}:{line}"
        for path in product_files()
        if path != Path("childdb/settings.py")
        for line in environment_reads(text_of(path))
    ]
    why = "a setting that is read in passing is documented nowhere and cannot be tested"
    assert not found, report(
        found, why, "add a field to childdb.settings.Settings and pass its value as an argument"
    )


def test_dags_import_the_stable_interface_of_the_scheduler_only() -> None:
    allowed = ("airflow.sdk", "airflow.providers.")
    found = [
        f"{path}: {name}"
        for path in python_files("dags")
        for name in sorted(imported_modules(text_of(path)))
        if name.partition(".")[0] == "airflow"
        and not (name + ".").startswith(tuple(a.rstrip(".") + "." for a in allowed))
    ]
    assert not found, report(
        found, "airflow.sdk is what Airflow 3 keeps stable", "import the same name from airflow.sdk"
    )


def test_dag_files_wire_and_do_nothing_else() -> None:
    heavy = {
        "pandas",
        "polars",
        "pyarrow",
        "duckdb",
        "psycopg",
        "great_expectations",
        "dbt",
        "splink",
        "sqlalchemy",
    }
    found = [
        f"{path}: {name}"
        for path in python_files("dags")
        for name in sorted(imported_modules(text_of(path)))
        if name.partition(".")[0] in heavy
    ]
    why = "the scheduler reads these files again and again; business rules live in functions"
    assert not found, report(found, why, "move the work into childdb and import it inside the task")


def test_pure_packages_know_neither_database_nor_network() -> None:
    pure = ("childdb/cleaning/", "childdb/places/", "childdb/reading/")
    banned = {"psycopg", "psycopg2", "sqlalchemy", "requests", "urllib3", "airflow", "httpx"}
    found = [
        f"{path}: {name}"
        for path in python_files("childdb")
        if path.as_posix().startswith(pure)
        for name in sorted({module.partition(".")[0] for module in imported_modules(text_of(path))} & banned)
    ]
    why = "`childdb clean` promises to work without a database, and pure functions are tested in milliseconds"
    assert not found, report(
        found, why, "give the function its values as arguments; load and store at the edge"
    )


def test_product_does_not_import_tests_or_benchmarks() -> None:
    found = [
        f"{path}: {name}"
        for path in product_files()
        for name in sorted(imported_modules(text_of(path)))
        if name.partition(".")[0] in {"tests", "bench", "pytest", "hypothesis"}
    ]
    assert not found, report(
        found, "tests are not installed where the product runs", "move the shared code into childdb"
    )


def test_the_rules_can_fail() -> None:
    assert strangers("def f():\n    import requests.sessions", "childdb/x.py") == ["requests"]
    assert strangers("from airflow.sdk import DAG", "childdb/x.py") == ["airflow"]
    assert strangers("import requests", "connectors/http.py") == []
    assert environment_reads("import os\nx = os.environ['A']\ny = os.getenv('B')") == [2, 3]
    assert environment_reads("from os import environ") == [1]
    assert environment_reads("import os\nos.environ['A'] = 'x'\nos.environ.setdefault('B', 'x')") == []
