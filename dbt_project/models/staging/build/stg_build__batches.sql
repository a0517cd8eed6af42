with source as (

    select * from {{ source('clean_build', 'selected_batches') }}

),

contents as (

    select * from {{ source('clean_build', 'batch_contents') }}

),

renamed as (

    select
        source._batch_id,
        source.dataset as dataset_code,
        source.file_sha256,
        source.file_date,
        coalesce(contents.content_no, 0) as content_no
    from source
    left join contents
        on source._batch_id = contents._batch_id

)

select * from renamed
