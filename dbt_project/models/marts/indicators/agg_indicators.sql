with totals as (

    select * from {{ ref('int_measures__area_totals') }}

),

areas as (

    select * from {{ ref('int_areas__reporting') }}

),

members as (

    select * from {{ ref('int_breakdowns__members') }}

),

definitions as (

    select *
    from {{ ref('indicators') }}
    where
        valid_from_date <= {{ reference_date() }}
        and coalesce(valid_to_date > {{ reference_date() }}, true)

),

measures as (

    select * from {{ ref('measures') }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

-- an indicator speaks of the ages that both its measures count, and of groups that both know
indicators as (

    select
        definitions.*,
        coalesce(below.base_code, above.base_code) as base_code,
        greatest(above.from_age_years, below.from_age_years) as from_age_years,
        least(above.to_age_years, below.to_age_years) as to_age_years,
        coalesce(above.is_membership, false) as is_membership
    from definitions
    left join measures as above
        on definitions.numerator_measure_code = above.measure_code
    left join measures as below
        on definitions.denominator_measure_code = below.measure_code

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
        members.ethnic_group,
        members.circumstance,
        members.settlement,
        age_groups.from_age_years as group_from_years,
        age_groups.to_age_years as group_to_years
    from areas
    inner join members
        on
            (areas.is_reporting or members.breakdown = 'total')
            and (
                areas.area_level in ('nation', 'province')
                or members.breakdown not in ('ethnic_group', 'circumstance', 'settlement')
            )
            and coalesce(areas.geography = members.geography, true)
    left join age_groups
        on members.age_group = age_groups.age_group

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
            and expected_cells.circumstance = totals.circumstance
            and expected_cells.settlement = totals.settlement

),

whole_areas as (

    select
        geography,
        area_level,
        area_code,
        children_count as area_children_count
    from counts
    where breakdown = 'total' and area_level in ('nation', 'province')

),

counts_in_areas as (

    select
        counts.*,
        whole_areas.area_children_count
    from counts
    left join whole_areas
        on
            counts.geography = whole_areas.geography
            and counts.area_level = whole_areas.area_level
            and counts.area_code = whole_areas.area_code

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
        counts.circumstance,
        counts.settlement,
        counts.breakdown,
        {{ measure_value('indicators.numerator_measure_code') }} as numerator_count,
        -- of those in a group of circumstances all are: their share is one of all children
        case
            when indicators.is_membership and counts.circumstance <> '_T'
                then counts.area_children_count
            else {{ measure_value('indicators.denominator_measure_code') }}
        end as denominator_count,
        counts.children_count,
        counts.population_children_count,
        case
            when not counts.is_reporting then 'no_data'
            when
                indicators.denominator_measure_code in {{ population_measure_codes() }}
                and population.resident_count = 0
                then 'no_data'
            when indicators.base_code = 'population' and counts.circumstance <> '_T'
                then 'not_applicable'
            when
                counts.age_group <> '_T'
                and (indicators.from_age_years > 0 or indicators.to_age_years < 16)
                and not coalesce(
                    counts.group_from_years < indicators.to_age_years
                    and counts.group_to_years > indicators.from_age_years,
                    false
                )
                then 'not_applicable'
            else 'measured'
        end as measurement_code
    from counts_in_areas as counts
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
        '_T' as circumstance,
        '_T' as settlement,
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
            "case figures.breakdown
                when 'circumstance' then 'circumstance:' || figures.circumstance
                when 'settlement' then 'settlement:' || figures.settlement
                else figures.breakdown
            end"
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
        figures.circumstance,
        figures.settlement,
        figures.breakdown,
        figures.measurement_code,
        case when figures.measurement_code = 'measured' then figures.numerator_count end
            as numerator_count,
        case when figures.measurement_code = 'measured' then figures.denominator_count end
            as denominator_count,
        case
            when figures.measurement_code <> 'measured' then null
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
