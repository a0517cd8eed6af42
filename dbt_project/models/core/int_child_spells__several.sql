{{ config(materialized='kept_table', keeps='children') }}

with states as (

    select * from {{ rows_of_touched(ref('int_child_states__several')) }}

),

said as (

    select
        states.child_id,
        states.record_id,
        states.known_from_date,
        states.known_to_date,
        topics.topic_code,
        topics.value_code,
        topics.stated_date
    from states
    cross join lateral {{ topics_said_by('states') }}

),

-- the same thing said again without a day between is one spell
marked as (

    select
        *,
        coalesce(
            known_from_date > max(coalesce(known_to_date, 'infinity')) over (
                partition by child_id, topic_code, value_code
                order by known_from_date
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins
    from said

),

numbered as (

    select
        *,
        count(*) filter (where begins) over (
            partition by child_id, topic_code, value_code order by known_from_date
        ) as spell_number
    from marked

),

spells as (

    select
        child_id,
        topic_code,
        value_code,
        spell_number::integer as spell_number,
        min(known_from_date) as known_from_date,
        case
            when bool_and(known_to_date is not null) then max(known_to_date)
        end as known_to_date,
        -- true since the day the row states, where that lies before it was known;
        -- else since it was said
        least(min(stated_date), min(known_from_date)) as valid_from_date,
        case
            when bool_and(known_to_date is not null) then max(known_to_date)
        end as valid_to_date,
        min(record_id) as first_record_id,
        count(*) as state_count
    from numbered
    group by child_id, topic_code, value_code, spell_number

)

select * from spells
