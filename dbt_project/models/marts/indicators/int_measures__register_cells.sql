with children as (

    select *
    from {{ ref('dim_children') }}
    where counting_status_code = 'counted'

),

{{ cells_on_both_maps('children', register_measure_counts(), register_measures()) }}

select * from cells
