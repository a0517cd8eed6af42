"""The picture of a link: adds up, names fields in Vietnamese, shows nothing of the persons."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from childdb.identity.explanation import steps, waterfall

EVIDENCE = {
    "prior": -16.0,
    "name": 14.5,
    "born": 12.0,
    "sex": -6.0,
    "ethnic": 0.0,
    "relatives": -1.5,
    "claims": 2.0,
}


def test_bars_lead_from_the_prior_to_the_weight() -> None:
    bars = steps(EVIDENCE)
    assert bars[0].label == "Trước khi so sánh"
    assert bars[-1].is_total
    assert bars[-1].end == pytest.approx(sum(EVIDENCE.values()))
    assert all(later.start == pytest.approx(earlier.end) for earlier, later in pairwise(bars[:-1]))
    assert "Dân tộc" not in {bar.label for bar in bars}


def test_picture_is_well_formed_and_says_the_chance() -> None:
    picture = waterfall(EVIDENCE, 0.9731)
    root = ElementTree.fromstring(picture)
    assert len(root.findall("{http://www.w3.org/2000/svg}rect")) == len(steps(EVIDENCE))
    assert "0.9731" in picture
    assert "-6.0 bit" in picture
