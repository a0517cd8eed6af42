with activities as (

    select * from {{ ref('fct_reported_activities') }}

),

figures as (

    select * from {{ ref('fct_report_figures') }}

),

refused as (

    select
        report_id,
        area_code,
        period_code,
        activity_code,
        counted_unit_code,
        refusal_reason_code
    from activities
    where refusal_reason_code is not null
    union all
    select
        record_id as report_id,
        province_code as area_code,
        period_code,
        fact_code as activity_code,
        counted_unit_code,
        refusal_reason_code
    from figures
    where refusal_reason_code is not null

)

select * from refused
