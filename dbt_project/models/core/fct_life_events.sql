{{ config(materialized='view') }}

with states as (

    select * from {{ ref('fct_child_states') }}

),

told as (

    select
        states.child_id,
        states.record_id,
        states.known_from_date,
        states.known_to_date,
        events.event_code,
        events.event_date
    from states
    cross join
        lateral (
            values
            ('born', states.effective_birth_date),
            ('turned_16', (states.effective_birth_date + interval '16 years')::date),
            (
                case
                    when states.life_event_code in ('died', 'moved_in', 'moved_out')
                        then states.life_event_code
                end,
                states.life_event_date
            )
        ) as events (event_code, event_date)
    where
        events.event_code is not null
        and (events.event_code not in ('born', 'turned_16') or events.event_date is not null)

),

-- an event is known from the first list that tells it with this day, until one tells it otherwise
events as (

    select
        child_id,
        event_code,
        event_date,
        min(known_from_date) as known_from_date,
        case
            when bool_and(known_to_date is not null) then max(known_to_date)
        end as known_to_date,
        min(record_id) as first_record_id
    from told
    group by child_id, event_code, event_date

),

-- turning sixteen comes by itself: nobody tells it, and it has not happened before its day
happened as (

    select *
    from events
    where event_code <> 'turned_16' or event_date <= {{ reference_date() }}

)

select * from happened
