"""Why a figure changed between two releases: causes, child by child, that add up exactly to the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from childdb.errors import UsageError
from childdb.releases.catalogue import Indicator, catalogue
from childdb.releases.cells import RESIDENTS, Cell, count_cell, protect

SMALL = 10
ROUNDING = "rounding_and_small_causes"
POPULATION = "population__persons@"
CAUSES: Mapping[str, tuple[str, str]] = {
    "born": ("trẻ mới sinh", "born since"),
    "arrived": ("trẻ mới được đưa vào danh sách", "newly listed"),
    "unmerged": ("tách hồ sơ gộp nhầm", "records told apart"),
    "merged": ("gộp hồ sơ trùng", "double records merged"),
    "no_longer_listed": ("không còn trong danh sách", "no longer listed"),
    "turned_16": ("đủ 16 tuổi", "turned 16"),
    "died": ("đã mất", "died"),
    "moved_out": ("chuyển đi", "moved away"),
    "returned": ("chuyển về", "came back"),
    "moved": ("đổi địa bàn", "moved between areas"),
    "corrected_place": ("sửa nơi cư trú", "place corrected or decided"),
    "ageing": ("sang nhóm tuổi khác", "grew into another age group"),
    "corrected_birth_date": ("sửa ngày sinh", "birth date corrected"),
    "corrected_death": ("sửa thông tin đã mất", "report of death corrected"),
    "corrected_sex": ("sửa giới tính", "sex corrected"),
    "corrected_ethnic_group": ("sửa dân tộc", "ethnic group corrected"),
    "number_confirmation": ("xác nhận hoặc hủy xác nhận số định danh", "numbers confirmed or no longer so"),
    "changed_situation": ("thay đổi tình trạng được ghi", "situation reported otherwise"),
    "definition": ("đổi định nghĩa chỉ tiêu", "definition changed"),
    "population_extract": ("đổi bản trích dân cư", "another population extract"),
    "population_ageing": (
        "dân cư trong cùng bản trích sinh ra hoặc đủ 16 tuổi",
        "residents of the same extract born or turned 16",
    ),
    ROUNDING: ("làm tròn và các nguyên nhân dưới 10", "rounding, and causes under 10"),
}
"""Every cause by code, with its words in Vietnamese and English."""

# One row per measure and cause: how many children came into the count and how many left it.
QUERY = """
with before as (
    select *, {cell} as in_cell, {area} as in_area
    from core.fct_release_children
    where release_id = {first}
),

after as (
    select *, {cell} as in_cell, {area} as in_area
    from core.fct_release_children
    where release_id = {second}
),

joined as (
    select
        measure,
        coalesce(before.in_cell and measure = any(before.measure_codes), false) as was_in,
        coalesce(after.in_cell and measure = any(after.measure_codes), false) as is_in,
        before.child_id as before_child_id,
        before.record_id as before_record_id,
        before.counting_status_code as before_status,
        before.in_area as before_in_area,
        before.sex as before_sex,
        before.ethnic_group as before_ethnic_group,
        before.age_group as before_age_group,
        before.effective_birth_date as before_birth_date,
        after.child_id as after_child_id,
        after.record_id as after_record_id,
        after.counting_status_code as after_status,
        after.in_area as after_in_area,
        after.sex as after_sex,
        after.ethnic_group as after_ethnic_group,
        after.age_group as after_age_group,
        after.effective_birth_date as after_birth_date
    from before
    full outer join after
        on before.child_id = after.child_id
    cross join unnest({measures}::text[]) as measures (measure)
    where before.in_cell or after.in_cell
),

changed as (
    select joined.*
    from joined
    where was_in <> is_in
),

explained as (
    select
        changed.measure,
        changed.was_in,
        case
            when before_child_id is null and after_birth_date > {first_date} then 'born'
            when before_child_id is null and split_part(after_record_id, '#', 1) = any({first_batches}) then 'unmerged'
            when before_child_id is null then 'arrived'
            when after_child_id is null and heirs.child_id is not null then 'merged'
            when after_child_id is null then 'no_longer_listed'
            when before_status = 'counted' and after_status in ('turned_16', 'died', 'moved_out') then
                case
                    when after_status = 'turned_16' and before_birth_date is distinct from after_birth_date
                        then 'corrected_birth_date'
                    else after_status
                end
            when before_status = 'counted' and after_status = 'not_yet_born' then 'corrected_birth_date'
            when before_status = 'not_yet_born' and before_birth_date = after_birth_date then 'born'
            when before_status = 'moved_out' then 'returned'
            when before_status = 'died' then 'corrected_death'
            when before_status in ('turned_16', 'not_yet_born') then 'corrected_birth_date'
            when before_in_area <> after_in_area and before_record_id = after_record_id then 'corrected_place'
            when before_in_area <> after_in_area then 'moved'
            when before_birth_date is distinct from after_birth_date
                and (before_age_group <> after_age_group or changed.measure like '%under%') then 'corrected_birth_date'
            when before_age_group <> after_age_group then 'ageing'
            when {by_sex} and before_sex <> after_sex then 'corrected_sex'
            when {by_ethnic} and before_ethnic_group <> after_ethnic_group then 'corrected_ethnic_group'
            when changed.measure = 'number_confirmed_children' then 'number_confirmation'
            when changed.measure = 'children_under_5' then 'ageing'
            else 'changed_situation'
        end as cause
    from changed
    left join identity.record_links as links
        on changed.after_child_id is null and changed.before_record_id = links.record_id
    left join after as heirs
        on links.child_id = heirs.child_id and links.child_id <> changed.before_child_id
)

