"""Builds of the warehouse for tests that need many of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest

from childdb.contracts import DBT_PROJECT
from childdb.flow.dbt import BUILD, _environment, write_profile
from childdb.settings import Settings


@dataclass
class Builder:
    """dbt in this process, parsed once: a history takes many builds, and starting dbt would take longer than they do."""

    settings: Settings
    manifest: Any = None

    def run(self, words: list[str], variables: Mapping[str, str]) -> None:
        """Do what run_dbt does with these words."""
        from dbt.cli.main import dbtRunner

        folder = write_profile(self.settings)
        places = [
            "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(folder), "--target-path", str(folder / "target"),
            "--log-path", str(folder / "logs"),
        ]  # fmt: skip
        values = {f"{BUILD}{name.upper()}": value for name, value in variables.items()}
        with patch.dict(os.environ, _environment(self.settings) | values):
            if self.manifest is None:
                self.manifest = dbtRunner().invoke(["--quiet", "parse", *places]).result
            done = dbtRunner(manifest=self.manifest).invoke(["--quiet", *words, *places])
        broken = [
            (r.node.name, r.message) for r in getattr(done.result, "results", ()) if r.status == "error"
        ]
        assert done.success, broken or done.exception


@pytest.fixture(scope="session")
def builder(warehouse_settings: Settings) -> Builder:
    """Builds of the warehouse of this session."""
    return Builder(warehouse_settings)
