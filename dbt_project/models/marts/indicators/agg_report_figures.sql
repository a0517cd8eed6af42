with observations as (

    select *
    from {{ ref('fct_report_figures') }}
    where refusal_reason_code is null and known_to_date is null

),

agencies as (

    select * from {{ ref('agencies') }}

),

-- cases, victims, offenders and outcomes are counted apart, and so is every unit
sums as (

    select
        fact_code,
        subject_code,
        counted_unit_code,
        province_code,
        period_code,
        period_last_date,
        count(*) as report_count,
        sum(figure_value)::numeric(18, 2) as figure_value
    from observations
    group by
        fact_code, subject_code, counted_unit_code, province_code, period_code, period_last_date

),

-- the ministry in charge changed on 2025-03-01: whoever was at the end of the period
led as (

    select
        sums.*,
        agencies.agency_code as lead_agency_code
    from sums
    left join agencies
        on
            agencies.role_code = 'child_affairs'
            and sums.period_last_date >= agencies.valid_from_date
            and coalesce(sums.period_last_date < agencies.valid_to_date, true)

)

select * from led
