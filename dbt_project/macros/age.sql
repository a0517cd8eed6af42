{#- Full years of age on a day; a child born on 29 February is a year older on 1 March of a common year. -#}
{% macro age_in_years(birth_date, on_date) -%}
    ((
        (extract(year from {{ on_date }}) * 10000 + extract(month from {{ on_date }}) * 100
         + extract(day from {{ on_date }}))::integer
        - (extract(year from {{ birth_date }}) * 10000 + extract(month from {{ birth_date }}) * 100
           + extract(day from {{ birth_date }}))::integer
    ) / 10000)
{%- endmacro %}

{#- The day a birth date counts as: mid-month for a month, 1 July for a year, none when unknown. -#}
{% macro effective_birth_date(birth_date, precision_code, birth_year, birth_month) -%}
    case {{ precision_code }}
        when 'day' then {{ birth_date }}
        when 'month' then make_date({{ birth_year }}, {{ birth_month }}, 15)
        when 'year' then make_date({{ birth_year }}, 7, 1)
    end
{%- endmacro %}

{% macro reference_date() -%}
    date '{{ build_value("reference_date") }}'
{%- endmacro %}
