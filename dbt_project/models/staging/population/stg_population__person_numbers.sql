with source as (

    select * from {{ source('clean_population', 'population__persons') }}

),

selected_batches as (

    select *
    from {{ source('clean_build', 'selected_batches') }}
    where dataset = 'population__persons'

),

renamed as (

    select
        source.person_id,
        source._batch_id,
        selected_batches.file_date,
        selected_batches.file_sha256,
        source.personal_id_no
    from source
    inner join selected_batches
        on source._batch_id = selected_batches._batch_id

)

select * from renamed
