"""The nation is a pure function of its seed, whatever the chunks, and looks like a nation."""

from __future__ import annotations

import filecmp
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from childdb.errors import UsageError
from childdb.sandbox.generate import Order, generate, prepare
from childdb.sandbox.people import People, years_of
from childdb.sandbox.population import person_ids
from childdb.sandbox.register import register_table
from childdb.sandbox.rows import record_ids, register_rows


def _people(children: int, seed: int = 5, profile: str = "default") -> People:
    nation, _ = prepare(Order(children, seed, profile))
    return nation.people(0, nation.geography.blocks)


def test_same_seed_writes_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        generate(Order(1500, seed, "hard", 10), tmp_path / name)
    names = [
        str(path.relative_to(tmp_path / "a"))
        for path in sorted((tmp_path / "a").rglob("*"))
        if path.is_file()
    ]
    assert len(names) > 20
    _, different, missing = filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", names, shallow=False)
    assert (different, missing) == ([], [])
    _, other, absent = filecmp.cmpfiles(tmp_path / "a", tmp_path / "c", names, shallow=False)
    assert len(other) + len(absent) > len(names) * 0.8


def test_a_block_is_the_same_alone_and_inside_a_larger_chunk() -> None:
    nation, printer = prepare(Order(30_000, 8, "hard"))
    whole = nation.people(0, nation.geography.blocks)
    for block in (0, 3, nation.geography.blocks - 1):
        alone = nation.people(block, block + 1)
        at = np.searchsorted(whole.index, alone.index)
        for name in People.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name)[at], err_msg=name)
        rows = register_rows(nation, alone)
        cells = register_table(nation, rows, printer.write(rows)).to_pylist()
        all_rows = register_rows(nation, whole)
        everything = register_table(nation, all_rows, printer.write(all_rows)).to_pylist()
        by_id = {row["record_id"]: row for row in everything}
        assert all(by_id[row["record_id"]] == row for row in cells)


def test_ids_and_numbers_belong_to_one_child_each() -> None:
    nation, _ = prepare(Order(60_000, 5, "none"))
    people = nation.people(0, nation.geography.blocks)
    assert len(np.unique(people.number)) == len(people)
    assert len(person_ids(nation, people.index).unique()) == len(people)
    rows = register_rows(nation, people)
    assert len(record_ids(nation, rows).unique()) == len(rows)
    households = np.unique(people.household)
    assert len(np.unique(people.mother_number)) == len(households)
    assert not set(people.mother_number) & set(people.father_number)
    assert not set(people.mother_number) & set(people.number)


def test_numbers_tell_sex_and_birth_year() -> None:
    people = _people(20_000)
    digit = people.number // 10**8 % 10
    assert set(digit) == {2, 3}
    np.testing.assert_array_equal(digit - 2, people.sex)
    np.testing.assert_array_equal(people.number // 10**6 % 100, years_of(people.birth) % 100)


def test_families_are_plausible() -> None:
    people = _people(60_000)
    sizes = Counter(Counter(people.household).values())
    total = sum(sizes.values())
    assert 0.40 < sizes[1] / total < 0.54 and 0.34 < sizes[2] / total < 0.48
    assert 0.009 < people.twin.mean() < 0.017
    assert 0.46 < people.sex.mean() < 0.50
    order = np.lexsort((people.birth, people.household))
    same = people.household[order][1:] == people.household[order][:-1]
    gaps = np.diff(people.birth[order])[same]
    assert ((gaps == 0) | (gaps > 270)).mean() > 0.999
    assert (people.year - people.mother_year).min() >= 17
    twins = np.flatnonzero(people.twin)
    np.testing.assert_array_equal(people.birth[twins], people.birth[twins - 1])


def test_siblings_have_different_names_and_share_the_family_name() -> None:
    people = _people(60_000)
    beside = np.flatnonzero((people.order > 0) & (people.sex == np.roll(people.sex, 1)))
    equal = (people.name[beside] == people.name[beside - 1]).all(axis=1)
    assert equal.mean() < 0.002
    first = people.name[:, 0]
    kinh = np.flatnonzero((people.order > 0) & (people.ethnic == 1))
    np.testing.assert_array_equal(first[kinh], first[kinh - 1])


def test_every_ethnic_group_occurs_and_kinh_are_most() -> None:
    people = _people(300_000)
    assert len(np.unique(people.ethnic)) >= 50
    assert 0.6 < (people.ethnic == 1).mean() < 0.95


def test_shares_follow_the_profile(nations: dict[str, Path]) -> None:
    for profile, low, high in (("none", 0.0, 0.03), ("default", 0.025, 0.07), ("hard", 0.035, 0.09)):
        links = pq.read_table(nations[profile] / "truth" / "links.parquet")
        assert low <= links["person_id"].null_count / links.num_rows <= high, profile


@pytest.mark.parametrize(("profile", "error", "low", "high"), [
    ("default", "E27", 0.04, 0.06), ("default", "E36", 0.022, 0.038), ("hard", "E36", 0.065, 0.095), ("default", "E67", 0.2, 0.34),
    ("none", "E36", 0.0, 0.0), ("none", "E65", 0.0, 0.0),
])  # fmt: skip
def test_error_rates_follow_the_profile(profile: str, error: str, low: float, high: float) -> None:
    nation, printer = prepare(Order(40_000, 2, profile))
    rows = register_rows(nation, nation.people(0, nation.geography.blocks))
    share = printer.write(rows).marks.has(error).mean()
    assert low <= share <= high


def test_clean_profile_carries_no_error_of_writing() -> None:
    nation, printer = prepare(Order(10_000, 2, "none"))
    rows = register_rows(nation, nation.people(0, nation.geography.blocks))
    found = {
        name for text in printer.write(rows).marks.text().to_pylist() for name in text.split(";") if name
    }
    assert found <= {"E01", "E60", "P-left", "P-unlisted"}


def test_default_nation_spreads_over_provinces_and_both_eras(nations: dict[str, Path]) -> None:
    nation, _ = prepare(Order(20_000, 1, "default"))
    geography = nation.geography
    senders = [row for row, sent in zip(geography.communes, geography.delivery, strict=True) if sent]
    assert len(senders) >= 30
    assert len({row["province_code"] for row in senders}) >= 4
    assert any(
        region == "mountain"
        for region, sent in zip(geography.region, geography.delivery, strict=True)
        if sent
    )
    assert {1, 2, 3} <= set(geography.delivery.tolist())


@pytest.mark.parametrize("children", [0, 99, 30_000_001])
def test_sizes_out_of_range_are_refused(children: int) -> None:
    with pytest.raises(UsageError):
        Order(children, 1, "default")


def test_a_folder_of_another_nation_is_emptied_and_a_foreign_one_refused(tmp_path: Path) -> None:
    generate(Order(600, 1, "none", 4), tmp_path / "a")
    first = {path.name for path in (tmp_path / "a" / "exports").iterdir()}
    generate(Order(600, 2, "none", 4), tmp_path / "a")
    generate(Order(600, 2, "none", 4), tmp_path / "b")
    again, fresh = ({path.name for path in (tmp_path / name / "exports").iterdir()} for name in "ab")
    assert again == fresh != first
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "letter.txt").write_text("keep me")
    with pytest.raises(UsageError, match="not empty"):
        generate(Order(600, 2, "none", 4), tmp_path / "c")
    assert (tmp_path / "c" / "letter.txt").exists()
