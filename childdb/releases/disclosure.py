"""Protect the figures of a release against subtraction: attack them, hide neighbours, until nothing gives way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import Connection, sql

from childdb.database import Role, connect
from childdb.database.access import attach
from childdb.database.roles import Owner
from childdb.releases.attack import System, hide_neighbours
from childdb.releases.catalogue import catalogue
from childdb.settings import Settings

# A count may be told in several figures: as a numerator in one, as a denominator in others.
FIGURES = """
copy (
    select
        f.cell_id, f.indicator_set, f.indicator_code, f.definition_version, f.geography, f.area_level, f.area_code,
        f.sex, f.age_group, f.ethnic_group, f.numerator, f.denominator,
        e.numerator_count < 10 as is_numerator_small, e.denominator_count < 10 as is_denominator_small
    from marts.agg_release_figures as f
    inner join marts.agg_indicators as e on f.cell_id = e.cell_id
    where f.release_id = {release} and f.status in ('published', 'hidden')
) to stdout with (format csv, header true)
"""
PLACES = """
copy (
    select map_code, commune_code, district_code, province_code, commune_code_2025, province_code_2025
    from core.dim_communes
) to stdout with (format csv, header true)
"""
HIDE = """
update marts.agg_release_figures as f
set
    status = 'hidden', numerator = null, value = null,
    denominator = case when c.hides_denominator then null else f.denominator end
from chosen_cells as c
where f.release_id = {release} and f.cell_id = c.cell_id
"""
HIDE_COVERAGE = """
update marts.agg_release_figures as f
set coverage = null
from chosen_areas as a
where
    f.release_id = {release} and f.geography = a.geography and f.area_level = a.area_level
    and f.area_code = a.area_code
"""
COUNTS = """
create table counts as
select
    row_number() over (order by geography, area_level, area_code, sex, age_group, ethnic_group, measure) - 1 as id, *
