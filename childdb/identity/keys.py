"""Keys of children: given once, never changed without a dated event, restored exactly when a merge is undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class KeyEventKind(StrEnum):
    """What can happen to a key."""

    GIVEN = "given"
    MERGED = "merged"
    SPLIT = "split"
    UNMERGED = "unmerged"
    PERSON_CHANGED = "person_changed"


@dataclass(frozen=True)
class Cluster:
    """Rows the matching holds for one child, with the person if one was accepted."""

    records: tuple[str, ...]
    person_id: str | None = None


@dataclass(frozen=True)
class ChildKey:
    """A key ever given; ``merged_into`` is set while it is retired."""

    child_id: str
    given_on: dt.date
    person_id: str | None = None
    merged_into: str | None = None
    retired_on: dt.date | None = None


@dataclass(frozen=True)
class KeyEvent:
    """One dated event; the person it leaves the key with stands beside it."""

    happened_on: dt.date
    kind: KeyEventKind
    child_id: str
    reason: str
    other_child_id: str | None = None
    person_id: str | None = None
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyState:
    """Keys as they stand: every key ever given, the key of each record, and the key each record had first."""

    keys: Mapping[str, ChildKey] = field(default_factory=dict)
    record_keys: Mapping[str, str] = field(default_factory=dict)
    first_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KeyChange:
    """The state after a matching and the events that led to it."""

    state: KeyState
    events: tuple[KeyEvent, ...]


def assign_keys(
    state: KeyState, clusters: Iterable[Cluster], *, on: dt.date, reason: str, new_key: Callable[[], str]
) -> KeyChange:
    """Return the keys after a matching; the order of the clusters and of their rows plays no part.

    A key stays with the cluster that holds its anchor: the confirmed person, else its oldest rows. Rows that are
    not in any cluster (lists that were replaced) keep their key in the history.
    """
    ordered = sorted(
        (replace(item, records=tuple(sorted(item.records))) for item in clusters),
        key=lambda item: item.records,
    )
    work = _Work(state, on, reason, new_key)
    holders = _holders(work, ordered)
    for place, cluster in enumerate(ordered):
        work.settle(cluster, holders.get(place, []))
    return work.result()


def _holders(work: _Work, clusters: list[Cluster]) -> dict[int, list[str]]:
    """Return for each cluster the active keys it is the heir of, the strongest claim first."""
    people = {item.person_id: place for place, item in enumerate(clusters) if item.person_id}
    rows: dict[str, dict[int, list[str]]] = {}
    for place, cluster in enumerate(clusters):
        for record in cluster.records:
            if record in work.record_keys:
                rows.setdefault(work.record_keys[record], {}).setdefault(place, []).append(record)
    heirs: dict[int, list[str]] = {}
    for child_id, key in work.keys.items():
        if key.merged_into is not None:
            continue
        heir = people.get(key.person_id) if key.person_id else None
        if heir is None and child_id in rows:
            heir = _oldest_part(work, child_id, rows[child_id])
        if heir is not None:
            heirs.setdefault(heir, []).append(child_id)
    for place, keys in heirs.items():
        person = clusters[place].person_id
        keys.sort(
            key=lambda child_id: (
                work.keys[child_id].person_id != person or person is None,
                work.keys[child_id].given_on,
                child_id,
            )
        )
    return heirs


def _oldest_part(work: _Work, child_id: str, parts: Mapping[int, list[str]]) -> int:
    """Return the cluster a key without a person goes to: most rows that had it first, then most rows, then the first row."""

    def claim(place: int) -> tuple[int, int, str]:
        own = sum(work.first_keys.get(record) == child_id for record in parts[place])
        return (-own, -len(parts[place]), min(parts[place]))

    return min(parts, key=claim)


class _Work:
    """The state while it changes."""

    def __init__(self, state: KeyState, on: dt.date, reason: str, new_key: Callable[[], str]) -> None:
        self.keys = dict(sorted(state.keys.items()))
        self.record_keys = dict(state.record_keys)
        self.first_keys = dict(state.first_keys)
        self._before = state
        self._on, self._reason, self._new_key = on, reason, new_key
        self._events: list[KeyEvent] = []
        self._rows_before: dict[str, list[str]] = {}
        for record in sorted(state.record_keys):
            self._rows_before.setdefault(state.record_keys[record], []).append(record)

    def settle(self, cluster: Cluster, heirs: list[str]) -> None:
        """Give one cluster its key and note every change."""
        previous = {
            self._before.record_keys[record]
            for record in cluster.records
            if record in self._before.record_keys
        }
        kept = heirs[0] if heirs else self._restored(cluster, previous) or self._given(cluster, previous)
        for other in heirs[1:]:
            self._merge(other, kept)
        for record in cluster.records:
            self.record_keys[record] = kept
            self.first_keys.setdefault(record, kept)
        self._set_person(kept, cluster.person_id)

    def _restored(self, cluster: Cluster, previous: set[str]) -> str | None:
        """Return the retired key that comes back, if these rows are the ones a merge took from it."""
        origins = {self.first_keys[record] for record in cluster.records if record in self.first_keys}
        retired = sorted(
            key for key in origins if self.keys[key].merged_into is not None and self._end(key) in previous
        )
        if not retired:
            return None
        key, rest = retired[0], retired[1:]
        self._note(KeyEventKind.UNMERGED, key, other=self.keys[key].merged_into, records=cluster.records)
        self.keys[key] = replace(self.keys[key], merged_into=None, retired_on=None)
        for other in rest:
            self.keys[other] = replace(self.keys[other], merged_into=key)
        return key

    def _end(self, child_id: str) -> str:
        """Return the key that stands in the place of a retired one before this matching."""
        seen = {child_id}
        while (
            step := self._before.keys[child_id].merged_into if child_id in self._before.keys else None
        ) and step not in seen:
            seen.add(step)
            child_id = step
        return child_id

    def _given(self, cluster: Cluster, previous: set[str]) -> str:
        key = self._new_key()
        if key in self.keys:
            raise ValueError("a key was drawn twice")
        self.keys[key] = ChildKey(key, self._on)
        if previous:
            self._note(KeyEventKind.SPLIT, key, other=min(previous), records=cluster.records)
        else:
            self._note(KeyEventKind.GIVEN, key, records=cluster.records, person=cluster.person_id)
        return key

    def _merge(self, other: str, kept: str) -> None:
        self._note(KeyEventKind.MERGED, other, other=kept, records=tuple(self._rows_before.get(other, ())))
        self.keys[other] = replace(self.keys[other], merged_into=kept, retired_on=self._on)

    def _set_person(self, child_id: str, person_id: str | None) -> None:
        """Bind a key to a person; a person once found is kept while the rows alone do not say another."""
        known = self.keys[child_id].person_id
        if person_id is None or person_id == known:
            return
        self.keys[child_id] = replace(self.keys[child_id], person_id=person_id)
        if known is not None:
            self._note(KeyEventKind.PERSON_CHANGED, child_id, person=person_id)

    def _note(
        self,
        kind: KeyEventKind,
        child_id: str,
        *,
        other: str | None = None,
        person: str | None = None,
        records: tuple[str, ...] = (),
    ) -> None:
        self._events.append(KeyEvent(self._on, kind, child_id, self._reason, other, person, records))

    def result(self) -> KeyChange:
        return KeyChange(KeyState(self.keys, self.record_keys, self.first_keys), tuple(self._events))
