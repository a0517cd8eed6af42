with source as (

    select * from {{ source('clean_population', 'population__persons') }}

),

-- an extract is a complete list: the newest of the build stands for the population
selected_batches as (

    select *
    from {{ source('clean_build', 'selected_batches') }}
    where dataset = 'population__persons'
    order by file_date desc, file_sha256 desc
    limit 1

),

renamed as (

    select
        source.person_id,
        source._batch_id,
        selected_batches.file_date,
        selected_batches.file_sha256,
        source.personal_id_no,
        source.full_name,
        case source.sex when '1' then 'male' when '2' then 'female' end as sex_code,
        source.birth_date,
        source.ethnic_group_text,
        source.province_code,
        source.commune_code,
        source.hamlet_name,
        source.household_no,
        source.mother_name,
        source.mother_personal_id_no,
        source.father_name,
        source.father_personal_id_no,
        source.phone_no,
        source.birth_registration_no,
        source.status as person_status_code
    from source
    inner join selected_batches
        on source._batch_id = selected_batches._batch_id

)

select * from renamed
