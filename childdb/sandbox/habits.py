"""Habits of the officers who write the lists: one draw per commune and habit, as in life."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from childdb.sandbox.hashing import Bools, Dice, Floats, Ints
from childdb.sandbox.profiles import Profile
from childdb.sandbox.spelling import Style

SEX_CODINGS = (
    ("Nam", "Nữ"),
    ("nam", "nữ"),
    ("NAM", "NỮ"),
    ("Nam", "Nu"),
    ("M", "F"),
    ("1", "2"),
    ("1", "0"),
    ("0", "1"),
)
_STYLE_OF = {
    "E17": Style.DECOMPOSED,
    "E21": Style.TCVN3,
    "E22": Style.VNI,
    "E23": Style.MOJIBAKE,
    "E24": Style.QUESTION,
    "E25": Style.LOOKALIKE,
}


@dataclass(frozen=True)
class Habits:
    """Per commune: how names are written, dates and codes put, numbers kept."""

    style: Ints
    style_ids: tuple[tuple[str, ...], ...]
    lost_zeros: Bools
    tone_moved: Bools
    joined: Bools
    date_form: Ints
    sex_coding: Ints
    ethnic_alias: Bools
    other_ethnic_list: Bools
    short_places: Bools
    phone_zero_lost: Bools
    id_missing: Floats


def build_habits(profile: Profile, dice: Dice, communes: int) -> Habits:
    """Return the habits of every commune's officer."""
    place = np.arange(communes)

    def has(error: str) -> Bools:
        return dice.chance(f"officer {error}", place, profile.files.get(error, 0.0))

    style, ids = _styles(profile, dice, place)
    spread = profile.id_missing_spread
    missing = np.clip(profile.id_missing_mean + spread * (dice.uniform("id habit", place) * 2 - 1), 0.0, 0.97)
    odd_dates = has("E42")
    typed_dates = has("E34") & ~odd_dates
    forms = np.where(
        odd_dates,
        1 + dice.below("date form", place, 5),
        np.where(typed_dates, 6 + dice.below("typed form", place, 2), 0),
    )
    coding = np.where(has("E44"), 1 + dice.below("sex coding", place, profile.sex_codings - 1), 0)
    other_list = has("E48")
    return Habits(
        style,
        ids,
        has("E02"),
        has("E18"),
        has("E31"),
        forms,
        coding,
        has("E47") & ~other_list,
        other_list,
        has("E54"),
        has("P-zero"),
        missing,
    )


def _styles(profile: Profile, dice: Dice, place: Ints) -> tuple[Ints, tuple[tuple[str, ...], ...]]:
    """Return the style of each officer and the errors it stands for; at most one damage of letters, and case beside it."""
    style = np.full(len(place), int(Style.PLAIN))
    upper = dice.chance("officer E26", place, profile.files.get("E26", 0.0))
    lower = upper & dice.chance("officer lower", place, 0.2)
    style[upper], style[lower] = Style.UPPER, Style.LOWER
    bare = dice.chance("officer E20", place, profile.files.get("E20", 0.0))
    style[bare] = np.where(upper[bare] & ~lower[bare], Style.FOLDED_UPPER, Style.FOLDED)
    ids: list[list[str]] = [["E26"] if up else [] for up in upper]
    for commune in np.flatnonzero(bare):
        ids[commune] = ["E20", "E26"] if style[commune] == Style.FOLDED_UPPER else ["E20"]
    for error, damaged in _STYLE_OF.items():
        hit = dice.chance(f"officer {error}", place, profile.files.get(error, 0.0)) & (style == Style.PLAIN)
        style[hit] = damaged
        for commune in np.flatnonzero(hit):
            ids[commune] = [error]
    return style, tuple(tuple(names) for names in ids)
