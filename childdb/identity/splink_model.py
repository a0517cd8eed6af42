"""The learnt model as a Splink model: the same levels and weights for other engines (DuckDB here, Spark beyond one machine).

What Splink has no place for stays outside: the rarity of a value (a column of the person, added to the weight), the class of
close relatives, and the posterior of a row over all its candidates. Fields that are weighed together become one comparison.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlglot

from childdb.identity.comparison import layout
from childdb.identity.model import Model, read_model, shape_of
from childdb.identity.rules import Comparison, Group, Rules
from childdb.identity.rules_file import load_rules

# Splink takes probabilities; only their ratio counts, so each pair is brought below this.
_HIGHEST = 0.999
_ROW, _PERSON = re.compile(r"\br\.([a-z_0-9]+)"), re.compile(r"\bp\.([a-z_0-9]+)")
# The names the two inputs must have: Splink puts the first in the alphabet on the left.
REGISTER_NAME, POPULATION_NAME = "a_register", "b_population"


def export_model(model: Path, out: Path, *, rules: Path | None = None, dialect: str = "duckdb") -> int:
    """Write a model of ours as Splink settings; return the number of levels."""
    loaded = load_rules(rules)
    settings = splink_settings(loaded, read_model(model, loaded), dialect)
    out.write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return sum(len(item["comparison_levels"]) for item in settings["comparisons"])


def splink_settings(rules: Rules, model: Model, dialect: str = "duckdb") -> dict[str, Any]:
    """Return Splink settings whose weight of a pair is our weight against a stranger, rarity left out."""
    return {
        "link_type": "link_only",
        "unique_id_column_name": "no",
        "probability_two_random_records_match": 1 / (1 + 2**-model.prior_stranger),
        "blocking_rules_to_generate_predictions": [
            {
                "blocking_rule": _translated(_block(block.register, block.population), dialect),
                "sql_dialect": dialect,
            }
            for block in rules.blocks
        ],
        "comparisons": [_comparison(rules, model, group, dialect) for group in rules.all_groups()],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "sql_dialect": dialect,
    }


def columns_needed(rules: Rules) -> dict[str, set[str]]:
    """Return the feature columns the conditions and blocks name, by side."""
    texts = [sql for item in rules.comparisons for _, sql in _codes(item)]
    rows = {name for text in texts for name in _ROW.findall(text)} | {
        c for b in rules.blocks for c in b.register
    }
    people = {name for text in texts for name in _PERSON.findall(text)} | {
        c for b in rules.blocks for c in b.population
    }
    return {"register": rows, "population": people}


def _block(register: tuple[str, ...], population: tuple[str, ...]) -> str:
    return " and ".join(f"l.{a} = r.{b}" for a, b in zip(register, population, strict=True))


def _translated(sql: str, dialect: str) -> str:
    return sql if dialect == "duckdb" else sqlglot.transpile(sql, read="duckdb", write=dialect)[0]


def _sided(sql: str) -> str:
    return _PERSON.sub(r'"\1_r"', _ROW.sub(r'"\1_l"', sql))


def _codes(comparison: Comparison) -> Iterator[tuple[int, str]]:
    """Yield each code with a condition; read in this order, the first that holds is the code."""
    yield 0, comparison.missing
    size = len(comparison.levels)
    for place, context in enumerate(comparison.contexts):
        for number, level in enumerate(comparison.levels):
            parts = [part for part in (context.when, level.when) if part]
            yield 1 + place * size + number, " and ".join(f"({part})" for part in parts) or "true"


def _comparison(rules: Rules, model: Model, group: Group, dialect: str) -> dict[str, Any]:
    shape = shape_of(rules, group)
    same, stranger = model.same[group.name], model.stranger[group.name]
    levels = []
    for cell in itertools.product(*(list(_codes(rules.comparison(name))) for name in group.of)):
        joint = 0
        for (code, _), size in zip(cell, shape.sizes, strict=True):
            joint = joint * size + code
        condition = " and ".join(f"({_sided(sql)})" for _, sql in cell)
        m, u = 2.0 ** float(same[joint]), 2.0 ** float(stranger[joint])
        scale = _HIGHEST / max(m, u, _HIGHEST)
        levels.append(
            {
                "sql_condition": _translated(condition, dialect),
                "label_for_charts": ", ".join(
                    f"{name} {code}" for name, (code, _) in zip(group.of, cell, strict=True)
                ),
                "m_probability": m * scale,
                "u_probability": u * scale,
            }
        )
    levels[-1]["sql_condition"] = "ELSE"
    return {"output_column_name": group.name, "comparison_levels": levels}


def base_weight(rules: Rules, model: Model, pattern: int) -> float:
    """Return our weight of a pattern against a stranger in bits, rarity left out, prior added: what Splink must give."""
    codes = {place.comparison.name: (pattern >> place.shift) & place.mask for place in layout(rules)}
    total = model.prior_stranger
    for group in rules.all_groups():
        joint = 0
        for name, size in zip(group.of, shape_of(rules, group).sizes, strict=True):
            joint = joint * size + codes[name]
        total += float(model.same[group.name][joint] - model.stranger[group.name][joint])
    return total
