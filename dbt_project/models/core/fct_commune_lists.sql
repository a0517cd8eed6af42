with lists as (

    select * from {{ ref('int_lists__contents') }}

),

heirs as (

    select * from {{ ref('bridge_communes_2025') }}
    where has_population

),

-- of several lists of one day only the best was ever the list of its commune
followed as (

    select
        *,
        row_number() over (
            partition by commune_key, file_date
            order by last_entered_at desc nulls last, file_sha256 desc
        ) = 1 as is_best_of_day,
        min(file_date) over (
            partition by commune_key
            order by file_date
            range between interval '1 day' following and unbounded following
        ) as next_list_date
    from lists
    where commune_key <> ''

),

-- a former commune's list is replaced once whoever took all its people in has sent a later one
later_heirs as (

    select
        former._batch_id,
        former.commune_key,
        heirs.commune_id_2025,
        heirs.heir_commune_id,
        (
            select min(later.file_date)
            from followed as later
            where
                later.commune_key = heirs.commune_id_2025 and later.file_date > former.file_date
        ) as heir_date,
        (
            select min(later.file_date)
            from followed as later
            where
                later.commune_key = heirs.heir_commune_id
                and later.commune_key <> former.commune_key
                and later.file_date > former.file_date
        ) as former_heir_date
    from followed as former
    inner join heirs
        on former.commune_key = heirs.former_commune_id

),

replaced as (

    select
        _batch_id,
        commune_key,
        least(
            case when bool_and(heir_date is not null) then max(heir_date) end,
            case when bool_and(former_heir_date is not null) then max(former_heir_date) end
        ) as replaced_date
    from later_heirs
    group by _batch_id, commune_key

),

known as (

    select
        followed.*,
        replaced.replaced_date,
        case
            when followed.is_best_of_day
                then least(followed.next_list_date, replaced.replaced_date)
            else followed.file_date
        end as known_to_date
    from followed
    left join replaced
        on
            followed._batch_id = replaced._batch_id
            and followed.commune_key = replaced.commune_key

),

-- rows without a known commune stand and fall with the rest of their file
files as (

    select
        _batch_id,
        case when bool_and(known_to_date is not null) then max(known_to_date) end as known_to_date
    from known
    group by _batch_id

),

dated as (

    select
        lists._batch_id || '|' || coalesce(nullif(lists.commune_key, ''), '_U') as list_id,
        lists._batch_id,
        nullif(lists.commune_key, '') as commune_id,
        lists.file_date,
        lists.file_sha256,
        lists.last_entered_at,
        lists.record_count,
        lists.content_no,
        coalesce(
            known.replaced_date is not null
            and known.replaced_date <= coalesce(known.next_list_date, known.replaced_date),
            false
        ) as is_replaced_by_heirs,
        lists.file_date as known_from_date,
        case
            when lists.commune_key = '' then files.known_to_date
            else known.known_to_date
        end as known_to_date
    from lists
    left join known
        on
            lists._batch_id = known._batch_id
            and lists.commune_key = known.commune_key
    left join files
        on lists._batch_id = files._batch_id

),

judged as (

    select
        *,
        known_to_date is null as is_current
    from dated

)

select * from judged
