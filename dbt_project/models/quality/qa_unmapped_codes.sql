{%- set columns = [
    'gioi_tinh', 'dan_toc', 'quoc_tich', 'da_dang_ky_khai_sinh', 'tinh_trang_cu_tru', 'quan_he_chu_ho',
    'hoan_canh_dac_biet', 'nguy_co', 'ho_ngheo', 'dang_tat', 'muc_do_khuyet_tat', 'ho_tro',
    'tinh_trang_hoc_tap', 'tiem_chung', 'bien_dong'
] -%}

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
    cross join lateral (
        values
        {%- for column in columns %}
        ('{{ column }}', records.{{ column }}::text, records.{{ column }}_raw){{ "," if not loop.last }}
        {%- endfor %}
    ) as spelling
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
