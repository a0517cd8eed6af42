"""Personal numbers at rest: found through a keyed index, read back only through AES-GCM."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import date

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

from childdb.vault.keys import Keys, Purpose

NONCE_BYTES = 12
COPY_NUMBERS = "copy new_numbers (child_id, number_index, number_sealed, key_version) from stdin"
# An index made with an earlier key tells nothing of whether the number changed: such a row is sealed anew, not closed.
KEEP_FORMER = """
with gone as (
    delete from vault.child_numbers as old
    where not exists (
        select 1 from new_numbers as new
        where new.child_id = old.child_id and new.number_index = old.number_index
    )
    returning old.*
)
insert into vault.former_numbers (
    child_id, number_index, number_sealed, key_version, source,
    valid_from_date, valid_to_date, noted_date, replaced_by_index
)
select
    gone.child_id, gone.number_index, gone.number_sealed, gone.key_version, 'population',
    least(gone.valid_from_date, %(on)s), %(on)s, %(on)s, new.number_index
from gone
left join new_numbers as new on gone.child_id = new.child_id
where gone.key_version = %(key_version)s
"""
NOTE_REGISTER = """
insert into vault.former_numbers (
    child_id, number_index, number_sealed, key_version, source, noted_date, replaced_by_index
)
select new.child_id, new.number_index, new.number_sealed, new.key_version, 'register', %(on)s, held.number_index
from new_numbers as new
inner join vault.child_numbers as held on new.child_id = held.child_id
where new.number_index <> held.number_index
on conflict do nothing
"""


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


def store_numbers(connection: Connection, keys: Keys, numbers: Iterable[tuple[str, str]], *, on: date) -> int:
    """Replace the numbers of all children by pairs of (child_id, number) and return how many there are.

    A number that another takes the place of, or that is confirmed no more, stays in ``vault.former_numbers`` until ``on``.
    """
    count = _lay_out(connection, keys, numbers)
    connection.execute(KEEP_FORMER, {"on": on, "key_version": keys.version})
    connection.execute(
        "insert into vault.child_numbers (child_id, number_index, number_sealed, key_version, valid_from_date) "
        "select child_id, number_index, number_sealed, key_version, %s from new_numbers on conflict do nothing",
        [on],
    )
    return count


def note_register_numbers(
    connection: Connection, keys: Keys, numbers: Iterable[tuple[str, str]], *, on: date
) -> int:
    """Keep the numbers that lists give beside a child's confirmed one, pairs of (child_id, number); return the new ones.

    Such a number may be one that was cancelled, or a slip of the pen: it is kept, and nothing is concluded from it.
    """
    _lay_out(connection, keys, numbers)
    return connection.execute(NOTE_REGISTER, {"on": on}).rowcount


def _lay_out(connection: Connection, keys: Keys, numbers: Iterable[tuple[str, str]]) -> int:
    lookup, read_back = keys.derive(Purpose.LOOKUP), keys.derive(Purpose.READ_BACK)
    connection.execute("drop table if exists pg_temp.new_numbers")
    connection.execute(
        "create temporary table new_numbers "
        "(child_id text, number_index bytea, number_sealed bytea, key_version text) on commit drop"
    )
    count = 0
    with connection.cursor().copy(COPY_NUMBERS) as copy:
        for child_id, number in numbers:
            sealed = seal(read_back, number, child_id)
            copy.write_row((child_id, lookup_index(lookup, number), sealed, keys.version))
            count += 1
    return count
