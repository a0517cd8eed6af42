with persons as (

    select * from {{ ref('stg_population__persons') }}

),

communes as (

    select * from {{ ref('dim_communes') }}

),

provinces as (

    select * from {{ ref('dim_provinces') }}

),

ethnic_groups as (

    select * from {{ ref('codes_ethnic_groups') }}

),

-- the newest extract is the resident population
newest_batch as (

    select _batch_id
    from {{ ref('stg_build__batches') }}
    where dataset_code = 'population__persons'
    order by file_date desc, file_sha256 desc
    limit 1

),

residents as (

    select
        persons.person_id,
        persons.sex_code,
        persons.birth_date,
        {{ age_in_years('persons.birth_date', reference_date()) }} as age_in_years,
        ethnic_groups.ethnic_group_code,
        communes.commune_code_2025,
        coalesce(
            communes.province_code_2025, provinces.province_code_2025
        ) as province_code_2025,
        communes.commune_code_legacy,
        communes.district_code_legacy,
        coalesce(
            communes.province_code_legacy, provinces.province_code_legacy
        ) as province_code_legacy,
        persons.person_status_code
    from persons
    inner join newest_batch
        on persons._batch_id = newest_batch._batch_id
    left join communes
        on
            persons.commune_code = communes.commune_code
            and communes.valid_from_date <= persons.file_date
            and coalesce(communes.valid_to_date > persons.file_date, true)
    left join provinces
        on
            persons.province_code = provinces.province_code
            and provinces.valid_from_date <= persons.file_date
            and coalesce(provinces.valid_to_date > persons.file_date, true)
    left join ethnic_groups
        on persons.ethnic_group_text in (ethnic_groups.ethnic_group_code, ethnic_groups.name_vi)
    where
        persons.birth_date <= {{ reference_date() }}
        and coalesce(persons.person_status_code, '') not in ('died', 'left')

)

select * from residents where age_in_years < 16
