{#- Sums of the cells of one measure relation over every area and breakdown. Cells of sex and age (ethnic_group = '_T') and
    cells of ethnic groups (sex = '_T') hold the same children, so each breakdown sums one kind only; total and unknown
    are told apart by grouping(). -#}
{% macro area_breakdown_sums(cells, measures) -%}
    select
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
        '_T' as ethnic_group,
        {{ measure_sums(measures) }}
    from {{ cells }}
    where ethnic_group = '_T'
    group by
        geography,
        grouping sets (
            (), (province_area), (province_area, district_area), (province_area, commune_area)
        ),
        grouping sets ((), (sex), (age_group), (sex, age_group))
    -- districts exist on the former map only
    having not (grouping(district_area) = 0 and geography = '2025')
    union all
    select
        geography,
        case when grouping(province_area) = 0 then 'province' else 'nation' end as area_level,
        case when grouping(province_area) = 0 then province_area else 'VN' end as area_code,
        '_T' as sex,
        '_T' as age_group,
        ethnic_group,
        {{ measure_sums(measures) }}
    from {{ cells }}
    where ethnic_group <> '_T'
    group by geography, ethnic_group, grouping sets ((), (province_area))
{%- endmacro %}

{#- The two finest kinds of cell, counted in one pass: sex and age in the smallest area, ethnic group in the province. -#}
{% macro finest_cells() -%}
    group by
        grouping sets (
            (
                province_code_2025, commune_code_2025, province_code_legacy, district_code_legacy,
                commune_code_legacy, sex, age_group
            ),
            (province_code_2025, province_code_legacy, ethnic_group)
        )
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
