with reports as (

    select *
    from {{ ref('fct_reported_activities') }}
    where refusal_reason_code is null

),

-- what counts different things is kept apart: documents are no sessions, people no attendances
activities as (

    select
        area_code,
        period_code,
        activity_code,
        counted_unit_code,
        count(*) as report_count,
        sum(reported_value)::numeric(14, 2) as reported_value,
        bool_or(is_lower_bound) as is_lower_bound
    from reports
    group by area_code, period_code, activity_code, counted_unit_code

)

select * from activities
