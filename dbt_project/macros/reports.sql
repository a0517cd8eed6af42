{#- Last day of a period written 2024, 2024-S1 or 2024-Q1; NULL when it is written otherwise. -#}
{% macro period_last_day(period_code) -%}
    case
        when {{ period_code }} ~ '^\d{4}$' then make_date(left({{ period_code }}, 4)::integer, 12, 31)
        when {{ period_code }} ~ '^\d{4}-S[12]$'
            then
                (make_date(
                    left({{ period_code }}, 4)::integer, right({{ period_code }}, 1)::integer * 6, 1
                ) + interval '1 month' - interval '1 day')::date
        when {{ period_code }} ~ '^\d{4}-Q[1-4]$'
            then
                (make_date(
                    left({{ period_code }}, 4)::integer, right({{ period_code }}, 1)::integer * 3, 1
                ) + interval '1 month' - interval '1 day')::date
    end
{%- endmacro %}
