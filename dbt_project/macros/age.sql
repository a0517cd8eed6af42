{#- Full years of age on a day; a child born on 29 February is a year older on 1 March of a common year.
    By date_part, which counts in floating point: every child is asked daily, and extract takes three times as long. -#}
{% macro age_in_years(birth_date, on_date) -%}
    ((
        (date_part('year', {{ on_date }}) * 10000 + date_part('month', {{ on_date }}) * 100
         + date_part('day', {{ on_date }}))::integer
        - (date_part('year', {{ birth_date }}) * 10000 + date_part('month', {{ birth_date }}) * 100
           + date_part('day', {{ birth_date }}))::integer
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
