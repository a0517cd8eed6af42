with children as (

    select *
    from {{ ref('dim_children') }}
    where counting_status_code = 'counted' and commune_id is not null

),

pieces as (

    select *
    from {{ ref('bridge_communes_2025') }}
    where has_population

),

communes as (

    select * from {{ ref('dim_communes') }}

),

-- children whose commune is known on one map and divided on the other
undecided as (

    select
        commune_id,
        commune_code_2025 is null as is_undecided_2025,
        commune_code_legacy is null as is_undecided_legacy,
        {{ register_measure_counts() }}
    from children
    where commune_code_2025 is null or commune_code_legacy is null
    group by commune_id, commune_code_2025 is null, commune_code_legacy is null

),

-- each of them may belong to any commune that took in, or gave up, people of theirs
candidates as (

    select distinct
        former_commune_id as commune_id,
        '2025' as geography,
        commune_id_2025 as candidate_commune_id
    from pieces
    union all
    select distinct
        commune_id_2025 as commune_id,
        'legacy' as geography,
        heir_commune_id as candidate_commune_id
    from pieces

),

placed as (

    select
        candidates.geography,
        communes.commune_code as area_code,
        undecided.*
    from undecided
    inner join candidates
        on
            undecided.commune_id = candidates.commune_id
            and (
                (candidates.geography = '2025' and undecided.is_undecided_2025)
                or (candidates.geography = 'legacy' and undecided.is_undecided_legacy)
            )
    inner join communes
        on candidates.candidate_commune_id = communes.commune_id

),

cells as (

    select
        geography,
        area_code,
        {{ measure_sums(register_measures()) }}
    from placed
    group by geography, area_code

)

select * from cells
