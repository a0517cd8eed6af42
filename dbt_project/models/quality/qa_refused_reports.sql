with reports as (

    select * from {{ ref('fct_reported_activities') }}

),

refused as (

    select
        report_id,
        area_code,
        period_code,
        activity_code,
        counted_unit_code,
        refusal_reason_code
    from reports
    where refusal_reason_code is not null

)

select * from refused
