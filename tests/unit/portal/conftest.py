"""Sources that most tests of the portal read."""

from __future__ import annotations

from pathlib import Path

import pytest

from childdb.portal.sources import PortalSources
from tests.portal_support import make_release, make_sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> PortalSources:
    """A workspace with one approved release."""
    home: Path = tmp_path_factory.mktemp("home")
    made = make_sources(home)
    make_release(home / "releases")
    return made
