{{ config(
    materialized='kept_table',
    keeps='release',
    full_refresh=false,
    indexes=[{'columns': ['release_id']}],
) }}

with residents as (

    select * from {{ ref('fct_resident_groups') }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

-- what each release knew of the resident population, in the areas and groups of its figures
known_residents as (

    select
        '{{ build_value("release_id") }}' as release_id,
        {{ release_areas('residents') }},
        coalesce(residents.sex_code, '_U') as sex,
        coalesce(age_groups.age_group, '_U') as age_group,
        coalesce(residents.ethnic_group_code, '_U') as ethnic_group,
        sum(residents.resident_count)::bigint as resident_count
    from residents
    left join age_groups
        on
            residents.age_in_years >= age_groups.from_age_years
            and residents.age_in_years < age_groups.to_age_years
    group by
        residents.province_code_2025, residents.commune_code_2025, residents.province_code_legacy,
        residents.district_code_legacy, residents.commune_code_legacy,
        coalesce(residents.sex_code, '_U'), coalesce(age_groups.age_group, '_U'),
        coalesce(residents.ethnic_group_code, '_U')

)

select * from known_residents
