"""The pages: each method returns one whole page for a language and a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from childdb.forms.places import Place, Places
from childdb.forms.words import Language, Mark
from childdb.forms.writer import form_file_name
from childdb.portal import cells, words
from childdb.portal.boundaries import INSETS
from childdb.portal.charts import Bar, bars, pyramid
from childdb.portal.choropleth import draw_map
from childdb.portal.figures import NATION, TOTAL, UNKNOWN, Figure, FigureQuery, FigureStatus
from childdb.portal.glossary import load_glossary, load_labels
from childdb.portal.indicators import Indicator
from childdb.portal.links import Links
from childdb.portal.quality import find_reports, former_name, sum_ledger
from childdb.portal.releases import Release
from childdb.portal.senders import by_deadline
from childdb.portal.sources import PortalSources
from childdb.portal.tables import Column, Row, area_table, by_indicator
from childdb.portal.translation import Translator

MAP_2025 = "2025"


class UnknownPageError(LookupError):
    """There is no such page: a place, indicator or release that does not exist."""


def make_environment() -> Environment:
    """Return the template environment: everything is escaped, and a missing value is an error."""
    environment = Environment(
        loader=PackageLoader("childdb.portal", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(day=words.day_text)
    return environment


TEMPLATES = make_environment()


@dataclass(frozen=True)
class Pages:
    """The pages of one release in one language, with links of one kind."""

    sources: PortalSources
    language: Language
    links: Links
    release: Release | None
    communes_with_pages: frozenset[str] | None = None
    """Communes that may be linked to; all of them unless given."""

    @cached_property
    def translate(self) -> Translator:
        """Wording of the language."""
        return Translator(self.language)

    @cached_property
    def places(self) -> Places:
        """Places as they are called on the day the figures refer to."""
        return self.sources.places_on(self._reference_day)

    @property
    def _reference_day(self) -> date:
        try:
            return date.fromisoformat(self.release.reference_date) if self.release else date.max
        except ValueError:
            return date.max

    @cached_property
    def measured(self) -> list[Indicator]:
        """Indicators that the register can give, in the order of the catalogue."""
        return [one for one in self.sources.indicators.current() if one.fields.get("numerator_measure_code")]

    def overview(self) -> str:
        """The nation: headline figures, map, table by province."""
        totals = by_indicator(self._find("nation", totals_only=True))
        by_province = self._find("province", totals_only=True)
        first = self.measured[0]
        figures = {figure.area_code: figure for figure in by_province if _is(figure, first)}
        return self._render(
            "overview",
            "",
            cards=[(one, totals.get(one.key)) for one in self.measured],
            map=draw_map(self.sources.outlines, figures, self.language),
            mapped=first,
            figures=figures,
            table=area_table(self._columns(), self._province_rows(), by_province, self.language),
        )

    def indicators(self) -> str:
        """All indicators, those with figures and those without."""
        totals = by_indicator(self._find("nation", totals_only=True))
        groups: dict[str, list[tuple[Indicator, Figure | None]]] = {}
        for one in self.sources.indicators.current():
            groups.setdefault(one.indicator_set, []).append((one, totals.get(one.key)))
        return self._render("indicators", "indicators", groups=groups)

    def indicator(self, indicator_set: str, code: str) -> str:
        """One indicator: value, map, breakdowns, definition."""
        indicator = self.sources.indicators.find(indicator_set, code)
        if indicator is None:
            raise UnknownPageError
        nation = self._find("nation", indicator=indicator)
        total = next((figure for figure in nation if figure.is_total), None)
        if total is not None:
            indicator = (
                self.sources.indicators.find(indicator_set, code, total.definition_version) or indicator
            )
        by_province = self._find("province", totals_only=True, indicator=indicator)
        figures = {figure.area_code: figure for figure in by_province}
        return self._render(
            "indicator",
            indicator.path,
            indicator=indicator,
            total=total,
            map=draw_map(self.sources.outlines, figures, self.language) if figures else None,
            mapped=indicator,
            figures=figures,
            rows=self._province_rows() if figures else [],
            breakdowns=self._breakdowns(nation),
            pyramid=pyramid(nation, self.sources.age_groups(self.language), self.language),
            targets=[t for t in self.sources.targets if (t.indicator_set, t.indicator_code) == indicator.key],
            series=self._series(indicator),
        )

    def provinces(self) -> str:
        """All provinces with the headline count, in Vietnamese order of names."""
        first = self.measured[0]
        found = self._find("province", totals_only=True, indicator=first)
        named = sorted(self.places.provinces.values(), key=lambda place: words.sort_key(place.name))
        return self._render(
            "provinces", "provinces", named=named, counted=first, figures={f.area_code: f for f in found}
        )

    def province(self, code: str) -> str:
        """One province: totals, breakdowns, its communes, its form."""
        place = self._place(self.places.provinces, code)
        own = self._find("province", area_codes=(code,))
        codes = (*(commune.code for commune in self.places.communes_of(code)), f"{code}{UNKNOWN}")
        inside = self._find("commune", area_codes=codes, totals_only=True)
        form = form_file_name(code)
        return self._render(
            "province",
            f"provinces/{code}",
            place=place,
            cards=self._cards(own),
            table=area_table(self._columns(), self._commune_rows(code), inside, self.language),
            form=next((file for file in self._files() if file.endswith(f"/{form}")), None),
            **self._of_children(own),
        )

    def commune(self, code: str) -> str:
        """One commune: totals, breakdown, the former units it was formed from."""
        place = self._place(self.places.communes, code)
        own = self._find("commune", area_codes=(code,))
        province = self.places.provinces[place.province_code]
        return self._render(
            "commune",
            f"communes/{code}",
            place=place,
            province=province,
            cards=self._cards(own),
            **self._of_children(own),
        )

    def releases(self) -> str:
        """The public log of releases."""
        return self._render("releases", "releases", published=self.sources.shelf.published())

    def release_page(self, release_id: str) -> str:
        """One release: approvals, files with their hashes, how to verify it."""
        shown = self.sources.shelf.find(release_id)
        if shown is None:
            raise UnknownPageError
        return self._render("release", f"releases/{release_id}", shown=shown)

    def quality(self) -> str:
        """Quality reports and the ledger equation of every file."""
        lines = self.sources.ledger()
        return self._render(
            "quality",
            "quality",
            lines=lines,
            totals=sum_ledger(lines),
            reports=find_reports(self.sources.quality),
            former_name=former_name,
        )

    def senders(self) -> str:
        """Communes that have not sent, by deadline and province."""
        return self._render("senders", "senders", deadlines=by_deadline(self.sources.senders()))

    def glossary(self) -> str:
        """Terms and marks."""
        return self._render("glossary", "glossary", terms=load_glossary(self.language))

    def failure(self, message: str) -> str:
        """A page that says what failed, in words."""
        return self._render("failure", "", message=message)

    def _find(
        self,
        area_level: str,
        *,
        totals_only: bool = False,
        area_codes: tuple[str, ...] = (),
        indicator: Indicator | None = None,
    ) -> list[Figure]:
        if self.release is None:
            return []
        indicator_set, code = indicator.key if indicator else ("", "")
        query = FigureQuery(
            self.release.release_id,
            indicator_set,
            code,
            geography=MAP_2025,
            area_level=area_level,
            area_codes=area_codes,
            totals_only=totals_only,
        )
        return self.sources.store.find(query)

    def _place(self, places: Mapping[str, Place], code: str) -> Place:
        if code not in places:
            raise UnknownPageError
        return places[code]

    def _columns(self) -> list[Column]:
        return [Column(one, one.name(self.language), one.path) for one in self.measured]

    def _province_rows(self) -> list[Row]:
        rows = [
            Row(p.code, p.title(self.language), f"provinces/{p.code}") for p in self.places.provinces.values()
        ]
        return [*rows, Row(UNKNOWN, self.translate("Chưa xác định được tỉnh"), "", is_unknown=True)]

    def _commune_rows(self, province_code: str) -> list[Row]:
        communes = self.places.communes_of(province_code)
        rows = [Row(c.code, c.title(self.language), self._commune_path(c.code)) for c in communes]
        unknown = Row(
            f"{province_code}{UNKNOWN}", self.translate("Chưa xác định được xã"), "", is_unknown=True
        )
        return [*rows, unknown]

    def _commune_path(self, code: str) -> str:
        has_page = self.communes_with_pages is None or code in self.communes_with_pages
        return f"communes/{code}" if has_page else ""

    def reporting_communes(self) -> frozenset[str]:
        """Return the communes that have a figure, published or hidden."""
        found = self._find("commune", totals_only=True, indicator=self.measured[0])
        return frozenset(
            f.area_code for f in found if f.status in (FigureStatus.PUBLISHED, FigureStatus.HIDDEN)
        )

    def _cards(self, own: Sequence[Figure]) -> list[tuple[Indicator, Figure | None]]:
        totals = by_indicator(figure for figure in own if figure.is_total)
        return [(one, totals.get(one.key)) for one in self.measured]

    def _of_children(self, own: Sequence[Figure]) -> dict[str, object]:
        """Return the breakdowns of the first indicator, the number of children."""
        counts = [figure for figure in own if _is(figure, self.measured[0])]
        ages = self.sources.age_groups(self.language)
        return {"pyramid": pyramid(counts, ages, self.language), "breakdowns": self._breakdowns(counts)}

    def _breakdowns(self, figures: Sequence[Figure]) -> list[tuple[str, tuple[Bar, ...]]]:
        """Return the one-way breakdowns that hold a number, with their titles."""
        unknown = self.translate("Không rõ")
        sexes = {"male": self.translate("Nam"), "female": self.translate("Nữ"), UNKNOWN: unknown}
        ages = {**self.sources.age_groups(self.language), UNKNOWN: unknown}
        groups = {**self.sources.ethnic_groups(self.language), UNKNOWN: unknown}
        titled = (
            (self.translate("Theo giới tính"), "sex", sexes, False),
            (self.translate("Theo nhóm tuổi"), "age_group", ages, False),
            (self.translate("Theo dân tộc"), "ethnic_group", groups, True),
        )
        made = ((title, self._bars(figures, name, labels, only)) for title, name, labels, only in titled)
        return [(title, lines) for title, lines in made if any(line.shown.is_number for line in lines)]

    def _bars(
        self, figures: Sequence[Figure], name: str, labels: Mapping[str, str], only_numbers: bool
    ) -> tuple[Bar, ...]:
        others = {"sex", "age_group", "ethnic_group"} - {name}
        found = {getattr(f, name): f for f in figures if all(getattr(f, other) == TOTAL for other in others)}
        lines = bars(((label, found.get(code)) for code, label in labels.items()), self.language)
        return tuple(line for line in lines if line.shown.is_number) if only_numbers else lines

    def _series(self, indicator: Indicator) -> list[tuple[Release, Figure]]:
        """Return the national value in each release that was not withdrawn, newest first."""
        found: list[tuple[Release, Figure]] = []
        for release in self.sources.shelf.published()[:24]:
            query = FigureQuery(
                release.release_id,
                *indicator.key,
                geography=MAP_2025,
                area_level="nation",
                area_codes=(NATION,),
                totals_only=True,
            )
            if not release.is_withdrawn:
                found += [(release, figure) for figure in self.sources.store.find(query)]
        return found

    def _files(self) -> Iterable[str]:
        return (file.name for file in self.release.files) if self.release else ()

    def _render(self, template: str, path: str, **values: object) -> str:
        page = TEMPLATES.get_template(f"{template}.html")
        shared = {
            "_": self.translate,
            "lang": self.language,
            "here": path,
            "links": self.links,
            "url": lambda target: self.links.page(target, self.language),
            "release": self.release,
            "newest": self.sources.shelf.newest(),
            "show": self._show,
            "cell": lambda shown: cells.cell(shown, self.language),
            "content": lambda shown: cells.content(shown, self.language),
            "status_text": lambda status: cells.status_text(status, self.language),
            "number": lambda value, decimals=0: words.number_text(value, self.language, decimals),
            "period": lambda text: words.period_words(text, self.language),
            "places": self.places,
            "marks": Mark,
            "insets": INSETS,
            "sources_text": self._sources_text,
            "label": lambda name, code: load_labels(name, self.language).get(code, code),
        }
        return page.render(**shared, **values)

    def _show(self, figure: Figure | None, field: str = "value") -> words.Shown:
        if figure is None:
            return words.show(None, "no_data", language=self.language)
        percent = field == "value" and figure.is_percent
        return words.show(
            getattr(figure, field), figure.status.value, percent=percent, language=self.language
        )

    def _sources_text(self, codes: str) -> str:
        labels = load_labels("data_sources", self.language)
        return "; ".join(labels.get(code.strip(), code.strip()) for code in codes.split(";") if code.strip())


def _is(figure: Figure, indicator: Indicator) -> bool:
    return (figure.indicator_set, figure.indicator_code) == indicator.key
