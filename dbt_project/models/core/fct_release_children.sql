{{ config(materialized='view') }}

with versions as (

    select * from {{ ref('fct_child_versions') }}

),

release_builds as (

    select * from {{ ref('fct_release_builds') }}

),

-- what each release knew of each child: passports and change accounting read nothing else
known_children as (

    select
        release_builds.release_id,
        versions.child_id,
        versions.record_id,
        versions.counting_status_code,
        versions.province_area_2025,
        versions.commune_area_2025,
        versions.province_area_legacy,
        versions.district_area_legacy,
        versions.commune_area_legacy,
        versions.sex,
        versions.age_group,
        versions.ethnic_group,
        versions.effective_birth_date,
        versions.measure_codes
    from versions
    inner join release_builds
        on
            versions.first_build_no <= release_builds.build_no
            and coalesce(versions.last_build_no >= release_builds.build_no, true)

)

select * from known_children
