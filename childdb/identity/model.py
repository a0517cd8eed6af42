"""The learnt model: chances of every level among the same child, close relatives and strangers; frozen as JSON."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from childdb.errors import ConfigurationError
from childdb.identity.comparison import decode
from childdb.identity.rules import Comparison, Group, Rules

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FORMAT = 2
TABLES = ("same", "relative", "stranger")
# Digits kept of a weight in bits: sums of rounded values are the same on any machine.
_DIGITS = 3


@dataclass(frozen=True)
class Shape:
    """The joint codes of a group: which comparison codes they stand for, and which of them can be weighed against each other."""

    group: Group
    sizes: tuple[int, ...]
    codes: Ints
    mask: Ints

    @property
    def cells(self) -> int:
        """Return the number of joint codes."""
        return len(self.mask)

    def join(self, columns: dict[str, Ints]) -> Ints:
        """Return joint codes from the codes of the single comparisons."""
        joint = np.zeros(len(next(iter(columns.values()))), np.int64)
        for name, size in zip(self.group.of, self.sizes, strict=True):
            joint = joint * size + columns[name]
        return joint


def context_of(comparison: Comparison) -> Ints:
    """Return for each code its context, 0 for 'missing'."""
    size = len(comparison.levels)
    return np.array([0] + [1 + code // size for code in range(comparison.code_count - 1)], np.int64)


def shape_of(rules: Rules, group: Group) -> Shape:
    """Return the joint codes of a group; cells compete only within one pattern of contexts and missing values."""
    comparisons = [rules.comparison(name) for name in group.of]
    sizes = tuple(item.code_count for item in comparisons)
    codes = np.array(list(itertools.product(*(range(size) for size in sizes))), np.int64)
    mask = np.zeros(len(codes), np.int64)
    for place, item in enumerate(comparisons):
        mask = mask * (len(item.contexts) + 1) + context_of(item)[codes[:, place]]
    return Shape(group, sizes, codes, mask)


@dataclass(frozen=True)
class Model:
    """Weights in bits: ``same`` and ``relative`` against ``stranger``, cell by cell of each group."""

    version: str
    rules_version: str
    rules_sha256: str
    people: int
    counterpart: float
    duplicate: float
    relatives: float
    same: dict[str, Floats]
    relative: dict[str, Floats]
    stranger: dict[str, Floats]
    counts: dict[str, int]
    # What was learnt while deciding: rows of the register then, and how much of each place it held.
    rows: int = 0
    held: float = 0.0
    covered: dict[str, float] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Return whether everything a decision leans on is frozen, not only the weights."""
        return self.rows > 0

    @property
    def prior_stranger(self) -> float:
        """Return log2 odds that a given pair is the same child rather than two strangers."""
        return float(np.log2(self.counterpart / (1 - self.counterpart) / max(self.people, 1)))

    @property
    def prior_relative(self) -> float:
        """Return log2 odds that a pair of one family is the same child rather than two relatives."""
        return float(np.log2(self.counterpart / (1 - self.counterpart) / max(self.relatives, 1e-6)))

    def weights(self, rules: Rules, patterns: Ints) -> tuple[dict[str, Ints], Ints]:
        """Return thousandths of a bit by group (same child against stranger) and in all against a relative."""
        columns = decode(rules, patterns)
        against_stranger: dict[str, Ints] = {}
        against_relative = np.zeros(len(patterns), np.int64)
        for group in rules.all_groups():
            joint = shape_of(rules, group).join(columns)
            against_stranger[group.name] = _thousandths(self.same[group.name] - self.stranger[group.name])[
                joint
            ]
            against_relative += _thousandths(self.same[group.name] - self.relative[group.name])[joint]
        return against_stranger, against_relative


def _thousandths(bits: Floats) -> Ints:
    return np.rint(bits * 1000).astype(np.int64)


def write_model(model: Model, path: Path) -> None:
    """Write a model as JSON; the same model always gives the same bytes."""
    path.write_text(
        json.dumps(_document(model), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _document(model: Model) -> dict[str, Any]:
    tables = {name: {key: _rounded(value) for key, value in getattr(model, name).items()} for name in TABLES}
    plain = {
        name: getattr(model, name)
        for name in (
            "rules_version",
            "rules_sha256",
            "people",
            "counterpart",
            "duplicate",
            "relatives",
            "counts",
            "rows",
            "held",
            "covered",
        )
    }
    return {"format": FORMAT, "version": model.version, **plain, **tables}


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]


def freeze(model: Model) -> Model:
    """Return a model rounded as it will be written, its version the hash of what it holds."""
    rounded = replace(
        model,
        version="",
        same=_rounded_tables(model.same),
        relative=_rounded_tables(model.relative),
        stranger=_rounded_tables(model.stranger),
    )
    content = json.dumps(_document(rounded), sort_keys=True).encode()
    return replace(rounded, version=f"{model.rules_version}-{hashlib.sha256(content).hexdigest()[:12]}")


def _rounded_tables(tables: dict[str, Floats]) -> dict[str, Floats]:
    return {key: np.array(_rounded(value), np.float64) for key, value in tables.items()}


def read_model(path: Path, rules: Rules) -> Model:
    """Return the model of a file, refused if it was learnt under other rules."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"Model file '{path.name}' does not exist. Leave --model out to learn the weights."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ConfigurationError(
            f"Model file '{path.name}' is not JSON. Name a model.json written by childdb match."
        ) from None
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ConfigurationError(
            f"Model file '{path.name}' has another format; expected {FORMAT}. Learn the weights anew."
        )
    if document.get("rules_sha256") != rules.sha256:
        raise ConfigurationError(
            f"Model file '{path.name}' was learnt under other rules than the ones in use. Name the same rules file, or learn anew."
        )
    model = _model_of(document)
    if model is None or any(
        len(table.get(group.name, ())) != shape_of(rules, group).cells
        for group in rules.all_groups()
        for table in (model.same, model.relative, model.stranger)
    ):
        raise ConfigurationError(f"Model file '{path.name}' is incomplete. Learn the weights anew.")
    return model


def _model_of(document: dict[str, Any]) -> Model | None:
    """Return the model of a document, None if a part is missing or of another kind."""
    try:
        for name in TABLES:
            document[name] = {key: np.array(value, np.float64) for key, value in document[name].items()}
        return Model(**document)
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
