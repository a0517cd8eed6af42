"""The folders of one workspace, and the secrets only its owner can read."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from childdb.errors import ConfigurationError, EnvironmentFailedError


@dataclass(frozen=True)
class Workspace:
    """One workspace on disk; every other module gets its paths from here."""

    home: Path

    @property
    def landing(self) -> Path:
        """Received bytes: content-addressed, read-only, encrypted."""
        return self.home / "landing"

    @property
    def drop(self) -> Path:
        """Where senders put files."""
        return self.home / "drop"

    @property
    def releases(self) -> Path:
        """One folder per release."""
        return self.home / "releases"

    @property
    def requests(self) -> Path:
        """Lists to the commune police; readable by the owner only."""
        return self.home / "requests"

    @property
    def outbox(self) -> Path:
        """Lists that a person let go, one folder per batch and commune; readable by the owner only."""
        return self.home / "outbox"

    @property
    def inbox(self) -> Path:
        """Where answers are put: `police` for signed lists, `communes` for mended ones; readable by the owner only."""
        return self.home / "inbox"

    @property
    def lists(self) -> Path:
        """Work lists and receipts to the communes; readable by the owner only."""
        return self.home / "lists"

    @property
    def quality(self) -> Path:
        """Quality pages for auditors."""
        return self.home / "quality"

    @property
    def portal(self) -> Path:
        """Pages of the newest approved release as files."""
        return self.home / "portal"

    @property
    def logs(self) -> Path:
        """Logs of the processes of this workspace."""
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and passwords; readable by the owner only."""
        return self.home / "secrets"

    @property
    def airflow(self) -> Path:
        """The scheduler's home."""
        return self.home / "airflow"

    @property
    def dbt(self) -> Path:
        """dbt's profile, target and log folders."""
        return self.home / "dbt"

    @property
    def identity(self) -> Path:
        """Input and output of the last matching; readable by the owner only."""
        return self.home / "identity"

    @property
    def sandbox(self) -> Path:
        """The synthetic nation that ``make demo`` runs on."""
        return self.home / "sandbox"

    @property
    def scratch(self) -> Path:
        """Short-lived files; readable by the owner only, emptied after each step."""
        return self.home / "scratch"

    def prepare(self) -> Workspace:
        """Create the folders that every command needs and return the workspace."""
        private = (
            *(self.secrets, self.requests, self.lists, self.scratch, self.identity, self.landing),
            *(self.outbox, self.inbox),
        )
        try:
            for folder in (
                self.home,
                self.releases,
                self.logs,
                self.quality,
                self.dbt,
                self.airflow,
                self.drop,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in private:
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailedError(
                f"The workspace {self.home} cannot be prepared: {error.strerror}. "
                "Give CHILDDB_HOME a folder you may write to, on a disk with space.",
                f"Không chuẩn bị được thư mục làm việc {self.home}: {error.strerror}. "
                "Hãy đặt CHILDDB_HOME là thư mục ghi được, trên ổ đĩa còn chỗ trống.",
            ) from None
        return self

    @property
    def workspace_id(self) -> str:
        """A random mark of this workspace, given once; the database carries the same."""
        return str(self.secret_document("workspace.json", lambda: {"id": secrets.token_hex(16)})["id"])

    def secret_document(self, name: str, make: Callable[[], dict[str, str]]) -> dict[str, str]:
        """Return the JSON document ``name`` of the secrets folder, made by ``make`` at first use."""
        path = self.secrets / name
        if not path.exists():
            self.secrets.mkdir(parents=True, mode=0o700, exist_ok=True)
            write_private(path, json.dumps(make(), indent=1, sort_keys=True).encode(), replace=False)
        try:
            document: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ConfigurationError(
                f"The secret {path} cannot be read. Restore it from the key backup; childdb never makes a second one.",
                f"Không đọc được tệp bí mật {path}. Hãy khôi phục từ bản sao lưu khóa; hệ thống không tự tạo khóa thứ hai.",
            ) from None
        return document


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write ``content`` to a file that only its owner can read, whole or not at all.

    Without ``replace`` a file that another process made in the meantime stays: a key is given once.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if replace:
        os.replace(temporary, path)
        return
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
