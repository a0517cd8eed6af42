{{ config(
    materialized='kept_table',
    keeps='release',
    full_refresh=false,
    indexes=[{'columns': ['release_id'], 'unique': true}],
) }}

-- the release at hand knows the children as the build at hand left them
-- depends on: {{ ref('fct_child_versions') }}
with release_builds as (

    select
        '{{ build_value("release_id") }}' as release_id,
        {{ build_no_of('fct_child_versions') }}::bigint as build_no

)

select * from release_builds
