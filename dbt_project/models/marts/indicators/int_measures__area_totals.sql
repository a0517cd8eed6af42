with register_cells as (

    select * from {{ ref('int_measures__register_cells') }}

),

population_cells as (

    select * from {{ ref('int_measures__population_cells') }}

),

register_totals as (

    {{ area_breakdown_sums('register_cells', register_measures()) }}

),

population_totals as (

    {{ area_breakdown_sums('population_cells', population_measures()) }}

),

totals as (

    select
        coalesce(register_totals.geography, population_totals.geography) as geography,
        coalesce(register_totals.area_level, population_totals.area_level) as area_level,
        coalesce(register_totals.area_code, population_totals.area_code) as area_code,
        coalesce(register_totals.sex, population_totals.sex) as sex,
        coalesce(register_totals.age_group, population_totals.age_group) as age_group,
        coalesce(register_totals.ethnic_group, population_totals.ethnic_group) as ethnic_group,
        coalesce(register_totals.circumstance, population_totals.circumstance) as circumstance,
        coalesce(register_totals.settlement, population_totals.settlement) as settlement,
        {{ measure_counts_or_zero('register_totals', register_measures()) }},
        {{ measure_counts_or_zero('population_totals', population_measures()) }}
    from register_totals
    full outer join population_totals
        on
            register_totals.geography = population_totals.geography
            and register_totals.area_level = population_totals.area_level
            and register_totals.area_code = population_totals.area_code
            and register_totals.sex = population_totals.sex
            and register_totals.age_group = population_totals.age_group
            and register_totals.ethnic_group = population_totals.ethnic_group
            and register_totals.circumstance = population_totals.circumstance
            and register_totals.settlement = population_totals.settlement

)

select * from totals
