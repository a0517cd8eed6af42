"""Learns the weights without labels: strangers from chance pairs, relatives from one mother's children, the same child by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from childdb.identity.comparison import decode
from childdb.identity.model import Floats, Ints, Model, Shape, context_of, freeze, shape_of
from childdb.identity.rules import Comparison, Rules

# Weight of the expectation behind each single comparison, in pairs.
_EXPECTED = 4.0
_FIRST_LEVEL = 0.9


@dataclass(frozen=True)
class Sample:
    """Pairs reduced to numbers: joint codes by group, rarity in bits, row of each pair."""

    codes: dict[str, Ints]
    joints: dict[str, Ints]
    rarity: Floats
    rows: Ints


@dataclass(frozen=True)
class TrainingData:
    """The three samples and what must be known beside them."""

    candidates: Sample
    relatives: Sample
    far: Sample
    near: Sample
    near_share: float
    chances: dict[str, float]
    row_count: int
    people: int
    relatives_per_row: float


def make_sample(rules: Rules, patterns: Ints, rarity: Ints, rows: Ints) -> Sample:
    """Return a sample from patterns; rows are numbered from 0 without gaps."""
    codes = decode(rules, patterns)
    joints = {group.name: shape_of(rules, group).join(codes) for group in rules.all_groups()}
    return Sample(codes, joints, rarity / 1000.0, rows)


def learn(rules: Rules, data: TrainingData) -> Model:
    """Return the model that explains the candidates best."""
    shapes = {group.name: shape_of(rules, group) for group in rules.all_groups()}
    stranger = {name: _stranger_table(rules, shape, data) for name, shape in shapes.items()}
    relative = {name: _relative_table(rules, shape, data) for name, shape in shapes.items()}
    same = {name: _expected_table(rules, shape) for name, shape in shapes.items()}
    counterpart = rules.priors.counterpart
    sample = data.candidates
    for _ in range(rules.training.rounds):
        chance = posterior(sample, same, relative, stranger, counterpart, data)
        same = {
            name: _table(rules, shape, _counted(sample.joints[name], chance, shape.cells))
            for name, shape in shapes.items()
        }
        nobody = _nobody(sample, chance)
        for table in (stranger, relative):
            for name, shape in shapes.items():
                table[name] = _with_row_levels(
                    rules, shape, table[name], _counted(sample.joints[name], nobody, shape.cells)
                )
        counterpart = float(np.clip(chance.sum() / max(data.row_count, 1), 0.3, 0.998))
    counts = {
        "rows": data.row_count,
        "pairs": len(sample.rows),
        "relatives": len(data.relatives.rows),
        "chance_pairs": len(data.far.rows) + len(data.near.rows),
    }
    return freeze(
        Model(
            version="",
            rules_version=rules.version,
            rules_sha256=rules.sha256,
            people=data.people,
            counterpart=round(counterpart, 5),
            duplicate=rules.priors.duplicate,
            relatives=round(data.relatives_per_row, 4),
            same=same,
            relative=relative,
            stranger=stranger,
            counts=counts,
        )
    )


def posterior(
    sample: Sample,
    same: dict[str, Floats],
    relative: dict[str, Floats],
    stranger: dict[str, Floats],
    counterpart: float,
    data: TrainingData,
) -> Floats:
    """Return for each candidate the chance that it is the row's child, over all candidates and 'none'."""
    bits = {
        "same": np.zeros(len(sample.rows)),
        "relative": np.zeros(len(sample.rows)),
        "stranger": -sample.rarity,
    }
    for name, joint in sample.joints.items():
        bits["same"] = bits["same"] + same[name][joint]
        bits["relative"] = bits["relative"] + relative[name][joint]
        bits["stranger"] = bits["stranger"] + stranger[name][joint]
    others = np.logaddexp2(
        bits["stranger"] + np.log2(max(data.people, 1)),
        bits["relative"] + np.log2(max(data.relatives_per_row, 1e-6)),
    )
    odds = np.exp2(np.clip(bits["same"] - others + np.log2(counterpart / (1 - counterpart)), -60, 60))
    total = 1.0 + np.bincount(sample.rows, odds)
    return np.asarray(odds / total[sample.rows])


def _counted(codes: Ints, weights: Floats, size: int) -> Floats:
    """Return the sum of the weights of each code."""
    return np.bincount(codes, weights, size).astype(np.float64)


def _nobody(sample: Sample, chance: Floats) -> Floats:
    """Return for each pair its share of the chance that its row has nobody in the extract."""
    none = np.clip(1.0 - np.bincount(sample.rows, chance), 0.0, 1.0)
    return np.asarray((none / np.maximum(np.bincount(sample.rows), 1))[sample.rows])


def _with_row_levels(rules: Rules, shape: Shape, table: Floats, counts: Floats) -> Floats:
    """Return a table whose levels that speak of the row are shared out as among rows that have nobody."""
    if len(shape.group.of) > 1:
        return table
    comparison = rules.comparison(shape.group.of[0])
    places = [place for place, level in enumerate(comparison.levels) if level.of_row]
    chance = np.exp2(table)
    for context in range(len(comparison.contexts)):
        codes = np.array([1 + context * len(comparison.levels) + place for place in places], np.int64)
        if len(codes):
            expected = np.full(len(codes), 0.1)
            expected[-1] = 1 - 0.1 * (len(codes) - 1)
            weighted = counts[codes] + rules.training.smoothing * expected
            chance[codes] = chance[codes].sum() * weighted / weighted.sum()
    return np.log2(chance)


