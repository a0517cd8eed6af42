"""Outlines of the provinces as paths of a small picture, with both archipelagos in insets of their own.

The outlines are optional and replaceable: any CSV with ``province_code`` and ``geometry_geojson`` will do. Without
one the pages have tables and no map.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from childdb.portal.translation import mark

WIDTH, HEIGHT = 680, 940
Point = tuple[float, float]
Ring = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Frame:
    """A window of longitudes and latitudes, and where it stands in the picture."""

    west: float
    south: float
    east: float
    north: float
    left: float
    top: float
    scale: float
    """Picture units per degree of latitude."""

    def holds(self, point: Point) -> bool:
        """Return whether a point lies in the window."""
        return self.west <= point[0] <= self.east and self.south <= point[1] <= self.north

    def place(self, point: Point) -> tuple[int, int]:
        """Return a point in tenths of a picture unit; degrees of longitude shrink with the latitude."""
        shrink = math.cos(math.radians(16.2))
        x = self.left + (point[0] - self.west) * shrink * self.scale
        y = self.top + (self.north - point[1]) * self.scale
        return round(x * 10), round(y * 10)


@dataclass(frozen=True, slots=True)
class Inset:
    """An archipelago drawn larger in a box: its window, its box and its name."""

    key: str
    name: str
    province_code: str
    frame: Frame
    box: tuple[int, int, int, int]


MAIN = Frame(102.0, 8.2, 109.6, 23.5, 12, 10, 60)
INSETS = (
    Inset(
        "hoang-sa",
        mark("Quần đảo Hoàng Sa"),
        "48",
        Frame(111.0, 15.55, 112.95, 17.25, 478, 372, 88),
        (468, 362, 184, 172),
    ),
    Inset(
        "truong-sa",
        mark("Quần đảo Trường Sa"),
        "56",
        Frame(109.465, 7.1, 117.95, 11.65, 468, 694, 21.4),
        (458, 684, 194, 128),
    ),
)


@dataclass(frozen=True, slots=True)
class Outline:
    """The drawn parts of one province: on the main map, and in each inset by its key."""

    province_code: str
    path: str
    inset_paths: tuple[tuple[str, str], ...]


def load_outlines(path: Path) -> tuple[Outline, ...]:
    """Return the outlines in a boundary file, in code order; none if there is no file."""
    if not path.is_file():
        return ()
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["province_code"])
    return tuple(make_outline(row["province_code"], json.loads(row["geometry_geojson"])) for row in rows)


def make_outline(province_code: str, geometry: dict[str, object]) -> Outline:
    """Return the outline of one province from its GeoJSON geometry."""
    rings = list(_rings(geometry))
    insets = [inset for inset in INSETS if inset.province_code == province_code]
    taken: dict[str, list[Ring]] = {inset.key: [] for inset in insets}
    main: list[Ring] = []
    for ring in rings:
        inset = next((inset for inset in insets if inset.frame.holds(_centre(ring))), None)
        (taken[inset.key] if inset else main).append(ring)
    drawn = tuple((inset.key, _draw(taken[inset.key], inset.frame)) for inset in insets)
    return Outline(province_code, _draw(main, MAIN), drawn)


def _rings(geometry: dict[str, object]) -> Iterable[Ring]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for polygon in parts:  # type: ignore[attr-defined]
        yield from polygon


def _centre(ring: Ring) -> Point:
    return sum(point[0] for point in ring) / len(ring), sum(point[1] for point in ring) / len(ring)


def _draw(rings: Iterable[Ring], frame: Frame) -> str:
    """Return one path for all rings: absolute start of each ring, then whole steps of a tenth."""
    parts = []
    for ring in rings:
        points = [frame.place((point[0], point[1])) for point in ring]
        steps = [
            f"{after[0] - before[0]} {after[1] - before[1]}" for before, after in itertools.pairwise(points)
        ]
        parts.append(f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}z")
    return "".join(parts)
