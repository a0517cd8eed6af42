"""How the cases of a mode ended: repaired right, wrong, found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bench.error_modes import codes, dates, encoded, names, numbers, people, places, workbooks
from bench.error_modes.cases import Batch, BatchMaker, Case, Maker, Row
from bench.invented import FILE_DATE, Nation, reading_of
from childdb.cleaning import clean
from childdb.cleaning.names import joined_key, tone_key

KEY_MODES = {"E18": tone_key, "E31": joined_key}
MAKERS: Mapping[str, Maker] = {
    name.upper(): maker
    for module in (numbers, names, dates, codes, places, people)
    for name, maker in vars(module).items()
    if name[0] == "e" and name[1:].isdigit()
}
BATCHES: Mapping[str, BatchMaker] = {
    "E21": encoded.e21,
    "E22": encoded.e22,
    "E23": encoded.e23,
    **workbooks.BATCHES,
}
MODES = tuple(sorted({*MAKERS, *BATCHES}))
AUTO = frozenset(
    "E02 E04 E06 E07 E16 E17 E18 E19 E21 E22 E23 E25 E26 E27 E31 E32 E34 E38 E42 E44 E47 E50 E53 E54 E57 E61 E65 E69 E70 "
    "E71 E73 E74 E75".split()
)
# Shown by nothing in an export: the registry's own changes.
ELSEWHERE = frozenset({"E13"})
PRESENT_DAY = date(2025, 9, 10)
DAYS: Mapping[str, tuple[date, ...]] = {
    "E50": (PRESENT_DAY, places.WITH_DISTRICTS),
    "E51": (FILE_DATE, PRESENT_DAY),
    "E52": (FILE_DATE, PRESENT_DAY),
}
NO_MINORITY = ("E18", "E19", "E20", "E24", "E26", "E29")
NO_OTHER_NUMBER = ("E09", "E12", "E40", "E41", "E57", "E58", "E59", "E60", "E61")
ALONE = ("E57", "E58", "E59", "E60")
SECOND = {
    "name": (lambda name: f" {name}", lambda name: name.replace(" ", "  ", 1), lambda name: f"{name}\u200b", lambda name: name.upper()),
}  # fmt: skip


@dataclass
class Score:
    """How the cases of a mode ended."""

    cases: int = 0
    right: int = 0
    wrong: int = 0
    found: int = 0
    examples: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases,
            "right": round(self.right / self.cases, 6),
            "wrong": self.wrong,
            "found": round(self.found / self.cases, 6),
            **({"shapes_not_right": dict(self.examples.most_common(4))} if self.examples else {}),
        }


def with_a_second_mistake(mode: str, case: Case, rng: random.Random) -> Case:
    """Return the case with another, independent mistake in some other cell, or on the same name."""
    row, gives = dict(case.row), dict(case.gives)
    choice = rng.randrange(4)
    if choice == 0 and "ho_ten_tre" not in gives and row.get("ho_ten_tre"):
        gives["ho_ten_tre"] = row["ho_ten_tre"]
        row["ho_ten_tre"] = rng.choice(SECOND["name"])(row["ho_ten_tre"])
    elif choice == 1 and mode in ("E17", "E25", "E27", "E19") and row["ho_ten_tre"]:
        row["ho_ten_tre"] = f" {row['ho_ten_tre'].upper()}"
    elif choice == 2 and "so_dinh_danh" not in gives and mode not in NO_OTHER_NUMBER:
        gives["so_dinh_danh"] = row["so_dinh_danh"]
        row["so_dinh_danh"] = f"{row['so_dinh_danh'][:6]} {row['so_dinh_danh'][6:]}"
    elif choice == 3 and "ghi_chu" not in gives:
        row["ho_ten_me"] = row["ho_ten_me"] and f"{row['ho_ten_me']}  "
    return Case(row, gives, case.finds, case.before, case.lacks)


def measure(mode: str, count: int, number: int, part: int = 20_000) -> Score:
    """Return how a mode's cases ended; each part is one file."""
    score, done, days = Score(), 0, DAYS.get(mode, (FILE_DATE,))
    part = min(part, -(-count // len(days)))
    while done < count:
        size = min(part, count - done)
        rng, nation = random.Random(f"{mode}{number}{done}"), Nation(hash_of(f"{mode}{number}{done}"))
        nation.file_date = days[done // part % len(days)]
        batches = (
            BATCHES[mode](rng, nation, size) if mode in BATCHES else _one_file(mode, rng, nation, done, size)
        )
        for batch in batches:
            score_batch(mode, batch, score)
        done += size
    return score


def hash_of(text: str) -> int:
    """Return a number that depends on the text alone."""
    return int.from_bytes(text.encode(), "big") % (2**31)


def _one_file(mode: str, rng: random.Random, nation: Nation, done: int, size: int) -> Iterator[Batch]:
    cases = [_case(mode, rng, nation, done + place) for place in range(size)]
    rows: list[Row] = []
    placed: list[tuple[int, Case]] = []
    for case in cases:
        rows += [*case.before, case.row]
        placed.append((len(rows) - 1, case))
    cleaned = clean(reading_of(rows, stated_date=nation.file_date), as_of=None)
    yield Batch(cleaned.records, cleaned.findings, placed)


def _case(mode: str, rng: random.Random, nation: Nation, place: int) -> Case:
    row = nation.child(place, minority=rng.random() < 0.15 and mode not in NO_MINORITY)
    case = MAKERS[mode](rng, row, nation)
    is_alone = mode in ALONE or rng.random() > 1 / 3
    return case if is_alone else with_a_second_mistake(mode, case, rng)


def score_batch(mode: str, batch: Batch, score: Score) -> None:
    """Add the cases of one file to a score."""
    wanted = sorted({name for _, case in batch.cases for name in case.gives})
    columns = {name: batch.records[name].to_pylist() for name in wanted}
    found, of_file = _rules_by_row(batch)
    for place, case in batch.cases:
        record = {name: columns[name][place] for name in case.gives}
        told = [found.get(place - back, set()) for back in range(len(case.before) + 1)]
        has_more = any(case.lacks & names for names in told)
        _score_one(mode, case, record, told[0] | of_file, score, has_more=has_more)


def _rules_by_row(batch: Batch) -> tuple[dict[int, set[str]], set[str]]:
    """Return the rules and reasons found per record, and those of the file as a whole."""
    keys: list[Any] = []
    if "row_no" in batch.records.column_names:
        keys = list(zip(batch.records["sheet"].to_pylist(), batch.records["row_no"].to_pylist(), strict=True))
    places = {key: place for place, key in enumerate(keys)}
    found: dict[int, set[str]] = {}
    of_file: set[str] = set()
    columns = (batch.findings[name].to_pylist() for name in ("sheet", "row_no", "rule_id", "reason_code"))
    for sheet, row_no, rule, reason in zip(*columns, strict=True):
        place = places.get((sheet, row_no))
        (of_file if place is None else found.setdefault(place, set())).update((rule, reason))
    return found, of_file


def _score_one(mode: str, case: Case, record: Row, found: set[str], score: Score, *, has_more: bool) -> None:
    key = KEY_MODES.get(mode, lambda text: text)
    off = [name for name, want in case.gives.items()
           if (key(record[name] or "") if name == "ho_ten_tre" and mode in KEY_MODES else record[name])
           != (key(want or "") if name == "ho_ten_tre" and mode in KEY_MODES else want)]  # fmt: skip
    is_found = not case.finds or bool(case.finds & found)
    score.cases += 1
    score.right += not off and not has_more
    score.wrong += has_more or any(record[name] is not None for name in off)
    score.found += is_found
    if off or has_more or not is_found:
        name = off[0] if off else "told too much" if has_more else "not told"
        score.examples[f"{name}: {case.row.get(name)} -> {record.get(name)} ({sorted(found)})"] += 1
