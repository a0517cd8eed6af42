"""A run killed at any moment and repeated: the files of the repeat are those of a run nobody disturbed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FILES = ("links.parquet", "persons.parquet", "model.json")
# Where the run is shot: while reading, between the strong keys, in the middle of the blocks, after one file was written.
MOMENTS = ("features_register", "strong_name_day_commune", "residual_block", "duplicates", "write")

_RUN = """
import os, signal, sys
from pathlib import Path
from childdb.identity import match, outputs
moment = sys.argv[4]
def tell(stage):
    if stage == moment and stage != "write":
        os.kill(os.getpid(), signal.SIGKILL)
if moment == "write":
    outputs.write_persons = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
match(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), threads=2, memory="1GB", tell=tell)
"""


def _run(nation, out: Path, moment: str) -> int:
    words = [sys.executable, "-c", _RUN, str(nation.register), str(nation.population), str(out), moment]
    return subprocess.run(words, check=False, env=dict(os.environ), capture_output=True).returncode


@pytest.mark.flow
def test_killed_at_any_moment_and_repeated(default_nation, tmp_path: Path) -> None:
    expected = [hashlib.sha256((default_nation.out / name).read_bytes()).hexdigest() for name in FILES]
    for moment in MOMENTS:
        assert _run(default_nation, tmp_path, moment) == -signal.SIGKILL
        assert (tmp_path / "links.parquet").exists() == (moment == "write")
    assert _run(default_nation, tmp_path, "never") == 0
    assert [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in FILES] == expected
    assert not (tmp_path / ".scratch").exists()
