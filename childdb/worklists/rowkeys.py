"""Row keys of the lists: opaque, and bound by a keyed hash to everything the row shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata

KEY_CHARACTERS = 16
HASH_CHARACTERS = 16
_FORM = re.compile(rf"^[A-Z2-7]{{{KEY_CHARACTERS}}}-[A-Z2-7]{{{HASH_CHARACTERS}}}$")


def row_key(key: bytes, batch_id: str, item_id: str) -> str:
    """Return the opaque key of an item in one batch."""
    return _digest(key, ("row", batch_id, item_id), KEY_CHARACTERS)


def row_hash(key: bytes, row: str, commune_id: str, item_class: str, shown: tuple[str, ...]) -> str:
    """Return the keyed hash over what the row shows: it changes with any cell a person edits."""
    return _digest(key, ("shown", row, commune_id, item_class, *map(cell_text, shown)), HASH_CHARACTERS)


def written_key(row: str, digest: str) -> str:
    """Return what stands in the first column."""
    return f"{row}-{digest}"


def split_key(text: str) -> tuple[str, str] | None:
    """Return key and hash of a first cell; None if it is not of our form."""
    plain = cell_text(text).upper().replace(" ", "")
    if not _FORM.match(plain):
        return None
    return plain[:KEY_CHARACTERS], plain[KEY_CHARACTERS + 1 :]


def cell_text(text: str | None) -> str:
    """Return a cell as every spreadsheet program gives it back: composed letters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text or "").split())


def _digest(key: bytes, parts: tuple[str, ...], length: int) -> str:
    # Lengths before the parts: no two different rows give the same bytes.
    message = "".join(f"{len(part)}:{part}" for part in parts).encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:length]
