{{ config(materialized='view') }}

with children as (

    select * from {{ source('identity', 'children') }}

),

requests as (

    select * from {{ source('identity', 'number_requests') }}

),

numbers as (

    select * from {{ ref('stg_population__person_numbers') }}

),

-- the child's person, extract by extract, with the number it had last
extracts as (

    select
        children.child_id,
        numbers._batch_id,
        numbers.file_date,
        numbers.personal_id_no,
        lag(numbers._batch_id) over by_extract is null as is_first_extract,
        lag(numbers.personal_id_no) over by_extract as former_no,
        count(numbers.personal_id_no) over (
            by_extract rows between unbounded preceding and 1 preceding
        ) > 0 as had_number
    from children
    inner join numbers on children.person_id = numbers.person_id
    where children.confirmed
    window
        by_extract as (
            partition by children.child_id order by numbers.file_date, numbers.file_sha256
        )

),

told_by_extracts as (

    select
        child_id,
        case
            when personal_id_no is null then 'cancelled'
            when had_number then 're_established'
            else 'established'
        end as event_code,
        file_date as event_date,
        _batch_id as source_id
    from extracts
    where
        personal_id_no is distinct from former_no
        and (personal_id_no is not null or not is_first_extract)

),

told_by_requests as (

    select
        child_id,
        event_code,
        event_date,
        list_id as source_id
    from requests
    where event_date <= {{ reference_date() }}

),

events as (

    select * from told_by_extracts
    union
    select * from told_by_requests

)

select * from events
