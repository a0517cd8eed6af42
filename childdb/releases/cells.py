"""The cells figures stand in: which children a cell counts, as conditions on what a release knew of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from childdb.errors import UsageError

AREA_COLUMNS: Mapping[tuple[str, str], str | None] = {
    ("2025", "nation"): None,
    ("2025", "province"): "province_area_2025",
    ("2025", "commune"): "commune_area_2025",
    ("legacy", "nation"): None,
    ("legacy", "province"): "province_area_legacy",
    ("legacy", "district"): "district_area_legacy",
    ("legacy", "commune"): "commune_area_legacy",
}
GROUP_COLUMNS = ("sex", "age_group", "ethnic_group")
RESIDENTS = "population_children"
"""The one measure that counts residents of the population extract instead of registered children."""
TOTAL = "_T"
MINIMUM, BASE = 10, 5


@dataclass(frozen=True, slots=True)
class Cell:
    """Whom a figure counts: an area of one map and one group of children."""

    geography: str = "2025"
    area_level: str = "nation"
    area_code: str = "VN"
    sex: str = TOTAL
    age_group: str = TOTAL
    ethnic_group: str = TOTAL

    def condition(self) -> sql.Composable:
        """Return the condition that a row of ``core.fct_release_children`` lies in the cell."""
        parts = [
            sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(value))
            for column, value in self._limits().items()
        ]
        return sql.SQL(" and ").join(parts) if parts else sql.SQL("true")

    def _limits(self) -> dict[str, str]:
        limits: dict[str, str] = {}
        column = AREA_COLUMNS[self.geography, self.area_level]
        if column is not None:
            limits[column] = self.area_code
        for name in GROUP_COLUMNS:
            value = getattr(self, name)
            if value != TOTAL:
                limits[name] = value
        return limits

    def area_condition(self) -> sql.Composable:
        """Return the condition that a row lies in the cell's area, whatever its group."""
        return Cell(self.geography, self.area_level, self.area_code).condition()


@dataclass(frozen=True, slots=True)
class Figure:
    """One released figure as readers see it."""

    columns: Mapping[str, object]

    @property
    def cell(self) -> Cell:
        """Whom the figure counts."""
        names = ("geography", "area_level", "area_code", *GROUP_COLUMNS)
        return Cell(*(str(self.columns[name]) for name in names))

    @property
    def key(self) -> tuple[str, str, str]:
        """Set, code and version of its definition."""
        names = ("indicator_set", "indicator_code", "definition_version")
        return tuple(str(self.columns[name]) for name in names)  # type: ignore[return-value]


def count_cell(
    connection: Connection, release_id: str, measures: Sequence[str], cell: Cell
) -> dict[str, int]:
    """Return what each measure counted in a cell of a release."""
    children = sql.SQL(
        "select measure, count(*) from core.fct_release_children cross join unnest(measure_codes) as m (measure) "
        "where release_id = {release} and {cell} and measure = any({measures}) group by measure"
    )
    names = {
        "release": sql.Literal(release_id),
        "cell": cell.condition(),
        "measures": sql.Literal(list(measures)),
    }
    counts = dict.fromkeys(measures, 0)
    counts |= {str(measure): int(n) for measure, n in connection.execute(children.format(**names))}
    if RESIDENTS in counts:
        residents = sql.SQL(
            "select coalesce(sum(resident_count), 0) from core.fct_release_residents "
            "where release_id = {release} and {cell}"
        )
        row = connection.execute(residents.format(**names)).fetchone()
        counts[RESIDENTS] = int(row[0]) if row else 0
    return counts


def protect(count: int | None) -> int | None:
    """Return a count as it may be told: nothing under ten, zero included, else the nearest five.

    >>> protect(9), protect(12), protect(13)
    (None, 10, 15)
    """
    if count is None or count < MINIMUM:
        return None
    return (2 * count + BASE) // (2 * BASE) * BASE


def find_figure(connection: Connection, release_id: str, cell_id: str) -> Figure:
    """Return one figure of a release.

    Raises:
        UsageError: the release has no such cell.
    """
    cursor = connection.execute(
        "select * from marts.agg_release_figures where release_id = %s and cell_id = %s",
        [release_id, cell_id],
    )
    row = cursor.fetchone()
    if row is None:
        raise UsageError(
            f"Release {release_id} has no cell {cell_id[:32]}: take a cell_id from 'childdb indicator --json' or "
            "figures.csv.",
            f"Bản phát hành {release_id} không có ô số liệu này: hãy lấy cell_id từ 'childdb indicator --json'.",
        )
    names = [column.name for column in cursor.description or ()]
    return Figure(dict(zip(names, row, strict=True)))


def area_level_of(code: str) -> tuple[str, str]:
    """Return map and level of an area code of the 2025 map, told by its form.

    >>> area_level_of("08"), area_level_of("00004"), area_level_of("VN")
    (('2025', 'province'), ('2025', 'commune'), ('2025', 'nation'))
    """
    if code == "VN":
        return "2025", "nation"
    if len(code) == 3 and code.isdigit():
        return "legacy", "district"
    return "2025", "commune" if len(code) > 2 else "province"
