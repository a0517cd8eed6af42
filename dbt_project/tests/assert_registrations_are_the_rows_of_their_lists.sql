-- An increment that lost a row, or kept one too many, shows here:
-- each file has as many registrations as its lists have rows.
with lists as (

    select
        _batch_id,
        sum(record_count) as record_count
    from {{ ref('fct_commune_lists') }}
    where known_to_date is distinct from known_from_date
    group by _batch_id

),

registrations as (

    select
        _batch_id,
        count(*) as record_count
    from {{ ref('fct_registrations') }}
    group by _batch_id

),

differing as (

    select
        coalesce(lists._batch_id, registrations._batch_id) as _batch_id,
        lists.record_count as list_record_count,
        registrations.record_count as registered_record_count
    from lists
    full outer join registrations
        on lists._batch_id = registrations._batch_id
    where lists.record_count is distinct from registrations.record_count

)

select * from differing
