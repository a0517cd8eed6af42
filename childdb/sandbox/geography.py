"""Where the children of one synthetic nation live: communes, the former units behind them, ranges of children, list dates."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

import numpy as np

from childdb.sandbox.hashing import Bools, Dice, Floats, Ints
from childdb.sandbox.reference_tables import (
    Row,
    document,
    former_communes,
    merger_links,
    present_communes,
    rows_of,
)

BLOCK = 1024
MERGER = dt.date(2025, 7, 1)
EPOCH = dt.date(1970, 1, 1)
_TYPE_FACTOR = {"phuong": 1.8, "xa": 1.0, "dac_khu": 0.4}


class Delivery(IntEnum):
    """Which lists a commune has sent."""

    NOTHING = 0
    NEW = 1
    OLD = 2
    BOTH = 3


def day_number(day: dt.date) -> int:
    """Return days since 1970-01-01."""
    return (day - EPOCH).days


def date_of(number: int) -> dt.date:
    """Return the date of a day number."""
    return EPOCH + dt.timedelta(days=int(number))


@dataclass(frozen=True)
class FormerUnit:
    """A commune of before July 2025 as far as it lies in one present commune."""

    commune_id: str
    province_code: str
    divided: bool


@dataclass(frozen=True)
class Geography:
    """Communes with children, in the order of their code ranges; arrays are by position in ``communes``."""

    communes: tuple[Row, ...]
    start: Ints
    province: Ints
    delivery: Ints
    list_day: Ints
    old_list_day: Ints
    is_rural: Bools
    region: tuple[str, ...]
    former: tuple[tuple[FormerUnit, ...], ...]
    ethnic_shares: Floats
    ethnic_codes: Ints
    province_codes: tuple[str, ...]
    block_commune: Ints
    block_start: Ints
    block_in_province: Ints
    newest_day: int
    anchor_day: Ints

    @property
    def children(self) -> int:
        """Number of children of the nation."""
        return int(self.start[-1])

    @property
    def blocks(self) -> int:
        """Number of blocks; a block is generated whole."""
        return len(self.block_start) - 1

    def final_day(self) -> Ints:
        """Return per commune the day its current list was written."""
        return np.where(self.delivery == Delivery.OLD, self.old_list_day, self.list_day)


def _settings() -> dict[str, Any]:
    return cast(dict[str, Any], document("nation"))


def _chosen_provinces(dice: Dice, count: int) -> list[str]:
    """Return province codes: one of each kind of region in turn, so that few provinces still differ."""
    settings = _settings()
    by_region: dict[str, list[str]] = defaultdict(list)
    for code, province in settings["provinces"].items():
        by_region[province["region"]].append(code)
    for position, region in enumerate(settings["region_order"]):
        codes = by_region[region]
        order = np.argsort(dice.uniform(f"province order {position}", np.arange(len(codes))), kind="stable")
        by_region[region] = [codes[place] for place in order]
    chosen: list[str] = []
    while len(chosen) < count:
        for region in settings["region_order"]:
            if by_region[region] and len(chosen) < count:
                chosen.append(by_region[region].pop(0))
    return sorted(chosen)


def _allotted(total: int, weights: Floats, floor: int, limits: Ints) -> Ints:
    """Return whole numbers near the weights' shares, each between floor and its limit, that add up to ``total``."""
    shares: Ints = np.clip(np.floor(total * weights / weights.sum()).astype(np.int64), floor, limits)
    while (missing := total - int(shares.sum())) != 0:
        room = np.flatnonzero(shares < limits) if missing > 0 else np.flatnonzero(shares > floor)
        order = room[np.argsort(-weights[room], kind="stable")][: abs(missing)]
        shares[order] += 1 if missing > 0 else -1
    return shares


