{#- What is counted of a child: measure code and the condition on a row of dim_children. seeds/indicators/measures.csv
    says each in words; a test holds the two together. -#}
{% macro register_measures() %}
    {{ return({
        "children": "true",
        "special_circumstance_children": "has_special_circumstance",
        "assisted_special_circumstance_children": "has_special_circumstance and is_assisted",
        "number_confirmed_children": "is_number_confirmed",
        "at_risk_children": "is_at_risk",
        "poor_or_near_poor_children": "is_poor_or_near_poor",
        "children_under_5": "age_in_years < 5",
        "birth_registered_children_under_5": "age_in_years < 5 and is_birth_registered",
    }) }}
{% endmacro %}

{#- The same for a resident of the population extract group of the population extract (fct_resident_groups). -#}
{% macro population_measures() %}
    {{ return({"population_children": "true"}) }}
{% endmacro %}

{#- The count that a measure code names, read from a row that has one column per measure; NULL for an unknown code.
    A relation named as rows has the measures of children only. -#}
{% macro measure_value(measure_code, rows=none) -%}
    {%- set known = register_measures().keys() | list -%}
    {%- if rows is none %}{% set known = known + (population_measures().keys() | list) %}{% endif -%}
    case {{ measure_code }}
        {%- for measure in known %}
        when '{{ measure }}' then {{ rows ~ "." if rows is not none }}{{ measure }}_count
        {%- endfor %}
    end
{%- endmacro %}
