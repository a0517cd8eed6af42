{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='release_id',
    on_schema_change='fail',
    full_refresh=false,
    indexes=[{'columns': ['release_id', 'child_id'], 'unique': true}],
) }}

with children as (

    select * from {{ ref('dim_children') }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

-- what each release knew of each child: passports and change accounting read nothing else
known_children as (

    select
        '{{ var("release_id") }}' as release_id,
        children.child_id,
        children.record_id,
        children.counting_status_code,
        {{ release_areas('children') }},
        coalesce(children.sex_code, '_U') as sex,
        coalesce(age_groups.age_group, '_U') as age_group,
        coalesce(children.ethnic_group_code, '_U') as ethnic_group,
        children.effective_birth_date,
        case
            when children.counting_status_code = 'counted'
                then {{ register_measure_codes() }}
            else array[]::text[]
        end as measure_codes
    from children
    left join age_groups
        on
            children.age_in_years >= age_groups.from_age_years
            and children.age_in_years < age_groups.to_age_years

)

select * from known_children