def _chosen_communes(dice: Dice, count: int) -> list[Row]:
    provinces = _chosen_provinces(dice, min(34, max(6, count // 16)))
    by_province = {
        code: [row for row in present_communes() if row["province_code"] == code] for code in provinces
    }
    people = np.array([_settings()["provinces"][code]["people"] ** 0.5 for code in provinces])
    limits = np.array([len(by_province[code]) for code in provinces])
    if count > limits.sum():
        count = int(limits.sum())
    shares = (
        limits if count == limits.sum() else _allotted(count, people, min(4, count // len(provinces)), limits)
    )
    chosen: list[Row] = []
    for code, share in zip(provinces, shares, strict=True):
        rows = by_province[code]
        order = np.argsort(dice.uniform(f"commune order {code}", np.arange(len(rows))), kind="stable")[:share]
        chosen += [rows[place] for place in sorted(order)]
    return chosen


def _former_units(communes: list[Row]) -> tuple[tuple[FormerUnit, ...], ...]:
    found: dict[str, list[FormerUnit]] = defaultdict(list)
    units = former_communes()
    for row in merger_links():
        old = units.get(row["commune_id"])
        if old is not None:
            unit = FormerUnit(
                row["commune_id"], old["province_code"], row["is_sole_population_target"] != "1"
            )
            found[row["successor_commune_id"].split("@")[0]].append(unit)
    return tuple(tuple(found[row["commune_code"]]) for row in communes)


def _commune_sizes(dice: Dice, communes: list[Row], children: int) -> Ints:
    provinces = [row["province_code"] for row in communes]
    people = np.array(
        [_settings()["provinces"][code]["people"] / provinces.count(code) for code in provinces]
    )
    position = np.arange(len(communes))
    noise = np.exp(0.55 * _gauss(dice, "commune size", position))
    factor = np.array([_TYPE_FACTOR[row["type"]] for row in communes])
    return _allotted(children, people**0.5 * noise * factor, 1, np.full(len(communes), children))


def _gauss(dice: Dice, stream: str, index: Ints) -> Floats:
    first, second = dice.uniform(stream, index), dice.uniform(stream + "'", index)
    result: Floats = np.sqrt(-2 * np.log(1 - first)) * np.cos(2 * np.pi * second)
    return result


def _ethnic_shares(dice: Dice, communes: list[Row]) -> tuple[Floats, Ints]:
    """Return cumulative shares (commune × group) offset by the commune's position, and the groups' codes."""
    codes = np.array([int(row["ethnic_group_code"]) for row in rows_of("codes_ethnic_groups")])
    column = {int(code): place for place, code in enumerate(codes)}
    shares = np.zeros((len(communes), len(codes)))
    for place, row in enumerate(communes):
        settings = _settings()["provinces"][row["province_code"]]["ethnic"]
        shares[place, 0] = (1.0 - sum(settings.values())) * (3.0 if row["type"] == "phuong" else 1.0)
        for code, share in settings.items():
            shares[place, column[int(code)]] = share
        shares[place] += 2e-4 * (np.arange(len(codes)) != 0)
    groups = np.arange(shares.size)
    shares *= np.exp(1.1 * _gauss(dice, "ethnic mix", groups)).reshape(shares.shape)
    cumulative = np.cumsum(shares, axis=1)
    cumulative /= cumulative[:, -1:]
    return cumulative + np.arange(len(communes))[:, None], codes


def _deliveries(
    dice: Dice, communes: list[Row], former: tuple[tuple[FormerUnit, ...], ...], exports: int, clean: bool
) -> Ints:
    """Return what each commune sends: the first ``exports`` of a seeded order spread over provinces send lists."""
    settings = _settings()["shares"]
    senders = _senders(dice, communes, exports)
    delivery = np.full(len(communes), int(Delivery.NOTHING))
    delivery[senders] = Delivery.NEW
    whole = np.array([bool(units) and not any(unit.divided for unit in units) for units in former])
    able = [place for place in senders if former[place] and (whole[place] or not clean)]
    old = max(1, round(settings["old_only_communes"] * exports)) if exports > 2 else 0
    both = max(1, round(settings["both_lists_communes"] * exports)) if exports > 2 else 0
    order = [
        able[place] for place in np.argsort(dice.uniform("delivery order", np.array(able)), kind="stable")
    ]
    delivery[order[:old]] = Delivery.OLD
    delivery[[place for place in order[old:] if whole[place]][:both]] = Delivery.BOTH
    return delivery


def _senders(dice: Dice, communes: list[Row], exports: int) -> Ints:
    """Return the senders' positions: provinces take turns, so that few lists still come from several provinces."""
    provinces = np.unique([row["province_code"] for row in communes], return_inverse=True)[1]
    order = np.argsort(dice.uniform("sender order", np.arange(len(communes))), kind="stable")
    turn: dict[int, int] = defaultdict(int)
    rounds = np.zeros(len(communes), dtype=np.int64)
    for place in order:
        rounds[place] = turn[int(provinces[place])]
        turn[int(provinces[place])] += 1
    ranked = order[np.argsort(rounds[order], kind="stable")]
    return np.sort(ranked[:exports])


def _days(dice: Dice, stream: str, count: int, first: int, last: int) -> Ints:
    return first + dice.below(stream, np.arange(count), last - first + 1)


def build_geography(seed: int, children: int, exports: int, *, clean: bool) -> Geography:
    """Return the geography of one nation; ``clean`` keeps divided former communes out of the lists sent."""
    dice = Dice(seed)
    communes = _chosen_communes(dice, min(3321, max(exports + 4, children // 600)))
    sizes = _commune_sizes(dice, communes, children)
    start = np.concatenate([[0], np.cumsum(sizes)])
    former = _former_units(communes)
    delivery = _deliveries(dice, communes, former, exports, clean)
    provinces = [row["province_code"] for row in communes]
    codes = tuple(sorted(set(provinces)))
    province = np.array([codes.index(code) for code in provinces])
    shares, groups = _ethnic_shares(dice, communes)
    blocks = _blocks(start, province)
    return _assembled(dice, communes, start, former, delivery, province, codes, shares, groups, blocks)


def _blocks(start: Ints, province: Ints) -> tuple[Ints, Ints, Ints]:
    """Return per block its commune, its first child (and the end), and its number inside the province."""
    counts = -(-np.diff(start) // BLOCK)
    commune = np.repeat(np.arange(len(counts)), counts)
    inside = np.arange(len(commune)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = start[:-1][commune] + inside * BLOCK
    of_province = province[commune]
    in_province = np.arange(len(commune)) - np.searchsorted(of_province, of_province)
    return commune, np.append(first, start[-1]), in_province


def _assembled(
    dice: Dice,
    communes: list[Row],
    start: Ints,
    former: tuple[tuple[FormerUnit, ...], ...],
    delivery: Ints,
    province: Ints,
    codes: tuple[str, ...],
    shares: Floats,
    groups: Ints,
    blocks: tuple[Ints, Ints, Ints],
) -> Geography:
    dates = {name: value for name, value in _settings()["dates"].items() if name != "window_years"}
    first_new, newest = (
        day_number(dt.date.fromisoformat(dates[name])) for name in ("new_lists_from", "newest")
    )
    first_old, last_old = (
        day_number(dt.date.fromisoformat(dates[name])) for name in ("old_lists_from", "old_lists_to")
    )
    list_day = _days(dice, "new list", len(communes), first_new, newest)
    list_day[delivery == Delivery.NOTHING] = newest
    new = np.flatnonzero(delivery == Delivery.NEW)
    list_day[new[:1]] = newest
    old_day = _days(dice, "old list", len(communes), first_old, last_old)
    rural = np.array([row["type"] != "phuong" for row in communes])
    region = tuple(_settings()["provinces"][row["province_code"]]["region"] for row in communes)
    return Geography(
        tuple(communes),
        start,
        province,
        delivery,
        list_day,
        old_day,
        rural,
        region,
        former,
        shares,
        groups,
        codes,
        *blocks,
        newest,
        np.where(delivery == Delivery.OLD, old_day, list_day),
    )
