"""The same nation a little later: a few communes send a newer list with births, deaths, moves, corrections and new numbers."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from childdb.errors import ConfigurationError, UsageError
from childdb.sandbox.columns import column
from childdb.sandbox.exports import FILE_FIELDS
from childdb.sandbox.generate import Order, prepare, write_all
from childdb.sandbox.geography import Delivery
from childdb.sandbox.habits import build_habits
from childdb.sandbox.hashing import Bools, Dice, Ints
from childdb.sandbox.lexicon import SOUTHERN_KINH
from childdb.sandbox.lists import Collector
from childdb.sandbox.marks import Marks
from childdb.sandbox.misprints import Misprinter, Written
from childdb.sandbox.people import Nation, People, child_head, years_of
from childdb.sandbox.profiles import load_profile
from childdb.sandbox.rows import RowKind, Rows

# What happens between two lists of a commune: shares of its children or households.
_CORRECTED, _DIED, _LEFT, _BORN, _LISTED = 0.10, 0.004, 0.008, 0.03, 0.5
_LATER_SLOTS = 960_000


def _changed_communes(nation: Nation, share: float, dice: Dice) -> Bools:
    """Return which communes send a newer list: some of those that sent one list only, about present units only."""
    geography = nation.geography
    touched = Collector(nation).touched
    able = np.flatnonzero((geography.delivery == Delivery.NEW) & ~touched)
    senders = int((geography.delivery != Delivery.NOTHING).sum())
    wanted = min(len(able), max(1, round(share * senders))) if len(able) else 0
    order = np.argsort(dice.uniform("who changes", able), kind="stable")
    changed = np.zeros(len(geography.communes), dtype=bool)
    changed[able[order[:wanted]]] = True
    return changed


class LaterNation(Nation):
    """A nation whose changed communes have lived on until their newer list."""

    def __init__(self, base: Nation, changed: Bools, later: Dice) -> None:
        days = base.geography.list_day.copy()
        days[changed] = base.geography.newest_day + 7 + later.below("newer list", np.flatnonzero(changed), 14)
        geography = replace(
            base.geography,
            list_day=days,
            newest_day=int(max(base.geography.newest_day, days[changed].max(initial=0))),
        )
        super().__init__(base.seed, geography, base.profile)
        self.changed, self.later = changed, later

    def people(self, first_block: int, last_block: int) -> People:
        """Return the children as they are now, newborn ones at the end."""
        people = super().people(first_block, last_block)
        here = self.changed[people.commune] & (people.home == people.commune) & ~people.died & ~people.left
        here &= ~self.dice.chance("record E58", people.household, self.profile.records.get("E58", 0.0))
        now = self.geography.list_day[people.commune]
        gone = now - self.later.below("days ago", people.index, 7)
        died = here & self.later.chance("later died", people.index, _DIED)
        left = here & ~died & self.later.chance("later left", people.household, _LEFT)
        listed = people.listed | (
            here & ~people.died & self.later.chance("later listed", people.index, _LISTED)
        )
        home = np.where(
            left,
            self.other_commune("later left to", people.household, people.commune, outside=True),
            people.home,
        )
        changed = replace(
            people,
            died=people.died | died,
            left=people.left | left,
            listed=listed & ~died & ~people.died,
            change_day=np.where(died | left, gone, people.change_day),
            home=home,
        )
        return _joined(changed, self._newborn(changed, here & ~died & ~left))

    def _newborn(self, people: People, here: Bools) -> People:
        """Return a child born since the last list in some households, as a brother or sister of the first one."""
        chosen = here & (people.order == 0) & self.later.chance("later born", people.household, _BORN)
        parents = people.take(np.flatnonzero(chosen))
        index = self.geography.children + parents.household
        since, until = self.geography.anchor_day[parents.commune], self.geography.list_day[parents.commune]
        birth = since + 1 + self.later.below("later birth", index, np.maximum(until - since, 1))
        sex, year = self.later.chance("later sex", index, 0.478).astype(np.int64), years_of(birth)
        province = np.array([int(row["province_code"]) for row in self.geography.communes])[parents.commune]
        slot = _LATER_SLOTS + parents.household % 40_000
        return replace(
            parents,
            index=index,
            order=parents.order + 9,
            sex=sex,
            birth=birth,
            year=year,
            name=self._newborn_names(parents, index, sex),
            number=self.in_slot(child_head(province, sex, year), slot),
            sibling_number=parents.number,
            certificate=parents.certificate + 2000,
            listed=self.later.chance("newborn listed", index, 0.6),
            registered=np.ones(len(index), dtype=bool),
            twin=np.zeros(len(index), dtype=bool),
        )

    def _newborn_names(self, parents: People, index: Ints, sex: Ints) -> Ints:
        south = np.array([int(row["province_code"]) >= 48 for row in self.geography.communes])[
            parents.commune
        ]
        group = np.where((parents.ethnic == 1) & south, SOUTHERN_KINH, parents.ethnic)
        family = self.family_of(parents.name)
        return self.child_names(
            index,
            parents.household,
            np.zeros(len(index), dtype=bool),
            sex,
            group,
            family,
            self.later.uniform("later given", index),
        )


def _joined(first: People, second: People) -> People:
    return People(
        **{
            item.name: np.concatenate([getattr(first, item.name), getattr(second, item.name)])
            for item in fields(People)
        }
    )


class CorrectingPrinter(Misprinter):
    """Writes rows as before, but in the changed communes some have been put right."""

    def __init__(self, nation: LaterNation, printer: Misprinter) -> None:
        super().__init__(nation, printer.habits, printer.hamlets)
        clean = Nation(nation.seed, nation.geography, load_profile("none"))
        self._clean = Misprinter(
            clean, build_habits(clean.profile, clean.dice, len(nation.geography.communes)), printer.hamlets
        )
        self._later, self._changed = nation.later, nation.changed

    def write(self, rows: Rows) -> Written:
        """Return the cells of these rows."""
        before = super().write(rows)
        put_right = (
            self._changed[rows.commune]
            & (rows.kind == RowKind.OWN)
            & self._later.chance("corrected", rows.draw, _CORRECTED)
        )
        return _mixed(before, self._clean.write(rows), put_right) if put_right.any() else before


def _mixed(before: Written, after: Written, chosen: Bools) -> Written:
    """Return rows of ``after`` where chosen, else of ``before``."""

    def mixed(old: Any, new: Any) -> Any:
        if isinstance(old, Marks):
            marks = Marks(len(chosen))
            marks.low, marks.high = np.where(chosen, new.low, old.low), np.where(chosen, new.high, old.high)
            return marks
        if isinstance(old, np.ndarray):
            return np.where(chosen[:, None] if old.ndim == 2 else chosen, new, old)
        return pc.if_else(column(chosen), new, old)

    return Written(
        **{
            item.name: mixed(getattr(before, item.name), getattr(after, item.name))
            for item in fields(Written)
        }
    )


def evolve(
    data: Path,
    share: float,
    seed: int,
    out: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, int]:
    """Write into ``out`` what ``data`` has become: all earlier files and the newer ones, with the truth of both together."""
    if not 0 < share <= 1:
        raise UsageError(
            "--share must lie above 0 and not above 1.", "--share phải lớn hơn 0 và không quá 1."
        )
    if data.resolve() == out.resolve():
        raise UsageError(
            "--out must be another folder than --data.", "--out phải là thư mục khác với --data."
        )
    order = _order_of(data)
    base, printer = prepare(order)
    later = Dice(seed)
    changed = _changed_communes(base, share, later)
    nation = LaterNation(base, changed, later)
    counts = write_all(
        nation,
        CorrectingPrinter(nation, printer),
        order,
        out,
        progress,
        earlier=lambda: _keep_earlier(data, out),
    )
    return {**counts, "changed communes": int(changed.sum())}


def _order_of(data: Path) -> Order:
    try:
        about = json.loads((data / "nation.json").read_text(encoding="utf-8"))
        return Order(about["children"], about["seed"], about["profile"], about["communes"])
    except (OSError, KeyError, ValueError):
        raise ConfigurationError(
            "The folder given by --data holds no generated nation (nation.json is missing or cannot be read).",
            "Thư mục --data không chứa dữ liệu mẫu (thiếu hoặc không đọc được nation.json).",
        ) from None


def _keep_earlier(data: Path, out: Path) -> None:
    """Take over the earlier files that have been replaced by newer ones, with their truth."""
    now, before = _files(out), _files(data)
    gone = {name: row for name, row in before.items() if name not in now}
    for name in gone:
        shutil.copyfile(data / "exports" / name, out / "exports" / name)
    with (out / "truth" / "files.csv").open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, FILE_FIELDS, lineterminator="\n").writerows(gone.values())
    for table in ("rows", "expected", "errors"):
        old = pq.read_table(data / "truth" / f"{table}.parquet")
        old = old.filter(pc.is_in(old["file_name"], column(list(gone), pa.string())))
        new = pq.read_table(out / "truth" / f"{table}.parquet")
        pq.write_table(
            pa.concat_tables([new, old], promote_options="default"),
            out / "truth" / f"{table}.parquet",
            compression="zstd",
        )


def _files(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "truth" / "files.csv").open(encoding="utf-8", newline="") as file:
        return {row["file_name"]: row for row in csv.DictReader(file)}
