"""Personal numbers at rest: found through a keyed index, read back only through AES-GCM."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

from childdb.vault.keys import Keys, Purpose

NONCE_BYTES = 12
COPY_NUMBERS = "copy new_numbers (child_id, number_index, number_sealed, key_version) from stdin"


def lookup_index(key: bytes, number: str) -> bytes:
    """Return the keyed index of a number: equal for equal numbers, worthless without the key."""
    return hmac.new(key, number.encode(), hashlib.sha256).digest()


def seal(key: bytes, text: str, bound_to: str) -> bytes:
    """Return ``text`` encrypted and bound to the row it belongs to."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> str:
    """Return what ``seal`` took; raises ``cryptography.exceptions.InvalidTag`` on another row's value."""
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode()).decode()


def store_numbers(connection: Connection, keys: Keys, numbers: Iterable[tuple[str, str]]) -> int:
    """Replace the numbers of the given children, pairs of (child_id, number), and return how many."""
    lookup, read_back = keys.derive(Purpose.LOOKUP), keys.derive(Purpose.READ_BACK)
    connection.execute("create temporary table new_numbers (like vault.child_numbers) on commit drop")
    count = 0
    with connection.cursor().copy(COPY_NUMBERS) as copy:
        for child_id, number in numbers:
            sealed = seal(read_back, number, child_id)
            copy.write_row((child_id, lookup_index(lookup, number), sealed, keys.version))
            count += 1
    connection.execute(
        "delete from vault.child_numbers as old where not exists "
        "(select 1 from new_numbers as new where new.child_id = old.child_id and new.number_index = old.number_index)"
    )
    connection.execute("insert into vault.child_numbers select * from new_numbers on conflict do nothing")
    return count
