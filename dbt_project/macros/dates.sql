{#- A full ISO date written as text, as a date; a partial one (year, month) is no day and gives NULL. -#}
{% macro full_date(text_column) -%}
    case
        when {{ text_column }} ~ '^\d{4}-\d{2}-\d{2}'
            then left({{ text_column }}, 10)::date
    end
{%- endmacro %}

{#- An ISO date or date with time, as a timestamp without zone: the clock of the office that typed it. -#}
{% macro full_timestamp(text_column) -%}
    case
        when {{ text_column }} ~ '^\d{4}-\d{2}-\d{2}'
            then {{ text_column }}::timestamp
    end
{%- endmacro %}
