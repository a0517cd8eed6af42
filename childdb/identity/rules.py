"""Rules of matching as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ColumnType(StrEnum):
    """What a column of an input file must hold."""

    TEXT = "text"
    INTEGER = "integer"
    DATE = "date"
    CODE = "code"


class FeatureKind(StrEnum):
    """What a cell is read as."""

    CHILD_NUMBER = "child_number"
    PARENT_NUMBER = "parent_number"
    PERSON_NAME = "person_name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    TEXT = "text"
    CODE = "code"
    PHONE = "phone"
    WHOLE_NUMBER = "whole_number"


@dataclass(frozen=True)
class Side:
    """One input: its key and the columns it must have."""

    key: str
    columns: Mapping[str, ColumnType]


@dataclass(frozen=True)
class Feature:
    """One value made of one column on each side (an empty name means: not on that side)."""

    name: str
    kind: FeatureKind
    register: str = ""
    population: str = ""
    spare: str = ""
    sex: str = ""


@dataclass(frozen=True)
class Frequency:
    """How often a value occurs: near the person, in the whole, and made up of its parts."""

    name: str
    of: str
    near: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Level:
    """One degree of agreement; an empty condition is the last, which always holds.

    A level ``of_row`` says something of the row itself (its number is nobody's): among strangers and relatives
    it is counted over rows that seem to have nobody, not over pairs.
    """

    name: str
    when: str = ""
    frequency: str = ""
    chance: str = ""
    of_row: bool = False


@dataclass(frozen=True)
class Context:
    """A way of writing of the register row under which agreement is learnt by itself."""

    name: str
    when: str = ""


@dataclass(frozen=True)
class Comparison:
    """One field compared: contexts times levels, and when nothing can be said."""

    name: str
    missing: str
    levels: tuple[Level, ...]
    contexts: tuple[Context, ...] = (Context("any"),)

    @property
    def code_count(self) -> int:
        """Return the number of codes; 0 is 'missing', then level by level within each context."""
        return 1 + len(self.levels) * len(self.contexts)


@dataclass(frozen=True)
class Group:
    """Comparisons whose errors go together and are therefore weighed together."""

    name: str
    of: tuple[str, ...]
    unrelated: str = "independent"


@dataclass(frozen=True)
class Block:
    """Two lists of columns: pairs that agree on them are looked at."""

    name: str
    register: tuple[str, ...]
    population: tuple[str, ...]


@dataclass(frozen=True)
class StrongKey:
    """A block whose only candidate may be accepted at once, if the levels are among those named."""

    name: str
    register: tuple[str, ...]
    population: tuple[str, ...]
    only: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Relatives:
    """People of the extract who agree on this column are close relatives: labels for free."""

    same: str
    cap: int = 12


@dataclass(frozen=True)
class Priors:
    """What is believed before the data speak; learnt values replace it."""

    counterpart: float = 0.95
    duplicate: float = 0.02
    relatives: float = 0.8


@dataclass(frozen=True)
class Training:
    """Sizes of the samples the weights are learnt from."""

    rows: int = 40000
    random_pairs: int = 1000000
    rounds: int = 12
    smoothing: float = 20.0
    near: str = ""
    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thresholds:
    """Least probability for an automatic link, and for a person to look."""

    accept: float = 0.95
    review: float = 0.2


@dataclass(frozen=True)
class Duplicates:
    """When two register rows without a person are one child."""

    accept: float = 0.95
    largest_child: int = 5


@dataclass(frozen=True)
class Rules:
    """Everything the engine knows of the data."""

    version: str
    sha256: str
    register: Side
    population: Side
    features: tuple[Feature, ...]
    comparisons: tuple[Comparison, ...]
    blocks: tuple[Block, ...]
    frequencies: tuple[Frequency, ...] = ()
    groups: tuple[Group, ...] = ()
    strong_keys: tuple[StrongKey, ...] = ()
    strong_bits: float = 17.0
    cap: int = 100
    placeholders: tuple[str, ...] = ()
    relatives: Relatives | None = None
    priors: Priors = field(default_factory=Priors)
    training: Training = field(default_factory=Training)
    thresholds: Thresholds = field(default_factory=Thresholds)
    duplicates: Duplicates = field(default_factory=Duplicates)

    def comparison(self, name: str) -> Comparison:
        """Return the comparison with this name."""
        return next(item for item in self.comparisons if item.name == name)

    def all_groups(self) -> tuple[Group, ...]:
        """Return the groups of the file and one group for each comparison that stands alone."""
        grouped = {name for group in self.groups for name in group.of}
        alone = tuple(Group(item.name, (item.name,)) for item in self.comparisons if item.name not in grouped)
        return alone + self.groups
