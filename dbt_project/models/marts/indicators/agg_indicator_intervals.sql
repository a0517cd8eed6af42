with undecided as (

    select * from {{ ref('int_measures__undecided_cells') }}

),

figures as (

    select *
    from {{ ref('agg_indicators') }}
    where
        area_level = 'commune'
        and breakdown = 'total'
        and measurement_code = 'measured'

),

indicators as (

    select *
    from {{ ref('indicators') }}
    where
        valid_from_date <= {{ reference_date() }}
        and coalesce(valid_to_date > {{ reference_date() }}, true)
        and numerator_measure_code is not null
        and denominator_measure_code is distinct from 'population_children'

),

-- a commune of which nothing is certain has none for certain
possible as (

    select
        indicators.indicator_set,
        indicators.indicator_code,
        indicators.definition_version,
        undecided.geography,
        undecided.area_code,
        coalesce(figures.numerator_count, 0) as lowest_numerator_count,
        case
            when indicators.denominator_measure_code is not null
                then coalesce(figures.denominator_count, 0)
        end as lowest_denominator_count,
        coalesce(figures.numerator_count, 0)
        + {{ measure_value('indicators.numerator_measure_code', 'undecided') }}
            as highest_numerator_count,
        case
            when indicators.denominator_measure_code is not null
                then coalesce(figures.denominator_count, 0)
        end + {{ measure_value('indicators.denominator_measure_code', 'undecided') }}
            as highest_denominator_count
    from undecided
    cross join indicators
    left join figures
        on
            undecided.geography = figures.geography
            and undecided.area_code = figures.area_code
            and indicators.indicator_set = figures.indicator_set
            and indicators.indicator_code = figures.indicator_code
            and indicators.definition_version = figures.definition_version

),

-- a share is least where only those outside its numerator are added,
-- and most where only those inside are
bounded as (

    select
        possible.indicator_set,
        possible.indicator_code,
        possible.definition_version,
        possible.geography,
        possible.area_code,
        possible.lowest_numerator_count,
        possible.highest_numerator_count,
        possible.lowest_denominator_count,
        possible.highest_denominator_count,
        case
            when indicators.denominator_measure_code is null then possible.lowest_numerator_count
            when
                possible.highest_denominator_count - possible.highest_numerator_count
                + possible.lowest_numerator_count > 0
                then
                    round(
                        possible.lowest_numerator_count * indicators.scale
                        / (
                            possible.highest_denominator_count
                            - possible.highest_numerator_count
                            + possible.lowest_numerator_count
                        ), 4
                    )
        end::numeric(18, 4) as lowest_possible_value,
        case
            when indicators.denominator_measure_code is null then possible.highest_numerator_count
            when
                possible.lowest_denominator_count + possible.highest_numerator_count
                - possible.lowest_numerator_count > 0
                then
                    round(
                        possible.highest_numerator_count * indicators.scale
                        / (
                            possible.lowest_denominator_count
                            + possible.highest_numerator_count
                            - possible.lowest_numerator_count
                        ), 4
                    )
        end::numeric(18, 4) as highest_possible_value
    from possible
    inner join indicators
        on
            possible.indicator_set = indicators.indicator_set
            and possible.indicator_code = indicators.indicator_code
            and possible.definition_version = indicators.definition_version

)

select * from bounded
