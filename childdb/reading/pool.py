"""Warm reading processes: one file at a time each, replaced when one dies, hangs or has grown."""

from __future__ import annotations

import json
import os
import queue
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from childdb.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from types import TracebackType

    from childdb.reading.model import ReadOptions

PROJECT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120.0
_FILES_PER_CHILD = 200
_LARGEST_ANSWER = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class ChildAnswer:
    """What came back for one file: the answer and its rows, or how the process ended."""

    answer: dict[str, Any] | None
    rows: pa.Table | None
    failure: str | None = None


class ReadingProcess:
    """One child process; ``read`` never raises for what a file does to it."""

    def __init__(self, memory_bytes: int, open_files: int) -> None:
        self.served = 0
        self.buffer = b""
        self.work = tempfile.TemporaryDirectory(prefix="reading-")
        environment = {
            "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONPATH": str(PROJECT),
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system", "TMPDIR": self.work.name,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-m", "childdb.reading.child", str(memory_bytes), str(open_files)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, cwd=self.work.name, start_new_session=True,
        )  # fmt: skip

    def wait_until_ready(self) -> bool:
        """Return whether the process has come up."""
        answer = self._line(_START_SECONDS)
        return answer is not None and b'"ready": true' in answer

    def read(self, path: Path, options: ReadOptions, seconds: float) -> ChildAnswer:
        """Return the answer for one file; a dead or hanging process gives a failure."""
        rows_path = Path(self.work.name) / f"rows-{self.served}.arrow"
        self.served += 1
        order = {
            "path": str(path),
            "rows_path": str(rows_path),
            "seconds": seconds,
            "options": _plain(options),
        }
        stdin, _ = self._pipes
        try:
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        except OSError:
            return ChildAnswer(None, None, "died")
        line = self._line(seconds)
        if line is None:
            failure = "died" if self.process.poll() is not None else "time"
            return ChildAnswer(None, None, failure)
        return self._take(line, rows_path)

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self.process.stdin is None or self.process.stdout is None:
            raise EnvironmentFailedError("A reading process has no pipes; repeat the command.")
        return self.process.stdin, self.process.stdout

    def _take(self, line: bytes, rows_path: Path) -> ChildAnswer:
        try:
            answer = json.loads(line)
            rows = None
            if rows_path.exists():
                # Mapped, not read: the rows of a large file stay on the disk until they are looked at.
                rows = pa.ipc.open_file(pa.memory_map(str(rows_path))).read_all()
                rows_path.unlink()
        except (ValueError, pa.ArrowInvalid, OSError):
            return ChildAnswer(None, None, "answer")
        return ChildAnswer(answer, rows)

    def _line(self, seconds: float) -> bytes | None:
        """Return the next line of the process, None when it dies, is silent too long or says too much."""
        _, stdout = self._pipes
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = deadline - time.monotonic()
                if left <= 0 or len(self.buffer) > _LARGEST_ANSWER:
                    return None
                if selector.select(min(left, 1.0)):
                    chunk = os.read(stdout.fileno(), 1 << 16)
                    if not chunk:
                        self.process.wait()
                        return None
                    self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def is_reusable(self) -> bool:
        """Return whether the process may take another file: alive, not old, not grown."""
        if self.process.poll() is not None or self.served >= _FILES_PER_CHILD:
            return False
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return True
        return pages * os.sysconf("SC_PAGE_SIZE") < 500 * 1024**2

    def stop(self) -> None:
        """End the process and remove its folder."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.work.cleanup()


class ReadingPool:
    """Hands out warm processes; use as a context, or through ``childdb.reading.read_file``."""

    def __init__(self, size: int, memory_bytes: int, open_files: int = 64) -> None:
        self.memory_bytes, self.open_files = memory_bytes, open_files
        self.idle: queue.LifoQueue[ReadingProcess] = queue.LifoQueue()
        self.places = threading.BoundedSemaphore(size)

    def read(self, path: Path, options: ReadOptions, seconds: float) -> ChildAnswer:
        """Return the answer of a process for one file; whatever happens to it, the next file gets a sound one."""
        with self.places:
            process = self._process()
            if process is None:
                return ChildAnswer(None, None, "start")
            result = process.read(path, options, seconds)
            if result.failure is None and process.is_reusable():
                self.idle.put(process)
            else:
                process.stop()
            return result

    def _process(self) -> ReadingProcess | None:
        while True:
            try:
                process = self.idle.get_nowait()
            except queue.Empty:
                break
            if process.is_reusable():
                return process
            process.stop()
        process = ReadingProcess(self.memory_bytes, self.open_files)
        if process.wait_until_ready():
            return process
        process.stop()
        return None

    def close(self) -> None:
        """End every idle process."""
        while True:
            try:
                self.idle.get_nowait().stop()
            except queue.Empty:
                return

    def __enter__(self) -> ReadingPool:
        """Return the pool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the pool's processes."""
        self.close()


def _plain(options: ReadOptions) -> dict[str, Any]:
    plain = asdict(options)
    plain.pop("work_dir")
    plain["approved_mappings"] = {key: dict(value) for key, value in options.approved_mappings.items()}
    return plain
