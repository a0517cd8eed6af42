"""What a case of an error mode is: a row with a mistake, what it has to come to, and what has to be found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from bench.invented import Nation

Row = dict[str, Any]


@dataclass
class Case:
    """A row with a mistake and its truth.

    `gives` are the values it should come to, of `finds` one rule must be found (none: no matter), of `lacks` none may be;
    `before` are rows that stand above it.
    """

    row: Row
    gives: Mapping[str, Any] = field(default_factory=dict)
    finds: frozenset[str] = frozenset()
    before: list[Row] = field(default_factory=list)
    lacks: frozenset[str] = frozenset()


@dataclass
class Batch:
    """One file, cleaned: its records, its findings, and per case the place of its record."""

    records: pa.Table
    findings: pa.Table
    cases: list[tuple[int, Case]]


Maker = Callable[[random.Random, Row, Nation], Case]
BatchMaker = Callable[[random.Random, Nation, int], Iterator[Batch]]


def rules(*names: str) -> frozenset[str]:
    """Return rule ids, of which one must be found."""
    return frozenset(names)


def number_case(rng: random.Random, seen: str | None, row: Row, gives: str | None, *found: str) -> Case:
    """Return a case about the child's number."""
    return Case({**row, "so_dinh_danh": seen}, {"so_dinh_danh": gives}, rules(*found))


def name_case(row: Row, seen: str, gives: str, *found: str) -> Case:
    """Return a case about the child's name."""
    return Case({**row, "ho_ten_tre": seen}, {"ho_ten_tre": gives}, rules(*found))


def date_case(row: Row, seen: str, gives: Mapping[str, Any], *found: str, kind: str = "t") -> Case:
    """Return a case about the birth date; `kind` is the letter of the cell's kind."""
    kinds = {"_kinds": {"ngay_sinh": kind}} if kind != "t" else {}
    return Case({**row, **kinds, "ngay_sinh": seen}, gives, rules(*found))
