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
    coalesce(area.column2, '_U') as province_area,
    case
        when area.column1 = 'legacy'
            then coalesce(area.column3, {{ unknown_area('area.column2') }})
    end as district_area,
    coalesce(area.column4, {{ unknown_area('area.column2') }}) as commune_area
{%- endmacro %}

{#- Code of "somewhere in this province": 08_U, or _U where the province is not known either. -#}
{% macro unknown_area(province_code) -%}
    coalesce({{ province_code }} || '_U', '_U')
{%- endmacro %}
