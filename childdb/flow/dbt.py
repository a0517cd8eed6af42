"""Run dbt for one step: its profile, its variables, its outcome without what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from childdb.contracts import DBT_PROJECT
from childdb.database import Role
from childdb.database.access import attach
from childdb.database.roles import Owner
from childdb.errors import EnvironmentFailedError, GateStoppedError
from childdb.settings import Settings, process_environment
from childdb.workspace import Workspace, write_private

BUILD = "BUILD_"
BUILD_VALUES = frozenset({"release_id", "period", "reference_date", "build_version"})
"""Variables that dbt_project/macros/build_values.sql reads when a model runs."""


def write_profile(settings: Settings) -> Path:
    """Write dbt's profile for the role that builds the models; it holds no password."""
    database = attach(settings)
    target = {
        "type": "postgres",
        "host": database.host,
        "port": database.port,
        "user": database.role_name(Role.BUILDER),
        "password": "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}",
        "dbname": database.name,
        "schema": "misplaced",
        "role": database.role_name(Owner.MODELS),
        "threads": settings.threads,
        "connect_timeout": 10,
    }
    folder = Workspace(settings.home).dbt
    profile = {"childdb": {"target": "warehouse", "outputs": {"warehouse": target}}}
    write_private(folder / "profiles.yml", yaml.safe_dump(profile, sort_keys=True).encode())
    return folder


def run_dbt(settings: Settings, words: Sequence[str], variables: Mapping[str, str]) -> dict[str, int]:
    """Run one dbt command and return how many nodes ended in which state.

    Raises:
        GateStoppedError: a test of the data failed; the message names it.
        EnvironmentFailedError: dbt or the database failed.
    """
    folder = write_profile(settings)
    executable = settings.dbt_executable or Path(sys.executable).with_name("dbt")
    results = folder / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    command = [
        str(executable), "--no-use-colors", "--quiet", *words,
        "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(folder),
        "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
    ]  # fmt: skip
    # What a build counts is no matter of parsing: dbt parses all models again whenever "--vars" differs.
    values = {f"{BUILD}{name.upper()}": variables[name] for name in BUILD_VALUES & variables.keys()}
    others = {name: value for name, value in sorted(variables.items()) if name not in BUILD_VALUES}
    if others:
        command += ["--vars", json.dumps(others)]
    environment = _environment(settings) | values
    finished = subprocess.run(command, env=environment, capture_output=True, check=False)
    return _outcome(results, finished.returncode)


def _environment(settings: Settings) -> dict[str, str]:
    password = attach(settings).passwords[Role.BUILDER.value]
    kept = {k: v for k, v in process_environment().items() if not k.startswith(("PG", "DBT_", BUILD))}
    return kept | {
        "DBT_ENV_SECRET_PASSWORD": password,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # A failing statement may quote a row: the file log keeps what concerns dbt itself.
        "DBT_LOG_LEVEL_FILE": "warn",
        "PGTZ": "UTC",
    }


def _outcome(results: Path, status: int) -> dict[str, int]:
    if not results.exists():
        raise EnvironmentFailedError(
            f"dbt ended with status {status} before it ran a model: the project does not parse or the database is away. "
            "Run 'make lint' after a change of the models; otherwise repeat the command.",
        )
    nodes = json.loads(results.read_text(encoding="utf-8"))["results"]
    counts: dict[str, int] = {}
    # What dbt does at the start of every run is no node of the project.
    for node in (n for n in nodes if not n["unique_id"].startswith("operation.")):
        counts[node["status"]] = counts.get(node["status"], 0) + 1
    _raise_for(nodes)
    return counts


def _raise_for(nodes: Sequence[Mapping[str, object]]) -> None:
    failed = sorted(str(node["unique_id"]) for node in nodes if node["status"] == "fail")
    broken = sorted(str(node["unique_id"]) for node in nodes if node["status"] in {"error", "runtime error"})
    if broken:
        raise EnvironmentFailedError(
            f"dbt could not build {len(broken)} nodes, first {broken[0]}. Check the database, then repeat the command; "
            "if the model was changed, run it alone with dbt to see why.",
        )
    if failed:
        raise GateStoppedError(
            f"{len(failed)} tests of the models failed, first {failed[0]}. Its property file says what it means; "
            "mend the data or the rule, then repeat the command.",
            f"{len(failed)} kiểm tra dữ liệu không đạt, đầu tiên là {failed[0]}. Xem mô tả trong tệp thuộc tính, "
            "sửa dữ liệu hoặc quy tắc rồi chạy lại.",
        )
