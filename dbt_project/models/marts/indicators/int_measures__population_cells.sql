with residents as (

    select * from {{ ref('fct_resident_groups') }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

finest as (

    select
        residents.province_code_2025,
        residents.commune_code_2025,
        residents.province_code_legacy,
        residents.district_code_legacy,
        residents.commune_code_legacy,
        coalesce(residents.sex_code, '_U') as sex,
        coalesce(age_groups.age_group, '_U') as age_group,
        coalesce(residents.ethnic_group_code, '_U') as ethnic_group,
        {{ population_measure_counts() }}
    from residents
    left join age_groups
        on
            residents.age_in_years >= age_groups.from_age_years
            and residents.age_in_years < age_groups.to_age_years
    group by 1, 2, 3, 4, 5, 6, 7, 8

),

cells as (

    select
        {{ map_areas('finest') }},
        finest.sex,
        finest.age_group,
        finest.ethnic_group,
        {{ measure_sums(population_measures()) }}
    from finest
    cross join lateral {{ both_maps('finest') }} as area
    group by 1, 2, 3, 4, 5, 6, 7

)

select * from cells
