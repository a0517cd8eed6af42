"""A drop folder: files are taken when two looks agree, links and devices are left and reported."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".partial", ".sha256")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One entry of a drop folder; ``reason_code`` says why it is not taken now."""

    path: Path
    shown_name: str
    reason_code: str | None = None


def look(
    folder: Path, *, pause: float = 0.2, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Arrival]:
    """Yield the entries of a folder in the order of their names; a file that still grows waits for the next run."""
    first = {path: _signs(path) for path in _entries(folder)}
    if any(signs is not None for signs in first.values()):
        sleep(pause)
    for path in sorted(first, key=lambda path: os.fsencode(path)):
        shown = shown_name(path.relative_to(folder))
        signs = first[path]
        if signs is None:
            yield Arrival(path, shown, "INJ-LINK")
        elif (
            path.name.lower().endswith(_UNFINISHED[:-1])
            or path.name.startswith(("~$", ".~"))
            or _signs(path) != signs
        ):
            yield Arrival(path, shown, "FILE-UNSTABLE")
        elif not path.name.lower().endswith(".sha256"):
            yield Arrival(path, shown, None if _checksum_agrees(path) else "DEL-CHECKSUM")


def _checksum_agrees(path: Path) -> bool:
    """Return whether the checksum file beside a file, where there is one, agrees with its bytes."""
    sidecar = path.with_name(path.name + ".sha256")
    if _signs(sidecar) is None:
        return True
    with sidecar.open("rb") as told, path.open("rb") as content:
        stated = re.search(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])", told.read(4096))
        found = hashlib.file_digest(content, "sha256").hexdigest()
    return stated is not None and stated[0].decode("ascii").lower() == found


def _entries(folder: Path) -> Iterator[Path]:
    """Yield every entry that is no folder; links to folders are entries and are never entered."""
    for place, folders, names in os.walk(folder, followlinks=False):
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*names, *linked):
            yield Path(place) / name


def _signs(path: Path) -> tuple[int, int, int] | None:
    """Return what tells a growing file from a finished one, None for what is no regular file."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def shown_name(path: Path) -> str:
    r"""Return a file's name as text that is safe to store and to show, 255 characters at most.

    >>> shown_name(Path("a\x1b[31m.xlsx"))
    'a\\x1b[31m.xlsx'
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)[:255]