def _levels(comparison: Comparison) -> Floats:
    """Return what is expected of the same child before any data: mostly the best level, ever less of the worse ones."""
    count = len(comparison.levels)
    rest = 0.7 ** np.arange(count - 1)
    level = (
        np.concatenate([[_FIRST_LEVEL], (1 - _FIRST_LEVEL) * rest / rest.sum()]) if count > 1 else np.ones(1)
    )
    return np.concatenate([[1.0], np.tile(level, len(comparison.contexts))])


def _marginal(comparison: Comparison, counts: Floats, expected: Floats) -> Floats:
    """Return the chance of each code within its context; 'missing' says nothing."""
    context = context_of(comparison)
    weighted = counts + _EXPECTED * expected
    totals = np.bincount(context, weighted)
    chance = weighted / totals[context]
    chance[0] = 1.0
    return np.asarray(chance)


def _marginals(
    rules: Rules, shape: Shape, counts: Floats, expected: dict[str, Floats] | None = None
) -> list[Floats]:
    found = []
    for place, name in enumerate(shape.group.of):
        comparison = rules.comparison(name)
        single = _counted(shape.codes[:, place], counts, comparison.code_count)
        found.append(_marginal(comparison, single, expected[name] if expected else _levels(comparison)))
    return found


def _product(shape: Shape, marginals: list[Floats]) -> Floats:
    chance = np.ones(shape.cells)
    for place, marginal in enumerate(marginals):
        chance = chance * marginal[shape.codes[:, place]]
    return chance


def _table(rules: Rules, shape: Shape, counts: Floats, expected: dict[str, Floats] | None = None) -> Floats:
    """Return log2 chances: counted jointly, leaning on independence where little was seen."""
    product = _product(shape, _marginals(rules, shape, counts, expected))
    if len(shape.group.of) == 1:
        return np.log2(product)
    strength = rules.training.smoothing
    totals = np.bincount(shape.mask, counts)[shape.mask]
    return np.asarray(np.log2((counts + strength * product) / (totals + strength)))


def _expected_table(rules: Rules, shape: Shape) -> Floats:
    return _table(rules, shape, np.zeros(shape.cells))


def _flat(comparison: Comparison) -> Floats:
    """Return a small equal expectation for each level: strangers are counted, hardly believed."""
    return np.full(comparison.code_count, 0.1)


def _relative_table(rules: Rules, shape: Shape, data: TrainingData) -> Floats:
    expected = {name: _flat(rules.comparison(name)) for name in shape.group.of}
    counts = np.bincount(data.relatives.joints[shape.group.name], minlength=shape.cells).astype(np.float64)
    return _table(rules, shape, counts, expected)


def _stranger_table(rules: Rules, shape: Shape, data: TrainingData) -> Floats:
    """Return log2 chances among strangers; levels weighed by rarity hold only what rarity leaves open."""
    name = shape.group.name
    far = np.bincount(data.far.joints[name], minlength=shape.cells).astype(np.float64)
    near = np.bincount(data.near.joints[name], minlength=shape.cells).astype(np.float64)
    expected = {item: _flat(rules.comparison(item)) for item in shape.group.of}
    if shape.group.unrelated == "joint":
        return _table(rules, shape, _mixed(far, near, data.near_share), expected)
    counts = _near_or_far(rules.comparison(name), near, far) if len(shape.group.of) == 1 else far
    marginals = _marginals(rules, shape, counts, expected)
    for place, item in enumerate(shape.group.of):
        comparison = rules.comparison(item)
        single = _counted(shape.codes[:, place], counts, comparison.code_count)
        marginals[place] = _with_rarity(comparison, marginals[place], single, data.chances)
    return np.log2(_product(shape, marginals))


def _near_or_far(comparison: Comparison, near: Floats, far: Floats) -> Floats:
    """Return the counts of near chance pairs, and of far ones for each context near pairs never have."""
    context = context_of(comparison)
    return np.where(np.bincount(context, near)[context] > 0, near, far)


def _mixed(far: Floats, near: Floats, near_share: float) -> Floats:
    """Return chance pairs of the nation, with the rare near ones replaced by their own larger sample."""
    if near.sum() == 0:
        return far
    return np.asarray(far + near * (near_share * far.sum() / near.sum()))


def _with_rarity(
    comparison: Comparison, marginal: Floats, counts: Floats, chances: dict[str, float]
) -> Floats:
    size = len(comparison.levels)
    context = context_of(comparison)
    totals = np.bincount(context, counts)
    corrected = marginal.copy()
    for code in range(1, comparison.code_count):
        level = comparison.levels[(code - 1) % size]
        if level.chance == "certain":
            corrected[code] = 1.0
        elif level.frequency:
            expected = totals[context[code]] * chances[level.frequency]
            corrected[code] = (counts[code] + 0.5) / (expected + 0.5)
    return corrected
