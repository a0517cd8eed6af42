with sexes as (

    select sex_code as sex from {{ ref('codes_sexes') }}
    union
    select '_U' as sex

),

age_groups as (

    select age_group from {{ ref('age_groups') }}
    union
    select '_U' as age_group

),

ethnic_groups as (

    select ethnic_group_code as ethnic_group from {{ ref('codes_ethnic_groups') }}
    union
    select '_U' as ethnic_group

),

circumstances as (

    select distinct group_code as circumstance from {{ ref('codes_special_circumstances') }}

),

-- a kind of settlement that came with the 2025 map is no member on the former one
settlements as (

    select
        maps.geography,
        settlements.settlement_code as settlement
    from {{ ref('codes_settlements') }} as settlements
    inner join
        (values ('2025', date '2025-07-01'), ('legacy', date '2025-06-30'))
            as maps (geography, on_date)
        on
            settlements.valid_from_date <= maps.on_date
            and coalesce(settlements.valid_to_date > maps.on_date, true)
    group by maps.geography, settlements.settlement_code
    union all
    select
        geography,
        '_U' as settlement
    from (values ('2025'), ('legacy')) as maps (geography)

),

members as (

    select
        'total' as breakdown,
        null::text as geography,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        '_T' as settlement
    union all
    select
        'sex' as breakdown,
        null::text as geography,
        sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        '_T' as settlement
    from sexes
    union all
    select
        'age_group' as breakdown,
        null::text as geography,
        '_T' as sex,
        age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        '_T' as settlement
    from age_groups
    union all
    select
        'sex_age_group' as breakdown,
        null::text as geography,
        sexes.sex,
        age_groups.age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        '_T' as settlement
    from sexes
    cross join age_groups
    union all
    select
        'ethnic_group' as breakdown,
        null::text as geography,
        '_T' as sex,
        '_T' as age_group,
        ethnic_group,
        '_T' as circumstance,
        '_T' as settlement
    from ethnic_groups
    union all
    select
        'circumstance' as breakdown,
        null::text as geography,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        circumstance,
        '_T' as settlement
    from circumstances
    union all
    select
        'settlement' as breakdown,
        geography,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        settlement
    from settlements

)

select * from members
