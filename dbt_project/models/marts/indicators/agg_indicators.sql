with totals as (

    select * from {{ ref('int_measures__area_totals') }}

),

areas as (

    select * from {{ ref('int_areas__reporting') }}

),

members as (

    select * from {{ ref('int_breakdowns__members') }}

),

indicators as (

    select *
    from {{ ref('indicators') }}
    where
        valid_from_date <= {{ reference_date() }}
        and coalesce(valid_to_date > {{ reference_date() }}, true)

),

-- without a population extract nothing can be said of the share of it
population as (

    select coalesce(sum(population_children_count), 0) as resident_count
    from totals
    where
        area_level = 'nation'
        and geography = '2025'

),

-- every combination of a reporting area exists, so that an absent row never tells a zero
expected_cells as (

    select
        areas.geography,
        areas.area_level,
        areas.area_code,
        areas.is_reporting,
        members.breakdown,
        members.sex,
        members.age_group,
        members.ethnic_group
    from areas
    inner join members
        on
            (areas.is_reporting or members.breakdown = 'total')
            and (areas.area_level in ('nation', 'province') or members.breakdown <> 'ethnic_group')

),

counts as (

    select
        expected_cells.*,
        {{ measure_counts_or_zero('totals', register_measures()) }},
        {{ measure_counts_or_zero('totals', population_measures()) }}
    from expected_cells
    left join totals
        on
            expected_cells.geography = totals.geography
            and expected_cells.area_level = totals.area_level
            and expected_cells.area_code = totals.area_code
            and expected_cells.sex = totals.sex
            and expected_cells.age_group = totals.age_group
            and expected_cells.ethnic_group = totals.ethnic_group

),

measured as (

    select
        indicators.indicator_set,
        indicators.indicator_code,
        indicators.definition_version,
        counts.geography,
        counts.area_level,
        counts.area_code,
        counts.sex,
        counts.age_group,
        counts.ethnic_group,
        counts.breakdown,
        {{ measure_value('indicators.numerator_measure_code') }} as numerator_count,
        {{ measure_value('indicators.denominator_measure_code') }} as denominator_count,
        counts.children_count,
        counts.population_children_count,
        case
            when not counts.is_reporting then 'no_data'
            when
                indicators.denominator_measure_code in {{ population_measure_codes() }}
                and population.resident_count = 0
                then 'no_data'
            else 'measured'
        end as measurement_code
    from counts
    cross join indicators
    cross join population
    where
        indicators.computable_code <> 'no'
        and indicators.numerator_measure_code is not null

),

-- an indicator of the texts that the register cannot give is shown, as not given
unmeasured as (

    select
        indicator_set,
        indicator_code,
        definition_version,
        '2025' as geography,
        'nation' as area_level,
        'VN' as area_code,
        '_T' as sex,
        '_T' as age_group,
        '_T' as ethnic_group,
        'total' as breakdown,
        null::bigint as numerator_count,
        null::bigint as denominator_count,
        null::bigint as children_count,
        null::bigint as population_children_count,
        case when computable_code = 'no' then 'not_applicable' else 'no_data' end
            as measurement_code
    from indicators
    where computable_code = 'no' or numerator_measure_code is null

),

figures as (

    select * from measured
    union all
    select * from unmeasured

),

identified as (

    select
        {{ cell_identifier([
            'figures.indicator_set', 'figures.indicator_code', 'figures.definition_version',
            "'" ~ var('period') ~ "'", 'figures.geography', 'figures.area_level',
            'figures.area_code', 'figures.sex', 'figures.age_group', 'figures.ethnic_group',
            'figures.breakdown'
        ]) }} as cell_id,
        figures.indicator_set,
        figures.indicator_code,
        figures.definition_version,
        '{{ var("period") }}' as period_code,
        figures.geography,
        figures.area_level,
        figures.area_code,
        figures.sex,
        figures.age_group,
        figures.ethnic_group,
        figures.breakdown,
        figures.measurement_code,
        figures.numerator_count,
        figures.denominator_count,
        case
            when indicators.denominator_measure_code is null then figures.numerator_count::numeric
            when figures.denominator_count > 0
                then
                    round(
                        figures.numerator_count * indicators.scale / figures.denominator_count, 4
                    )
        end as exact_value,
        figures.children_count,
        figures.population_children_count
    from figures
    inner join indicators
        on
            figures.indicator_set = indicators.indicator_set
            and figures.indicator_code = indicators.indicator_code
            and figures.definition_version = indicators.definition_version

)

select * from identified
