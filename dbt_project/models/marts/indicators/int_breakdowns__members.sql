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

members as (

    select
        'total' as breakdown,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group
    union all
    select
        'sex' as breakdown,
        sex,
        '_T' as age_group,
        '_T' as ethnic_group
    from sexes
    union all
    select
        'age_group' as breakdown,
        '_T' as sex,
        age_group,
        '_T' as ethnic_group
    from age_groups
    union all
    select
        'sex_age_group' as breakdown,
        sexes.sex,
        age_groups.age_group,
        '_T' as ethnic_group
    from sexes
    cross join age_groups
    union all
    select
        'ethnic_group' as breakdown,
        '_T' as sex,
        '_T' as age_group,
        ethnic_group
    from ethnic_groups

)

select * from members
