{#- Sums of the cells of one measure relation over every area and breakdown. The three kinds of cell hold the same
    children, so each breakdown sums one kind only; total and unknown are told apart by grouping(). -#}
{% macro area_breakdown_sums(cells, measures) -%}
    select
        geography,
        {{ area_level_and_code() }},
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        case when grouping(age_group) = 1 then '_T' else age_group end as age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        case when grouping(settlement) = 1 then '_T' else settlement end as settlement,
        {{ measure_sums(measures) }}
    from {{ cells }}
    where ethnic_group = '_T' and circumstance = '_T'
    group by
        geography,
        {{ area_sets() }},
        grouping sets ((), (sex), (age_group), (sex, age_group), (settlement))
    having
        {{ is_real_area() }}
        -- a commune is of one kind of settlement, which is no breakdown of it
        and (grouping(settlement) = 1 or grouping(district_area) + grouping(commune_area) = 2)
    union all
    select
        geography,
        case when grouping(province_area) = 0 then 'province' else 'nation' end as area_level,
        case when grouping(province_area) = 0 then province_area else 'VN' end as area_code,
        '_T' as sex,
        '_T' as age_group,
        ethnic_group,
        circumstance,
        '_T' as settlement,
        {{ measure_sums(measures) }}
    from {{ cells }}
    where ethnic_group <> '_T' or circumstance <> '_T'
    group by geography, ethnic_group, circumstance, grouping sets ((), (province_area))
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
