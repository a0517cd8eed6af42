with communes as (

    select * from {{ ref('dim_communes') }}

),

current_lists as (

    select *
    from {{ ref('fct_commune_lists') }}
    where is_current and commune_id is not null

),

register_cells as (

    select * from {{ ref('int_measures__register_cells') }}

),

-- every unit of the 2025 map is expected to report
expected as (

    select
        '2025' as geography,
        province_code as province_area,
        null as district_area,
        commune_code as commune_area
    from communes
    where map_code = '2025'

),

-- a list that arrived speaks for its commune even when no child in it is counted
delivered as (

    select {{ map_areas('communes') }}
    from current_lists
    inner join communes
        on current_lists.commune_id = communes.commune_id
    cross join lateral {{ both_maps('communes') }} as area
    -- of a commune whose people went to several, no new one has reported
    where area.column4 is not null

),

counted as (

    select
        geography,
        province_area,
        district_area,
        commune_area
    from register_cells
    where ethnic_group = '_T' and circumstance = '_T'

),

reporting as (

    select * from delivered
    union
    select * from counted

),

areas as (

    select
        *,
        true as is_reporting
    from reporting
    union all
    select
        *,
        false as is_reporting
    from expected

),

levels as (

    select
        geography,
        {{ area_level_and_code() }},
        bool_or(is_reporting) as is_reporting
    from areas
    group by
        geography,
        {{ area_sets() }}
    having {{ is_real_area() }}

)

select * from levels
