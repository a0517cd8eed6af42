{{ config(
    materialized='kept_table',
    keeps='children',
    indexes=[{'columns': ['child_id'], 'type': 'hash'}],
) }}

with registrations as (

    select * from {{ ref('fct_registrations') }}

),

children_of_several_rows as (

    select * from {{ rows_of_touched(ref('int_children__several_rows')) }}

),

-- touched once is enough: said twice, the planner expects a single row, and compares all with all
several as (

    select registrations.*
    from registrations
    inner join children_of_several_rows
        on registrations.child_id = children_of_several_rows.child_id

),

-- what is known of a child changes on the days its rows come and go
days as (

    select
        child_id,
        known_from_date as known_date
    from several
    union
    select
        child_id,
        known_to_date as known_date
    from several
    where known_to_date is not null

),

spoken as (

    select distinct on (days.child_id, days.known_date)
        days.known_date,
        several.*
    from days
    inner join several
        on
            days.child_id = several.child_id
            and {{ is_known_on('several', 'days.known_date') }}
    order by days.child_id asc, days.known_date asc, {{ who_speaks_first() }}

),

-- a day on which no row was left ends what was known and begins nothing
next_days as (

    select
        child_id,
        known_date,
        lead(known_date) over (partition by child_id order by known_date) as next_date
    from days

),

states as (

    select
        spoken.child_id,
        spoken.record_id,
        spoken.known_date as known_from_date,
        next_days.next_date as known_to_date,
        {{ state_columns('spoken') }}
    from spoken
    inner join next_days
        on
            spoken.child_id = next_days.child_id
            and spoken.known_date = next_days.known_date

)

select * from states
