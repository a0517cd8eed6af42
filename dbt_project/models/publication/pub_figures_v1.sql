{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false,
    indexes=[
        {'columns': ['release_id', 'cell_id'], 'unique': true},
        {'columns': ['release_id', 'indicator_set', 'indicator_code', 'area_level', 'area_code']},
    ],
) }}

-- A build makes the table and never a row of it: the figures of a release are copied here
-- in the transaction that notes its approval (childdb.releases.approvals).
with release_figures as (

    select * from {{ ref('agg_release_figures') }}

),

approved_figures as (

    select * from release_figures
    where false

)

-- the columns are those of its source, whatever they are
select * from approved_figures -- noqa: AM04
