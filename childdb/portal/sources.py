"""Everything the pages are made from, gathered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path

from childdb.contracts import DBT_PROJECT
from childdb.forms.places import Places, load_places
from childdb.forms.words import Language
from childdb.portal.boundaries import Outline, load_outlines
from childdb.portal.catalogue import Target, load_labels_of, load_targets
from childdb.portal.figures import FigureStore
from childdb.portal.indicators import IndicatorCatalogue, load_indicators
from childdb.portal.quality import Ledger
from childdb.portal.releases import ReleaseShelf
from childdb.portal.senders import Senders

SEEDS = DBT_PROJECT / "seeds"


@dataclass(frozen=True)
class PortalSources:
    """Where pages find figures, releases, places, definitions, outlines and quality reports."""

    store: FigureStore
    shelf: ReleaseShelf
    quality: Path
    ledger: Ledger
    senders: Senders = tuple
    """Who has sent by which deadline; nobody knows unless it is given."""
    seeds: Path = SEEDS
    boundaries: Path | None = None
    """Outlines of the provinces; the seed unless another file is given."""
    places_on: Callable[[date], Places] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # One reading per day asked for: names and kinds of places change with time.
        object.__setattr__(self, "places_on", cache(load_places))

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """Outlines of the provinces, none if there is no file."""
        return load_outlines(self.boundaries or self.seeds / "reference" / "province_boundaries.csv")

    @cached_property
    def indicators(self) -> IndicatorCatalogue:
        """The catalogue of indicators."""
        return load_indicators(self.seeds / "indicators" / "indicators.csv")

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Targets that programmes have set for indicators."""
        return load_targets(self.seeds / "indicators" / "targets.csv")

    def age_groups(self, language: Language) -> Mapping[str, str]:
        """Return age groups with their labels, youngest first."""
        return load_labels_of(self.seeds / "indicators" / "age_groups.csv", "age_group", language)

    def ethnic_groups(self, language: Language) -> Mapping[str, str]:
        """Return ethnic groups with their names, in the order of the official list."""
        return load_labels_of(self.seeds / "codes" / "codes_ethnic_groups.csv", "ethnic_group_code", language)
