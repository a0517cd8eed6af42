{{ config(materialized='view') }}

with registrations as (

    select * from {{ ref('fct_registrations') }}

),

children_of_several_rows as (

    select * from {{ ref('int_children__several_rows') }}

),

spells_of_several_rows as (

    select * from {{ ref('int_child_spells__several') }}

),

states_of_one_row as (

    {{ only_states('registrations', 'children_of_several_rows') }}

),

-- what an only state says is one spell each: it needs no ordering, and is not written a second time
spells as (

    select
        child_id,
        topic_code,
        value_code,
        spell_number,
        known_from_date,
        known_to_date,
        valid_from_date,
        valid_to_date,
        first_record_id,
        state_count
    from spells_of_several_rows
    union all
    select
        states_of_one_row.child_id,
        topics.topic_code,
        topics.value_code,
        1 as spell_number,
        states_of_one_row.known_from_date,
        states_of_one_row.known_to_date,
        least(topics.stated_date, states_of_one_row.known_from_date) as valid_from_date,
        states_of_one_row.known_to_date as valid_to_date,
        states_of_one_row.record_id as first_record_id,
        1::bigint as state_count
    from states_of_one_row
    cross join lateral {{ topics_said_by('states_of_one_row') }}

)

select * from spells
