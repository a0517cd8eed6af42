with persons as (

    select * from {{ ref('stg_population__persons') }}

),

batches as (

    select * from {{ ref('stg_build__batches') }}

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
    from batches
    where dataset_code = 'population__persons'
    order by file_date desc, file_sha256 desc
    limit 1

),

residents as (

    select
        persons.sex_code,
        {{ age_in_years('persons.birth_date', reference_date()) }} as age_in_years,
        persons.ethnic_group_text,
        persons.commune_code,
        persons.province_code,
        persons.file_date
    from persons
    inner join newest_batch
        on persons._batch_id = newest_batch._batch_id
    where
        persons.birth_date <= {{ reference_date() }}
        and coalesce(persons.person_status_code, '') not in ('died', 'left')

),

groups as (

    select
        sex_code,
        age_in_years,
        ethnic_group_text,
        commune_code,
        province_code,
        file_date,
        count(*) as resident_count
    from residents
    where age_in_years < 16
    group by
        sex_code, age_in_years, ethnic_group_text, commune_code, province_code, file_date

),

located as (

    select
        groups.sex_code,
        groups.age_in_years,
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
        groups.resident_count
    from groups
    left join communes
        on
            groups.commune_code = communes.commune_code
            and groups.file_date >= communes.valid_from_date
            and coalesce(groups.file_date < communes.valid_to_date, true)
    left join provinces
        on
            groups.province_code = provinces.province_code
            and groups.file_date >= provinces.valid_from_date
            and coalesce(groups.file_date < provinces.valid_to_date, true)
    left join ethnic_groups
        on groups.ethnic_group_text in (ethnic_groups.ethnic_group_code, ethnic_groups.name_vi)

),

placed as (

    select
        sex_code,
        age_in_years,
        ethnic_group_code,
        commune_code_2025,
        province_code_2025,
        commune_code_legacy,
        district_code_legacy,
        province_code_legacy,
        sum(resident_count)::bigint as resident_count
    from located
    group by
        sex_code, age_in_years, ethnic_group_code, commune_code_2025, province_code_2025,
        commune_code_legacy, district_code_legacy, province_code_legacy

)

select * from placed
