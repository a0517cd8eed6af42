{#- Every coded column of a delivered row: its name, the code it was read as, and what was typed. -#}
{% macro coded_values(records) -%}
    {%- set columns = [
        'gioi_tinh', 'dan_toc', 'quoc_tich', 'da_dang_ky_khai_sinh', 'tinh_trang_cu_tru', 'quan_he_chu_ho',
        'hoan_canh_dac_biet', 'nguy_co', 'ho_ngheo', 'dang_tat', 'muc_do_khuyet_tat', 'ho_tro',
        'tinh_trang_hoc_tap', 'tiem_chung', 'bien_dong'
    ] -%}
    (
        values
        {%- for column in columns %}
        ('{{ column }}', {{ records }}.{{ column }}::text, {{ records }}.{{ column }}_raw){{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
