with communes as (

    select * from {{ ref('dim_communes') }}

),

settlements as (

    select * from {{ ref('codes_settlements') }}

),

-- a code of the former map may have had several spells: the last one says what the commune was
last_spells as (

    select distinct on (map_code, commune_code)
        map_code as geography,
        commune_code as commune_area,
        commune_type_code
    from communes
    order by map_code asc, commune_code asc, valid_from_date desc

),

classed as (

    select
        last_spells.geography,
        last_spells.commune_area,
        settlements.settlement_code
    from last_spells
    inner join settlements
        on last_spells.commune_type_code = settlements.commune_type_code

)

select * from classed
