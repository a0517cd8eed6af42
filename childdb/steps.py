"""The named steps of taking data in: where a process may die, and where the tests kill it to see that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """A point of landing, loading or cleaning after which the next run has to find its way by itself."""

    LAND_OPENED = "land.opened"
    LAND_COPIED = "land.copied"
    LAND_SYNCED = "land.synced"
    LAND_NAMED = "land.named"
    LAND_RECORDED = "land.recorded"
    LAND_COMMITTED = "land.committed"
    LOAD_OPENED = "load.opened"
    LOAD_READ = "load.read"
    LOAD_LOCKED = "load.locked"
    LOAD_EMPTIED = "load.emptied"
    LOAD_COPYING = "load.copying"
    LOAD_COPIED = "load.copied"
    LOAD_REMARKED = "load.remarked"
    LOAD_RECORDED = "load.recorded"
    LOAD_COMMITTED = "load.committed"
    CLEAN_EMPTIED = "clean.emptied"
    CLEAN_COPIED = "clean.copied"
    CLEAN_REMARKED = "clean.remarked"
    CLEAN_RECORDED = "clean.recorded"
    CLEAN_COMMITTED = "clean.committed"


def _nothing(step: Step) -> None:
    """Do nothing: outside the tests nobody listens."""


listener: Callable[[Step], None] = _nothing
"""Hears of every step of this process; a test puts a killer here."""


def reach(step: Step) -> None:
    """Tell the listener that a step is reached."""
    listener(step)
