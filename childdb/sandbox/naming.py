"""Names of children and parents: by ethnic group, region, sex and household."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from childdb.sandbox.geography import Geography
from childdb.sandbox.hashing import Bools, Dice, Floats, Ints
from childdb.sandbox.lexicon import NONE, SOUTHERN_KINH, WIDTH, Draw, Lexicon, SexNames

MALE, FEMALE = 0, 1
_MATRILINEAL = (10, 12, 16, 36)


class Namer:
    """Draws name tokens for one nation."""

    dice: Dice
    lexicon: Lexicon
    geography: Geography

    def _names(
        self,
        index: Ints,
        household: Ints,
        order: Ints,
        twin: Bools,
        sex: Ints,
        ethnic: Ints,
        mother_ethnic: Ints,
        lead: Ints,
        commune: Ints,
    ) -> tuple[Ints, Ints, Ints]:
        south = np.array([int(row["province_code"]) >= 48 for row in self.geography.communes])[commune]
        group = np.where((ethnic == 1) & south, SOUTHERN_KINH, ethnic)
        mother_group = np.where((mother_ethnic == 1) & south, SOUTHERN_KINH, mother_ethnic)
        leads = np.flatnonzero(order == 0)
        place = np.searchsorted(leads, lead)
        hh = household[leads]
        fathers = self._parent_names(hh, group[leads], MALE, "father")
        mothers = self._parent_names(hh, mother_group[leads], FEMALE, "mother")
        family = np.where(
            np.isin(ethnic[leads], _MATRILINEAL), self.family_of(mothers), self.family_of(fathers)
        )[place]
        given = self.dice.uniform("given", index)
        name = self.child_names(index, household, twin, sex, group, family, given)
        for lag in (1, 2, 3):
            same = np.zeros(len(index), dtype=bool)
            same[lag:] = (order[lag:] >= lag) & (name[lag:] == name[:-lag]).all(axis=1)
            if same.any():
                at = np.flatnonzero(same)
                given[at] = (given[at] + 0.37) % 1.0
                name[at] = self.child_names(
                    index[at], household[at], twin[at], sex[at], group[at], family[at], given[at]
                )
        return name, mothers[place], fathers[place]

    @staticmethod
    def family_of(tokens: Ints) -> Ints:
        """Return a parent's family name: the clan at the end if there is one, else the first token."""
        return np.where(tokens[:, 4] != NONE, tokens[:, 4], tokens[:, 0])

    def child_names(
        self, index: Ints, household: Ints, twin: Bools, sex: Ints, group: Ints, family: Ints, given: Floats
    ) -> Ints:
        dice = self.dice
        shared = dice.chance("shared middle", index, np.where(twin, 0.75, 0.2))
        source = np.where(shared, household, index)
        middle, second = dice.uniform("middle", source), dice.uniform("second middle", source)
        parts = (middle, second, given, dice.uniform("style of name", index))
        return self._built(group, sex, family, parts, self.lexicon.kinh, second_share=0.38)

    def _parent_names(self, household: Ints, group: Ints, sex: int, who: str) -> Ints:
        dice = self.dice
        family = np.full(len(household), NONE, dtype=np.int64)
        drawn = dice.uniform(f"{who} family", household)
        for code in np.unique(group):
            at = np.flatnonzero(group == code)
            family[at] = self.lexicon.groups[int(code)].surnames.at(drawn[at])
        streams = ("middle", "second", "given", "style")
        parts = tuple(dice.uniform(f"{who} {stream}", household) for stream in streams)
        sexes = np.full(len(household), sex)
        return self._built(group, sexes, family, cast(Any, parts), self.lexicon.parents, second_share=0.12)

    def _built(
        self,
        group: Ints,
        sex: Ints,
        family: Ints,
        parts: tuple[Floats, Floats, Floats, Floats],
        kinh: tuple[SexNames, SexNames],
        second_share: float,
    ) -> Ints:
        """Return tokens: surname or marker, middle, second middle, given, clan at the end."""
        tokens = np.full((len(group), WIDTH), NONE, dtype=np.int64)
        for code in np.unique(group):
            names = self.lexicon.groups[int(code)]
            for which in (MALE, FEMALE):
                at = np.flatnonzero((group == code) & (sex == which))
                if len(at):
                    part = tuple(values[at] for values in parts)
                    tokens[at] = _one_group(
                        names.order,
                        names.kinh_share,
                        names.sexes[which],
                        kinh[which],
                        family[at],
                        cast(Any, part),
                        second_share,
                    )
        return tokens


def _one_group(
    order: str,
    kinh_share: float,
    own: SexNames,
    kinh: SexNames,
    family: Ints,
    parts: tuple[Floats, Floats, Floats, Floats],
    second_share: float,
) -> Ints:
    middle, second, given, style = parts
    tokens = np.full((len(family), WIDTH), NONE, dtype=np.int64)
    as_kinh = style < kinh_share
    marked = own.marker is not None and order != "none"
    tokens[:, 3] = np.where(as_kinh, kinh.given.at(given), own.given.at(given))
    tokens[:, 1] = np.where(as_kinh, kinh.middle.at(middle), own.middle.at(middle))
    wants_second = as_kinh & ((style / kinh_share) < second_share)
    tokens[:, 2] = np.where(wants_second, kinh.middle.at(second), NONE)
    tokens[tokens[:, 2] == tokens[:, 1], 2] = NONE
    tokens[tokens[:, 2] == tokens[:, 3], 2] = NONE
    tokens[tokens[:, 1] == tokens[:, 3], 1] = NONE
    if order == "first":
        tokens[:, 0] = family
    _place_family(tokens, order, own.marker, as_kinh, family, middle, marked)
    return tokens


def _place_family(
    tokens: Ints, order: str, marker: Draw | None, as_kinh: Bools, family: Ints, middle: Floats, marked: bool
) -> None:
    if order == "last":
        tokens[:, 4] = family
        tokens[:, 1:3] = NONE
        tokens[:, 0] = marker.at(middle) if marker is not None else NONE
    elif order == "none":
        sign = marker.at(middle) if marker is not None else family
        tokens[:, 0] = np.where(as_kinh, family, sign)
        tokens[~as_kinh, 1] = NONE
    elif marked and marker is not None:
        tokens[:, 1] = np.where(as_kinh, tokens[:, 1], marker.at(middle))
