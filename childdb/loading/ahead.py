"""Files read ahead of their loading: the next ones are parsed in child processes while one is copied into the database."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def in_order(
    jobs: Iterable[_Job], work: Callable[[_Job], _Result], *, width: int = 2
) -> Iterator[tuple[_Job, _Result]]:
    """Yield (job, result) in the order of the jobs, at most ``width`` of them being worked on ahead.

    An error of a job is raised when its turn comes; later jobs are not begun then.

    >>> list(in_order([1, 2, 3], lambda number: number * 10))
    [(1, 10), (2, 20), (3, 30)]
    """
    waiting: deque[tuple[_Job, Future[_Result]]] = deque()
    remaining = iter(jobs)
    with ThreadPoolExecutor(max_workers=width, thread_name_prefix="reading") as pool:
        try:
            for job in remaining:
                waiting.append((job, pool.submit(work, job)))
                if len(waiting) > width:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
