"""Children and their households as arrays: any block of the nation from its number alone."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np

from childdb.sandbox.geography import BLOCK, MERGER, Delivery, Geography, day_number
from childdb.sandbox.hashing import Bools, Dice, Floats, Ints, cumulative, pick, rank_within, stream_key
from childdb.sandbox.lexicon import NONE, SOUTHERN_KINH, WIDTH, Draw, Lexicon, SexNames, lexicon
from childdb.sandbox.profiles import Profile
from childdb.sandbox.reference_tables import document, rows_of

MALE, FEMALE = 0, 1
_LOCAL, _ELSEWHERE = 64, 16
_CARRIERS = np.array([32, 33, 34, 35, 36, 37, 38, 39, 70, 76, 77, 78, 79, 81, 82, 83, 84, 85, 86, 88, 89, 90, 91, 93, 94, 96, 97, 98])
_MATRILINEAL = (10, 12, 16, 36)


@dataclass(frozen=True)
class People:
    """One row per child; days count from 1970-01-01, numbers are whole numbers, −1 is none."""

    index: Ints
    commune: Ints
    household: Ints
    order: Ints
    twin: Bools
    former: Ints
    sex: Ints
    birth: Ints
    year: Ints
    ethnic: Ints
    name: Ints
    mother: Ints
    father: Ints
    number: Ints
    sibling_number: Ints
    mother_number: Ints
    father_number: Ints
    mother_year: Ints
    father_year: Ints
    mother_phone: Ints
    father_phone: Ints
    hamlet: Ints
    household_no: Ints
    certificate: Ints
    listed: Bools
    registered: Bools
    died: Bools
    left: Bools
    change_day: Ints
    home: Ints

    def __len__(self) -> int:
        return len(self.index)

    def take(self, positions: Ints) -> People:
        """Return the children at these positions, in this order."""
        return replace(self, **{item.name: getattr(self, item.name)[positions] for item in fields(self)})


def _of_sibling(number: Ints, order: Ints) -> Ints:
    """Return the number of the brother or sister beside each child; −1 for an only child."""
    before, after = np.roll(number, 1), np.roll(number, -1)
    has_after = np.append(order[1:] > 0, False)
    return np.where(order > 0, before, np.where(has_after, after, -1))


def child_head(prefix: Ints, sex: Ints, year: Ints) -> Ints:
    """Return the first six digits of a child's number as a whole number."""
    return (prefix * 10 + 2 + sex) * 100 + year % 100


