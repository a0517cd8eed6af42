{{ config(materialized='kept_table', keeps='children') }}

with registrations as (

    select * from {{ rows_of_touched(ref('fct_registrations')) }}

),

-- most children have one row only: who has more is known once, and nobody else needs ordering
several as (

    select
        child_id,
        count(*) as record_count,
        count(*) filter (where known_to_date is null) as current_record_count
    from registrations
    group by child_id
    having count(*) > 1

)

select * from several
