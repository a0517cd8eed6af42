"""A map of the provinces shaded by a figure: classes, legend, and what each province says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from childdb.forms.words import Language
from childdb.portal.boundaries import HEIGHT, INSETS, WIDTH, Inset, Outline
from childdb.portal.figures import Figure, FigureStatus
from childdb.portal.words import number_text

CLASSES = 5


@dataclass(frozen=True, slots=True)
class Shape:
    """One province on the map."""

    code: str
    path: str
    inset_paths: tuple[tuple[str, str], ...]
    shade: str
    """Name of the style class: ``c1`` (lowest) to ``c5``, ``hidden``, ``no_data`` or ``not_applicable``."""


@dataclass(frozen=True, slots=True)
class Choropleth:
    """Everything a template needs to draw the map."""

    shapes: tuple[Shape, ...]
    legend: tuple[tuple[str, str], ...]
    """Pairs of shade and text, from the lowest class to the highest."""
    statuses: tuple[str, ...]
    """Shades without a number that occur on this map."""
    insets: tuple[Inset, ...] = INSETS
    width: int = WIDTH
    height: int = HEIGHT


def class_bounds(values: Sequence[float], classes: int = CLASSES) -> list[tuple[float, float]]:
    """Return at most ``classes`` ranges holding about the same number of values each, lowest first.

    >>> class_bounds([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5)
    [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]
    >>> class_bounds([7, 7, 7])
    [(7, 7)]
    """
    distinct = sorted(set(values))
    count = min(classes, len(distinct))
    cuts = [round(index * len(distinct) / count) for index in range(count + 1)] if count else []
    return [(distinct[start], distinct[end - 1]) for start, end in itertools.pairwise(cuts)]


def draw_map(
    outlines: Sequence[Outline], figures: Mapping[str, Figure], language: Language
) -> Choropleth | None:
    """Return the map of a figure by province code; None where there are no outlines."""
    if not outlines:
        return None
    values = [figure.value for figure in figures.values() if figure.value is not None]
    bounds = class_bounds(values)
    decimals = 1 if any(figure.is_percent for figure in figures.values()) else 0
    shapes = tuple(
        Shape(
            outline.province_code,
            outline.path,
            outline.inset_paths,
            _shade(figures.get(outline.province_code), bounds),
        )
        for outline in outlines
    )
    legend = tuple(
        (f"c{index}", _range_text(low, high, decimals, language))
        for index, (low, high) in enumerate(bounds, 1)
    )
    present = {shape.shade for shape in shapes}
    return Choropleth(shapes, legend, tuple(s.value for s in FigureStatus if s.value in present))


def _shade(figure: Figure | None, bounds: Sequence[tuple[float, float]]) -> str:
    if figure is None:
        return FigureStatus.NO_DATA.value
    value = figure.value
    if value is None:
        return (
            figure.status.value
            if figure.status is not FigureStatus.PUBLISHED
            else FigureStatus.NOT_APPLICABLE.value
        )
    return next(f"c{index}" for index, (_, high) in enumerate(bounds, 1) if value <= high)


def _range_text(low: float, high: float, decimals: int, language: Language) -> str:
    texts = [number_text(value, language, decimals) for value in (low, high)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} – {texts[1]}"
