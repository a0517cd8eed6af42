"""A release is named by its inputs: same inputs, same name, anywhere and in any order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from childdb.errors import InputRefusedError, UsageError
from childdb.releases.periods import parse_period
from childdb.releases.plan import Batch, make_plan

BATCHES = tuple(
    Batch(f"treem__children@{digit * 20}", "treem__children", digit * 64, date(2026, month, 28))
    for digit, month in (("a", 3), ("b", 6), ("c", 5))
)


@settings(deadline=None)
@given(st.permutations(BATCHES))
def test_order_of_batches_does_not_name_another_release(batches: list[Batch]) -> None:
    assert make_plan(batches, {}).release_id == make_plan(BATCHES, {}).release_id


def test_every_input_names_another_release() -> None:
    plans = [
        make_plan(BATCHES, {}),
        make_plan(BATCHES[:2], {}),
        make_plan(BATCHES, {"identity.review_decisions": "d" * 64}),
        make_plan(BATCHES, {}, "2026-S1"),
        make_plan(BATCHES, {}, None, date(2026, 6, 27)),
    ]
    assert len({plan.release_id for plan in plans}) == len(plans)


def test_day_and_period_follow_the_files() -> None:
    plan = make_plan(BATCHES, {})
    assert (plan.period, plan.as_of, plan.reference_date) == ("2026", date(2026, 6, 28), date(2026, 6, 28))
    earlier = make_plan(BATCHES, {}, "2026-Q1")
    assert earlier.reference_date == date(2026, 3, 31)
    assert earlier.release_id.startswith("r2026-Q1-")


def test_nothing_to_count_is_refused_in_words() -> None:
    with pytest.raises(InputRefusedError, match="nothing was accepted"):
        make_plan((), {})


@pytest.mark.parametrize("code", ["26", "2026-M1", "2026-S3", "2026-Q0", "2026 ", "", "2026-", "0000"])
def test_no_period_is_guessed(code: str) -> None:
    with pytest.raises(UsageError, match="2026-S1"):
        parse_period(code)


@pytest.mark.parametrize(
    ("code", "last"),
    [("2024-Q1", date(2024, 3, 31)), ("2024", date(2024, 12, 31)), ("2023-S1", date(2023, 6, 30))],
)
def test_period_ends_on_its_last_day(code: str, last: date) -> None:
    assert parse_period(code).last_day == last
    assert parse_period(code).reference_date(date(2030, 1, 1)) == last
    assert parse_period(code).reference_date(date(2000, 1, 1)) == date(2000, 1, 1)
