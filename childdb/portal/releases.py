"""Releases as the portal shows them: only what two people approved, read from the folders of the workspace."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from childdb.forms.words import Language
from childdb.releases.verify import APPROVALS, DIGESTS, MANIFEST, WITHDRAWAL

RELEASE_ID = re.compile(r"r[0-9]{4}(?:-[SQ][1-4])?-[0-9a-f]{12}")
APPROVALS_NEEDED = 2
OPEN_FILES = (MANIFEST, APPROVALS, DIGESTS, WITHDRAWAL)
"""Files of a release that its manifest does not list; readers may have them too."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a release and when (UTC, ISO)."""

    account: str
    at: str

    @property
    def is_sandbox(self) -> bool:
        """Whether the account exists only to try the system on invented children: its name begins so."""
        return self.account.casefold().startswith("sandbox")


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A file of a release with the hash that the manifest states."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Release:
    """One approved release."""

    release_id: str
    period: str
    reference_date: str
    manifest_sha256: str
    approvals: tuple[Approval, ...]
    files: tuple[ReleaseFile, ...]
    manifest: Mapping[str, Any]
    notice: Mapping[str, str] = field(default_factory=dict)
    """The dated notice of the withdrawal, if it was withdrawn."""
    is_sandbox: bool = False
    """Whether the approvals are those of sandbox accounts: the children are invented."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether a dated notice has withdrawn the release."""
        return bool(self.notice)

    def reason(self, language: Language) -> str:
        """Return why the release was withdrawn."""
        return self.notice.get(f"reason_{language.value}") or self.notice.get("reason_vi", "")

    @property
    def approved_at(self) -> str:
        """Time of the last approval."""
        return max((approval.at for approval in self.approvals), default="")


class ReleaseShelf:
    """The approved releases of a workspace, newest approval first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Path, tuple[object, Release | None]] = {}

    def published(self) -> tuple[Release, ...]:
        """Return the approved releases; a folder that is not a whole release is passed over."""
        if not self.folder.is_dir():
            return ()
        found = (
            self._read(path) for path in sorted(self.folder.iterdir()) if RELEASE_ID.fullmatch(path.name)
        )
        approved = [release for release in found if release is not None]
        return tuple(sorted(approved, key=lambda one: (one.approved_at, one.release_id), reverse=True))

    def newest(self) -> Release | None:
        """Return the release that pages show by default: the newest one that is not withdrawn."""
        return next((release for release in self.published() if not release.is_withdrawn), None)

    def find(self, release_id: str) -> Release | None:
        """Return an approved release by its id."""
        if not RELEASE_ID.fullmatch(release_id):
            return None
        return self._read(self.folder / release_id)

    def file(self, release_id: str, name: str) -> Path | None:
        """Return a file that a reader may have: one the manifest lists, the manifest or the approvals."""
        release = self.find(release_id)
        if release is None or name not in {*OPEN_FILES, *(file.name for file in release.files)}:
            return None
        root = (self.folder / release_id).resolve()
        path = (root / name).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None

    def _read(self, folder: Path) -> Release | None:
        """Return a release, read again only when one of the files that decide about it has changed."""
        state = tuple(_state(folder / name) for name in (MANIFEST, APPROVALS, WITHDRAWAL))
        if folder not in self._known or self._known[folder][0] != state:
            self._known[folder] = (state, self._read_files(folder))
        return self._known[folder][1]

    def _read_files(self, folder: Path) -> Release | None:
        manifest, approvals = _document(folder / MANIFEST), _document(folder / APPROVALS)
        if manifest is None or approvals is None:
            return None
        digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        people = _approvals(approvals, digest)
        # A candidate, or a release whose manifest is not the one people signed, is nobody's to read.
        if len({person.account.strip().casefold() for person in people}) < APPROVALS_NEEDED:
            return None
        chosen = manifest.get("inputs", {}).get("settings", {})
        return Release(
            release_id=folder.name,
            period=str(chosen.get("period", "")),
            reference_date=str(chosen.get("reference_date", "")),
            manifest_sha256=digest,
            approvals=people,
            files=_files(manifest),
            manifest=manifest,
            notice=_notice(_document(folder / WITHDRAWAL)),
            is_sandbox=any(person.is_sandbox for person in people),
        )


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _document(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _approvals(document: Mapping[str, Any], manifest_sha256: str) -> tuple[Approval, ...]:
    entries = [
        entry for entry in document.get("approvals", []) if entry.get("manifest_sha256") == manifest_sha256
    ]
    return tuple(Approval(str(entry["approver"]), str(entry["approved_at"])) for entry in entries)


def _notice(document: Mapping[str, Any] | None) -> Mapping[str, str]:
    return {name: str(value) for name, value in (document or {}).items()}


def _files(manifest: Mapping[str, Any]) -> tuple[ReleaseFile, ...]:
    listed: Mapping[str, Mapping[str, Any]] = manifest.get("files", {})
    return tuple(
        ReleaseFile(name, str(entry["sha256"]), int(entry["bytes"])) for name, entry in sorted(listed.items())
    )
