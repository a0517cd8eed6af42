"""The pool of name tokens, and who draws which of them: by ethnic group and sex."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from childdb.sandbox.columns import Column, column
from childdb.sandbox.hashing import Bools, Floats, Ints, cumulative, rank_weights
from childdb.sandbox.reference_tables import document, rows_of
from childdb.sandbox.spelling import STYLES, Style, by_ear

NONE = -1
WIDTH = 5
# What stands in a name cell when there is no name yet, and notes that officers add behind a name.
PLACEHOLDERS = ("Trai", "Gái", "Bé trai", "Bé gái", "Chưa đặt tên", "Con trai", "Con gái")
NOTES = ("(đã chuyển đi)", "(tạm trú)", "(con nuôi)", "- ở với bà ngoại", "(trùng)", "(mới chuyển đến)")


@dataclass(frozen=True)
class Draw:
    """Tokens with their cumulative shares."""

    codes: Ints
    shares: Floats

    def at(self, uniform: Floats) -> Ints:
        """Return the token of each uniform number."""
        result: Ints = self.codes[np.searchsorted(self.shares, uniform, side="right")]
        return result


@dataclass(frozen=True)
class SexNames:
    """What children of one group and sex are called between surname and clan."""

    marker: Draw | None
    middle: Draw
    given: Draw


@dataclass(frozen=True)
class GroupNames:
    """How one ethnic group builds names: ``order`` is ``first``, ``last`` or ``none`` (place of the family name)."""

    order: str
    surnames: Draw
    kinh_share: float
    sexes: tuple[SexNames, SexNames]


@dataclass
class Pool:
    """All tokens; a token's variant in style s has the code ``code + s * size``."""

    words: list[str] = field(default_factory=list)
    _codes: dict[str, int] = field(default_factory=dict)

    def code(self, word: str) -> int:
        """Return the code of a word, adding it if it is new."""
        found = self._codes.get(word)
        if found is None:
            found = self._codes[word] = len(self.words)
            self.words.append(word)
        return found

    def codes(self, words: list[str]) -> Ints:
        """Return the codes of several words; ``-`` stands for no token."""
        return np.array([NONE if word == "-" else self.code(word) for word in words], dtype=np.int64)


@dataclass(frozen=True)
class Lexicon:
    """The finished pool with its variants, and the names of every group and of parents."""

    size: int
    ear: Ints
    initial: Ints
    strings: Column
    groups: dict[int, GroupNames]
    kinh: tuple[SexNames, SexNames]
    parents: tuple[SexNames, SexNames]
    placeholders: Ints
    notes: Ints
    differs: Bools

    def text(self, tokens: Ints, styles: Ints) -> Column:
        """Return names: the row's tokens (−1 for none) in the row's style, joined by a blank; no token at all is NULL."""
        nothing = (tokens == NONE).all(axis=1)
        # pyarrow drops rows whose parts are all NULL, so such a row gets a first token that is blanked again below.
        first = np.where(nothing, 0, tokens[:, 0])
        columns = [self._column(codes, styles) for codes in (first, *tokens.T[1:])]
        joined = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
        return cast(Column, pc.replace_with_mask(joined, column(nothing), pa.scalar(None, pa.string())))

    def changed_by(self, tokens: Ints, styles: Ints) -> Bools:
        """Return which rows a style writes otherwise than plain."""
        places = np.where(tokens == NONE, len(self.differs) - 1, tokens + styles[:, None] * self.size)
        result: Bools = np.any(self.differs[places], axis=1)
        return result

    def _column(self, codes: Ints, styles: Ints) -> Column:
        absent = codes == NONE
        if absent.all():
            return pa.nulls(len(codes), pa.string())
        return self.strings.take(column(codes + styles * self.size, mask=absent))


def _listed(text: str) -> list[str]:
    parts = text.split(",") if "," in text else text.split()
    return [part.strip().strip('"') for part in parts]


def _draw(pool: Pool, words: list[str], *, flat: bool = False) -> Draw:
    shift = 30.0 if flat else 4.0
    return Draw(pool.codes(words), cumulative(rank_weights(len(words), shift)))


def _surnames(pool: Pool, region_south: bool) -> Draw:
    words, weights = [], []
    for row in rows_of("surname_weights"):
        names = row["surname"].split("/")
        words.append(names[-1] if region_south else names[0])
        weights.append(float(row["share_percent_le_trung_hoa_2005"]))
    rare = _listed(cast(Any, document("names"))["kinh"]["rare_surnames"])
    left = 100.0 - sum(weights)
    tail = rank_weights(len(rare), 8.0)
    return Draw(pool.codes(words + rare), cumulative([*weights, *(left * tail / tail.sum())]))


