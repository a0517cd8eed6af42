"""The landing store on local disk: one copy per content, whatever its sender called it."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from childdb.errors import InputRefusedError
from childdb.landing.sealing import FRAME_BYTES, SealedWriter, read_sealed
from childdb.steps import Step, reach

if TYPE_CHECKING:
    from childdb.landing.remote import RemoteStore

ARRIVING = ".arriving-"
LEFT_SECONDS = 3600.0
CLEAR_COPY = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}|pull-[0-9a-f]{16}|sftp-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Landed:
    """One content in the store."""

    sha256: str
    size_bytes: int
    is_new: bool


def land_file(
    source: Path, store: Path, key: bytes, *, size_limit: int | None = None, remote: RemoteStore | None = None
) -> Landed:
    """Copy a regular file into the store, hashed while it is copied, and return what it is.

    The copy is complete on disk before it gets its name, here or in a remote store; a crash leaves only a temporary
    file behind.

    Raises:
        InputRefusedError: not a regular file (a link, a pipe, a folder), or over the size limit.
    """
    descriptor = _open_regular(source)
    temporary = store / f"{ARRIVING}{secrets.token_hex(8)}"
    try:
        with os.fdopen(descriptor, "rb") as arriving, open(temporary, "wb") as sealed:
            reach(Step.LAND_OPENED)
            sha256, size = _copy(arriving, sealed, key, size_limit)
            reach(Step.LAND_COPIED)
            sealed.flush()
            os.fsync(sealed.fileno())
        reach(Step.LAND_SYNCED)
        if remote is not None:
            is_new = remote.put(temporary, sha256)
            reach(Step.LAND_NAMED)
            return Landed(sha256, size, is_new)
        return _name(temporary, store, sha256, size)
    finally:
        temporary.unlink(missing_ok=True)


def _open_regular(source: Path) -> int:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise InputRefusedError("An entry is a link or cannot be opened; it is left where it is.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputRefusedError("An entry is not a regular file; it is left where it is.")
    return descriptor


def _copy(arriving: BinaryIO, sealed: BinaryIO, key: bytes, size_limit: int | None) -> tuple[str, int]:
    digest, size, writer = hashlib.sha256(), 0, SealedWriter(sealed, key)
    while block := arriving.read(FRAME_BYTES):
        size += len(block)
        if size_limit is not None and size > size_limit:
            raise InputRefusedError(
                f"A file is larger than the limit of {size_limit} bytes; it was not taken."
            )
        digest.update(block)
        writer.write(block)
    writer.close()
    return digest.hexdigest(), size


def _name(temporary: Path, store: Path, sha256: str, size: int) -> Landed:
    target = landed_path(store, sha256)
    if target.exists():
        return Landed(sha256, size, False)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    os.chmod(temporary, 0o400)
    os.replace(temporary, target)
    for folder in (target.parent, store):
        _sync(folder)
    reach(Step.LAND_NAMED)
    return Landed(sha256, size, True)


def sweep(store: Path, scratch: Path, *, seconds: float = LEFT_SECONDS) -> int:
    """Remove what killed processes left half done: unfinished copies, and clear copies of landed files.

    What was touched a short while ago may belong to a process at work and stays.
    """
    latest = time.time() - seconds
    left = [
        *store.glob(f"{ARRIVING}*"),
        *(path for path in scratch.glob("*") if CLEAR_COPY.fullmatch(path.name)),
    ]
    old = [path for path in left if path.lstat().st_mtime <= latest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def landed_path(store: Path, sha256: str) -> Path:
    """Return where a content lies: its name is its hash and nothing of its sender."""
    return store / sha256[:2] / sha256


@contextmanager
def opened_landed(
    store: Path, sha256: str, key: bytes, scratch: Path, remote: RemoteStore | None = None
) -> Iterator[Path]:
    """Yield a private copy in clear of a landed content, checked against its hash and removed at the end."""
    path = scratch / f"{sha256[:16]}-{secrets.token_hex(4)}"
    digest = hashlib.sha256()
    try:
        with (
            remote.open(sha256) if remote else open(landed_path(store, sha256), "rb") as sealed,
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as clear,
        ):
            for block in read_sealed(sealed, key):
                digest.update(block)
                clear.write(block)
        if digest.hexdigest() != sha256:
            raise InputRefusedError("A landed file is not what its name says. Restore it from the backup.")
        yield path
    finally:
        path.unlink(missing_ok=True)
