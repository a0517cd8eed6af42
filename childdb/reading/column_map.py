"""The column map of a dataset: which wordings mean which column, as data with a version."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from childdb.errors import ConfigurationError
from childdb.reading.keys import fold, has_phrase, key_variants, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAP_FOLDER = Path(__file__).resolve().parents[2] / "connectors" / "column_maps"
REPORT_FOLDER = MAP_FOLDER.with_name("report_maps")
"""Maps of reports that are read as figures and belong to no registered dataset yet."""
# Words that say only that the field is the child's, or nothing at all.
_FILLER = frozenset(
    "tre em cua chau be con hien dang theo thong tin cac duoc nay ve la tai the of child thuoc nao".split()
)
_CLEAR_SCORE = 0.74
_CLEAR_MARGIN = 0.08
_KNOWN_KEYS = frozenset({
    "dataset", "version", "format_versions", "required", "stated_instead", "columns", "sub_labels", "single_marks",
    "roles", "neutral_groups", "anchors", "rows",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What the map knows of one column."""

    name: str
    headers: tuple[str, ...]
    shape: str = "text"
    essential: bool = False
    compose: str = ""


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """What one physical column means: its target, how sure that is, and its label among several."""

    column: str
    confidence: float
    reason: str
    label: str | None = None
    mode: str = "single"
    part: int = 0


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A dataset's map, indexed for look-up by key."""

    dataset: str
    version: str
    rules: Mapping[str, ColumnRule]
    required: tuple[str, ...]
    stated_instead: Mapping[str, str]
    format_versions: Mapping[str, date | None]
    exact: Mapping[str, str]
    pairs: Mapping[tuple[str, str], str]
    sub_labels: Mapping[str, Mapping[str, Any]]
    single_marks: Mapping[str, tuple[str, str]]
    people: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, tuple[str, ...]]
    person_columns: Mapping[str, Mapping[str, str]]
    neutral: frozenset[str]
    anchors: frozenset[str] = frozenset({"ho_ten_tre", "ngay_sinh"})
    """Columns of which a sheet must have one to be a list of this dataset; where rows are figures, all of them."""
    rows_are_figures: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the target columns in the order of the dataset."""
        return tuple(self.rules)

    def find_exact(self, text: str) -> str | None:
        """Return the column a single header text is known to mean."""
        known = next((self.exact[key] for key in key_variants(text) if key in self.exact), None)
        return known or self._find_bilingual(text)

    def _find_bilingual(self, text: str) -> str | None:
        """Return the column of a header in two languages: one wording a line, or one before and one after a slash."""
        parts = [part.strip(" ()[]/") for part in re.split(r"[\r\n]+|\s/\s", text) if part.strip(" ()[]/")]
        if len(parts) != 2 or len(text) > 120:
            return None
        found = [
            next((self.exact[key] for key in key_variants(part) if key in self.exact), None) for part in parts
        ]
        if found[0] is not None and found[0] == found[1]:
            return found[0]
        known = [(column, rest) for column, rest in zip(found, reversed(parts), strict=True) if column]
        if len(known) != 1 or text.isascii() or not known[0][1].isascii() or self.people_named(parts):
            return None
        return known[0][0]

    def match(self, path: Sequence[str]) -> HeaderMatch | None:
        """Return what a header path (top to bottom) means by the map's own wordings, None if it is unknown."""
        upper, last = path[:-1], path[-1]
        return (
            self._match_pair(upper, last)
            or self._match_sub_label(upper, last)
            or self._match_joined(upper, last)
            or self._match_person(upper, last)
            or self._match_last(upper, last)
        )

    def _match_pair(self, upper: Sequence[str], last: str) -> HeaderMatch | None:
        for above in upper:
            for key in key_variants(last):
                for above_key in key_variants(above):
                    if (above_key, key) in self.pairs:
                        return HeaderMatch(self.pairs[above_key, key], 1.0, "known pair of headers")
        return None

    def _match_sub_label(self, upper: Sequence[str], last: str) -> HeaderMatch | None:
        if not upper:
            return None
        parent = self.find_exact(upper[-1])
        if parent is None:
            return None
        rule = self.rules[parent]
        return self._match_part(rule, last) or self._match_mark(rule, upper, last)

    def _match_part(self, rule: ColumnRule, last: str) -> HeaderMatch | None:
        tables = {"name": "name_parts", "date": "date_parts", "place": "place_parts"}
        keys = key_variants(last)
        if rule.compose == "date":
            label = _lookup(self.sub_labels["ngay_sinh_by_sex"], keys)
            if label is not None:
                return HeaderMatch(
                    rule.name, 1.0, "date under the column of its sex", str(label), "date_by_sex"
                )
        part = _lookup(self.sub_labels.get(tables.get(rule.compose, ""), {}), keys)
        if part is None:
            return None
        return HeaderMatch(rule.name, 1.0, f"part of {rule.name}", last, rule.compose, int(part))

    def _match_mark(self, rule: ColumnRule, upper: Sequence[str], last: str) -> HeaderMatch | None:
        if rule.compose != "marks":
            return None
        other = self.find_exact(last)
        joined = self._match_joined(upper, last)
        if joined is not None and joined.column != rule.name:
            return joined
        is_own_field = other is not None and (
            self.rules[other].shape == "date" or self._is_neutral(upper[-1])
        )
        if other is not None and is_own_field:
            return HeaderMatch(other, 1.0, "known header")
        label = _lookup(self.sub_labels.get(rule.name, {}), key_variants(last))
        return HeaderMatch(
            rule.name, 1.0, f"marked column under {rule.name}", str(label or last).strip(), "marks"
        )

    def _match_joined(self, upper: Sequence[str], last: str) -> HeaderMatch | None:
        if not upper:
            return None
        joins = (" ".join((*upper, last)), f"{last} {upper[-1]}", f"{upper[-1]} {last}")
        column = next((found for text in joins if (found := self.find_exact(text))), None)
        return HeaderMatch(column, 1.0, "known header over two rows") if column else None

    def _match_last(self, upper: Sequence[str], last: str) -> HeaderMatch | None:
        column = self.find_exact(last)
        if column is not None:
            sure = 1.0 if all(self._is_neutral(text) for text in upper) else 0.9
            return HeaderMatch(column, sure, "known header")
        mark = next((self.single_marks[key] for key in key_variants(last) if key in self.single_marks), None)
        if mark and mark[1].isascii() and not last.isascii():
            mark = None  # Năm (year) is not Nam (male)
        if mark and not upper:
            return HeaderMatch(mark[0], 1.0, "marked column", mark[1], "marks")
        return None

    def _is_neutral(self, text: str) -> bool:
        return any(key in self.neutral for key in key_variants(text))

    def people_named(self, path: Sequence[str]) -> tuple[str, ...]:
        """Return the people besides the child that a header path speaks of."""
        joined = " ".join(path)
        key, spelled = fold(joined), words(joined)
        marked = not joined.isascii()
        found = []
        for person, names in self.people.items():
            single = (name for name in names if " " not in name)
            phrases = (name for name in names if " " in name)
            by_word = any((name in spelled) if marked else has_phrase(key, fold(name)) for name in single)
            if by_word or any(has_phrase(key, fold(name)) for name in phrases):
                found.append(person)
        return tuple(found)

    def _match_person(self, upper: Sequence[str], last: str) -> HeaderMatch | None:
        if self.find_exact(last) and not self.people_named(upper):
            return None
        people = self.people_named((*upper, last))
        if not people:
            return None
        person = people[0] if len(people) == 1 else "guardian"
        known = self.person_columns[person]
        key = fold(last)
        for name, phrases in self.fields.items():
            if any(has_phrase(key, fold(phrase)) for phrase in phrases):
                return HeaderMatch(known[name], 0.95, f"{name} of {person}") if name in known else None
        is_only_person = len(key.split()) <= 3 and bool(self.people_named((last,)))
        return HeaderMatch(known["name"], 0.85, f"name of {person}") if is_only_person else None

    def propose(self, path: Sequence[str]) -> tuple[HeaderMatch | None, float]:
        """Return the nearest column for an unknown header with its reason, and the score it reached."""
        people = self.people_named(path)
        best: dict[str, tuple[float, str]] = {}
        for text in {path[-1], " ".join(path)}:
            for name, rule in self.rules.items():
                if self._person_of(name) != (people[0] if len(people) == 1 else None):
                    continue
                for header in rule.headers:
                    score = self._likeness(fold(text), fold(header))
                    if score > best.get(name, (0.0, ""))[0]:
                        best[name] = (score, header)
        ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
        if not ranked:
            return None, 0.0
        name, (score, header) = ranked[0]
        second = ranked[1][1][0] if len(ranked) > 1 else 0.0
        if score < _CLEAR_SCORE or score - second < _CLEAR_MARGIN:
            return None, score
        return HeaderMatch(
            name, round(score * 0.9, 3), f"like “{header}” ({score:.2f})", mode="proposal"
        ), score

    def _person_of(self, column: str) -> str | None:
        return next(
            (person for person, known in self.person_columns.items() if column in known.values()), None
        )

    def _likeness(self, left: str, right: str) -> float:
        """Return 0–1 by shared words, rare ones weighing more, or by shared letter triples."""
        first, second = set(left.split()), set(right.split())
        total = sum(map(self._weight, first)) + sum(map(self._weight, second))
        shared = 2 * sum(map(self._weight, first & second))
        triples = _dice(_triples(left), _triples(right))
        return max(shared / total if total else 0.0, 0.95 * triples)

    def _weight(self, word: str) -> float:
        return 0.2 if word in _FILLER else self.weights.get(word, 3.0)


