with cells as (

    select * from {{ ref('int_measures__expected_cells') }}

),

indicators as (

    select * from {{ ref('int_indicators__in_force') }}

),

-- without a population extract nothing can be said of the share of it
population as (

    select coalesce(sum(population_children_count), 0) > 0 as is_known
    from {{ ref('int_measures__area_totals') }}
    where
        area_level = 'nation'
        and geography = '2025'

),

measured as (

    select
        indicators.indicator_set,
        indicators.indicator_code,
        indicators.definition_version,
        indicators.denominator_measure_code is not null as is_share,
        indicators.scale,
        cells.geography,
        cells.area_level,
        cells.area_code,
        cells.sex,
        cells.age_group,
        cells.ethnic_group,
        cells.circumstance,
        cells.settlement,
        cells.breakdown,
        {{ measure_value('indicators.numerator_measure_code') }} as numerator_count,
        -- of those in a group of circumstances all are: their share is one of all children
        case
            when indicators.is_membership and cells.circumstance <> '_T'
                then cells.area_children_count
            else {{ measure_value('indicators.denominator_measure_code') }}
        end as denominator_count,
        cells.children_count,
        cells.population_children_count,
        case
            when not cells.is_reporting then 'no_data'
            when
                indicators.denominator_measure_code in {{ population_measure_codes() }}
                and not population.is_known
                then 'no_data'
            when indicators.base_code = 'population' and cells.circumstance <> '_T'
                then 'not_applicable'
            when
                cells.age_group <> '_T'
                and (indicators.from_age_years > 0 or indicators.to_age_years < 16)
                and not coalesce(
                    cells.group_from_years < indicators.to_age_years
                    and cells.group_to_years > indicators.from_age_years,
                    false
                )
                then 'not_applicable'
            else 'measured'
        end as measurement_code
    from cells
    cross join indicators
    cross join population
    where indicators.measurement_code = 'measured'

),

-- an indicator of the texts that the register cannot give is shown, as not given
unmeasured as (

    select
        indicator_set,
        indicator_code,
        definition_version,
        denominator_measure_code is not null as is_share,
        scale,
        '2025' as geography,
        'nation' as area_level,
        'VN' as area_code,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        '_T' as circumstance,
        '_T' as settlement,
        'total' as breakdown,
        null::bigint as numerator_count,
        null::bigint as denominator_count,
        null::bigint as children_count,
        null::bigint as population_children_count,
        measurement_code
    from indicators
    where measurement_code <> 'measured'

),

figures as (

    select * from measured
    union all
    select * from unmeasured

),

identified as (

    select
        {{ cell_identifier([
            'indicator_set', 'indicator_code', 'definition_version', "'" ~ build_value('period') ~ "'",
            'geography', 'area_level', 'area_code', 'sex', 'age_group', 'ethnic_group',
            "case breakdown
                when 'circumstance' then 'circumstance:' || circumstance
                when 'settlement' then 'settlement:' || settlement
                else breakdown
            end"
        ]) }} as cell_id,
        indicator_set,
        indicator_code,
        definition_version,
        '{{ build_value("period") }}' as period_code,
        geography,
        area_level,
        area_code,
        sex,
        age_group,
        ethnic_group,
        circumstance,
        settlement,
        breakdown,
        measurement_code,
        case when measurement_code = 'measured' then numerator_count end as numerator_count,
        case when measurement_code = 'measured' then denominator_count end as denominator_count,
        case
            when measurement_code <> 'measured' then null
            when not is_share then numerator_count::numeric
            when denominator_count > 0
                then round(numerator_count * scale / denominator_count, 4)
        end as exact_value,
        children_count,
        population_children_count
    from figures

)

select * from identified
