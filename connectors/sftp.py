"""An SFTP server: host key checked always, regular files only, each fetched whole or not at all."""

from __future__ import annotations

import hashlib
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import paramiko

from childdb.errors import ConfigurationError
from connectors.http import PullStoppedError

if TYPE_CHECKING:
    from childdb.settings import Settings

_STEP = 1 << 16
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """Where files are fetched from; the server is known by its key, we by ours."""

    host: str
    port: int
    username: str
    key_file: Path
    known_hosts_file: Path
    folder: str = "."
    timeout: float = 20.0
    largest_file: int = 200 * 1024**2
    most_files: int = 100_000


def open_place(settings: Settings) -> SftpPlace:
    """Return the place of the settings."""
    if not (
        settings.sftp_host
        and settings.sftp_username
        and settings.sftp_key_file
        and settings.sftp_known_hosts_file
    ):
        raise ConfigurationError(
            "The SFTP source needs CHILDDB_SFTP_HOST, CHILDDB_SFTP_USERNAME, CHILDDB_SFTP_KEY_FILE and "
            "CHILDDB_SFTP_KNOWN_HOSTS_FILE."
        )
    return SftpPlace(
        settings.sftp_host, settings.sftp_port, settings.sftp_username, settings.sftp_key_file,
        settings.sftp_known_hosts_file, settings.sftp_folder,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file on the server as listed."""

    path: str
    size: int
    changed_at: int


class SftpSource:
    """A session with an SFTP server; use as a context."""

    def __init__(self, place: SftpPlace) -> None:
        self.place = place
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def __enter__(self) -> SftpSource:
        """Return the source, connected; an unknown or changed host key stops."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        place = self.place
        try:
            client.load_host_keys(str(place.known_hosts_file))
            client.connect(
                place.host, place.port, place.username, key_filename=str(place.key_file), timeout=place.timeout,
                banner_timeout=place.timeout, auth_timeout=place.timeout, allow_agent=False, look_for_keys=False,
            )  # fmt: skip
            self._client, self._sftp = client, client.open_sftp()
        except FileNotFoundError:
            raise ConfigurationError(
                "The key or the list of known hosts of the SFTP source cannot be read."
            ) from None
        except paramiko.BadHostKeyException:
            raise PullStoppedError("API-TLS", "the SFTP server shows another key than before") from None
        except paramiko.AuthenticationException:
            raise PullStoppedError("API-AUTH", "the SFTP server refuses our key") from None
        except paramiko.SSHException:
            raise PullStoppedError(
                "API-TLS", "the SFTP server's key is not in the list of known hosts"
            ) from None
        except OSError:
            raise PullStoppedError("API-TRANSIENT", "the SFTP server cannot be reached") from None
        channel = self._sftp.get_channel()
        if channel is not None:
            channel.settimeout(place.timeout)
        return self

    def __exit__(self, *_: object) -> None:
        """End the session."""
        if self._client is not None:
            self._client.close()

    @property
    def _open(self) -> paramiko.SFTPClient:
        if self._sftp is None:
            raise ConfigurationError("An SFTP source is used as a context; it is not connected.")
        return self._sftp

    def files(self) -> Iterator[RemoteFile]:
        """Yield regular files in the order of their names; links are neither followed nor fetched."""
        for count, found in enumerate(sorted(self._walk(self.place.folder, 0), key=lambda file: file.path)):
            if count >= self.place.most_files:
                raise PullStoppedError("API-LOOP", "the SFTP folder holds more files than the limit")
            yield found

    def _walk(self, folder: str, depth: int) -> Iterator[RemoteFile]:
        for entry in self._open.listdir_attr(folder):
            name = entry.filename
            if name in (".", "..") or "/" in name or entry.st_mode is None:
                continue
            path = str(PurePosixPath(folder) / name)
            if stat.S_ISDIR(entry.st_mode) and depth < _DEPTH:
                yield from self._walk(path, depth + 1)
            elif stat.S_ISREG(entry.st_mode) and not name.endswith((".part", ".tmp")):
                yield RemoteFile(path, int(entry.st_size or 0), int(entry.st_mtime or 0))

    def fetch(self, file: RemoteFile, scratch: Path) -> tuple[Path, str]:
        """Return our copy of a file and its hash; one that changed meanwhile is left for the next run."""
        sftp = self._open
        if file.size > self.place.largest_file:
            raise PullStoppedError("API-BOMB", "a file on the SFTP server is larger than the limit")
        target = scratch / f"sftp-{secrets.token_hex(8)}"
        digest, size = hashlib.sha256(), 0
        try:
            with sftp.open(file.path, "rb") as source, target.open("wb") as sink:
                while chunk := source.read(_STEP):
                    size += len(chunk)
                    if size > self.place.largest_file:
                        raise PullStoppedError("API-BOMB", "a file on the SFTP server grew past the limit")
                    digest.update(chunk)
                    sink.write(chunk)
            after = sftp.stat(file.path)
        except OSError:
            target.unlink(missing_ok=True)
            raise PullStoppedError(
                "API-TRANSIENT", "a file could not be read whole from the SFTP server"
            ) from None
        if size != file.size or (int(after.st_size or 0), int(after.st_mtime or 0)) != (
            file.size,
            file.changed_at,
        ):
            target.unlink(missing_ok=True)
            raise PullStoppedError(
                "API-DRIFT", "a file changed while it was fetched; it is left for the next run"
            )
        return target, digest.hexdigest()


def pull_files(place: SftpPlace, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path below the place's folder, our copy) for every file; a file in motion is left out."""
    with SftpSource(place) as source:
        for file in source.files():
            try:
                path, _ = source.fetch(file, scratch)
            except PullStoppedError as stop:
                if stop.code == "API-DRIFT":
                    continue
                raise
            yield str(PurePosixPath(file.path).relative_to(place.folder)), path
