with children as (

    select *
    from {{ ref('dim_children') }}
    where counting_status_code = 'counted'

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

-- each finest cell is counted once, on both maps at the same time
finest as (

    select
        children.province_code_2025,
        children.commune_code_2025,
        children.province_code_legacy,
        children.district_code_legacy,
        children.commune_code_legacy,
        coalesce(children.sex_code, '_U') as sex,
        coalesce(age_groups.age_group, '_U') as age_group,
        coalesce(children.ethnic_group_code, '_U') as ethnic_group,
        {{ register_measure_counts() }}
    from children
    left join age_groups
        on
            children.age_in_years >= age_groups.from_age_years
            and children.age_in_years < age_groups.to_age_years
    group by 1, 2, 3, 4, 5, 6, 7, 8

),

cells as (

    select
        {{ map_areas('finest') }},
        finest.sex,
        finest.age_group,
        finest.ethnic_group,
        {{ measure_sums(register_measures()) }}
    from finest
    cross join lateral {{ both_maps('finest') }} as area
    group by 1, 2, 3, 4, 5, 6, 7

)

select * from cells
