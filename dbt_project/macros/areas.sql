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

{#- Level and code of the area that a row of area_sets() sums, and the sets themselves. -#}
{% macro area_level_and_code() -%}
    case
        when grouping(commune_area) = 0 then 'commune'
        when grouping(district_area) = 0 then 'district'
        when grouping(province_area) = 0 then 'province'
        else 'nation'
    end as area_level,
    case
        when grouping(commune_area) = 0 then commune_area
        when grouping(district_area) = 0 then district_area
        when grouping(province_area) = 0 then province_area
        else 'VN'
    end as area_code
{%- endmacro %}

{% macro area_sets() -%}
    grouping sets (
        (), (province_area), (province_area, district_area), (province_area, commune_area)
    )
{%- endmacro %}

{#- Districts exist on the former map only. -#}
{% macro is_real_area() -%}
    not (grouping(district_area) = 0 and geography = '2025')
{%- endmacro %}

{#- How fine an area level is, the nation being the coarsest. -#}
{% macro area_rank(area_level) -%}
    array_position(array['nation', 'province', 'district', 'commune'], {{ area_level }})
{%- endmacro %}

{#- The areas of both maps that a release keeps of a child or of residents. -#}
{% macro release_areas(rows) -%}
    {{ area_or_unknown(rows ~ '.province_code_2025') }} as province_area_2025,
    {{ area_or_unknown(rows ~ '.commune_code_2025', rows ~ '.province_code_2025') }}
        as commune_area_2025,
    {{ area_or_unknown(rows ~ '.province_code_legacy') }} as province_area_legacy,
    {{ area_or_unknown(rows ~ '.district_code_legacy', rows ~ '.province_code_legacy') }}
        as district_area_legacy,
    {{ area_or_unknown(rows ~ '.commune_code_legacy', rows ~ '.province_code_legacy') }}
        as commune_area_legacy
{%- endmacro %}
