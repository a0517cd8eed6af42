with children as (

    select *
    from {{ ref('dim_children') }}
    where counting_status_code = 'counted'

),

-- children whose commune of the 2025 map is not certain: shown as an interval, never put by guess
undecided as (

    select
        coalesce(province_code_2025, '_U') as province_area_2025,
        commune_id,
        case
            when commune_id is null then 'commune_unknown'
            else 'former_commune_divided'
        end as undecided_reason_code,
        count(*) as child_count
    from children
    where commune_code_2025 is null
    group by 1, 2, 3

)

select * from undecided
