with definitions as (

    select *
    from {{ ref('indicators') }}
    where
        valid_from_date <= {{ reference_date() }}
        and coalesce(valid_to_date > {{ reference_date() }}, true)

),

measures as (

    select * from {{ ref('measures') }}

),

-- an indicator speaks of the ages that both its measures count, and of groups that both know
in_force as (

    select
        definitions.indicator_set,
        definitions.indicator_code,
        definitions.definition_version,
        definitions.numerator_measure_code,
        definitions.denominator_measure_code,
        definitions.scale,
        coalesce(below.base_code, above.base_code) as base_code,
        greatest(above.from_age_years, below.from_age_years) as from_age_years,
        least(above.to_age_years, below.to_age_years) as to_age_years,
        coalesce(above.is_membership, false) as is_membership,
        case
            when definitions.computable_code = 'no' then 'not_applicable'
            when definitions.numerator_measure_code is null then 'no_data'
            else 'measured'
        end as measurement_code
    from definitions
    left join measures as above
        on definitions.numerator_measure_code = above.measure_code
    left join measures as below
        on definitions.denominator_measure_code = below.measure_code

)

select * from in_force
