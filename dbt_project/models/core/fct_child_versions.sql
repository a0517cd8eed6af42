{{ config(
    materialized='kept_table',
    keeps='versions',
    follows_age=true,
    full_refresh=false,
    indexes=[{'columns': ['child_id'], 'type': 'hash'}],
) }}

with children as (

    select * from {{ rows_of_touched(ref('dim_children')) }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

-- what builds knew of each child, written where it changed:
-- a release knows the version of its build
versions as (

    select
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
        end as measure_codes,
        current_setting('childdb.build_no', true)::bigint as first_build_no,
        null::bigint as last_build_no
    from children
    left join age_groups
        on
            children.age_in_years >= age_groups.from_age_years
            and children.age_in_years < age_groups.to_age_years

)

select * from versions
