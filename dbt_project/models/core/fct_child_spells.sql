{{ config(materialized='kept_table', keeps='children') }}

with states as (

    select * from {{ rows_of_touched(ref('fct_child_states')) }}

),

-- a spell is what a topic says beyond the ordinary: living somewhere, being at risk, being poor,
-- having left school
said as not materialized (

    select
        states.child_id,
        states.record_id,
        states.known_from_date,
        states.known_to_date,
        states.is_only_state,
        topics.topic_code,
        topics.value_code,
        topics.stated_date
    from states
    cross join lateral (
        select
            'special_circumstance' as topic_code,
            circumstance_code as value_code,
            null::date as stated_date
        from unnest(states.special_circumstance_codes) as listed (circumstance_code)
        group by circumstance_code
        union all
        select
            'at_risk' as topic_code,
            'at_risk' as value_code,
            null::date as stated_date
        where states.is_at_risk
        union all
        select
            'poverty' as topic_code,
            states.household_poverty_code as value_code,
            null::date as stated_date
        where states.household_poverty_code in ('poor', 'near_poor')
        union all
        select
            'assistance' as topic_code,
            'assisted' as value_code,
            states.assistance_date as stated_date
        where states.is_assisted
        union all
        select
            'schooling' as topic_code,
            states.school_status_code as value_code,
            null::date as stated_date
        -- 1: in school, the ordinary; 2: below school age
        where states.school_status_code not in ('1', '2')
        union all
        select
            'number' as topic_code,
            states.number_status_code as value_code,
            null::date as stated_date
        where states.number_status_code <> 'confirmed'
        union all
        select
            'residence' as topic_code,
            states.commune_id as value_code,
            case when states.life_event_code = 'moved_in' then states.life_event_date end
                as stated_date
        where
            states.commune_id is not null
            and states.life_event_code is distinct from 'moved_out'
            and states.life_event_code is distinct from 'died'
    ) as topics

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
    where not is_only_state

),

numbered as (

    select
        *,
        count(*) filter (where begins) over (
            partition by child_id, topic_code, value_code order by known_from_date
        ) as spell_number
    from marked

),

-- most children have one state only: what it says is one spell each, and needs no ordering
spells as (

    select
        child_id,
        topic_code,
        value_code,
        1 as spell_number,
        known_from_date,
        known_to_date,
        least(stated_date, known_from_date) as valid_from_date,
        known_to_date as valid_to_date,
        record_id as first_record_id,
        1::bigint as state_count
    from said
    where is_only_state
    union all
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
