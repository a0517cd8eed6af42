{{ config(
    materialized='kept_table',
    keeps='records',
    indexes=[{'columns': ['child_id'], 'type': 'hash'}],
) }}

with records as (

    select * from {{ changed_records_of(ref('stg_treem__children')) }}

),

-- a list that another of the same day outdid was never what was known
lists as (

    select *
    from {{ ref('fct_commune_lists') }}
    where known_to_date is distinct from known_from_date

),

record_links as (

    select * from {{ source('identity', 'record_links') }}

),

identified_children as (

    select * from {{ source('identity', 'children') }}

),

known_records as (

    select
        records.record_id,
        -- a record that the matcher has not seen yet is a child of its own
        coalesce(record_links.child_id, records.record_id) as child_id,
        records._batch_id,
        records._sheet,
        records._row_no,
        records.file_date,
        lists.known_from_date,
        lists.known_to_date,
        records.entered_at,
        records.commune_id,
        records.commune_id_2025,
        records.province_code,
        records.sex_code,
        {{ effective_birth_date(
            'records.birth_date', 'records.birth_date_precision_code',
            'records.birth_year', 'records.birth_month'
        ) }} as effective_birth_date,
        coalesce(records.birth_date_precision_code, 'unknown') as birth_date_precision_code,
        records.ethnic_group_code,
        records.special_circumstance_codes,
        coalesce(records.is_at_risk, false) as is_at_risk,
        records.household_poverty_code,
        records.is_assisted,
        records.assistance_date,
        records.number_text_status_code,
        coalesce(records.is_birth_registered, false) as is_birth_registered,
        records.school_status_code,
        records.life_event_code,
        records.life_event_date,
        coalesce(record_links.decision, 'none') as identity_decision_code,
        coalesce(identified_children.confirmed, false) as is_number_confirmed
    from records
    inner join lists
        on
            records._batch_id = lists._batch_id
            and coalesce(records.commune_id, '') = coalesce(lists.commune_id, '')
    left join record_links
        on records.record_id = record_links.record_id
    left join identified_children
        on coalesce(record_links.child_id, records.record_id) = identified_children.child_id

)

select * from known_records
