"""Outlines and shades: nothing of a province is lost, every value falls into one class."""

from __future__ import annotations

import csv
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from childdb.portal.boundaries import HEIGHT, INSETS, WIDTH, load_outlines, make_outline
from childdb.portal.choropleth import class_bounds
from childdb.portal.sources import SEEDS

FILE = SEEDS / "reference" / "province_boundaries.csv"


def source_rings() -> dict[str, int]:
    csv.field_size_limit(sys.maxsize)
    with FILE.open(encoding="utf-8", newline="") as file:
        geometries = {
            row["province_code"]: json.loads(row["geometry_geojson"]) for row in csv.DictReader(file)
        }
    return {code: sum(len(polygon) for polygon in g["coordinates"]) for code, g in geometries.items()}


def test_every_ring_of_every_province_is_drawn_once() -> None:
    drawn = {
        outline.province_code: outline.path.count("M")
        + sum(path.count("M") for _, path in outline.inset_paths)
        for outline in load_outlines(FILE)
    }
    assert drawn == source_rings()


def test_paths_start_each_ring_absolutely_and_stay_in_the_picture() -> None:
    for outline in load_outlines(FILE):
        for path in (outline.path, *(path for _, path in outline.inset_paths)):
            for ring in re.findall(r"M(-?\d+) (-?\d+)l([^z]*)z", path):
                x, y = int(ring[0]), int(ring[1])
                steps = [int(number) for number in ring[2].split()]
                xs = [x + sum(steps[0:n:2]) for n in range(0, len(steps) + 1, 2)]
                ys = [y + sum(steps[1:n:2]) for n in range(1, len(steps) + 2, 2)]
                assert 0 <= min(xs) <= max(xs) <= WIDTH * 10
                assert 0 <= min(ys) <= max(ys) <= HEIGHT * 10


def test_each_archipelago_stays_in_its_box() -> None:
    outlines = {outline.province_code: outline for outline in load_outlines(FILE)}
    for inset in INSETS:
        path = dict(outlines[inset.province_code].inset_paths)[inset.key]
        left, top, width, height = inset.box
        starts = [(int(x), int(y)) for x, y in re.findall(r"M(-?\d+) (-?\d+)", path)]
        assert len(starts) > 20
        assert all(
            left * 10 < x < (left + width) * 10 and top * 10 < y < (top + height) * 10 for x, y in starts
        )


def test_a_replaced_outline_file_may_hold_a_plain_polygon() -> None:
    square = {
        "type": "Polygon",
        "coordinates": [[[105.0, 20.0], [106.0, 20.0], [106.0, 21.0], [105.0, 20.0]]],
    }
    assert make_outline("01", square).path.count("M") == 1


@given(st.lists(st.integers(0, 10**6), max_size=60), st.integers(1, 7))
def test_every_value_falls_into_exactly_one_class(values: list[int], classes: int) -> None:
    bounds = class_bounds(values, classes)
    assert len(bounds) <= classes
    for value in values:
        assert sum(low <= value <= high for low, high in bounds) == 1


@pytest.mark.parametrize("values", [[], [5.0]])
def test_few_values_make_few_classes(values: list[float]) -> None:
    assert len(class_bounds(values)) == len(values)
