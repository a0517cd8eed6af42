{{ config(materialized='kept_table', keeps='children') }}

with several as (

    select * from {{ rows_of_touched(ref('int_children__several_rows')) }}
    where current_record_count > 1

),

registrations as (

    select registrations.*
    from {{ ref('fct_registrations') }} as registrations
    inner join several
        on registrations.child_id = several.child_id
    where registrations.known_to_date is null

),

children as (

    select * from {{ ref('dim_children') }}

),

-- a child that current lists hold twice: one row speaks for it,
-- the others are doubles or a move not yet written off
doubles as (

    select
        registrations.record_id,
        registrations.child_id,
        children.record_id as speaking_record_id,
        registrations._batch_id,
        registrations.file_date,
        registrations.commune_id,
        case
            when registrations.life_event_code = 'moved_out' then 'moved_out'
            when (registrations.commune_id is distinct from children.commune_id)
                then 'two_communes'
            else 'same_commune'
        end as duplicate_kind_code
    from registrations
    inner join children
        on registrations.child_id = children.child_id
    where registrations.record_id <> children.record_id

)

select * from doubles
