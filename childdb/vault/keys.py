"""The keys of a workspace: one master key in a private file, one derived key for each purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg import Connection

from childdb.errors import ConfigurationError
from childdb.workspace import Workspace

KEY_FILE = "keys.json"


class Purpose(StrEnum):
    """What a derived key is for; a key of one purpose is useless for another."""

    LOOKUP = "lookup"
    READ_BACK = "read_back"
    LANDING = "landing"
    LISTS = "lists"


@dataclass(frozen=True)
class Keys:
    """The master key and its version; never printed, never in the database."""

    version: str
    master: bytes

    def __repr__(self) -> str:
        return f"Keys(version={self.version!r})"

    def derive(self, purpose: Purpose) -> bytes:
        """Return the 32-byte key of one purpose."""
        return _derived(self.version, self.master, purpose)

    def check_value(self) -> str:
        """Return a value that tells this key from another without telling the key."""
        return hmac.new(self.derive(Purpose.LOOKUP), b"childdb key check", hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _derived(version: str, master: bytes, purpose: Purpose) -> bytes:
    info = f"childdb/{version}/{purpose.value}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master)


def load_keys(workspace: Workspace, *, may_create: bool) -> Keys:
    """Return the keys of a workspace; made at its very first start only.

    Raises:
        ConfigurationError: the key file is missing and may not be made anew.
    """
    if not may_create and not (workspace.secrets / KEY_FILE).exists():
        raise _missing(workspace)
    document = workspace.secret_document(
        KEY_FILE, lambda: {"version": "k1", "master": base64.b64encode(secrets.token_bytes(32)).decode()}
    )
    return Keys(document["version"], base64.b64decode(document["master"]))


def _missing(workspace: Workspace) -> ConfigurationError:
    return ConfigurationError(
        f"The key file {workspace.secrets / KEY_FILE} is missing, but the database was filled with it. "
        "Restore it from the key backup; without it nothing can be read and nothing is done.",
        f"Thiếu tệp khóa {workspace.secrets / KEY_FILE} trong khi cơ sở dữ liệu đã dùng khóa này. "
        "Hãy khôi phục tệp khóa từ bản sao lưu; thiếu khóa thì hệ thống dừng lại.",
    )


def open_keys(workspace: Workspace, connection: Connection) -> Keys:
    """Return the keys, checked against what the database was filled with (``vault.key_versions``).

    Raises:
        ConfigurationError: the key is missing or is another one.
    """
    known: dict[str, str] = dict(
        connection.execute("select version, check_value from vault.key_versions").fetchall()
    )
    keys = load_keys(workspace, may_create=not known)
    if not known:
        connection.execute(
            "insert into vault.key_versions (version, check_value) values (%s, %s) on conflict do nothing",
            [keys.version, keys.check_value()],
        )
    elif known.get(keys.version) != keys.check_value():
        raise ConfigurationError(
            "The key file of this workspace is not the one the database was filled with. Restore the right one.",
            "Tệp khóa không phải là khóa đã dùng cho cơ sở dữ liệu này. Hãy khôi phục đúng tệp khóa.",
        )
    return keys
