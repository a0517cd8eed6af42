with totals as (

    select * from {{ ref('int_measures__area_totals') }}

),

areas as (

    select * from {{ ref('int_areas__reporting') }}

),

members as (

    select * from {{ ref('int_breakdowns__members') }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

-- every combination of a reporting area exists, so that an absent row never tells a zero
expected as (

    select
        areas.geography,
        areas.area_level,
        areas.area_code,
        areas.is_reporting,
        members.breakdown,
        members.sex,
        members.age_group,
        members.ethnic_group,
        members.circumstance,
        members.settlement,
        age_groups.from_age_years as group_from_years,
        age_groups.to_age_years as group_to_years
    from areas
    inner join members
        on
            (areas.is_reporting or members.breakdown = 'total')
            and (
                areas.area_level in ('nation', 'province')
                or members.breakdown not in ('ethnic_group', 'circumstance', 'settlement')
            )
            and coalesce(areas.geography = members.geography, true)
    left join age_groups
        on members.age_group = age_groups.age_group

),

-- whoever is in a group of circumstances is compared with all children of the area
whole_areas as (

    select
        geography,
        area_level,
        area_code,
        children_count as area_children_count
    from totals
    where
        area_level in ('nation', 'province')
        and sex = '_T'
        and age_group = '_T'
        and ethnic_group = '_T'
        and circumstance = '_T'
        and settlement = '_T'

),

cells as (

    select
        expected.geography,
        expected.area_level,
        expected.area_code,
        expected.is_reporting,
        expected.breakdown,
        expected.sex,
        expected.age_group,
        expected.ethnic_group,
        expected.circumstance,
        expected.settlement,
        expected.group_from_years,
        expected.group_to_years,
        coalesce(whole_areas.area_children_count, 0) as area_children_count,
        {{ measure_counts_or_zero('totals', register_measures()) }},
        {{ measure_counts_or_zero('totals', population_measures()) }}
    from expected
    left join totals
        on
            expected.geography = totals.geography
            and expected.area_level = totals.area_level
            and expected.area_code = totals.area_code
            and expected.sex = totals.sex
            and expected.age_group = totals.age_group
            and expected.ethnic_group = totals.ethnic_group
            and expected.circumstance = totals.circumstance
            and expected.settlement = totals.settlement
    left join whole_areas
        on
            expected.geography = whole_areas.geography
            and expected.area_level = whole_areas.area_level
            and expected.area_code = whole_areas.area_code

)

select * from cells
