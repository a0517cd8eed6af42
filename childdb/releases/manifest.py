"""The manifest of a release: its inputs, its counts, and a digest of every file; and digests per line beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from childdb.releases.verify import BESIDE, BLOCK_BYTES, DIGESTS, MANIFEST, is_text

MARK_DIGITS = 8


def write_manifest(
    folder: Path, release_id: str, inputs: Mapping[str, Any], counts: Mapping[str, int]
) -> str:
    """Write ``manifest.json`` for the files of a folder and return its SHA-256."""
    document = {
        "release_id": release_id,
        "inputs": inputs,
        "counts": dict(sorted(counts.items())),
        "files": {name: _file_entry(folder / name) for name in release_files(folder)},
    }
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    (folder / MANIFEST).write_bytes(text.encode())
    return hashlib.sha256(text.encode()).hexdigest()


def release_files(folder: Path) -> list[str]:
    """Return the hashed files of a release by their names inside its folder."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in files if name not in BESIDE)


def _file_entry(path: Path) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}


def write_digests(folder: Path) -> None:
    """Write a short digest of every line (of a text) or block (of another file), so that damage can be located."""
    digest = hashlib.sha256()
    with open(folder / DIGESTS, "wb") as file:
        for name in [MANIFEST, *release_files(folder)]:
            for line in _entries(folder / name, name):
                file.write(line)
                digest.update(line)
        file.write(f"end {digest.hexdigest()}\n".encode())


def _entries(path: Path, name: str) -> Iterator[bytes]:
    parts = [hashlib.sha256(part).hexdigest()[:MARK_DIGITS] for part in _parts(path)]
    yield f"file {len(parts)} {name}\n".encode()
    for part in parts:
        yield f"{part}\n".encode()


def _parts(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        if is_text(path.name):
            yield from file
        else:
            while block := file.read(BLOCK_BYTES):
                yield block
