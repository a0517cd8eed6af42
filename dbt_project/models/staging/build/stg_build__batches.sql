with source as (

    select * from {{ source('clean_build', 'selected_batches') }}

),

renamed as (

    select
        _batch_id,
        dataset as dataset_code,
        file_sha256,
        file_date
    from source

)

select * from renamed
