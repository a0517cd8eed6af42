with targets as (

    select * from {{ ref('targets') }}

),

figures as (

    select *
    from {{ ref('agg_indicators') }}
    where
        breakdown = 'total'
        and geography = '2025'
        and area_level in ('nation', 'province')
        and measurement_code = 'measured'

),

compared as (

    select
        targets.target_id,
        targets.area_code,
        targets.target_year,
        targets.direction_code,
        targets.lowest_value,
        targets.highest_value,
        targets.unit,
        figures.cell_id,
        figures.exact_value,
        case
            when not targets.is_base_known then 'base_unknown'
            when targets.indicator_code is null then 'not_measured'
            when figures.exact_value is null then 'no_data'
            when
                figures.exact_value >= coalesce(targets.lowest_value, figures.exact_value)
                and figures.exact_value <= coalesce(targets.highest_value, figures.exact_value)
                then 'met'
            else 'not_met'
        end as target_status_code
    from targets
    left join figures
        on
            targets.indicator_set = figures.indicator_set
            and targets.indicator_code = figures.indicator_code
            and targets.area_code = figures.area_code

),

-- a gap is what is still missing, always positive; nothing is said where the base is not known
gaps as (

    select
        target_id,
        area_code,
        target_year,
        direction_code,
        lowest_value,
        highest_value,
        unit,
        cell_id,
        exact_value,
        target_status_code,
        case
            when target_status_code = 'met' then 0
            when target_status_code = 'not_met'
                then greatest(lowest_value - exact_value, exact_value - highest_value)
        end::numeric(18, 4) as gap_value
    from compared

)

select * from gaps
