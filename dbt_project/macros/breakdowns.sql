{#- The areas and breakdowns every count is summed over, as one list of grouping sets (columns of int_measures__*_cells). -#}
{% macro area_breakdowns() -%}
    group by
        geography,
        grouping sets (
            (), (province_area), (province_area, district_area), (province_area, commune_area)
        ),
        grouping sets ((), (sex), (age_group), (sex, age_group), (ethnic_group))
    having
        -- districts exist on the former map only, and ethnic groups are told from province up
        not (grouping(district_area) = 0 and geography = '2025')
        and not (
            grouping(ethnic_group) = 0
            and (grouping(district_area) = 0 or grouping(commune_area) = 0)
        )
{%- endmacro %}

{#- Names of an aggregated row: which area, and the total (_T) told from the unknown (_U). -#}
{% macro area_breakdown_names() -%}
    geography,
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
    end as area_code,
    case when grouping(sex) = 1 then '_T' else sex end as sex,
    case when grouping(age_group) = 1 then '_T' else age_group end as age_group,
    case when grouping(ethnic_group) = 1 then '_T' else ethnic_group end as ethnic_group
{%- endmacro %}

{#- Ten or more is told to the nearest five; anything less, zero included, is not told. -#}
{% macro protected_count(exact_count, minimum, base) -%}
    case
        when {{ exact_count }} >= {{ minimum }}
            then (2 * {{ exact_count }} + {{ base }}) / (2 * {{ base }}) * {{ base }}
    end
{%- endmacro %}

{#- Identifier of a published figure: a function of what it counts, never of the release. -#}
{% macro cell_identifier(columns) -%}
    left(encode(sha256(convert_to(concat_ws('|', {{ columns | join(', ') }}), 'UTF8')), 'hex'), 16)
{%- endmacro %}
