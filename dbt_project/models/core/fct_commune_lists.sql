with records as (

    select * from {{ ref('stg_treem__children') }}

),

heirs as (

    select * from {{ ref('bridge_communes_2025') }}

),

-- a list is what one file says of one commune; rows of no known commune form one of their own
lists as (

    select
        _batch_id,
        coalesce(commune_id, '') as commune_key,
        min(file_date) as file_date,
        min(file_sha256) as file_sha256,
        max(entered_at) as last_entered_at,
        count(*) as record_count
    from records
    group by _batch_id, coalesce(commune_id, '')

),

ranked as (

    select
        _batch_id,
        commune_key,
        file_date,
        file_sha256,
        last_entered_at,
        record_count,
        row_number() over (
            partition by commune_key
            order by file_date desc, last_entered_at desc nulls last, file_sha256 desc
        ) as list_rank,
        max(file_date) over (partition by commune_key) as newest_file_date
    from lists

),

newest as (

    select
        commune_key,
        newest_file_date
    from ranked
    where list_rank = 1 and commune_key <> ''

),

-- a former commune's list is replaced once whoever took all its people in has sent a later one
replaced as (

    select former.commune_key
    from newest as former
    inner join heirs
        on former.commune_key = heirs.former_commune_id and heirs.has_population
    left join newest as heir_list
        on heirs.commune_id_2025 = heir_list.commune_key
    left join newest as former_heir_list
        on
            heirs.heir_commune_id = former_heir_list.commune_key
            and former.commune_key <> former_heir_list.commune_key
    group by former.commune_key, former.newest_file_date
    having
        bool_and(coalesce(heir_list.newest_file_date > former.newest_file_date, false))
        or bool_and(coalesce(former_heir_list.newest_file_date > former.newest_file_date, false))

),

judged as (

    select
        ranked._batch_id,
        nullif(ranked.commune_key, '') as commune_id,
        ranked.file_date,
        ranked.file_sha256,
        ranked.last_entered_at,
        ranked.record_count,
        replaced.commune_key is not null as is_replaced_by_heirs,
        ranked.commune_key <> ''
        and ranked.list_rank = 1
        and replaced.commune_key is null as is_current_commune_list
    from ranked
    left join replaced
        on ranked.commune_key = replaced.commune_key

),

-- rows without a known commune stand and fall with the rest of their file
files as (

    select
        _batch_id,
        bool_or(is_current_commune_list) or bool_and(commune_id is null) as has_current_list
    from judged
    group by _batch_id

),

current_lists as (

    select
        judged._batch_id || '|' || coalesce(judged.commune_id, '_U') as list_id,
        judged._batch_id,
        judged.commune_id,
        judged.file_date,
        judged.file_sha256,
        judged.last_entered_at,
        judged.record_count,
        judged.is_replaced_by_heirs,
        case
            when judged.commune_id is null then files.has_current_list
            else judged.is_current_commune_list
        end as is_current
    from judged
    inner join files
        on judged._batch_id = files._batch_id

)

select * from current_lists