select
    measure,
    cause,
    count(*) filter (where not was_in) as came_count,
    count(*) filter (where was_in) as left_count
from explained
group by measure, cause
order by measure, cause
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: how many children it brought into a count and how many it took out."""

    code: str
    came: int
    left: int

    @property
    def net(self) -> int:
        """What the cause adds to the figure."""
        return self.came - self.left


@dataclass(frozen=True, slots=True)
class Change:
    """One count of one indicator in both releases, and why it differs."""

    indicator: Indicator
    part: str
    cell: Cell
    before: int
    after: int
    causes: tuple[Cause, ...]

    @property
    def adds_up(self) -> bool:
        """Whether the causes give the difference exactly."""
        return self.before + sum(cause.net for cause in self.causes) == self.after

    def protected_causes(self) -> dict[str, int] | None:
        """Return what may be told: no cause under ten, and rounding as a cause of its own; nothing if a side is hidden."""
        before, after = protect(self.before), protect(self.after)
        if before is None or after is None:
            return None
        told = {}
        for cause in self.causes:
            size = protect(abs(cause.net))
            if size is not None and min(n for n in (cause.came, cause.left) if n) >= SMALL:
                told[cause.code] = size if cause.net > 0 else -size
        rest = after - before - sum(told.values())
        return told | ({ROUNDING: rest} if rest else {})


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What the comparison needs to know of a release."""

    release_id: str
    reference_date: Any
    batch_ids: tuple[str, ...]


def difference(connection: Connection, first: str, second: str, cell: Cell | None = None) -> list[Change]:
    """Return every count of the catalogue that both releases made of a cell, with the causes of its change."""
    where = cell or Cell()
    old, new = _facts(connection, first), _facts(connection, second)
    pairs = _definitions(old, new)
    measures = sorted(
        {code for _, above, below in pairs for codes in (above, below) for code in codes if code}
    )
    causes = _causes(connection, old, new, where, measures)
    before = count_cell(connection, first, measures, where)
    after = count_cell(connection, second, measures, where)
    changes = []
    for indicator, above, below in pairs:
        for part, (earlier, later) in (("numerator", above), ("denominator", below)):
            if later:
                shift = before[later] - before[earlier] if earlier else 0
                found = causes.get(later, ())
                if later == RESIDENTS:
                    found = _resident_causes(old, new, after[later] - before[later])
                if shift:
                    found = (*found, Cause("definition", max(shift, 0), max(-shift, 0)))
                changes.append(
                    Change(indicator, part, where, before[earlier or later], after[later], tuple(found))
                )
    return changes


def _facts(connection: Connection, release_id: str) -> ReleaseFacts:
    row = connection.execute(
        "select reference_date, inputs from ops.releases where release_id = %s", [release_id]
    ).fetchone()
    known = connection.execute(
        "select exists (select 1 from core.fct_release_children where release_id = %s)", [release_id]
    ).fetchone()
    if row is None or not (known and known[0]):
        raise UsageError(
            f"The warehouse does not hold the children of release {release_id}: 'childdb release list' shows the "
            "releases, 'childdb release rebuild' makes an old one again.",
            f"Kho dữ liệu không còn giữ dữ liệu chi tiết của bản phát hành {release_id}: xem 'childdb release list'.",
        )
    batches = tuple(f"{b['dataset']}@{b['file_sha256'][:20]}" for b in row[1]["batches"])
    return ReleaseFacts(release_id, row[0], batches)


Pair = tuple[Indicator, tuple[str, str], tuple[str, str]]


def _definitions(old: ReleaseFacts, new: ReleaseFacts) -> list[Pair]:
    """Return each indicator of the newer release with the measures of its older and newer definition."""
    pairs: list[Pair] = []
    for indicator in catalogue():
        if not indicator.holds_on(new.reference_date) or not indicator.fields["numerator_measure_code"]:
            continue
        key = (indicator.indicator_set, indicator.indicator_code)
        earlier = next(
            (
                i
                for i in catalogue()
                if (i.indicator_set, i.indicator_code) == key and i.holds_on(old.reference_date)
            ),
            indicator,
        )
        above, below = (
            (earlier.fields[f"{part}_measure_code"], indicator.fields[f"{part}_measure_code"])
            for part in ("numerator", "denominator")
        )
        pairs.append((indicator, above, below))
    return pairs


def _resident_causes(old: ReleaseFacts, new: ReleaseFacts, shift: int) -> tuple[Cause, ...]:
    """Return why another number of residents was counted: an extract has no history child by child."""
    same = {b for b in old.batch_ids if b.startswith(POPULATION)} == {
        b for b in new.batch_ids if b.startswith(POPULATION)
    }
    code = "population_ageing" if same else "population_extract"
    return (Cause(code, max(shift, 0), max(-shift, 0)),) if shift else ()


def _causes(
    connection: Connection, old: ReleaseFacts, new: ReleaseFacts, cell: Cell, measures: list[str]
) -> dict[str, tuple[Cause, ...]]:
    statement = sql.SQL(QUERY).format(
        cell=cell.condition(),
        area=cell.area_condition(),
        first=sql.Literal(old.release_id),
        second=sql.Literal(new.release_id),
        measures=sql.Literal(measures),
        first_date=sql.Literal(old.reference_date),
        first_batches=sql.Literal(list(old.batch_ids)),
        by_sex=sql.Literal(cell.sex != "_T"),
        by_ethnic=sql.Literal(cell.ethnic_group != "_T"),
    )
    found: dict[str, tuple[Cause, ...]] = {}
    for measure, cause, came, left in connection.execute(statement):
        found[measure] = (*found.get(measure, ()), Cause(cause, came, left))
    return found
