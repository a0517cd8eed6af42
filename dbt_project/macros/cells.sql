{#- CTEs from rows of children or residents to cells on both maps, the last of them called "cells". The rows carry
    the places of both maps, sex_code, age_in_years, ethnic_group_code and special_circumstance_codes; each is counted
    in every kind of cell it lies in: sex and age in the smallest area, ethnic group and circumstances in the province. -#}
{% macro cells_on_both_maps(counted, counts, measures) -%}
grouped as not materialized (

    select
        {{ counted }}.*,
        coalesce({{ counted }}.sex_code, '_U') as sex,
        coalesce(age_groups.age_group, '_U') as age_group,
        coalesce({{ counted }}.ethnic_group_code, '_U') as ethnic_group
    from {{ counted }}
    left join {{ ref('age_groups') }} as age_groups
        on
            {{ counted }}.age_in_years >= age_groups.from_age_years
            and {{ counted }}.age_in_years < age_groups.to_age_years

),

-- three plain counts, each of which several processors share: sets of groups in one pass would be counted by one alone
finest as (

    select
        province_code_2025,
        commune_code_2025,
        province_code_legacy,
        district_code_legacy,
        commune_code_legacy,
        sex,
        age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        {{ counts }}
    from grouped
    group by
        province_code_2025, commune_code_2025, province_code_legacy, district_code_legacy,
        commune_code_legacy, sex, age_group
    union all
    select
        province_code_2025,
        null as commune_code_2025,
        province_code_legacy,
        null as district_code_legacy,
        null as commune_code_legacy,
        '_T' as sex,
        '_T' as age_group,
        ethnic_group,
        '_T' as circumstance,
        {{ counts }}
    from grouped
    group by province_code_2025, province_code_legacy, ethnic_group
    union all
    -- a child in several groups of circumstances counts once in each of them
    select
        grouped.province_code_2025,
        null as commune_code_2025,
        grouped.province_code_legacy,
        null as district_code_legacy,
        null as commune_code_legacy,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        circumstances.group_code as circumstance,
        {{ counts }}
    from grouped
    cross join lateral (
        select distinct left(code, 4) as group_code
        from unnest(grouped.special_circumstance_codes) as listed (code)
    ) as circumstances
    where cardinality(grouped.special_circumstance_codes) > 0
    group by grouped.province_code_2025, grouped.province_code_legacy, circumstances.group_code

),

placed as (

    select
        {{ map_areas('finest') }},
        finest.*
    from finest
    cross join lateral {{ both_maps('finest') }} as area

),

cells as (

    select
        placed.geography,
        placed.province_area,
        placed.district_area,
        placed.commune_area,
        coalesce(settlements.settlement_code, '_U') as settlement,
        placed.sex,
        placed.age_group,
        placed.ethnic_group,
        placed.circumstance,
        {{ measure_sums(measures) }}
    from placed
    left join {{ ref('int_areas__settlements') }} as settlements
        on
            placed.geography = settlements.geography
            and placed.commune_area = settlements.commune_area
    group by
        placed.geography, placed.province_area, placed.district_area, placed.commune_area,
        coalesce(settlements.settlement_code, '_U'), placed.sex, placed.age_group,
        placed.ethnic_group, placed.circumstance

)
{%- endmacro %}
