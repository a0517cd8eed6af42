with reports as (

    select * from {{ ref('activity_reports') }}

),

counted_units as (

    select * from {{ ref('counted_units') }}

),

judged as (

    select
        reports.report_id,
        reports.agency_vi,
        reports.area_code,
        reports.period_code,
        {{ period_last_day('reports.period_code') }} as period_last_date,
        reports.activity_code,
        reports.counted_unit_code,
        reports.reported_value,
        reports.is_lower_bound,
        reports.topic_vi,
        reports.reported_date,
        case
            when counted_units.counted_unit_code is null then 'unknown_unit'
            when reports.reported_value is null then 'no_value'
            when reports.reported_value < 0 then 'negative_count'
            when counted_units.is_share and reports.reported_value > 100 then 'share_over_100'
            when
                not counted_units.is_share
                and reports.reported_value <> trunc(reports.reported_value)
                then 'broken_count'
            when {{ period_last_day('reports.period_code') }} is null then 'unknown_period'
            when
                {{ period_last_day('reports.period_code') }} > {{ reference_date() }}
                then 'period_not_ended'
        end as refusal_reason_code
    from reports
    left join counted_units
        on reports.counted_unit_code = counted_units.counted_unit_code

)

select * from judged
