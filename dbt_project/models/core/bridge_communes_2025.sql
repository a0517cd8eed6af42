with communes as (

    select * from {{ ref('communes') }}

),

successions as (

    select * from {{ ref('commune_successions') }}

),

-- a commune abolished before 2025-07-01 first becomes the one that took it in, at most twice
steps as (

    select
        communes.commune_id,
        communes.valid_to_date,
        first_step.successor_commune_id as first_heir_id,
        second_step.successor_commune_id as second_heir_id
    from communes
    left join successions as first_step
        on
            communes.commune_id = first_step.commune_id
            and first_step.changed_date < '2025-07-01'
    left join successions as second_step
        on
            first_step.successor_commune_id = second_step.commune_id
            and second_step.changed_date < '2025-07-01'
    where communes.valid_to_date is not null

),

heirs as (

    select
        steps.commune_id,
        coalesce(steps.second_heir_id, steps.first_heir_id, steps.commune_id) as heir_commune_id
    from steps

),

pieces as (

    select
        heirs.commune_id as former_commune_id,
        heirs.heir_commune_id,
        successions.successor_commune_id as commune_id_2025,
        successions.holds_population = '1' as has_population
    from heirs
    inner join successions
        on heirs.heir_commune_id = successions.commune_id
    where successions.changed_date = '2025-07-01'

)

select * from pieces
