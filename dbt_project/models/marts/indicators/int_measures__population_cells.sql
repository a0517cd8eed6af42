-- the population extract says nothing of circumstances
with residents as (

    select
        *,
        array[]::text[] as special_circumstance_codes
    from {{ ref('fct_resident_groups') }}

),

{{ cells_on_both_maps('residents', population_measure_counts(), population_measures()) }}

select * from cells
