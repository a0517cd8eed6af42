"""What two rows agree on: one number per pair that holds the level of every field, and how rare the agreement is."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from childdb.identity.rules import Comparison, Rules

# Both sides are wide: only so many pairs are laid beside them at once.
_PAIRS_AT_ONCE = 6_000_000


@dataclass(frozen=True)
class Place:
    """Where a comparison's code stands inside the pattern."""

    comparison: Comparison
    shift: int
    mask: int


def layout(rules: Rules) -> tuple[Place, ...]:
    """Return the place of each comparison in the 63 bits of a pattern."""
    places, shift = [], 0
    for comparison in rules.comparisons:
        width = (comparison.code_count - 1).bit_length()
        places.append(Place(comparison, shift, (1 << width) - 1))
        shift += width
    if shift > 63:
        raise ValueError(f"the comparisons need {shift} bits, 63 fit")
    return tuple(places)


def _level_of(comparison: Comparison, base: int) -> str:
    branches = "".join(
        f" when {level.when} then {base + place}"
        for place, level in enumerate(comparison.levels)
        if level.when
    )
    last = base + len(comparison.levels) - 1
    return f"case{branches} else {last} end" if branches else str(last)


def code_sql(comparison: Comparison) -> str:
    """Return SQL for the code of a comparison: 0 if nothing can be said, else context and level."""
    size = len(comparison.levels)
    if len(comparison.contexts) == 1:
        inside = _level_of(comparison, 1)
    else:
        branches = "".join(
            f" when {context.when} then {_level_of(comparison, 1 + place * size)}"
            for place, context in enumerate(comparison.contexts)
            if context.when
        )
        inside = f"case{branches} else {_level_of(comparison, 1 + (len(comparison.contexts) - 1) * size)} end"
    return f"case when {comparison.missing} then 0 else {inside} end"


def rarity_sql(comparison: Comparison) -> str:
    """Return SQL for the bits of rarity of the level reached, 0 where frequency plays no part."""
    size = len(comparison.levels)
    by_frequency: dict[str, list[int]] = {}
    for place, level in enumerate(comparison.levels):
        if level.frequency:
            codes = [1 + context * size + place for context in range(len(comparison.contexts))]
            by_frequency.setdefault(level.frequency, []).extend(codes)
    branches = "".join(
        f" when c_{comparison.name} in ({', '.join(map(str, sorted(codes)))}) then coalesce({name}_bits, 0)"
        for name, codes in by_frequency.items()
    )
    return f"case{branches} else 0 end" if branches else "0"


def rare_comparisons(rules: Rules) -> tuple[Comparison, ...]:
    """Return the comparisons whose agreement is weighed by how rare the value is."""
    return tuple(item for item in rules.comparisons if any(level.frequency for level in item.levels))


def compare_pairs(
    connection: duckdb.DuckDBPyConnection, rules: Rules, pairs: str, rows: str, people: str, target: str
) -> None:
    """Create ``target`` (r, p, pattern, t_<comparison>…) for the pairs, in parts that fit into memory.

    How rare the values of ``people`` are is read from ``<people>_bits``.
    """
    count = int(connection.execute(f"select count(*) from {pairs}").fetchall()[0][0])
    parts = 1 + count // _PAIRS_AT_ONCE
    last = (
        connection.execute(f"select coalesce(max(no), 0) from {people}").fetchall()[0][0] if parts > 1 else 0
    )
    for part in range(parts):
        stretch = (part * (last + 1) // parts, (part + 1) * (last + 1) // parts - 1) if parts > 1 else None
        sql = compare_sql(rules, pairs, rows, people, stretch)
        connection.execute(
            f"insert into {target} {sql}" if part else f"create or replace table {target} as {sql}"
        )


def compare_sql(
    rules: Rules, pairs: str, rows: str, people: str, stretch: tuple[int, int] | None = None
) -> str:
    """Return the select behind :func:`compare_pairs`: levels as one number, rarity field by field.

    ``stretch`` takes only the people with places from its first to its last: the others are skipped over without being read.
    """
    places = layout(rules)
    codes = ", ".join(f"{code_sql(place.comparison)} as c_{place.comparison.name}" for place in places)
    pattern = " | ".join(f"(c_{place.comparison.name}::bigint << {place.shift})" for place in places)
    within = "between {} and {}".format(*stretch) if stretch else ">= 0"
    rarity = "".join(
        f", ({rarity_sql(item)})::usmallint as t_{item.name}" for item in rare_comparisons(rules)
    )
    return (
        f"with compared as (select a.r, a.p, {codes} from {pairs} as a join {rows} as r on r.no = a.r"
        f" join {people} as p on p.no = a.p where a.p {within} and p.no {within})"
        f" select r, p, {pattern} as pattern{rarity} from compared join {people}_bits as b on b.no = p and b.no {within}"
    )


def decode(rules: Rules, patterns: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the code of every comparison for an array of patterns."""
    return {place.comparison.name: (patterns >> place.shift) & place.mask for place in layout(rules)}
