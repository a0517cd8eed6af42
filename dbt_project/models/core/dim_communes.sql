with communes as (

    select * from {{ ref('communes') }}

),

commune_names as (

    select * from {{ ref('commune_names') }}

),

districts as (

    select * from {{ ref('districts') }}

),

provinces as (

    select * from {{ ref('dim_provinces') }}

),

people_moves as (

    select
        bridge.former_commune_id,
        bridge.heir_commune_id,
        bridge.commune_id_2025,
        heir.commune_code as heir_commune_code,
        heir.district_code as heir_district_code,
        heir.province_code as heir_province_code
    from {{ ref('bridge_communes_2025') }} as bridge
    inner join communes as heir
        on bridge.heir_commune_id = heir.commune_id
    where bridge.has_population

),

last_names as (

    select distinct on (commune_id)
        commune_id,
        name_vi,
        unit_type
    from commune_names
    order by commune_id asc, valid_from_date desc

),

-- certain only where all people of a former commune went to one place
successors as (

    select
        former_commune_id as commune_id,
        case
            when count(distinct commune_id_2025) = 1 then split_part(min(commune_id_2025), '@', 1)
        end as commune_code_2025,
        min(heir_commune_code) as commune_code_legacy,
        min(heir_district_code) as district_code_legacy
    from people_moves
    group by former_commune_id

),

-- certain only where all people of a commune came from one place
predecessors as (

    select
        commune_id_2025 as commune_id,
        case
            when count(distinct heir_commune_id) = 1 then min(heir_commune_code)
        end as commune_code_legacy,
        case
            when count(distinct heir_district_code) = 1 then min(heir_district_code)
        end as district_code_legacy,
        case
            when count(distinct heir_province_code) = 1 then min(heir_province_code)
        end as province_code_legacy
    from people_moves
    group by commune_id_2025

),

placed as (

    select
        communes.commune_id,
        communes.commune_code,
        provinces.map_code,
        last_names.name_vi as commune_name_vi,
        last_names.unit_type as commune_type_code,
        communes.district_code,
        districts.name_vi as district_name_vi,
        communes.province_code,
        communes.valid_from_date::date as valid_from_date,
        communes.valid_to_date::date as valid_to_date,
        case
            when provinces.map_code = '2025' then communes.commune_code
            else successors.commune_code_2025
        end as commune_code_2025,
        provinces.province_code_2025,
        coalesce(
            successors.commune_code_legacy, predecessors.commune_code_legacy
        ) as commune_code_legacy,
        case
            when provinces.map_code = 'legacy' then communes.district_code
            else predecessors.district_code_legacy
        end as district_code_legacy,
        coalesce(
            predecessors.province_code_legacy, provinces.province_code_legacy
        ) as province_code_legacy
    from communes
    inner join last_names
        on communes.commune_id = last_names.commune_id
    inner join provinces
        on
            communes.province_code = provinces.province_code
            and (communes.valid_to_date is null) = (provinces.valid_to_date is null)
    left join districts
        on communes.district_code = districts.district_code
    left join successors
        on communes.commune_id = successors.commune_id
    left join predecessors
        on communes.commune_id = predecessors.commune_id

)

select * from placed
