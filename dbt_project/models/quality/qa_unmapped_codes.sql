with records as (

    select * from {{ source('clean_treem', 'treem__children') }}

),

-- a spelling that nobody has mapped became NULL: it is listed here, never guessed and never silent
spellings as (

    select
        spelling.column1 as column_name,
        spelling.column3 as received_text,
        records._batch_id
    from records
    cross join lateral {{ coded_values('records') }} as spelling
    where spelling.column2 is null and trim(spelling.column3) <> ''

),

counted as (

    select
        column_name,
        received_text,
        count(*) as record_count,
        count(distinct _batch_id) as batch_count
    from spellings
    group by column_name, received_text

)

select * from counted
