{#- The two maps a count stands on: the units since 2025-07-01, and the former ones where the place is certain. -#}
{% macro both_maps(cells) -%}
    (
        values
        (
            '2025', {{ cells }}.province_code_2025, null::text, {{ cells }}.commune_code_2025
        ),
        (
            'legacy', {{ cells }}.province_code_legacy, {{ cells }}.district_code_legacy,
            {{ cells }}.commune_code_legacy
        )
    )
{%- endmacro %}

{#- Names of the four columns of both_maps; a commune or district that is not certain is the unknown one of its province. -#}
{% macro map_areas(cells) -%}
    area.column1 as geography,
    {{ area_or_unknown('area.column2') }} as province_area,
    case
        when area.column1 = 'legacy' then {{ area_or_unknown('area.column3', 'area.column2') }}
    end as district_area,
    {{ area_or_unknown('area.column4', 'area.column2') }} as commune_area
{%- endmacro %}

{#- A unit's code; where it is not certain, "somewhere in this province" (08_U), or _U where that is not known either. -#}
{% macro area_or_unknown(code, province_code=none) -%}
    {%- if province_code is none -%}
    coalesce({{ code }}, '_U')
    {%- else -%}
    coalesce({{ code }}, {{ province_code }} || '_U', '_U')
    {%- endif -%}
{%- endmacro %}
