"""Keys of children through increments, merges and their undoing."""

from __future__ import annotations

import datetime as dt
import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from childdb.identity.keys import Cluster, KeyEventKind, KeyState, assign_keys

DAY = dt.date(2026, 11, 21)


def _assign(state, clusters, counter, on=DAY):
    return assign_keys(state, clusters, on=on, reason="test", new_key=lambda: f"K{next(counter):03d}")


def test_every_child_gets_a_key_once_with_an_event() -> None:
    change = _assign(KeyState(), [Cluster(("a", "b"), "P1"), Cluster(("c",))], itertools.count())
    assert change.state.record_keys["a"] == change.state.record_keys["b"] != change.state.record_keys["c"]
    assert [event.kind for event in change.events] == [KeyEventKind.GIVEN, KeyEventKind.GIVEN]


def test_same_clusters_again_change_nothing() -> None:
    counter = itertools.count()
    clusters = [Cluster(("a", "b"), "P1"), Cluster(("c",))]
    first = _assign(KeyState(), clusters, counter)
    second = _assign(first.state, list(reversed(clusters)), counter)
    assert second.events == ()
    assert second.state == first.state


def test_key_follows_the_person_when_every_row_is_new() -> None:
    counter = itertools.count()
    first = _assign(KeyState(), [Cluster(("old",), "P1")], counter)
    second = _assign(first.state, [Cluster(("new",), "P1")], counter)
    assert second.state.record_keys["new"] == first.state.record_keys["old"]
    assert second.events == ()


def test_merge_keeps_the_key_of_the_person_and_its_undoing_restores_both() -> None:
    counter = itertools.count()
    apart = [Cluster(("a",), "P1"), Cluster(("b",)), Cluster(("c",), "P2")]
    first = _assign(KeyState(), apart, counter)
    merged = _assign(first.state, [Cluster(("a", "b"), "P1"), Cluster(("c",), "P2")], counter)
    assert [event.kind for event in merged.events] == [KeyEventKind.MERGED]
    assert merged.state.record_keys["b"] == first.state.record_keys["a"]
    undone = _assign(merged.state, apart, counter)
    assert [event.kind for event in undone.events] == [KeyEventKind.UNMERGED]
    assert undone.state.record_keys == first.state.record_keys
    assert undone.state.keys == first.state.keys


def test_split_leaves_the_key_with_the_person() -> None:
    counter = itertools.count()
    first = _assign(KeyState(), [Cluster(("a", "b"), "P1")], counter)
    second = _assign(first.state, [Cluster(("a",)), Cluster(("b",), "P1")], counter)
    assert second.state.record_keys["b"] == first.state.record_keys["b"]
    assert second.state.record_keys["a"] != first.state.record_keys["a"]
    assert [event.kind for event in second.events] == [KeyEventKind.SPLIT]


def test_change_of_person_is_an_event_and_keeps_the_key() -> None:
    counter = itertools.count()
    first = _assign(KeyState(), [Cluster(("a", "b"), "P1")], counter)
    second = _assign(first.state, [Cluster(("a", "b"), "P2")], counter)
    assert second.state.record_keys == first.state.record_keys
    assert [(event.kind, event.person_id) for event in second.events] == [(KeyEventKind.PERSON_CHANGED, "P2")]


def test_unchanged_children_keep_their_keys_over_twenty_increments() -> None:
    counter = itertools.count()
    clusters = [Cluster((f"r{number}",), f"P{number}") for number in range(30)]
    state = _assign(KeyState(), clusters, counter).state
    start = dict(state.record_keys)
    shuffler = random.Random(4)
    for step in range(20):
        clusters = [*clusters, Cluster((f"n{step}",), None)]
        shuffler.shuffle(clusters)
        state = _assign(state, clusters, counter, DAY + dt.timedelta(days=step)).state
    assert {record: state.record_keys[record] for record in start} == start


@given(st.lists(st.lists(st.integers(0, 4), min_size=8, max_size=8), min_size=1, max_size=6))
def test_one_active_key_for_each_cluster_whatever_happens(steps: list[list[int]]) -> None:
    counter = itertools.count()
    state = KeyState()
    for labels in steps:
        clusters = [
            Cluster(tuple(f"r{place}" for place, label in enumerate(labels) if label == wanted))
            for wanted in sorted(set(labels))
        ]
        state = _assign(state, clusters, counter).state
        held = [{state.record_keys[record] for record in cluster.records} for cluster in clusters]
        assert all(len(keys) == 1 for keys in held)
        assert len(set().union(*held)) == len(clusters)
        assert all(state.keys[key].merged_into is None for keys in held for key in keys)
