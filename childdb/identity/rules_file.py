"""Reads a rules file into frozen values; every mistake is told at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from childdb.errors import ConfigurationError
from childdb.identity.rules import (
    Block,
    ColumnType,
    Comparison,
    Context,
    Duplicates,
    Feature,
    FeatureKind,
    Frequency,
    Group,
    Level,
    Priors,
    Relatives,
    Rules,
    Side,
    StrongKey,
    Thresholds,
    Training,
)

DEFAULT_RULES = Path(__file__).with_name("rules.yml")
_FORBIDDEN_SQL = re.compile(
    r";|--|/\*|\b(select|from|copy|attach|insert|drop|install|load|pragma)\b", re.IGNORECASE
)
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class _Reader:
    """Builds frozen values from a YAML document and keeps a list of everything wrong with it."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def build(
        self, kind: Callable[..., Any], value: object, where: str, /, **casts: Callable[[Any, str], Any]
    ) -> Any:
        """Return ``kind`` filled from a mapping, or None after noting what is wrong."""
        if not isinstance(value, dict):
            self.mistakes.append(f"{where}: expected a mapping, found {type(value).__name__}")
            return None
        known = {item.name: item for item in kind.__dataclass_fields__.values()}  # type: ignore[attr-defined]
        for key in value:
            if key not in known:
                self.mistakes.append(f"{where}: unknown key '{key}' (known: {', '.join(known)})")
        arguments = {}
        for key, item in value.items():
            if key in known:
                cast = casts.get(key)
                arguments[key] = (
                    cast(item, f"{where}.{key}")
                    if cast
                    else self._plain(known[key].type, item, f"{where}.{key}")
                )
        try:
            return kind(**arguments)
        except TypeError as error:
            self.mistakes.append(f"{where}: {str(error).split(') ')[-1]}")
            return None

    def _plain(self, declared: str, item: object, where: str) -> Any:
        """Return a scalar or a list of names after checking its type."""
        if declared.startswith("tuple[str"):
            return self.names(item, where)
        wanted: tuple[type, ...] = {"int": (int,), "float": (int, float), "bool": (bool,)}.get(
            declared, (str,)
        )
        if not isinstance(item, wanted) or (isinstance(item, bool) and declared != "bool"):
            self.mistakes.append(f"{where}: expected {wanted[-1].__name__}, found {type(item).__name__}")
        return item

    def names(self, item: object, where: str) -> tuple[str, ...]:
        """Return a tuple of texts."""
        if not isinstance(item, list) or not all(isinstance(word, str) for word in item):
            self.mistakes.append(f"{where}: expected a list of names")
            return ()
        return tuple(item)

    def many(
        self, kind: Callable[..., Any], /, **casts: Callable[[Any, str], Any]
    ) -> Callable[[Any, str], Any]:
        """Return a cast that builds a tuple of ``kind``, named for its place."""

        def cast(value: Any, where: str) -> tuple[Any, ...]:
            if not isinstance(value, list):
                self.mistakes.append(f"{where}: expected a list, found {type(value).__name__}")
                return ()
            built = (self.build(kind, item, f"{where}[{place}]", **casts) for place, item in enumerate(value))
            return tuple(item for item in built if item is not None)

        return cast

    def one(
        self, kind: Callable[..., Any], /, **casts: Callable[[Any, str], Any]
    ) -> Callable[[Any, str], Any]:
        """Return a cast that builds one ``kind``."""
        return lambda value, where: self.build(kind, value, where, **casts)

    def member(self, kind: type[StrEnum]) -> Callable[[Any, str], Any]:
        """Return a cast to a vocabulary."""

        def cast(value: Any, where: str) -> Any:
            if value not in list(kind):
                self.mistakes.append(f"{where}: expected one of {', '.join(kind)}")
                return None
            return kind(value)

        return cast

    def mapping(self, cast_value: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        """Return a cast of a mapping from names."""

        def cast(value: Any, where: str) -> dict[str, Any]:
            if not isinstance(value, dict):
                self.mistakes.append(f"{where}: expected a mapping")
                return {}
            return {str(key): cast_value(item, f"{where}.{key}") for key, item in value.items()}

        return cast


def load_rules(path: Path | None = None) -> Rules:
    """Return the rules of a file (the register's own by default); all mistakes are raised at once."""
    source = path or DEFAULT_RULES
    try:
        content = source.read_bytes()
        document = yaml.safe_load(content)
    except FileNotFoundError:
        raise ConfigurationError(
            f"Rules file '{source.name}' does not exist. Name an existing file."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError(
            f"Rules file '{source.name}' is not YAML. Compare it with rules.yml."
        ) from None
    reader = _Reader()
    if isinstance(document, dict):
        document = {**document, "sha256": hashlib.sha256(content).hexdigest()}
    rules = _build(reader, document)
    if rules is not None and not reader.mistakes:
        reader.mistakes.extend(_contradictions(rules))
    if reader.mistakes or rules is None:
        raise ConfigurationError(
            f"Rules file '{source.name}' has {len(reader.mistakes)} mistakes: " + "; ".join(reader.mistakes)
        )
    return rules


def _build(reader: _Reader, document: object) -> Rules | None:
    side = reader.one(Side, columns=reader.mapping(reader.member(ColumnType)))
    built = reader.build(
        Rules,
        document,
        "rules",
        register=side,
        population=side,
        features=reader.many(Feature, kind=reader.member(FeatureKind)),
        frequencies=reader.many(Frequency),
        comparisons=reader.many(Comparison, levels=reader.many(Level), contexts=reader.many(Context)),
        groups=reader.many(Group),
        blocks=reader.many(Block),
        strong_keys=reader.many(StrongKey, only=reader.mapping(reader.names)),
        relatives=reader.one(Relatives),
        priors=reader.one(Priors),
        training=reader.one(Training),
        thresholds=reader.one(Thresholds),
        duplicates=reader.one(Duplicates),
    )
    return built if isinstance(built, Rules) else None


def _contradictions(rules: Rules) -> list[str]:
    """Return what is well formed but cannot be meant."""
    found = [f"{kind} '{name}' is not a plain name or is given twice" for kind, name in _bad_names(rules)]
    names = {item.name for item in rules.comparisons}
    found += [
        f"group '{g.name}': unknown comparison '{n}'" for g in rules.groups for n in g.of if n not in names
    ]
    frequencies = {item.name for item in rules.frequencies}
    for item in rules.comparisons:
        found += [
            f"comparison '{item.name}': unknown frequency '{level.frequency}'"
            for level in item.levels
            if level.frequency and level.frequency not in frequencies
        ]
        if not item.levels or item.levels[-1].when or any(not level.when for level in item.levels[:-1]):
            found.append(f"comparison '{item.name}': exactly the last level has no condition")
        conditions = [item.missing, *(level.when for level in item.levels), *(c.when for c in item.contexts)]
        found += [
            f"comparison '{item.name}': a condition may not hold commands"
            for text in conditions
            if _FORBIDDEN_SQL.search(text)
        ]
    for side, title in ((rules.register, "register"), (rules.population, "population")):
        if side.key not in side.columns:
            found.append(f"{title}: the key '{side.key}' is not among its columns")
    found += _unknown_sources(rules) + _bad_keys(rules)
    if not 0 < rules.thresholds.review < rules.thresholds.accept < 1:
        found.append("thresholds: expected 0 < review < accept < 1")
    return found


def _bad_names(rules: Rules) -> list[tuple[str, str]]:
    lists: dict[str, Sequence[Any]] = {
        "feature": rules.features,
        "frequency": rules.frequencies,
        "comparison": rules.comparisons,
        "block": rules.blocks,
        "group": rules.groups,
        "strong key": rules.strong_keys,
    }
    found = []
    for kind, items in lists.items():
        names = [item.name for item in items]
        found += [
            (kind, name) for name in sorted(set(names)) if names.count(name) > 1 or not _NAME.match(name)
        ]
    return found


def _unknown_sources(rules: Rules) -> list[str]:
    found = []
    for item in rules.features:
        for side, source in ((rules.register, item.register), (rules.population, item.population)):
            if source and source not in side.columns:
                found.append(f"feature '{item.name}': unknown column '{source}'")
        if item.spare and not (item.spare in rules.register.columns and item.sex in {"male", "female"}):
            found.append(f"feature '{item.name}': a spare column needs a register column and a sex")
    return found


def _bad_keys(rules: Rules) -> list[str]:
    found = []
    keys: tuple[Block | StrongKey, ...] = (*rules.blocks, *rules.strong_keys)
    for item in keys:
        if not item.register or len(item.register) != len(item.population):
            found.append(
                f"block '{item.name}': as many columns for the register as for the population, at least one"
            )
    for strong in rules.strong_keys:
        for name, levels in strong.only.items():
            known = {level.name for c in rules.comparisons if c.name == name for level in c.levels}
            found += [
                f"strong key '{strong.name}': unknown level '{name}.{level}'"
                for level in levels
                if level not in known
            ]
    return found
