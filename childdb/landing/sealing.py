"""Encrypted files in frames: any size in bounded memory; a cut, swapped or changed frame is found."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from childdb.errors import EnvironmentFailedError

MAGIC = b"childdb1"
FRAME_BYTES = 4 * 1024 * 1024
LENGTH = struct.Struct(">I")


class SealedWriter:
    """Writes frames to a file; ``close`` writes the last one, without which the file is not whole."""

    def __init__(self, target: BinaryIO, key: bytes) -> None:
        self._target = target
        self._cipher = AESGCM(key)
        self._prefix = secrets.token_bytes(4)
        self._number = 0
        target.write(MAGIC + self._prefix)

    def write(self, block: bytes) -> None:
        """Encrypt and write one block of at most ``FRAME_BYTES``."""
        self._frame(block, b"more")

    def close(self) -> None:
        """Write the mark of the end."""
        self._frame(b"", b"last")

    def _frame(self, block: bytes, kind: bytes) -> None:
        nonce = self._prefix + self._number.to_bytes(8, "big")
        sealed = self._cipher.encrypt(nonce, block, kind)
        self._target.write(kind + LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


def read_sealed(source: BinaryIO, key: bytes) -> Iterator[bytes]:
    """Yield the blocks of a sealed file.

    Raises:
        EnvironmentFailedError: the file is cut, changed, or was sealed with another key.
    """
    cipher = AESGCM(key)
    head = source.read(len(MAGIC) + 4)
    prefix, number = head[len(MAGIC) :], 0
    try:
        while head.startswith(MAGIC):
            kind = source.read(4)
            (length,) = LENGTH.unpack(source.read(LENGTH.size))
            block = cipher.decrypt(prefix + number.to_bytes(8, "big"), source.read(length), kind)
            number += 1
            if kind == b"last":
                return
            yield block
    except (InvalidTag, struct.error):
        pass
    raise EnvironmentFailedError(
        "A landed file is damaged or was sealed with another key. Restore it or the key from the backup.",
        "Một tệp trong kho tiếp nhận bị hỏng hoặc được mã hóa bằng khóa khác. Hãy khôi phục tệp hoặc khóa từ bản sao lưu.",
    )
