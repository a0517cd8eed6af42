{{ config(materialized='kept_table', keeps='children', follows_age=true, ages=true) }}

with registrations as not materialized (

    select * from {{ rows_of_touched(ref('fct_registrations')) }}
    where known_to_date is null

),

several as (

    select * from {{ rows_of_touched(ref('int_children__several_rows')) }}
    where current_record_count > 1

),

communes as (

    select * from {{ ref('dim_communes') }}

),

provinces as (

    select * from {{ ref('dim_provinces') }}

),

chosen_of_several as (

    select distinct on (registrations.child_id) registrations.*
    from registrations
    inner join several
        on registrations.child_id = several.child_id
    order by registrations.child_id asc, {{ who_speaks_first() }}

),

chosen as (

    select registrations.*
    from registrations
    left join several
        on registrations.child_id = several.child_id
    where several.child_id is null
    union all
    select * from chosen_of_several

),

aged as (

    select
        *,
        {{ age_in_years('effective_birth_date', reference_date()) }} as age_in_years
    from chosen

),

placed as (

    select
        aged.*,
        split_part(aged.commune_id_2025, '@', 1) as commune_code_2025,
        coalesce(
            communes_2025.province_code_2025,
            communes.province_code_2025,
            provinces.province_code_2025
        ) as province_code_2025,
        coalesce(
            communes.commune_code_legacy, communes_2025.commune_code_legacy
        ) as commune_code_legacy,
        coalesce(
            communes.district_code_legacy, communes_2025.district_code_legacy
        ) as district_code_legacy,
        coalesce(
            communes.province_code_legacy,
            communes_2025.province_code_legacy,
            provinces.province_code_legacy
        ) as province_code_legacy
    from aged
    left join communes
        on aged.commune_id = communes.commune_id
    left join communes as communes_2025
        on aged.commune_id_2025 = communes_2025.commune_id
    left join provinces
        on
            aged.province_code = provinces.province_code
            and provinces.map_code
            = case when aged.file_date < date '2025-07-01' then 'legacy' else '2025' end

),

children as (

    select
        placed.child_id,
        placed.record_id,
        placed._batch_id,
        placed.file_date,
        placed.commune_id,
        placed.commune_code_2025,
        placed.province_code_2025,
        placed.commune_code_legacy,
        placed.district_code_legacy,
        placed.province_code_legacy,
        placed.sex_code,
        placed.effective_birth_date,
        placed.birth_date_precision_code,
        placed.age_in_years,
        placed.ethnic_group_code,
        placed.special_circumstance_codes,
        cardinality(placed.special_circumstance_codes) > 0 as has_special_circumstance,
        placed.is_assisted,
        placed.is_at_risk,
        placed.household_poverty_code,
        coalesce(
            placed.household_poverty_code in ('poor', 'near_poor'), false
        ) as is_poor_or_near_poor,
        placed.is_birth_registered,
        placed.school_status_code,
        placed.is_number_confirmed,
        placed.life_event_code,
        placed.life_event_date,
        {{ counting_status('placed', reference_date()) }} as counting_status_code
    from placed

)

select * from children
