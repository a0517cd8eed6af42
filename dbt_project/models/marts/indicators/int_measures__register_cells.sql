with children as (

    select *
    from {{ ref('dim_children') }}
    where counting_status_code = 'counted'

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

grouped as (

    select
        children.*,
        coalesce(children.sex_code, '_U') as sex,
        coalesce(age_groups.age_group, '_U') as age_group,
        coalesce(children.ethnic_group_code, '_U') as ethnic_group
    from children
    left join age_groups
        on
            children.age_in_years >= age_groups.from_age_years
            and children.age_in_years < age_groups.to_age_years

),

-- counted in one pass, on both maps at the same time
finest as (

    select
        province_code_2025,
        commune_code_2025,
        province_code_legacy,
        district_code_legacy,
        commune_code_legacy,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        case when grouping(age_group) = 1 then '_T' else age_group end as age_group,
        case when grouping(ethnic_group) = 1 then '_T' else ethnic_group end as ethnic_group,
        {{ register_measure_counts() }}
    from grouped
    {{ finest_cells() }}

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
        geography,
        province_area,
        district_area,
        commune_area,
        sex,
        age_group,
        ethnic_group,
        {{ measure_sums(register_measures()) }}
    from placed
    group by
        geography, province_area, district_area, commune_area, sex, age_group, ethnic_group

)

select * from cells
