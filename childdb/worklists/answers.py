"""Answers read in a limited process: whatever a workbook holds, the import meets values only."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from childdb.worklists.answer_sheet import AnswerSheet, Unreadable, from_document

PROJECT = Path(__file__).resolve().parents[2]
_WAIT_SECONDS = 120.0


class AnswerReader:
    """Reads answers one after the other in one limited process, replaced when a file kills it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AnswerReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def read(self, path: Path) -> AnswerSheet | Unreadable:
        """Return the answer a file holds; never raises for what is inside it."""
        process = self._process or self._start()
        assert process.stdin is not None  # noqa: S101 - it was opened with pipes
        try:
            process.stdin.write(json.dumps(str(path.resolve())).encode() + b"\n")
            process.stdin.flush()
            line = self._line(process)
        except (BrokenPipeError, OSError):
            line = b""
        if not line:
            self._stop()
            return Unreadable("FILE-TRUNCATED")
        return from_document(json.loads(line))

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None  # noqa: S101 - it was opened with pipes
        ready, _, _ = select.select([process.stdout], [], [], _WAIT_SECONDS)
        return process.stdout.readline() if ready else b""

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(PROJECT),
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "childdb.worklists.answer_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
        )
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
