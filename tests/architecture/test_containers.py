"""The compose file keeps its promises: no root, no password in the open, limits and health checks everywhere."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.repository import ROOT, files, report, text_of

COMPOSE = Path("docker/compose.yml")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / COMPOSE).read_text(encoding="utf-8"))["services"]
LONG_RUNNING = [name for name in SERVICES if name != "prepare"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert not str(service["user"]).startswith(("0", "root")), f"{name} runs as root"
    assert service["read_only"] is True, f"{name}: read_only is missing"
    assert service["cap_drop"] == ["ALL"], f"{name}: cap_drop is missing"
    assert "no-new-privileges:true" in service["security_opt"], f"{name}: security_opt is missing"
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys(), f"{name}: a limit is missing"
    assert "privileged" not in service


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", f"{name}: a check by exec form is missing"


def test_no_password_in_environment() -> None:
    secret = re.compile(r"(?i)(password|secret|token|key)s?$")
    found = [
        f"{name}.{key}"
        for name, service in SERVICES.items()
        for key in (service.get("environment") or {})
        if secret.search(key)
    ]
    why = "an environment is shown by every tool that looks at a container"
    assert not found, report(found, why, "give the file: …_FILE: /run/secrets/…")


def test_only_the_proxy_is_reached_from_outside() -> None:
    found = [name for name, service in SERVICES.items() if service.get("ports") and name != "proxy"]
    assert not found, report(found, "everything else speaks without TLS", "remove its ports")


def test_secrets_are_ignored_by_git() -> None:
    ignored = text_of(Path(".gitignore"))
    assert "docker/secrets/" in ignored
    assert "docker/server.env" in ignored
    assert not [path for path in files() if path.parts[:2] == ("docker", "secrets")]


def test_image_runs_as_nobody_special() -> None:
    stages = text_of(Path("docker/Dockerfile")).split("\nFROM ")
    user = re.findall(r"(?m)^USER (\S+)", stages[-1])
    assert user, "docker/Dockerfile: the last stage has no USER"
    assert not user[-1].startswith(("0", "root")), "docker/Dockerfile: the last USER is root"


def test_build_context_holds_what_the_image_needs() -> None:
    allowed = [line[1:] for line in text_of(Path(".dockerignore")).splitlines() if line.startswith("!")]
    found = [name for name in allowed if not (ROOT / name).exists()]
    assert not found, report(found, "the build would stop there", "correct .dockerignore")


def test_what_prepare_imports_exists() -> None:
    found = []
    for node in ast.walk(ast.parse(text_of(Path("docker/prepare.py")))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("childdb"):
            module = importlib.import_module(str(node.module))
            found += [
                f"{node.module}.{alias.name}" for alias in node.names if not hasattr(module, alias.name)
            ]
    assert not found, report(
        found, "the containers' first step would fail", "follow the change in docker/prepare.py"
    )


def test_the_portal_answers_where_its_health_is_asked() -> None:
    address = re.search(r'"portal": "http://127\.0\.0\.1:8000(/\w+)"', text_of(Path("docker/health.py")))
    assert address, "docker/health.py: the portal's address is not found"
    routes = "\n".join(text_of(path) for path in files() if path.parts[:2] == ("childdb", "portal"))
    assert f'"{address[1]}"' in routes, (
        f"the portal has no route {address[1]}: follow the change in docker/health.py"
    )
