"""Children and their households as arrays: any block of the nation from its number alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np

from childdb.sandbox.geography import BLOCK, MERGER, Delivery, Geography, day_number
from childdb.sandbox.hashing import Bools, Dice, Ints, cumulative, pick, rank_within, stream_key
from childdb.sandbox.lexicon import Lexicon, lexicon
from childdb.sandbox.naming import Namer
from childdb.sandbox.profiles import Profile
from childdb.sandbox.reference_tables import document, rows_of

_LOCAL, _ELSEWHERE = 64, 16
_CARRIERS = np.array(
    [
        32,
        33,
        34,
        35,
        36,
        37,
        38,
        39,
        70,
        76,
        77,
        78,
        79,
        81,
        82,
        83,
        84,
        85,
        86,
        88,
        89,
        90,
        91,
        93,
        94,
        96,
        97,
        98,
    ]
)


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


class Nation(Namer):
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
        return [(int(a), int(b)) for a, b in itertools.pairwise(edges) if b > a]

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
        places = self._places(household, commune, block, index, birth)
        listed, registered, died, left, change_day, home = self._status(index, household, birth, commune)
        return People(
            index,
            commune,
            household,
            order,
            twin,
            former,
            sex,
            birth,
            year,
            ethnic,
            *tokens,
            number,
            _of_sibling(number, order),
            *parents,
            *places,
            listed,
            registered,
            died,
            left,
            change_day,
            home,
        )

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
            geography.ethnic_codes[
                np.minimum(
                    np.searchsorted(flat, self.dice.uniform(s, household) + commune, side="right") % width,
                    width - 1,
                )
            ]
            for s in ("ethnic", "mother ethnic")
        ]
        mixed = self.dice.chance("mixed marriage", household, 0.07)
        return drawn[0], np.where(mixed, drawn[1], drawn[0])

    def _numbers(
        self,
        index: Ints,
        household: Ints,
        block: Ints,
        commune: Ints,
        former: Ints,
        birth: Ints,
        year: Ints,
        sex: Ints,
    ) -> Ints:
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
        slot = np.where(
            local,
            in_province * _LOCAL + np.minimum(rank, _LOCAL - 1),
            500_000 + block * _ELSEWHERE + np.minimum(rank, _ELSEWHERE - 1),
        )
        return self.in_slot(head, slot)

    def in_slot(self, head: Ints, slot: Ints) -> Ints:
        """Return the number that a head (province, sex, year) has in one of its million slots."""
        mixed = self.dice.words("number", head).astype(np.int64) & 0xFFFFFFFF
        factor = (mixed % 99_991) * 10 + np.array([1, 3, 7, 9])[mixed % 4]
        numbers: Ints = head * 1_000_000 + (slot * factor + mixed % 999_983) % 1_000_000
        return numbers

    def _parents(
        self, index: Ints, household: Ints, lead: Ints, block: Ints, commune: Ints, year: Ints, order: Ints
    ) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
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

    def _places(
        self, household: Ints, commune: Ints, block: Ints, index: Ints, birth: Ints
    ) -> tuple[Ints, Ints, Ints]:
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

    def _status(
        self, index: Ints, household: Ints, birth: Ints, commune: Ints
    ) -> tuple[Bools, Bools, Bools, Bools, Ints, Ints]:
        """Return: in the extract, in the register, died, left, the day of it (−1: none), and the commune of residence."""
        dice, last = self.dice, self.geography.anchor_day[commune]
        age = last - birth
        died = dice.chance("died", index, self.settings["shares"]["died"])
        left = ~died & dice.chance("left", household, self.settings["shares"]["moved_out"])
        moved = ~died & ~left & dice.chance("moved", household, self.profile.records.get("P-moved", 0.0))
        unlisted = dice.chance("unlisted", index, self.profile.unlisted * np.where(age < 60, 8.0, 0.85))
        registered = dice.chance("registered household", household, 1 - (1 - self.profile.registered) * 0.5)
        registered &= dice.chance(
            "registered child", index, 1 - (1 - self.profile.registered) * np.where(age < 400, 2.5, 0.4)
        )
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
