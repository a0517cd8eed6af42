with provinces as (

    select * from {{ ref('provinces') }}

),

province_names as (

    select * from {{ ref('province_names') }}

),

successions as (

    select * from {{ ref('province_successions') }}

),

-- the name a unit bears last stands for it; the seed keeps the earlier ones
last_names as (

    select distinct on (province_id)
        province_id,
        name_vi,
        unit_type
    from province_names
    order by province_id asc, valid_from_date desc

),

units as (

    select
        provinces.province_id,
        provinces.province_code,
        case when provinces.valid_to_date is null then '2025' else 'legacy' end as map_code,
        last_names.name_vi as province_name_vi,
        last_names.unit_type as province_type_code,
        provinces.valid_from_date::date as valid_from_date,
        provinces.valid_to_date::date as valid_to_date,
        coalesce(successions.successor_province_id, provinces.province_id) as province_id_2025
    from provinces
    inner join last_names
        on provinces.province_id = last_names.province_id
    left join successions
        on provinces.province_id = successions.province_id

),

predecessors as (

    select
        province_id_2025,
        case when count(*) = 1 then min(province_code) end as province_code_legacy
    from units
    where map_code = 'legacy'
    group by province_id_2025

),

placed as (

    select
        units.province_id,
        units.province_code,
        units.map_code,
        units.province_name_vi,
        units.province_type_code,
        units.valid_from_date,
        units.valid_to_date,
        split_part(units.province_id_2025, '@', 1) as province_code_2025,
        case
            when units.map_code = 'legacy' then units.province_code
            else predecessors.province_code_legacy
        end as province_code_legacy
    from units
    left join predecessors
        on units.province_id_2025 = predecessors.province_id_2025

)

select * from placed