from (
    select
        geography, area_level, area_code, sex, age_group, ethnic_group, measure,
        max(told) as told, bool_and(is_small) as is_small
    from (
        select f.*, d.above as measure, f.numerator as told, f.is_numerator_small as is_small
        from figures as f inner join definitions as d using (indicator_set, indicator_code, definition_version)
        union all
        select f.*, d.below, f.denominator, f.is_denominator_small
        from figures as f inner join definitions as d using (indicator_set, indicator_code, definition_version)
        where d.below is not null
    )
    group by all
)
"""
# Each yields: what the equation is about, the count that is the sum, the count that is a part, and whether the
# parts that are told or hidden may be fewer than all.
AREA = "p.sex = c.sex and p.age_group = c.age_group and p.ethnic_group = c.ethnic_group and p.measure = c.measure"
RULES: Mapping[str, str] = {
    "sexes": """
        p.geography = c.geography and p.area_level = c.area_level and p.area_code = c.area_code
        and p.measure = c.measure and p.age_group = c.age_group and p.ethnic_group = '_T' and c.ethnic_group = '_T'
        and p.sex = '_T' and c.sex <> '_T'""",
    "ages": """
        p.geography = c.geography and p.area_level = c.area_level and p.area_code = c.area_code
        and p.measure = c.measure and p.sex = c.sex and p.ethnic_group = '_T' and c.ethnic_group = '_T'
        and p.age_group = '_T' and c.age_group <> '_T'""",
    "ethnic groups": """
        p.geography = c.geography and p.area_level = c.area_level and p.area_code = c.area_code
        and p.measure = c.measure and p.sex = '_T' and p.age_group = '_T' and c.sex = '_T' and c.age_group = '_T'
        and p.ethnic_group = '_T' and c.ethnic_group <> '_T'""",
    "provinces": f"p.geography = c.geography and p.area_level = 'nation' and c.area_level = 'province' and {AREA}",
    "communes": f"""
        p.geography = c.geography and p.area_level = 'province' and c.area_level = 'commune'
        and p.area_code = c.province and {AREA}""",
    "districts": f"""
        p.geography = c.geography and p.area_level = 'province' and c.area_level = 'district'
        and p.area_code = c.province and {AREA}""",
    "both maps": f"""
        p.geography = '2025' and c.geography = 'legacy' and p.area_level = 'nation' and c.area_level = 'nation'
        and {AREA}""",
}
LOOSE: Mapping[str, str] = {
    "communes of districts": f"""
        p.geography = 'legacy' and c.geography = 'legacy' and p.area_level = 'district' and c.area_level = 'commune'
        and p.area_code = c.district and {AREA}""",
    "former provinces": f"""
        p.geography = '2025' and c.geography = 'legacy' and p.area_level = 'province' and c.area_level = 'province'
        and p.area_code = c.province_2025 and {AREA}""",
    "former communes": f"""
        p.geography = '2025' and c.geography = 'legacy' and p.area_level = 'commune' and c.area_level = 'commune'
        and p.area_code = c.commune_2025 and {AREA}""",
}
WITHIN: Mapping[str, str] = {
    "special_circumstance_children": "children",
    "assisted_special_circumstance_children": "special_circumstance_children",
    "number_confirmed_children": "children",
    "at_risk_children": "children",
    "poor_or_near_poor_children": "children",
    "children_under_5": "children",
    "birth_registered_children_under_5": "children_under_5",
}
"""Measures that count some of those another measure counts."""
YOUNG = ("0", "1-2")
"""Age groups in which everybody is under five."""


@dataclass(frozen=True, slots=True)
class Attack:
    """The counts of a release as a system, and which of them are cells to protect."""

    counts: pa.Table
    system: System
    is_small: np.ndarray


def protect_release(settings: Settings, release_id: str) -> int:
    """Hide what would give a hidden count away, in the figures just built, and return how many cells that took.

    Doing it again changes nothing.
    """
    with connect(Role.BUILDER, settings) as connection:
        owner = sql.Identifier(attach(settings).role_name(Owner.MODELS))
        connection.execute(sql.SQL("set role {}").format(owner))
        figures = _copy(connection, sql.SQL(FIGURES).format(release=sql.Literal(release_id)), FIGURE_TYPES)
        attack = make_attack(figures, _copy(connection, sql.SQL(PLACES), PLACE_TYPES))
        _, hidden = hide_neighbours(attack.system, attack.is_small)
        return _hide(connection, release_id, figures, attack.counts.take(pa.array(hidden)))


TEXTS = "cell_id indicator_set indicator_code definition_version geography area_level area_code sex age_group ethnic_group"
FIGURE_TYPES: dict[str, pa.DataType] = dict.fromkeys(TEXTS.split(), pa.string()) | {
    "numerator": pa.float64(), "denominator": pa.float64(),
    "is_numerator_small": pa.string(), "is_denominator_small": pa.string(),
}  # fmt: skip
PLACE_TYPES: dict[str, pa.DataType] = dict.fromkeys(
    "map_code commune_code district_code province_code commune_code_2025 province_code_2025".split(),
    pa.string(),
)


def _copy(
    connection: Connection, statement: sql.SQL | sql.Composed, types: Mapping[str, pa.DataType]
) -> pa.Table:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        text = b"".join(bytes(block) for block in copy)
    options = pa_csv.ConvertOptions(column_types=dict(types), strings_can_be_null=True, null_values=[""])
    return pa_csv.read_csv(pa.BufferReader(text), convert_options=options)


def make_attack(figures: pa.Table, places: pa.Table) -> Attack:
    """Return the system a reader can set up from the figures of a release and public knowledge of places."""
    engine = duckdb.connect()
    engine.execute("set threads = 2")
    engine.register("figures_told", figures)
    engine.execute(
        "create table figures as select * replace (is_numerator_small = 't' as is_numerator_small, "
        "is_denominator_small = 't' as is_denominator_small) from figures_told"
    )
    engine.register("places", places)
    definitions = [
        (i.indicator_set, i.indicator_code, i.definition_version, i.fields["numerator_measure_code"],
         i.fields["denominator_measure_code"] or None)
        for i in catalogue() if i.fields["numerator_measure_code"]
    ]  # fmt: skip
    engine.execute(
        "create table definitions (indicator_set text, indicator_code text, definition_version text, above text, "
        "below text)"
    )
    engine.executemany("insert into definitions values (?, ?, ?, ?, ?)", definitions)
    engine.execute(COUNTS)
    _place_counts(engine)
    _write_terms(engine)
    return _attack(engine)


def _place_counts(engine: duckdb.DuckDBPyConnection) -> None:
    """Add to each count the larger areas its own lies in, on its map and on that of 2025."""
    engine.execute(
        """
        create table placed as
        select
            c.*, m.district,
            case when c.area_level = 'province' then p.province_2025 end as province_2025,
            case when c.area_level = 'commune' and c.geography = 'legacy' then m.commune_2025 end as commune_2025,
            case
                when c.area_code like '%\\_U' escape '\\' then coalesce(nullif(left(c.area_code, -2), ''), '_U')
                when c.area_level = 'district' then d.province
                when c.area_level = 'commune' then m.province
            end as province
        from counts as c
        left join (
            select
                map_code, commune_code, arg_max(province_code, commune_code) as province,
                arg_max(district_code, commune_code) as district, any_value(commune_code_2025) as commune_2025
            from places group by map_code, commune_code
        ) as m on c.geography = m.map_code and c.area_level = 'commune' and c.area_code = m.commune_code
        left join (
            select district_code, any_value(province_code) as province from places
            where map_code = 'legacy' group by district_code
        ) as d on c.area_level = 'district' and c.area_code = d.district_code
        left join (
            select province_code, any_value(province_code_2025) as province_2025 from places
            where map_code = 'legacy' group by province_code
        ) as p on c.geography = 'legacy' and c.area_level = 'province' and c.area_code = p.province_code
        """
    )


def _write_terms(engine: duckdb.DuckDBPyConnection) -> None:
    """Write every term: equation key, count, sign; and which equations leave room for parts nobody is told of."""
    engine.execute("create table terms (rule text, whole bigint, part bigint, is_loose boolean)")
    for rules, is_loose in ((RULES, False), (LOOSE, True)):
        for name, condition in rules.items():
            # Residents of communes without a list are counted in the whole and told of nowhere else.
            loose = (
                "true"
                if is_loose
                else f"p.measure = 'population_children' and '{name}' in ('provinces', 'communes', 'districts')"
            )
            engine.execute(
                f"insert into terms select '{name}', p.id, c.id, {loose} "  # noqa: S608 - rules of our own
                f"from placed as p inner join placed as c on {condition}"
            )
    same = "p.geography = c.geography and p.area_level = c.area_level and p.area_code = c.area_code and p.sex = c.sex and p.age_group = c.age_group and p.ethnic_group = c.ethnic_group"
    for part, whole in WITHIN.items():
        engine.execute(
            f"insert into terms select 'within {part}', p.id, c.id, "  # noqa: S608 - measures of our own
            f"not ('{part}' = 'children_under_5' and c.age_group in {YOUNG}) from placed as p "
            f"inner join placed as c on {same} and p.measure = '{whole}' and c.measure = '{part}'"
        )


def _attack(engine: duckdb.DuckDBPyConnection) -> Attack:
    counts = engine.sql("select * from counts order by id").to_arrow_table()
    equations = engine.sql(
        "select rule, whole, list(part order by part) as parts, bool_or(is_loose) as is_loose from terms "
        "group by rule, whole order by rule, whole"
    ).to_arrow_table()
    wholes = equations.column("whole").to_numpy()
    parts = equations.column("parts").combine_chunks()
    loose = np.flatnonzero(equations.column("is_loose").to_numpy(zero_copy_only=False))
    sizes = np.diff(parts.offsets.to_numpy())
    numbers = np.arange(len(wholes))
    total = counts.num_rows
    equation = np.concatenate([numbers, np.repeat(numbers, sizes), loose]).astype(np.int64)
    count = np.concatenate([wholes, parts.flatten().to_numpy(), total + np.arange(len(loose))]).astype(
        np.int64
    )
    sign = np.concatenate([-np.ones(len(wholes)), np.ones(int(sizes.sum()) + len(loose))])
    told = counts.column("told").to_numpy(zero_copy_only=False).astype(np.float64)
    small = counts.column("is_small").to_numpy(zero_copy_only=False).astype(bool)
    hidden = np.isnan(told)
    system = System(
        told=np.concatenate([told, np.full(len(loose), np.nan)]),
        is_free=np.concatenate([hidden & ~small, np.ones(len(loose), dtype=bool)]),
        equation=equation, count=count, sign=sign,
    )  # fmt: skip
    return Attack(
        counts, system, np.concatenate([np.ones(total, dtype=bool), np.zeros(len(loose), dtype=bool)])
    )


def _hide(connection: Connection, release_id: str, figures: pa.Table, chosen: pa.Table) -> int:
    if not chosen.num_rows:
        return 0
    engine = duckdb.connect()
    engine.register("figures", figures)
    engine.register("chosen", chosen)
    engine.execute(
        "create table definitions (indicator_set text, indicator_code text, definition_version text, measure text, is_below boolean)"
    )
    engine.executemany(
        "insert into definitions values (?, ?, ?, ?, ?)",
        [
            (i.indicator_set, i.indicator_code, i.definition_version, i.fields[f"{part}_measure_code"], part == "denominator")
            for i in catalogue() for part in ("numerator", "denominator")
        ],
    )  # fmt: skip
    cells = engine.execute(
        "select f.cell_id, bool_or(d.is_below) from figures as f inner join definitions as d "
        "using (indicator_set, indicator_code, definition_version) inner join chosen as c "
        "using (geography, area_level, area_code, sex, age_group, ethnic_group, measure) group by 1 order by 1"
    ).fetchall()
    areas = engine.execute(
        "select distinct geography, area_level, area_code from chosen where measure in "
        "('children', 'population_children') and sex = '_T' and age_group = '_T' and ethnic_group = '_T' order by all"
    ).fetchall()
    _update(connection, release_id, cells, areas)
    return len(cells)


def _update(
    connection: Connection,
    release_id: str,
    cells: list[tuple[str, bool]],
    areas: list[tuple[str, str, str]],
) -> None:
    connection.execute(
        "create temporary table chosen_cells (cell_id text, hides_denominator boolean) on commit drop"
    )
    connection.execute(
        "create temporary table chosen_areas (geography text, area_level text, area_code text) on commit drop"
    )
    for table, rows in (("chosen_cells", cells), ("chosen_areas", areas)):
        name = sql.Identifier(table)
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("copy {} from stdin").format(name)) as copy,
        ):
            for row in rows:
                copy.write_row(row)
        connection.execute(sql.SQL("analyze {}").format(name))
    for statement in (HIDE, HIDE_COVERAGE):
        connection.execute(sql.SQL(statement).format(release=sql.Literal(release_id)))
