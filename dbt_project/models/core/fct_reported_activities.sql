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
        {{ refusal_reason(
            'counted_units.counted_unit_code', 'reports.reported_value',
            'counted_units.is_share', 'reports.period_code'
        ) }} as refusal_reason_code
    from reports
    left join counted_units
        on reports.counted_unit_code = counted_units.counted_unit_code

)

select * from judged
