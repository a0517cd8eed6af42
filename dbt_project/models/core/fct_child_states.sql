{{ config(materialized='view') }}

with registrations as (

    select * from {{ ref('fct_registrations') }}

),

children_of_several_rows as (

    select * from {{ ref('int_children__several_rows') }}

),

states_of_several_rows as (

    select * from {{ ref('int_child_states__several') }}

),

-- most children have one row only: it is their one state, and is not written a second time
states as (

    select
        child_id,
        record_id,
        known_from_date,
        known_to_date,
        commune_id,
        commune_id_2025,
        province_code,
        sex_code,
        effective_birth_date,
        ethnic_group_code,
        special_circumstance_codes,
        is_at_risk,
        household_poverty_code,
        is_assisted,
        assistance_date,
        school_status_code,
        number_text_status_code,
        life_event_code,
        life_event_date,
        number_status_code
    from states_of_several_rows
    union all
    {{ only_states('registrations', 'children_of_several_rows') }}

)

select * from states
