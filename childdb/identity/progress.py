"""How long each stage took and how much memory it held."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One stage of a run, in seconds and mebibytes."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_memory_mb: int


@dataclass
class Progress:
    """Collects the stages of a run and tells whoever listens."""

    tell: Callable[[str], None] = lambda text: None
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage."""
        self.tell(name)
        _forget_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.stages.append(
            Stage(
                name,
                round(time.perf_counter() - wall, 3),
                round(time.process_time() - cpu, 3),
                peak_memory_mb(),
            )
        )


def _forget_peak() -> None:
    """Start the kernel's high-water mark anew, where it lets us."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_memory_mb() -> int:
    """Return the most memory this process held since the mark was last set."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
