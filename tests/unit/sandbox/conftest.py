"""One small nation per profile, made once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from childdb.sandbox.generate import Order, generate

CHILDREN = 4000


@pytest.fixture(scope="session")
def nations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of one nation per profile, seed 11."""
    folders = {}
    for profile in ("none", "default", "hard"):
        folder = tmp_path_factory.mktemp(profile)
        generate(Order(CHILDREN, 11, profile, 30), folder)
        folders[profile] = folder
    return folders
