"""The passport of a figure: definition, law, models, counts, and the rows of files behind it; and a child's cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from psycopg import Connection, sql

from childdb.errors import UsageError
from childdb.releases.catalogue import Indicator, definition, measure_rules
from childdb.releases.cells import AREA_COLUMNS, Figure, count_cell, find_figure, protect

MODELS = (
    "clean.treem__children",
    "staging.stg_treem__children",
    "core.fct_registrations",
    "core.dim_children",
    "marts.int_measures__register_cells",
    "marts.int_measures__area_totals",
    "marts.int_measures__expected_cells",
    "marts.agg_indicators",
    "marts.agg_release_figures",
    "publication.pub_figures_v1",
)
ROWS = """
select
    batches.file_sha256,
    batches.file_date,
    split_part(split_part(children.record_id, '#', 2), ':', 1)::integer as sheet_ordinal,
    array_agg(split_part(split_part(children.record_id, '#', 2), ':', 2)::integer order by
        split_part(split_part(children.record_id, '#', 2), ':', 2)::integer) as row_numbers
from core.fct_release_children as children
inner join ops.batches as batches
    on batches.batch_id = split_part(children.record_id, '#', 1)
where children.release_id = {release} and {measure} = any(children.measure_codes) and {cell}
group by 1, 2, 3
order by batches.file_date, batches.file_sha256, sheet_ordinal
"""
DECISIONS = """
select links.decision, coalesce(links.rule_id, ''), count(*)
from core.fct_release_children as children
inner join identity.record_links as links on children.record_id = links.record_id
where children.release_id = {release} and {measure} = any(children.measure_codes) and {cell}
group by 1, 2
order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Passport:
    """Everything a reader, or someone with the right to rows, needs to check one figure."""

    figure: Figure
    definition: Indicator | None
    exact_numerator: int | None
    exact_denominator: int | None
    files: tuple[Mapping[str, Any], ...]
    decisions: tuple[tuple[str, str, int], ...]

    @property
    def agrees(self) -> bool | None:
        """Whether the rows listed give the published figure again; nothing where the rows are not known."""
        if self.exact_numerator is None:
            return None
        below = protect(self.exact_denominator)
        if self.figure.columns["status"] == "hidden":
            # Nothing is told of a hidden figure but, where its rule allows, how many there are in all.
            told_below = self.figure.columns["denominator"]
            return self.figure.columns["numerator"] is None and told_below in (None, below)
        told = self.figure.columns["numerator"], self.figure.columns["denominator"]
        if self.exact_denominator is None:
            return told[0] == protect(self.exact_numerator)
        return told == (protect(self.exact_numerator), below)

    def as_document(self) -> dict[str, Any]:
        """Return the passport as one JSON object."""
        fields = dict(self.definition.fields) if self.definition else {}
        rules = measure_rules()
        measures = {
            part: {
                "measure": fields.get(f"{part}_measure_code"),
                "rule": rules.get(fields.get(f"{part}_measure_code", "")),
            }
            for part in ("numerator", "denominator")
            if fields.get(f"{part}_measure_code")
        }
        return {
            "figure": dict(self.figure.columns),
            "definition": fields,
            "measures": measures,
            "models": list(MODELS),
            "counts": {"numerator": self.exact_numerator, "denominator": self.exact_denominator},
            "agrees_with_published": self.agrees,
            "files": list(self.files),
            "match_decisions": [
                {"decision": decision, "rule_id": rule, "children": count}
                for decision, rule, count in self.decisions
            ],
        }


def passport(connection: Connection, release_id: str, cell_id: str) -> Passport:
    """Return the passport of one figure, with rows as far as the warehouse still knows the release's children."""
    figure = find_figure(connection, release_id, cell_id)
    known = definition(*figure.key)
    above = known.fields["numerator_measure_code"] if known else ""
    below = known.fields["denominator_measure_code"] if known else ""
    if (
        not above
        or figure.columns["status"] not in ("published", "hidden")
        or not _is_known(connection, release_id)
    ):
        return Passport(figure, known, None, None, (), ())
    parts = {
        "release": sql.Literal(release_id),
        "measure": sql.Literal(above),
        "cell": figure.cell.condition(),
    }
    files = tuple(_file(row) for row in connection.execute(sql.SQL(ROWS).format(**parts)))
    decisions = tuple(connection.execute(sql.SQL(DECISIONS).format(**parts)).fetchall())
    counts = count_cell(
        connection, release_id, [measure for measure in (above, below) if measure], figure.cell
    )
    return Passport(figure, known, counts[above], counts[below] if below else None, files, decisions)


def _is_known(connection: Connection, release_id: str) -> bool:
    row = connection.execute(
        "select exists (select 1 from core.fct_release_children where release_id = %s)", [release_id]
    ).fetchone()
    return bool(row and row[0])


def _file(row: Sequence[Any]) -> dict[str, Any]:
    digest, day, sheet, numbers = row
    return {
        "file_sha256": digest,
        "file_date": day.isoformat(),
        "sheet_ordinal": sheet,
        "row_count": len(numbers),
        "rows": ",".join(row_ranges(numbers)),
    }


def row_ranges(numbers: Iterable[int]) -> Iterator[str]:
    """Yield row numbers in order, runs written as ranges.

    >>> list(row_ranges([12, 13, 14, 20]))
    ['12-14', '20']
    """
    ordered = sorted(set(numbers))
    starts = ordered[:1] + [b for a, b in pairwise(ordered) if b != a + 1]
    ends = [a for a, b in pairwise(ordered) if b != a + 1] + ordered[-1:]
    for first, last in zip(starts, ends, strict=True):
        yield str(first) if first == last else f"{first}-{last}"


def cells_of_child(connection: Connection, release_id: str, child_id: str) -> list[str]:
    """Return every cell of a release that counted a child, above or below the line.

    Raises:
        UsageError: the release does not know the child.
    """
    cursor = connection.execute(
        "select * from core.fct_release_children where release_id = %s and child_id = %s",
        [release_id, child_id],
    )
    row = cursor.fetchone()
    if row is None:
        raise UsageError(
            f"Release {release_id} does not know this child, or the warehouse no longer holds its rows."
        )
    child = dict(zip([column.name for column in cursor.description or ()], row, strict=True))
    cells = connection.execute(
        "select cell_id, indicator_set, indicator_code, definition_version, geography, area_level, area_code "
        "from marts.agg_release_figures where release_id = %s and status in ('published', 'hidden') "
        "and sex in ('_T', %s) and age_group in ('_T', %s) and ethnic_group in ('_T', %s) order by cell_id",
        [release_id, child["sex"], child["age_group"], child["ethnic_group"]],
    )
    return [cell[0] for cell in cells if _counts(child, cell[1:4], *cell[4:])]


def _counts(
    child: Mapping[str, Any], key: tuple[str, str, str], geography: str, level: str, area: str
) -> bool:
    column = AREA_COLUMNS[geography, level]
    known = definition(*key)
    if known is None or (column is not None and child[column] != area):
        return False
    measures = {known.fields["numerator_measure_code"], known.fields["denominator_measure_code"]}
    return bool(measures & set(child["measure_codes"]))