def years_of(days: Ints) -> Ints:
    """Return calendar years of day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


class Nation:
    """One synthetic nation: geography, seed and error profile; makes people block by block."""

    def __init__(self, seed: int, geography: Geography, profile: Profile) -> None:
        self.seed, self.geography, self.profile = seed, geography, profile
        self.dice = Dice(seed)
        self.lexicon: Lexicon = lexicon()
        self.settings = cast(dict[str, Any], document("nation"))
        self._prefixes = np.array([int(row["id_digits_1_3"]) for row in rows_of("number_province_codes")])
        self._former_start, self._former_prefix = self._former_table()

    def _former_table(self) -> tuple[Ints, Ints]:
        counts = np.array([max(1, len(units)) for units in self.geography.former])
        prefixes = [[int(unit.province_code) for unit in units] or [0] for units in self.geography.former]
        return np.concatenate([[0], np.cumsum(counts)]), np.concatenate([np.array(row) for row in prefixes])

    def chunks(self, size: int = 262_144) -> list[tuple[int, int]]:
        """Return ranges of blocks of about ``size`` children each."""
        starts = self.geography.block_start
        edges = np.unique(np.searchsorted(starts, np.arange(0, self.geography.children, size)))
        edges = np.append(edges, self.geography.blocks)
        return [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]

    def people(self, first_block: int, last_block: int) -> People:
        """Return all children of blocks ``first_block`` (included) to ``last_block`` (not included)."""
        geography, dice = self.geography, self.dice
        lengths = np.diff(geography.block_start[first_block : last_block + 1])
        block = np.repeat(np.arange(first_block, last_block), lengths)
        index = np.arange(geography.block_start[first_block], geography.block_start[last_block])
        commune = geography.block_commune[block]
        order, household = self._households(first_block, last_block, index, block)
        lead = np.maximum.accumulate(np.where(order == 0, np.arange(len(index)), 0))
        twin = (order > 0) & dice.chance("twin", index, self.settings["households"]["twin_share"] / 0.38)
        birth = self._births(index, household, order, twin, commune)
        sex = dice.chance("sex", index, 0.478).astype(np.int64)
        year = years_of(birth)
        former = dice.below("former", household, np.diff(self._former_start)[commune])
        ethnic, mother_ethnic = self._ethnic(household, commune)
        tokens = self._names(index, household, order, twin, sex, ethnic, mother_ethnic, lead, commune)
        parents = self._parents(index, household, lead, block, commune, year, order)
        number = self._numbers(index, household, block, commune, former, birth, year, sex)
        return People(
            index, commune, household, order, twin, former, sex, birth, year, ethnic, *tokens, number, _of_sibling(number, order), *parents,
            *self._places(household, commune, block, index, birth), *self._status(index, household, birth, commune),
        )  # fmt: skip

    def _households(self, first: int, last: int, index: Ints, block: Ints) -> tuple[Ints, Ints]:
        """Return each child's order in its household and the household's number (the index of its first child)."""
        shares = cumulative(self.settings["households"]["sizes"])
        blocks = np.arange(first, last)
        slots = blocks[:, None] * BLOCK + np.arange(BLOCK)[None, :]
        sizes = pick(self.dice.uniform("household size", slots.ravel()), shares).reshape(slots.shape) + 1
        starts = np.cumsum(sizes, axis=1) - sizes
        is_first = np.zeros((len(blocks), BLOCK), dtype=bool)
        rows, columns = np.nonzero(starts < BLOCK)
        is_first[rows, starts[rows, columns]] = True
        inside = index - self.geography.block_start[block]
        begins = is_first[block - first, inside]
        lead = np.maximum.accumulate(np.where(begins, index, 0))
        return index - lead, lead

    def _births(self, index: Ints, household: Ints, order: Ints, twin: Bools, commune: Ints) -> Ints:
        """Return birth days inside the window before the commune's list: siblings apart, twins on one day."""
        window = int(self.settings["dates"]["window_years"] * 365.25)
        step = 430 + self.dice.below("sibling gap", index, 1150)
        step = np.where(twin | (order == 0), 0, step)
        base = self.dice.below("birth", household, window)
        total = np.cumsum(step)
        first = np.maximum.accumulate(np.where(order == 0, np.arange(len(index)), 0))
        offset = (base + total - total[first]) % window
        return self.geography.anchor_day[commune] - offset

    def _ethnic(self, household: Ints, commune: Ints) -> tuple[Ints, Ints]:
        geography = self.geography
        flat = geography.ethnic_shares.ravel()
        width = geography.ethnic_shares.shape[1]
        drawn = [
            geography.ethnic_codes[np.minimum(np.searchsorted(flat, self.dice.uniform(s, household) + commune, side="right") % width, width - 1)]
            for s in ("ethnic", "mother ethnic")
        ]
        mixed = self.dice.chance("mixed marriage", household, 0.07)
        return drawn[0], np.where(mixed, drawn[1], drawn[0])

    def _names(
        self, index: Ints, household: Ints, order: Ints, twin: Bools, sex: Ints, ethnic: Ints, mother_ethnic: Ints, lead: Ints, commune: Ints
    ) -> tuple[Ints, Ints, Ints]:
        south = np.array([int(row["province_code"]) >= 48 for row in self.geography.communes])[commune]
        group = np.where((ethnic == 1) & south, SOUTHERN_KINH, ethnic)
        mother_group = np.where((mother_ethnic == 1) & south, SOUTHERN_KINH, mother_ethnic)
        leads = np.flatnonzero(order == 0)
        place = np.searchsorted(leads, lead)
        hh = household[leads]
        fathers = self._parent_names(hh, group[leads], MALE, "father")
        mothers = self._parent_names(hh, mother_group[leads], FEMALE, "mother")
        family = np.where(np.isin(ethnic[leads], _MATRILINEAL), self.family_of(mothers), self.family_of(fathers))[place]
        given = self.dice.uniform("given", index)
        name = self.child_names(index, household, twin, sex, group, family, given)
        for lag in (1, 2, 3):
            same = np.zeros(len(index), dtype=bool)
            same[lag:] = (order[lag:] >= lag) & (name[lag:] == name[:-lag]).all(axis=1)
            if same.any():
                at = np.flatnonzero(same)
                given[at] = (given[at] + 0.37) % 1.0
                name[at] = self.child_names(index[at], household[at], twin[at], sex[at], group[at], family[at], given[at])
        return name, mothers[place], fathers[place]

    @staticmethod
    def family_of(tokens: Ints) -> Ints:
        """Return a parent's family name: the clan at the end if there is one, else the first token."""
        return np.where(tokens[:, 4] != NONE, tokens[:, 4], tokens[:, 0])

    def child_names(self, index: Ints, household: Ints, twin: Bools, sex: Ints, group: Ints, family: Ints, given: Floats) -> Ints:
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
        self, group: Ints, sex: Ints, family: Ints, parts: tuple[Floats, Floats, Floats, Floats], kinh: tuple[SexNames, SexNames], second_share: float
    ) -> Ints:
        """Return tokens: surname or marker, middle, second middle, given, clan at the end."""
        tokens = np.full((len(group), WIDTH), NONE, dtype=np.int64)
        for code in np.unique(group):
            names = self.lexicon.groups[int(code)]
            for which in (MALE, FEMALE):
                at = np.flatnonzero((group == code) & (sex == which))
                if len(at):
                    part = tuple(values[at] for values in parts)
                    tokens[at] = _one_group(names.order, names.kinh_share, names.sexes[which], kinh[which], family[at], cast(Any, part), second_share)
        return tokens

    def _numbers(self, index: Ints, household: Ints, block: Ints, commune: Ints, former: Ints, birth: Ints, year: Ints, sex: Ints) -> Ints:
        local = ~self.dice.chance("born elsewhere", household, 0.08)
        old = self._former_prefix[self._former_start[commune] + former]
        new = np.array([int(row["province_code"]) for row in self.geography.communes])[commune]
        home = np.where((birth < day_number(MERGER)) & (old > 0), old, new)
        away = self._prefixes[self.dice.below("born where", household, len(self._prefixes))]
        prefix = np.where(local, home, away)
        return self._slotted(child_head(prefix, sex, year), block, local)

    def _slotted(self, head: Ints, block: Ints, local: Bools) -> Ints:
        """Return 12-digit numbers that no two people of one kind share, whatever the part of the nation generated."""
        first = int(block[0]) if len(block) else 0
        rank = rank_within(((block - first) * 2 + local) * 1_000_000 + head)
        in_province = self.geography.block_in_province[block]
        slot = np.where(local, in_province * _LOCAL + np.minimum(rank, _LOCAL - 1), 500_000 + block * _ELSEWHERE + np.minimum(rank, _ELSEWHERE - 1))
        return self.in_slot(head, slot)

    def in_slot(self, head: Ints, slot: Ints) -> Ints:
        """Return the number that a head (province, sex, year) has in one of its million slots."""
        mixed = self.dice.words("number", head).astype(np.int64) & 0xFFFFFFFF
        factor = (mixed % 99_991) * 10 + np.array([1, 3, 7, 9])[mixed % 4]
        return head * 1_000_000 + (slot * factor + mixed % 999_983) % 1_000_000

    def _parents(self, index: Ints, household: Ints, lead: Ints, block: Ints, commune: Ints, year: Ints, order: Ints) -> tuple[Ints, ...]:
        """Return numbers, birth years and telephones of mother and father, from the household alone."""
        dice = self.dice
        leads = np.flatnonzero(order == 0)
        place = np.searchsorted(leads, lead)
        hh, at_block = household[leads], block[leads]
        oldest = np.minimum.reduceat(year, leads)
        mother_year = np.minimum(oldest - 18 - dice.below("mother age", hh, 15), 2006)
        father_year = mother_year - dice.below("father age", hh, 8) + 1
        province = np.array([int(row["province_code"]) for row in self.geography.communes])[commune[leads]]
        found = []
        for who, years, digit in (("mother", mother_year, 1), ("father", father_year, 0)):
            local = ~dice.chance(f"{who} from elsewhere", hh, 0.2)
            away = self._prefixes[dice.below(f"{who} from where", hh, len(self._prefixes))]
            head = (np.where(local, province, away) * 10 + digit + 2 * (years >= 2000)) * 100 + years % 100
            found.append(self._slotted(head, at_block, local)[place])
        phones = [self.phones(hh * 2 + who)[place] for who in (0, 1)]
        return found[0], found[1], mother_year[place], father_year[place], phones[0], phones[1]

    def phones(self, owner: Ints) -> Ints:
        """Return telephone numbers without the leading zero, one per owner."""
        space = len(_CARRIERS) * 10_000_000
        mixed = (owner * 96_269_341 + stream_key(self.seed, "phones") % space) % space
        return _CARRIERS[mixed // 10_000_000] * 10_000_000 + mixed % 10_000_000

    def _places(self, household: Ints, commune: Ints, block: Ints, index: Ints, birth: Ints) -> tuple[Ints, Ints, Ints]:
        """Return hamlet number, household number in the commune, and birth certificate number in commune and year."""
        geography = self.geography
        inside = household - geography.start[commune]
        size = np.diff(geography.start)[commune]
        hamlets = np.clip(size // 90, 3, 16)
        hamlet = np.minimum(inside * hamlets // np.maximum(size, 1), hamlets - 1)
        year = years_of(birth)
        by_day = np.lexsort((birth, year, block))
        rank = np.empty(len(index), dtype=np.int64)
        rank[by_day] = rank_within((block[by_day] - block[0]) * 4096 + year[by_day])
        in_commune = block - np.searchsorted(geography.block_commune, commune)
        return hamlet, inside + 1, in_commune * 120 + rank + 1

    def _status(self, index: Ints, household: Ints, birth: Ints, commune: Ints) -> tuple[Bools, Bools, Bools, Bools, Ints, Ints]:
        """Return: in the extract, in the register, died, left, the day of it (−1: none), and the commune of residence."""
        dice, last = self.dice, self.geography.anchor_day[commune]
        age = last - birth
        died = dice.chance("died", index, self.settings["shares"]["died"])
        left = ~died & dice.chance("left", household, self.settings["shares"]["moved_out"])
        moved = ~died & ~left & dice.chance("moved", household, self.profile.records.get("P-moved", 0.0))
        unlisted = dice.chance("unlisted", index, self.profile.unlisted * np.where(age < 60, 8.0, 0.85))
        registered = dice.chance("registered household", household, 1 - (1 - self.profile.registered) * 0.5)
        registered &= dice.chance("registered child", index, 1 - (1 - self.profile.registered) * np.where(age < 400, 2.5, 0.4))
        span = np.minimum(age + 1, 1100)
        day = last - (dice.uniform("change day", index) * span).astype(np.int64)
        home = np.where(left, self.other_commune("left to", household, commune, outside=True), commune)
        home = np.where(moved, self.other_commune("moved to", household, commune, outside=False), home)
        return ~unlisted & ~died, registered, died, left, np.where(died | left, day, -1), home

    def other_commune(self, stream: str, household: Ints, commune: Ints, *, outside: bool) -> Ints:
        """Return another commune per household: one that sends no list, or mostly one of the same province."""
        geography = self.geography
        silent = np.flatnonzero(geography.delivery == Delivery.NOTHING)
        if outside and len(silent):
            return silent[self.dice.below(stream, household, len(silent))]
        first = np.searchsorted(geography.province, np.arange(len(geography.province_codes)))
        last = np.append(first[1:], len(geography.communes))
        near = self.dice.chance(stream + " near", household, 0.7)
        low = np.where(near, first[geography.province[commune]], 0)
        high = np.where(near, last[geography.province[commune]], len(geography.communes))
        found = low + self.dice.below(stream, household, high - low)
        return np.where(found == commune, (found + 1) % len(geography.communes), found)


def _one_group(
    order: str, kinh_share: float, own: SexNames, kinh: SexNames, family: Ints, parts: tuple[Floats, Floats, Floats, Floats], second_share: float
) -> Ints:
    middle, second, given, style = parts
    tokens = np.full((len(family), WIDTH), NONE, dtype=np.int64)
    as_kinh = style < kinh_share
    marked = own.marker is not None and not order == "none"
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


def _place_family(tokens: Ints, order: str, marker: Draw | None, as_kinh: Bools, family: Ints, middle: Floats, marked: bool) -> None:
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
