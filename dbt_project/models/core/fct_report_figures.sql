with figures as (

    select * from {{ ref('stg_sector__figures') }}
    union all
    select * from {{ ref('stg_cases__figures') }}
    union all
    select * from {{ ref('stg_helpline__figures') }}
    union all
    select * from {{ ref('stg_activities__figures') }}

),

counted_units as (

    select * from {{ ref('counted_units') }}

),

topics as (

    select * from {{ ref('map_reports__topics') }}

),

-- the first pattern that fits says what a figure is about;
-- what a case report counts is said by its unit
matched as (

    select distinct on (figures.record_id)
        figures.*,
        topics.fact_code,
        topics.subject_code
    from figures
    left join topics
        on
            (topics.dataset_code is null or figures.dataset_code = topics.dataset_code)
            and (
                topics.counted_unit_code is null
                or figures.counted_unit_code = topics.counted_unit_code
            )
            and lower(figures.topic_vi) ~ topics.pattern
    order by figures.record_id asc, topics.sort_order asc nulls last

),

judged as (

    select
        matched.*,
        {{ refusal_reason(
            'counted_units.counted_unit_code', 'matched.figure_value',
            'counted_units.is_share', 'matched.period_code'
        ) }} as refusal_reason_code
    from matched
    left join counted_units
        on matched.counted_unit_code = counted_units.counted_unit_code

),

-- a later report of the same thing replaces the earlier one from its day on
observed as (

    select
        record_id,
        _batch_id,
        dataset_code,
        coalesce(fact_code, 'unmapped') as fact_code,
        coalesce(subject_code, 'unmapped') as subject_code,
        topic_vi,
        counted_unit_code,
        figure_value,
        earlier_value,
        province_code,
        commune_vi,
        period_code,
        {{ period_last_day('period_code') }} as period_last_date,
        refusal_reason_code,
        file_date as known_from_date,
        case
            when refusal_reason_code is null
                then
                    lead(file_date) over (
                        partition by
                            dataset_code, lower(topic_vi), counted_unit_code, province_code,
                            commune_vi, period_code, refusal_reason_code is null
                        order by file_date, file_sha256, record_id
                    )
        end as known_to_date
    from judged

)

select * from observed
