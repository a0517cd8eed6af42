"""Landed bytes in an S3-compatible store, for deployments that have one; what is put there is sealed already."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from childdb.errors import ConfigurationError, EnvironmentFailedError

if TYPE_CHECKING:
    import pyarrow.fs as pa_fs

_STEP = 1 << 20
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """A bucket and a prefix in it; contents lie under their hash, as on a disk."""

    filesystem: pa_fs.FileSystem
    base: str

    def put(self, sealed: Path, sha256: str) -> bool:
        """Store a sealed file under its hash and return whether it was new.

        It goes under a name of its own first: a cut upload never stands under a hash.
        """
        target, arriving = self._place(sha256), f"{self.base}/arriving/{secrets.token_hex(8)}"
        try:
            if self._size(target) is not None:
                return False
            with sealed.open("rb") as source, self.filesystem.open_output_stream(arriving) as sink:
                shutil.copyfileobj(source, sink, _STEP)
            if self._size(arriving) != sealed.stat().st_size:
                raise _failed()
            self.filesystem.copy_file(arriving, target)
            self.filesystem.delete_file(arriving)
        except OSError:
            raise _failed() from None
        return True

    def open(self, sha256: str) -> BinaryIO:
        """Return the sealed bytes of a content."""
        try:
            return cast("BinaryIO", self.filesystem.open_input_stream(self._place(sha256)))
        except OSError:
            raise _failed() from None

    def _place(self, sha256: str) -> str:
        return f"{self.base}/{sha256[:2]}/{sha256}"

    def _size(self, path: str) -> int | None:
        found = self.filesystem.get_file_info(path)
        return int(found.size) if found.is_file else None


def _failed() -> EnvironmentFailedError:
    return EnvironmentFailedError(
        "The store for landed files does not answer or refuses the access key. Check CHILDDB_LANDING_URL, then repeat.",
        "Kho lưu tệp tiếp nhận không trả lời hoặc từ chối khóa truy cập. Hãy kiểm tra CHILDDB_LANDING_URL rồi chạy lại.",
    )


def open_remote(url: str, access_key_file: Path | None) -> RemoteStore:
    """Return the store of an address ``s3://bucket/prefix?endpoint=https://host:port&region=name``.

    Raises:
        ConfigurationError: the address or the key file cannot be used; plain http is spoken to this machine only.
    """
    from pyarrow.fs import S3FileSystem

    parts, asked = urlsplit(url), {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    endpoint = urlsplit(asked.get("endpoint", ""))
    if parts.scheme != "s3" or not parts.hostname or set(asked) - {"endpoint", "region"}:
        raise ConfigurationError("CHILDDB_LANDING_URL has the form s3://bucket/prefix?endpoint=https://host.")
    if endpoint.scheme not in ("https", "http", "") or (
        endpoint.scheme == "http" and endpoint.hostname not in _LOOPBACK
    ):
        raise ConfigurationError("The store's endpoint has to be https; plain http is for this machine only.")
    access_key, secret_key = _keys(access_key_file)
    filesystem = S3FileSystem(
        access_key=access_key, secret_key=secret_key, region=asked.get("region", "us-east-1"),
        endpoint_override=endpoint.netloc or None, scheme=endpoint.scheme or "https", request_timeout=60.0,
        connect_timeout=10.0, background_writes=False,
    )  # fmt: skip
    return RemoteStore(filesystem, "/".join([parts.hostname, *filter(None, parts.path.split("/"))]))


def _keys(path: Path | None) -> tuple[str, str]:
    try:
        lines = path.read_text(encoding="ascii").split() if path is not None else []
    except (OSError, UnicodeDecodeError):
        lines = []
    if len(lines) != 2:
        raise ConfigurationError(
            "CHILDDB_LANDING_ACCESS_KEY_FILE has to hold the access key and the secret key, one a line."
        )
    return lines[0], lines[1]
