{{ config(
    materialized='kept_table',
    keeps='release',
    full_refresh=false,
    indexes=[
        {'columns': ['release_id', 'cell_id'], 'unique': true},
        {'columns': ['release_id', 'indicator_set', 'indicator_code', 'area_level', 'area_code']},
    ],
) }}

with exact_figures as (

    select * from {{ ref('agg_indicators') }}

),

indicators as (

    select * from {{ ref('indicators') }}

),

-- what leaves: no finer area than its topic allows, a sensitive one by province and year only;
-- counts are protected once, from their true value; what is derived comes from protected ones
protected_figures as (

    select
        exact_figures.*,
        indicators.unit,
        indicators.scale,
        indicators.denominator_measure_code is not null as is_share,
        indicators.all_of_them_code = 'hide' as hides_all_of_them,
        {{ protected_count(
            'exact_figures.numerator_count', 'indicators.small_cell_minimum',
            'indicators.rounding_base'
        ) }} as protected_numerator,
        {{ protected_count(
            'exact_figures.denominator_count', 'indicators.small_cell_minimum',
            'indicators.rounding_base'
        ) }} as protected_denominator
    from exact_figures
    inner join indicators
        on
            exact_figures.indicator_set = indicators.indicator_set
            and exact_figures.indicator_code = indicators.indicator_code
            and exact_figures.definition_version = indicators.definition_version
    where
        exact_figures.breakdown not in ('circumstance', 'settlement')
        and {{ area_rank('exact_figures.area_level') }}
        <= {{ area_rank('indicators.finest_area_level') }}
        and (
            indicators.topic_class_code <> 'sensitive'
            or (
                exact_figures.area_level in ('nation', 'province')
                and exact_figures.period_code ~ '^[0-9]{4}$'
            )
        )

),

area_coverage as (

    select distinct
        geography,
        area_level,
        area_code,
        {{ protected_count('children_count', 10, 5) }} as protected_children,
        {{ protected_count('population_children_count', 10, 5) }} as protected_population
    from exact_figures
    where breakdown = 'total' and measurement_code = 'measured'

),

judged as (

    select
        protected_figures.*,
        case
            when protected_figures.measurement_code <> 'measured'
                then protected_figures.measurement_code
            when
                protected_figures.protected_numerator is null
                or (
                    protected_figures.is_share
                    and protected_figures.protected_denominator is null
                )
                then 'hidden'
            -- "all of them" says of each child what a small count would
            when
                protected_figures.is_share
                and protected_figures.hides_all_of_them
                and protected_figures.protected_numerator
                >= protected_figures.protected_denominator
                then 'hidden'
            else 'published'
        end as status,
        case
            when area_coverage.protected_population > 0
                then
                    round(
                        least(
                            area_coverage.protected_children::numeric
                            / area_coverage.protected_population,
                            1
                        ),
                        3
                    )
        end as coverage
    from protected_figures
    left join area_coverage
        on
            protected_figures.geography = area_coverage.geography
            and protected_figures.area_level = area_coverage.area_level
            and protected_figures.area_code = area_coverage.area_code

),

figures as (

    select
        '{{ build_value("release_id") }}' as release_id,
        cell_id,
        indicator_set,
        indicator_code,
        definition_version,
        period_code as period,
        geography,
        area_level,
        area_code,
        sex,
        age_group,
        ethnic_group,
        breakdown,
        case when status = 'published' then protected_numerator end as numerator,
        case when status in ('published', 'hidden') then protected_denominator end as denominator,
        case
            when status = 'published' and is_share
                then round(protected_numerator * scale / protected_denominator, 1)
            when status = 'published' then protected_numerator
        end::numeric(14, 1) as value,
        unit,
        status,
        coverage::numeric(4, 3) as coverage
    from judged

)

select * from figures