def _lookup(table: Mapping[str, Any], keys: Sequence[str]) -> Any:
    folded = {fold(name): value for name, value in table.items()}
    return next((folded[key] for key in keys if key in folded), None)


@lru_cache(maxsize=8192)
def _triples(text: str) -> frozenset[str]:
    padded = f"  {text} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))


def _dice(left: frozenset[str], right: frozenset[str]) -> float:
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


@lru_cache(maxsize=8)
def load_column_map(dataset: str, folder: Path = MAP_FOLDER) -> ColumnMap:
    """Return the column map of a dataset; every mistake in the file is a ``ConfigurationError``."""
    path = next((f for place in (folder, REPORT_FOLDER) if (f := place / f"{dataset}.yml").is_file()), Path())
    if not path.is_file():
        raise ConfigurationError(
            f"Dataset {dataset} has no column map; add connectors/column_maps/{dataset}.yml."
        )
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    unknown = sorted(set(raw) - _KNOWN_KEYS)
    if unknown:
        raise ConfigurationError(f"Column map {dataset}: unknown keys {', '.join(unknown)}.")
    return _build_map(raw)


def _build_map(raw: dict[str, Any]) -> ColumnMap:
    rules = {
        name: ColumnRule(
            name,
            tuple(dict.fromkeys((*map(str, entry["headers"]), name))),
            entry.get("shape", "text"),
            bool(entry.get("essential", False)),
            entry.get("compose", ""),
        )
        for name, entry in raw["columns"].items()
    }
    exact, pairs = _index_headers(rules)
    roles = raw.get("roles") or {"people": {}, "fields": {}, "columns": {}}
    return ColumnMap(
        dataset=raw["dataset"],
        version=str(raw["version"]),
        rules=rules,
        required=tuple(raw["required"]),
        stated_instead=raw.get("stated_instead", {}),
        format_versions={str(key): value for key, value in raw.get("format_versions", {}).items()},
        exact=exact,
        pairs=pairs,
        sub_labels={"ngay_sinh_by_sex": {}, **raw.get("sub_labels", {})},
        single_marks={
            fold(text): (entry["column"], label)
            for entry in raw.get("single_marks", [])
            for text, label in entry["labels"].items()
            if fold(text) not in exact
        },
        people={person: tuple(names) for person, names in roles["people"].items()},
        fields={name: tuple(phrases) for name, phrases in roles["fields"].items()},
        person_columns=roles["columns"],
        neutral=frozenset(fold(text) for text in raw.get("neutral_groups", [])),
        anchors=frozenset(raw.get("anchors", ("ho_ten_tre", "ngay_sinh"))),
        rows_are_figures=raw.get("rows") == "figures",
        weights=_word_weights(rules),
    )


def _index_headers(rules: Mapping[str, ColumnRule]) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    exact: dict[str, str] = {}
    pairs: dict[tuple[str, str], str] = {}
    for rule in rules.values():
        for header in rule.headers:
            if ">" in header:
                above, below = header.split(">", 1)
                pairs[fold(above), fold(below)] = rule.name
                continue
            owner = exact.setdefault(fold(header), rule.name)
            if owner != rule.name:
                raise ConfigurationError(f"Column map: one wording belongs to {owner} and to {rule.name}.")
    return exact, pairs


def _word_weights(rules: Mapping[str, ColumnRule]) -> dict[str, float]:
    """Return the weight of each word: the fewer columns use it, the more it tells."""
    used = Counter(
        word for rule in rules.values() for word in {w for h in rule.headers for w in fold(h).split()}
    )
    return {word: math.log(1 + len(rules) / count) for word, count in used.items()}
