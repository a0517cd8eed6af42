"""What may be told: nothing under ten, the rest to five, and causes that add up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from childdb.errors import ContractError
from childdb.releases.catalogue import SEEDS, catalogue, read_catalogue
from childdb.releases.cells import Cell, protect
from childdb.releases.difference import ROUNDING, Cause, Change
from childdb.releases.passport import row_ranges


@given(st.integers(0, 10**9))
def test_a_count_is_hidden_or_within_two(count: int) -> None:
    told = protect(count)
    if count < 10:
        assert told is None
    else:
        assert told is not None
        assert told % 5 == 0
        assert abs(told - count) <= 2


CAUSES = st.lists(
    st.tuples(
        st.sampled_from(["born", "arrived", "turned_16", "moved"]), st.integers(0, 60), st.integers(0, 60)
    ),
    unique_by=lambda item: item[0],
)


@given(st.integers(100, 10_000), CAUSES)
def test_told_causes_add_up_and_none_is_small(before: int, parts: list[tuple[str, int, int]]) -> None:
    causes = tuple(Cause(*part) for part in parts if part[1] or part[2])
    after = before + sum(cause.net for cause in causes)
    change = Change(catalogue()[0], "numerator", Cell(), before, max(after, 0), causes)
    told = change.protected_causes()
    if told is None:
        assert after < 10
        return
    assert sum(told.values()) == protect(after) - protect(before)  # type: ignore[operator]
    assert all(abs(net) >= 10 for code, net in told.items() if code != ROUNDING)


@given(st.lists(st.integers(1, 400), min_size=1))
def test_row_ranges_name_every_row_once(numbers: list[int]) -> None:
    listed = []
    for part in row_ranges(numbers):
        first, _, last = part.partition("-")
        listed += range(int(first), int(last or first) + 1)
    assert listed == sorted(set(numbers))


def test_the_catalogue_holds_the_fifteen_of_the_circular() -> None:
    keys = {(i.indicator_set, i.indicator_code) for i in catalogue() if i.indicator_set.startswith("tt13")}
    assert len(keys) == 15
    assert {key for key in keys if key[1] == "0101"} == {
        ("tt13_2021_children", "0101"),
        ("tt13_2021_abuse", "0101"),
    }


def _copy(folder: Path, change: tuple[str, str]) -> Path:
    for name in ("indicators.csv", "measures.csv"):
        text = (SEEDS / name).read_text(encoding="utf-8")
        (folder / name).write_text(
            text.replace(*change) if name == "indicators.csv" else text, encoding="utf-8"
        )
    return folder


def test_an_indicator_of_no_measure_stops_in_one_sentence(tmp_path: Path) -> None:
    folder = _copy(tmp_path, (",at_risk_children,", ",at_riks_children,"))
    with pytest.raises(
        ContractError, match="register/at_risk refers to the measure at_riks_children"
    ) as error:
        read_catalogue(folder)
    assert error.value.message_en.count("\n") == 0


def test_two_definitions_of_one_day_are_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path, ("register,at_risk,1,2017-06-01", "register,number_confirmed,2,2017-06-01"))
    with pytest.raises(ContractError, match="Two definitions of register/number_confirmed"):
        read_catalogue(folder)
