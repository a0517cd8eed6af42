with register_cells as (

    select * from {{ ref('int_measures__register_cells') }}

),

population_cells as (

    select * from {{ ref('int_measures__population_cells') }}

),

register_totals as (

    select
        {{ area_breakdown_names() }},
        {%- for measure in register_measures() %}
        sum({{ measure }}_count)::bigint as {{ measure }}_count{{ "," if not loop.last }}
        {%- endfor %}
    from register_cells
    {{ area_breakdowns() }}

),

population_totals as (

    select
        {{ area_breakdown_names() }},
        {%- for measure in population_measures() %}
        sum({{ measure }}_count)::bigint as {{ measure }}_count{{ "," if not loop.last }}
        {%- endfor %}
    from population_cells
    {{ area_breakdowns() }}

),

totals as (

    select
        geography,
        area_level,
        area_code,
        sex,
        age_group,
        ethnic_group,
        {%- for measure in register_measures() %}
        coalesce(register_totals.{{ measure }}_count, 0) as {{ measure }}_count,
        {%- endfor %}
        {%- for measure in population_measures() %}
        coalesce(population_totals.{{ measure }}_count, 0) as {{ measure }}_count{{ "," if not loop.last }}
        {%- endfor %}
    from register_totals
    full outer join population_totals
        using (geography, area_level, area_code, sex, age_group, ethnic_group)

)

select * from totals
