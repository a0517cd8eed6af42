"""The main job of a small nation, driven by the command line as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from childdb.settings import Settings
from tests.flow_support import make_nation
from tests.workspaces import disposable_workspace

APPROVERS = ("người duyệt một", "người duyệt hai")


@dataclass
class Job:
    """A workspace with its nation, driven by the command line as a user would."""

    settings: Settings
    nation: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "childdb.cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
        )

    def run(self, drop: Path) -> tuple[int, dict[str, Any]]:
        population = str(self.nation / "population" / "population.parquet")
        done = self.command("run", "--drop", str(drop), "--population", population, "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@contextmanager
def open_job(folder: Path, *, children: int, seed: int, communes: int, **variables: str) -> Iterator[Job]:
    """Yield a workspace below a folder, with a nation whose errors are those of the default profile."""
    nation = make_nation(
        folder / "nation", children=children, seed=seed, profile="default", communes=communes
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHILDDB_")}
    wanted = {"CHILDDB_APPROVERS": ",".join(APPROVERS)} | variables
    home = Path(wanted.pop("CHILDDB_HOME", folder / "var"))
    with disposable_workspace(home, wanted) as settings:
        yield Job(settings, nation, kept | settings.as_environment())
