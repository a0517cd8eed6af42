{#- One count per measure of children, over rows of dim_children. -#}
{% macro register_measure_counts() -%}
    {%- for measure, condition in register_measures().items() %}
        count(*) filter (where {{ condition }}) as {{ measure }}_count{{ "," if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- One count per measure of residents, over rows of fct_resident_groups. -#}
{% macro population_measure_counts() -%}
    {%- for measure, condition in population_measures().items() %}
        coalesce(sum(resident_count) filter (where {{ condition }}), 0) as {{ measure }}_count
        {{- "," if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The sum of every measure's count. -#}
{% macro measure_sums(measures) -%}
    {%- for measure in measures %}
        sum({{ measure }}_count)::bigint as {{ measure }}_count{{ "," if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The count of every measure of a relation, zero where the row is missing. -#}
{% macro measure_counts_or_zero(relation, measures) -%}
    {%- for measure in measures %}
        coalesce({{ relation }}.{{ measure }}_count, 0) as {{ measure }}_count{{ "," if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Codes of the measures a row of dim_children counts in, as an array. -#}
{% macro register_measure_codes() -%}
    array_remove(
        array[
            {%- for measure, condition in register_measures().items() %}
            case when {{ condition }} then '{{ measure }}' end{{ "," if not loop.last }}
            {%- endfor %}
        ]::text[],
        null
    )
{%- endmacro %}

{#- Codes of the measures of the population extract, as a list for "in". -#}
{% macro population_measure_codes() -%}
    ('{{ population_measures().keys() | join("', '") }}')
{%- endmacro %}