def _elements() -> dict[str, dict[tuple[str, str], list[str]]]:
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for row in rows_of("minority_name_elements"):
        if row["kind"] == "no surname":
            continue
        kind = row["kind"].split(" (")[0]
        found.setdefault(row["ethnic_code_tctk_1979"], {}).setdefault((kind, row["sex"]), []).append(
            row["element"]
        )
    return found


def _markers(elements: dict[tuple[str, str], list[str]], sex: str) -> list[str]:
    kinds = ("sex marker", "sex marker or surname")
    return [word for kind in kinds for word in elements.get((kind, sex), []) if word not in {"H", "Neáng"}]


def _group(pool: Pool, code: str, elements: dict[tuple[str, str], list[str]], kinh: GroupNames) -> GroupNames:
    names = cast(Any, document("names"))
    special = names["groups"].get(code)
    last = elements.get(("clan name, last", "any"), [])
    family = (
        elements.get(("surname", "any"), [])
        + elements.get(("clan name", "any"), [])
        + elements.get(("clan name, first", "any"), [])
    )
    listed = names["default_minority_surnames"].get(code)
    if not (last or family) and listed:
        family = _listed(listed)
    sexes = tuple(
        _sex_names(pool, special, elements, sex, kinh.sexes[position])
        for position, sex in enumerate(("male", "female"))
    )
    order = "last" if last else "first" if family else "none"
    surnames = _draw(pool, last or family) if (last or family) else kinh.surnames
    share = float(special["kinh_share"]) if special else 1.0
    return GroupNames(order, surnames, share, cast(tuple[SexNames, SexNames], sexes))


def _sex_names(
    pool: Pool, special: Any, elements: dict[tuple[str, str], list[str]], sex: str, kinh: SexNames
) -> SexNames:
    if not special:
        return kinh
    marks = _markers(elements, sex)
    own = special[sex]
    middles = elements.get((f"{sex} middle name", sex), []) + _listed(own["middle"])
    return SexNames(
        _draw(pool, marks) if marks else None, _draw(pool, middles), _draw(pool, _listed(own["given"]))
    )


def _kinh(pool: Pool, *, south: bool) -> GroupNames:
    names = cast(Any, document("names"))["kinh"]
    sexes = [
        SexNames(None, _draw(pool, _listed(names[sex]["middle"])), _draw(pool, _listed(names[sex]["given"])))
        for sex in ("male", "female")
    ]
    return GroupNames("first", _surnames(pool, south), 1.0, (sexes[0], sexes[1]))


def _parents(pool: Pool, kinh: GroupNames) -> tuple[SexNames, SexNames]:
    names = cast(Any, document("names"))["parents"]
    built = []
    for position, sex in enumerate(("male", "female")):
        given = Draw(
            kinh.sexes[position].given.codes,
            cumulative(rank_weights(len(kinh.sexes[position].given.codes), 30.0)),
        )
        built.append(SexNames(None, _draw(pool, _listed(names[f"{sex}_middle"]), flat=True), given))
    return built[0], built[1]


SOUTHERN_KINH = 101


@cache
def lexicon() -> Lexicon:
    """Return the lexicon, built once per process."""
    pool = Pool()
    kinh = _kinh(pool, south=False)
    groups = {1: kinh, SOUTHERN_KINH: _kinh(pool, south=True)}
    elements = _elements()
    for row in rows_of("codes_ethnic_groups"):
        code = row["ethnic_group_code"]
        if code != "01":
            groups[int(code)] = _group(pool, code, elements.get(code, {}), kinh)
    parents = _parents(pool, kinh)
    placeholders, notes = pool.codes(list(PLACEHOLDERS)), pool.codes(list(NOTES))
    return _finished(pool, groups, parents, placeholders, notes)


def _finished(
    pool: Pool,
    groups: dict[int, GroupNames],
    parents: tuple[SexNames, SexNames],
    placeholders: Ints,
    notes: Ints,
) -> Lexicon:
    base = len(pool.words)
    ear = np.array([pool.code(by_ear(word)) for word in pool.words[:base]], dtype=np.int64)
    initial = np.array([pool.code(f"{word[0]}.") for word in pool.words[:base]], dtype=np.int64)
    size = len(pool.words)
    variants = [STYLES[style](word) for style in Style for word in pool.words]
    differs = np.array(
        [variant != word for variant, word in zip(variants, pool.words * len(Style), strict=True)] + [False]
    )
    keep = np.arange(size, dtype=np.int64)
    ear, initial = np.concatenate([ear, keep[base:]]), np.concatenate([initial, keep[base:]])
    kinh = groups[1].sexes
    return Lexicon(
        size,
        ear,
        initial,
        column(variants, pa.string()),
        groups,
        kinh,
        parents,
        placeholders,
        notes,
        differs,
    )
