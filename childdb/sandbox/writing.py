"""Numbers and names of rows as text, and the few misprints that are made row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from childdb.sandbox.columns import Column, column
from childdb.sandbox.hashing import Bools, Dice, Floats, Ints

Texts = npt.NDArray[np.object_]


def padded(numbers: Ints, width: int) -> Column:
    """Return whole numbers as text with leading zeros; negative ones are NULL."""
    texts = pc.utf8_lpad(pc.cast(column(numbers, mask=numbers < 0), pa.string()), width, "0")
    return texts


def plain(numbers: Ints) -> Column:
    """Return whole numbers as text; negative ones are NULL."""
    return pc.cast(column(numbers, mask=numbers < 0), pa.string())


def without(rows: Bools, texts: Column) -> Column:
    """Return the texts with NULL at some rows."""
    return pc.replace_with_mask(texts, column(rows), pa.scalar(None, texts.type))


def drawn_errors(uniform: Floats, rates: Mapping[str, float]) -> tuple[Ints, list[str]]:
    """Return per cell the position (−1: none) of at most one error in the list of ids, and that list."""
    ids = list(rates)
    if not ids:
        return np.full(len(uniform), -1), ids
    edges = np.cumsum([rates[name] for name in ids])
    found = np.searchsorted(edges, uniform, side="right")
    return np.where(found < len(ids), found, -1), ids


def put(texts: Column, positions: Ints, values: list[str | None]) -> Column:
    """Return the texts with new values at some positions."""
    if not len(positions):
        return texts
    order = np.argsort(positions, kind="stable")
    mask = np.zeros(len(texts), dtype=bool)
    mask[positions] = True
    return pc.replace_with_mask(texts, column(mask), column([values[place] for place in order], pa.string()))


def rewrite(texts: Column, rows: Bools | Ints, change: Callable[[str, int], str | None]) -> Column:
    """Return the texts with ``change(text, row)`` applied at some rows; NULL stays NULL."""
    positions = np.flatnonzero(rows) if rows.dtype == bool else rows
    if not len(positions):
        return texts
    olds = texts.take(column(positions)).to_pylist()
    news = [None if old is None else change(old, int(row)) for old, row in zip(olds, positions, strict=True)]
    return put(texts, cast(Ints, positions), news)


def odd_spaces(text: str, which: int) -> str:
    """Return a name with spare, special or missing blanks."""
    first, _, rest = text.partition(" ")
    if not rest:
        return f" {text}" if which % 2 else f"{text} "
    return (f"{first}  {rest}", f" {text} ", f"{first}\u00a0{rest}", f"{text}\u200b", f"{first}{rest}")[
        which % 5
    ]


def separated(number: str, which: int) -> str:
    """Return a 12-digit number with separators or stray text."""
    parts = [number[place : place + 3] for place in range(0, 12, 3)]
    return (
        " ".join(parts),
        ".".join(parts),
        f"CCCD: {number}",
        f"\u2019{number}",
        "-".join(parts),
        f"{number} ",
    )[which % 6]


def wrong_length(number: str, which: int) -> str:
    """Return a number with one digit lost or one too many, never at its start."""
    place = 4 + which % 7
    return (
        number[:place] + number[place + 1 :] if which % 3 else number[:place] + number[place] + number[place:]
    )


def with_letters(number: str, which: int) -> str:
    """Return a number with letters that look like its digits."""
    table = str.maketrans({"0": "O"}) if which % 2 else str.maketrans({"0": "O", "1": "l"})
    return number[:1] + number[1:].translate(table)


def insurance(number: str, which: int) -> str:
    """Return what stands on a child's health insurance card: fifteen signs, or its ten digits."""
    digits = f"{int(number) * 7919 % 10**10:010d}"
    return f"TE1{number[1:3]}{digits}" if which % 3 else f"9{digits[1:]}"


def digit_error(number: str, which: int) -> str:
    """Return a number with two neighbours exchanged or one digit changed, so that sex or year no longer fits."""
    if which % 2 and number[4] != number[5]:
        return number[:4] + number[5] + number[4] + number[6:]
    return number[:5] + str((int(number[5]) + 3) % 10) + number[6:]


def other_year(number: str, _which: int) -> str:
    """Return a number whose two year digits are one too low."""
    return f"{number[:4]}{(int(number[4:6]) - 1) % 100:02d}{number[6:]}"


def other_number(number: str, which: int) -> str:
    """Return another number of the same structure, as before a re-establishment."""
    return f"{number[:6]}{(int(number[6:]) * 31 + 977 + which) % 1_000_000:06d}"


def provisional(number: str, which: int) -> str:
    """Return a provisional code of the education sector."""
    return f"HS20{which % 6 + 18}{int(number) % 1_000_000:06d}"


def dummy(_number: str, which: int) -> str:
    """Return a number that stands for none."""
    return ("000000000000", "111111111111", "123456789012", "999999999999", "012345678910")[which % 5]


def scientific(number: str, _which: int) -> str:
    """Return a number as a spreadsheet shows a wide one, its digits lost."""
    return f"{float(number):.2E}".replace("E+0", "E+").replace("E+", "E+")


NUMBER_ERRORS: Mapping[str, Callable[[str, int], str]] = {
    "E03": scientific,
    "E04": separated,
    "E05": wrong_length,
    "E06": with_letters,
    "E08": insurance,
    "E10": digit_error,
    "E12": other_year,
    "E13": other_number,
    "E15": provisional,
    "E16": dummy,
}


def old_card(number: int) -> str:
    """Return a nine-digit card number."""
    return f"{number * 104_729 % 10**9:09d}"


def switch(dice: Dice, stream: str, index: Ints) -> Ints:
    """Return a small whole number per row that picks one of a misprint's forms."""
    return dice.below(stream, index, 1 << 20)
