{{ config(materialized='kept_table', keeps='lists') }}

with records as (

    select * from {{ ref('stg_treem__children') }}

),

-- what a file holds stays as it is: only files not counted before, or cleaned again, are read
batches as (

    select *
    from {{ ref('stg_build__batches') }}
    where dataset_code = 'treem__children' {{ and_not_yet_counted() }}

),

-- a list is what one file says of one commune; rows of no known commune form one of their own
lists as (

    select
        records._batch_id,
        coalesce(records.commune_id, '') as commune_key,
        min(records.file_date) as file_date,
        min(records.file_sha256) as file_sha256,
        max(records.entered_at) as last_entered_at,
        count(*) as record_count,
        min(batches.content_no) as content_no
    from records
    inner join batches
        on records._batch_id = batches._batch_id
    {{ where_of_few_batches('records') }}
    group by records._batch_id, coalesce(records.commune_id, '')

)

select * from lists
