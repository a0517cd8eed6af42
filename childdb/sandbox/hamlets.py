"""Names of hamlets and street groups, by kind of region, with the ways officers shorten them."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa

from childdb.sandbox.columns import Column, column
from childdb.sandbox.geography import Geography
from childdb.sandbox.hashing import Dice, Ints
from childdb.sandbox.reference_tables import document

PER_COMMUNE = 16
_KINDS = {
    "mountain": ("Bản", "Thôn", "Bản"),
    "highland": ("Buôn", "Thôn", "Làng"),
    "mekong": ("Ấp", "Ấp", "Ấp"),
    "coast": ("Thôn", "Thôn", "Xóm"),
    "delta": ("Thôn", "Xóm", "Thôn"),
    "city": ("Thôn", "Thôn", "Ấp"),
}
_URBAN = {"mekong": "Khóm", "city": "Khu phố"}


@cache
def _named() -> list[str]:
    text = cast(dict[str, Any], document("names"))["hamlets"]["named"]
    return [name.strip() for name in text.split(",")]


def _names_of(geography: Geography, commune: int, drawn: Ints) -> list[str]:
    region = geography.region[commune]
    if not geography.is_rural[commune]:
        kind = _URBAN.get(region, "Tổ dân phố")
        return [f"{kind} {place + 1}" for place in range(PER_COMMUNE)]
    kind = _KINDS[region][commune % 3]
    if kind in {"Ấp", "Xóm"} or commune % 5 == 0:
        return [f"{kind} {place + 1}" for place in range(PER_COMMUNE)]
    named = _named()
    return [f"{kind} {named[(int(drawn[0]) + 7 * place) % len(named)]}" for place in range(PER_COMMUNE)]


def _short(name: str) -> str:
    for long, short in (
        ("Tổ dân phố ", "TDP "),
        ("Khu phố ", "KP"),
        ("Thôn ", "T."),
        ("Ấp ", "A"),
        ("Khóm ", "K"),
        ("Xóm ", "X."),
    ):
        if name.startswith(long):
            return short + name[len(long) :]
    return name.lower()


class Hamlets:
    """All hamlets of one nation as one pool: official names, then the short forms."""

    def __init__(self, geography: Geography, dice: Dice) -> None:
        count = len(geography.communes)
        drawn = dice.below("hamlet names", np.arange(count), len(_named()))
        names = [
            name for place in range(count) for name in _names_of(geography, place, drawn[place : place + 1])
        ]
        self._size = len(names)
        self._pool = column(names + [_short(name) for name in names], pa.string())

    def text(self, commune: Ints, hamlet: Ints, short: Ints) -> Column:
        """Return the hamlet's name, or its short form where ``short`` is 1."""
        return self._pool.take(column(commune * PER_COMMUNE + hamlet + short * self._size))
