"""The true figures: two ways to the same numbers without errors, and the counting rule on small cases."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from childdb.sandbox.distance import distances, load_children, load_errors
from childdb.sandbox.evolve import evolve
from childdb.sandbox.truth_figures import (
    CountedChild,
    DeliveredRow,
    age_on,
    counted,
    current_files,
    delivered_figures,
    load_delivered,
    load_residents,
    spoken_for,
    with_identity,
)

DAY = dt.date(2026, 6, 30)
ROW = DeliveredRow(
    "a", 1, "2026-05-01", "00004@2025-07-01", "00004@2025-07-01", "01", True, "T1", True, "2015-03-05", "day", 2015, 3, "male", "01", None, None,
    "2026-04-01 08:00", False, False, False, False, True,
)  # fmt: skip


def _figures(path: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            tuple(list(row.values())[:9]): (row["numerator"], row["denominator"])
            for row in csv.DictReader(file)
        }


def test_without_errors_the_delivered_figures_are_the_nations(nations: dict[str, Path]) -> None:
    truth = nations["none"] / "truth"
    nation, delivered = _figures(truth / "figures_nation.csv"), _figures(truth / "figures_delivered.csv")
    assert len(nation) > 1000 and nation == delivered


def test_with_errors_they_differ_and_fewer_children_are_delivered(nations: dict[str, Path]) -> None:
    key = ("tt13_2021_children", "0101", "2025", "nation", "VN", "_T", "_T", "_T", "total")
    for profile in ("default", "hard"):
        truth = nations[profile] / "truth"
        assert int(_figures(truth / "figures_delivered.csv")[key][0]) < int(
            _figures(truth / "figures_nation.csv")[key][0]
        )


def test_distance_by_error_class_adds_up_to_the_figures(nations: dict[str, Path]) -> None:
    indicators = {
        "0101": "children",
        "0301": "special",
        "number_confirmed": "confirmed",
        "at_risk": "at_risk",
    }
    for profile, folder in nations.items():
        truth = folder / "truth"
        with (truth / "distance_delivered.csv").open(encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(file))
        assert bool(told) == (profile != "none")
        nation, delivered = _figures(truth / "figures_nation.csv"), _figures(truth / "figures_delivered.csv")
        for (indicator_set, code, *cell), (count, _) in nation.items():
            if code in indicators and cell[1:] == ["nation", "VN", "_T", "_T", "_T", "total"]:
                differs = int(delivered[indicator_set, code, *cell][0]) - int(count)
                of_it = [row for row in told if row["figure"] == indicators[code]]
                assert differs == sum(int(row["too_many"]) - int(row["too_few"]) for row in of_it), code
        again = distances(
            load_children(truth), load_delivered(truth), load_errors(truth), _day_of(folder)
        )  # fmt: skip
        assert [{name: str(value) for name, value in row.items()} for row in again] == told


def _day_of(folder: Path) -> dt.date:
    about = json.loads((folder / "nation.json").read_text(encoding="utf-8"))
    return dt.date.fromisoformat(about["reference_date"])


def test_distance_names_the_error_and_counts_a_child_once() -> None:
    truth = {"T1": CountedChild("01", "00004", "male", 11, "01", frozenset({"children", "confirmed"}))}
    rows = [ROW, replace(ROW, row_no=2, sex="female")]
    key = [(row.file_sha256, row.row_no) for row in rows]
    errors = {key[1]: [("E45", "gioi_tinh"), ("E01", "ho_ten_tre")], key[0]: [("E58", "")]}
    split = {key[0]: ("A", True), key[1]: ("B", False)}
    right = distances(truth, rows[:1], errors, DAY)
    assert right == []
    twice = distances(truth, rows, errors, DAY, split)
    assert {(row["figure"], row["error_class"], row["too_many"], row["elsewhere"]) for row in twice} >= {
        ("children", "a child counted again", 1, 0),
    }
    assert sum(int(str(row["too_many"])) for row in twice if row["figure"] == "children") == 1
    other_sex = distances(truth, rows[1:], errors, DAY)
    assert [(row["figure"], row["error_class"], row["elsewhere"]) for row in other_sex] == [("sex", "E45", 1)]


def test_totals_add_up_over_areas_and_sexes(nations: dict[str, Path]) -> None:
    figures = _figures(nations["hard"] / "truth" / "figures_delivered.csv")
    counts = {
        key[3:]: int(value[0]) for key, value in figures.items() if key[:2] == ("tt13_2021_children", "0101")
    }
    total = counts[("nation", "VN", "_T", "_T", "_T", "total")]
    for level in ("province", "commune"):
        assert sum(number for key, number in counts.items() if key[0] == level and key[5] == "total") == total
    for breakdown in ("sex", "age_group", "sex_age_group", "ethnic_group"):
        assert (
            sum(number for key, number in counts.items() if key[0] == "nation" and key[5] == breakdown)
            == total
        )


def test_a_wrong_identity_changes_the_figures(nations: dict[str, Path]) -> None:
    truth = nations["default"] / "truth"
    rows, residents = load_delivered(truth), load_residents(truth)
    right = delivered_figures(rows, residents, DAY)
    accepted = [row for row in spoken_for(rows) if counted(row, DAY)]
    merged = {(accepted[0].file_sha256, accepted[0].row_no): (accepted[1].child_key, accepted[1].confirmed)}
    wrong = delivered_figures(with_identity(rows, merged), residents, DAY)
    assert wrong[0] != right[0] or wrong != right
    same = delivered_figures(with_identity(rows, {}), residents, DAY)
    assert same == right


def test_counting_rule() -> None:
    assert counted(ROW, DAY) is not None
    assert counted(replace(ROW, change="moved_out"), DAY) is None
    assert counted(replace(ROW, change="died", change_date="2026-06-30"), DAY) is None
    assert counted(replace(ROW, change="died", change_date="2026-07-01"), DAY) is not None
    assert counted(replace(ROW, change="died", change_date=None), DAY) is None
    assert (
        counted(replace(ROW, birth="2010-06-30"), DAY) is None
        and counted(replace(ROW, birth="2010-07-01"), DAY) is not None
    )
    assert counted(replace(ROW, birth="2026-07-01"), DAY) is None
    unknown = counted(replace(ROW, birth=None, precision="unknown", birth_year=None), DAY)
    assert unknown is not None and unknown.age is None
    year = counted(replace(ROW, birth=None, precision="year", birth_year=2020), DAY)
    assert year is not None and year.age == 5
    assert counted(replace(ROW, commune_id_2025=None), DAY).commune == "01_U"  # type: ignore[union-attr]


def test_ages_turn_on_the_birthday() -> None:
    assert age_on(dt.date(2010, 6, 30), DAY) == 16 and age_on(dt.date(2010, 7, 1), DAY) == 15
    assert (
        age_on(dt.date(2012, 2, 29), dt.date(2026, 2, 28)) == 13
        and age_on(dt.date(2012, 2, 29), dt.date(2026, 3, 1)) == 14
    )


def test_the_row_that_speaks_is_where_the_child_stayed_then_the_latest() -> None:
    left = replace(
        ROW, file_sha256="b", commune_id="00008@2025-07-01", file_date="2026-06-01", change="moved_out"
    )
    assert spoken_for([ROW, left]) == [ROW]
    later = replace(ROW, row_no=2, updated_at="2026-04-02 08:00")
    assert spoken_for([ROW, later]) == [later]
    assert spoken_for([ROW, replace(later, accepted=False)]) == [ROW]


def test_newer_lists_replace_older_ones() -> None:
    older = replace(ROW, file_sha256="old", file_date="2026-01-01")
    assert current_files([ROW, older]) == {"a"}
    former = replace(ROW, file_sha256="f", commune_id="00004@2021-11-01", file_date="2025-05-01")
    assert current_files([ROW, former]) == {"a"}
    divided = replace(ROW, file_sha256="d", commune_id="00157@2021-11-01", file_date="2025-05-01")
    assert current_files([ROW, divided]) == {"a", "d"}


@pytest.mark.parametrize("profile", ["none", "default"])
def test_the_nation_lives_on(nations: dict[str, Path], tmp_path: Path, profile: str) -> None:
    counts = evolve(nations[profile], 0.1, 3, tmp_path)
    assert counts["changed communes"] >= 1
    before = {path.name: path.read_bytes() for path in (nations[profile] / "exports").iterdir()}
    after = {path.name: path.read_bytes() for path in (tmp_path / "exports").iterdir()}
    assert all(after[name] == content for name, content in before.items())
    assert len(after) - len(before) == counts["changed communes"]
    nation, delivered = (
        _figures(tmp_path / "truth" / name) for name in ("figures_nation.csv", "figures_delivered.csv")
    )
    assert (nation == delivered) == (profile == "none")
    assert delivered != _figures(nations[profile] / "truth" / "figures_delivered.csv")
