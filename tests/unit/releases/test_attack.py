"""A reader who subtracts finds planted weak tables, and nothing after neighbours were hidden."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from childdb.releases.attack import WIDTH, System, hide_neighbours, possible_ranges, weak_counts
from childdb.releases.cells import protect

Name = tuple[str, ...]
Table = dict[Name, int]
Sums = list[tuple[Name, list[Name]]]


def system_of(counts: Table, equations: Sums) -> System:
    """Return protected counts with their sums as a system."""
    names = list(counts)
    place = {name: number for number, name in enumerate(names)}
    terms = [
        (number, place[name], sign)
        for number, (whole, parts) in enumerate(equations)
        for name, sign in [(whole, -1.0), *((part, 1.0) for part in parts)]
    ]
    told = np.array([float(protect(counts[name]) or np.nan) for name in names])
    columns = list(zip(*terms, strict=True))
    return System(
        told,
        np.zeros(len(names), dtype=bool),
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.float64),
    )


def exact_range(system: System, count: int, *, whole: bool) -> tuple[float, float]:
    """Return the range that a linear program, or one of whole numbers, leaves a count."""
    low, high = system.bounds()
    size = len(system.told)
    rows = int(system.equation.max()) + 1
    matrix = csr_array((system.sign, (system.equation, system.count)), shape=(rows, size))
    found = []
    for sign in (1.0, -1.0):
        goal = np.zeros(size)
        goal[count] = sign
        if whole:
            limits = LinearConstraint(matrix, np.zeros(rows), np.zeros(rows))
            answer = milp(goal, constraints=limits, bounds=Bounds(low, high), integrality=np.ones(size))
        else:
            answer = linprog(goal, A_eq=matrix, b_eq=np.zeros(rows), bounds=np.column_stack([low, high]))
        found.append(sign * answer.fun if answer.success else sign * -np.inf)
    return found[0], found[1]


def nation(seed: int, communes: int = 4) -> System:
    """Return small communes by sex and age, summed to a province and told by both margins."""
    rng = random.Random(seed)
    areas, sexes, ages = [f"c{n}" for n in range(communes)], ["m", "f", "u"], ["0", "1", "2", "u"]
    inner = {
        (a, s, g): rng.choice([0, 0, 1, 3, 8, 9, 10, 11, 12, 14, 20, 33]) if s != "u" else rng.choice([0, 0, 0, 1])
        for a in areas for s in sexes for g in ages
    }  # fmt: skip
    counts: Table = {}
    for a in [*areas, "p"]:
        for s in [*sexes, "T"]:
            for g in [*ages, "T"]:
                counts[a, s, g] = sum(
                    n for (x, y, z), n in inner.items() if a in (x, "p") and s in (y, "T") and g in (z, "T")
                )
    equations: Sums = [((a, "T", g), [(a, s, g) for s in sexes]) for a in [*areas, "p"] for g in [*ages, "T"]]
    equations += [((a, s, "T"), [(a, s, g) for g in ages]) for a in [*areas, "p"] for s in [*sexes, "T"]]
    equations += [(("p", s, g), [(a, s, g) for a in areas]) for s in [*sexes, "T"] for g in [*ages, "T"]]
    return system_of(counts, equations)


PLANTED: list[tuple[Table, Sums]] = [
    # The other sex is what is left of two counts that are told.
    ({("T",): 24, ("m",): 15, ("f",): 9}, [(("T",), [("m",), ("f",)])]),
    # One commune holds nearly all of its province.
    ({("p",): 101, ("a",): 100, ("b",): 1}, [(("p",), [("a",), ("b",)])]),
]


@pytest.mark.parametrize(("counts", "equations"), PLANTED)
def test_planted_weak_tables_are_found_and_mended(counts: Table, equations: Sums) -> None:
    system = system_of(counts, equations)
    checked = np.ones(len(counts), dtype=bool)
    assert len(weak_counts(system, checked)) == 1
    mended, hidden = hide_neighbours(system, checked)
    assert len(hidden) >= 1
    assert len(weak_counts(mended, checked)) == 0


def test_a_strong_table_is_left_alone() -> None:
    counts: Table = {("T",): 60, ("m",): 30, ("f",): 27, ("u",): 3}
    system = system_of(counts, [(("T",), [("m",), ("f",), ("u",)])])
    _, hidden = hide_neighbours(system, np.ones(4, dtype=bool))
    assert list(hidden) == []


@pytest.mark.parametrize("seed", range(6))
def test_no_linear_program_narrows_a_hidden_count(seed: int) -> None:
    system = nation(seed)
    checked = np.ones(len(system.told), dtype=bool)
    before = weak_counts(system, checked)
    mended, hidden = hide_neighbours(system, checked)
    assert len(before) > 0, "no weak count to begin with: the test would pass on nothing"
    assert len(hidden) > 0
    low, high = possible_ranges(mended)
    narrow = sorted(np.flatnonzero(mended.is_hidden), key=lambda n: high[n] - low[n])
    for count in narrow[:12]:
        least, most = exact_range(mended, int(count), whole=False)
        assert most - least >= WIDTH - 1e-6, (count, least, most)
    for count in narrow[:3]:
        least, most = exact_range(mended, int(count), whole=True)
        assert most - least >= WIDTH - 1e-6, (count, least, most)


def test_the_ranges_hold_the_truth() -> None:
    system = nation(3)
    low, high = possible_ranges(system)
    assert (low <= high).all()
    told = ~system.is_hidden
    assert (low[told] >= system.told[told] - 2).all()
    assert (high[told] <= system.told[told] + 2).all()
