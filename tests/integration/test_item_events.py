"""The life of items under many events at once: a statement of any size means the same as its events one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.integration.gates_support import Warehouse
from tests.integration.requests_support import open_lists

ITEMS = ("a", "b", "c")
STEPS = {
    ("open", "opened"): "open",
    ("closed", "reopened"): "open",
    ("withdrawn", "reopened"): "open",
    **{(state, "sent"): "sent" for state in ("open", "sent", "answered")},
    **{(state, "answered"): "answered" for state in ("open", "sent", "answered")},
    **{(state, "applied"): "applied" for state in ("open", "sent", "answered")},
    **{(state, "reversed"): "open" for state in ("answered", "applied")},
    **{(state, "closed"): "closed" for state in ("open", "sent", "answered", "applied")},
    **{(state, "withdrawn"): "withdrawn" for state in ("open", "sent", "answered", "applied")},
    **{
        (state, event): state
        for state in ("open", "sent", "answered", "applied", "closed", "withdrawn")
        for event in ("held", "refused")
    },
}
"""The life of an item as the documents tell it, written a second time: the database has to agree."""
EVENTS = sorted({event for _, event in STEPS})

Event = tuple[str, str]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_lists() as opened:
        yield opened


def expected(events: Sequence[Event]) -> dict[str, tuple[str, int, int, int]] | None:
    """State and counts of every item by the table above; None where a step is not possible."""
    states = dict.fromkeys(ITEMS, "open")
    counts = {item: {"reopened": 1, "closed": 0, "withdrawn": 0} for item in ITEMS}
    for item, event in events:
        after = STEPS.get((states[item], event))
        if after is None:
            return None
        states[item] = after
        if event in counts[item]:
            counts[item][event] += 1
    return {item: (states[item], *counts[item].values()) for item in ITEMS}  # type: ignore[misc]


def happened(warehouse: Warehouse, events: Sequence[Event]) -> dict[str, tuple[str, int, int, int]] | None:
    """What the database makes of the events in one statement, on items opened just before; nothing of it stays."""
    with warehouse.admin() as connection, connection.transaction(force_rollback=True):
        connection.execute(
            "insert into quality.work_items (item_id, child_id, commune_id, item_class, reasons, state, opened_count, "
            "first_opened_date, last_event_date) select i, i, 'x', 'no_number', '{}', 'open', 1, '2026-03-01', '2026-03-01' "
            "from unnest(%s::text[]) as i",
            [list(ITEMS)],
        )
        try:
            connection.execute(
                "insert into quality.work_item_events (item_id, event, event_date, actor) "
                "select item, event, '2026-03-02', 'test' from unnest(%s::text[], %s::text[]) "
                "with ordinality as e (item, event, place) order by place",
                [[item for item, _ in events], [event for _, event in events]],
            )
        except psycopg.errors.RaiseException as error:
            if "is not possible in state" not in str(error):
                raise
            return None
        rows = connection.execute(
            "select item_id, state, opened_count, closed_count, withdrawn_count from quality.work_items"
        )
        return {item: (state, *counts) for item, state, *counts in rows}


@given(st.lists(st.tuples(st.sampled_from(ITEMS), st.sampled_from(EVENTS)), max_size=12))
@example(
    [("a", "sent"), ("a", "answered"), ("b", "sent"), ("a", "applied"), ("a", "closed"), ("a", "reopened")]
)
@example([("a", "closed"), ("a", "applied")])
@example([("a", "held"), ("a", "held"), ("b", "withdrawn"), ("b", "refused"), ("b", "reopened")])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_statement_means_its_events_one_by_one(warehouse: Warehouse, events: list[Event]) -> None:
    assert happened(warehouse, events) == expected(events)


@pytest.mark.parametrize("state", sorted({state for state, _ in STEPS}))
@pytest.mark.parametrize("event", EVENTS)
def test_every_step_of_a_life(warehouse: Warehouse, state: str, event: str) -> None:
    way = {"open": [], "sent": ["sent"], "answered": ["answered"], "applied": ["applied"]}
    before = [("a", step) for step in way.get(state, [state])]
    assert happened(warehouse, [*before, ("a", event)]) == expected([*before, ("a", event)])
