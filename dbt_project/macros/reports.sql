{#- Last day of a period written 2024, 2024-S1 or 2024-Q1; NULL when it is written otherwise. -#}
{% macro period_last_day(period_code) -%}
    case
        when {{ period_code }} ~ '^\d{4}$' then make_date(left({{ period_code }}, 4)::integer, 12, 31)
        when {{ period_code }} ~ '^\d{4}-S[12]$'
            then
                (make_date(
                    left({{ period_code }}, 4)::integer, right({{ period_code }}, 1)::integer * 6, 1
                ) + interval '1 month' - interval '1 day')::date
        when {{ period_code }} ~ '^\d{4}-Q[1-4]$'
            then
                (make_date(
                    left({{ period_code }}, 4)::integer, right({{ period_code }}, 1)::integer * 3, 1
                ) + interval '1 month' - interval '1 day')::date
    end
{%- endmacro %}

{#- Period code of what people write: 2024, "Năm 2024", "6 tháng đầu năm 2024", "Quý II/2024", 2024-S1; else NULL. -#}
{% macro period_code_of(text_column) -%}
    case
        when {{ text_column }} ~ '^\d{4}(-S[12]|-Q[1-4])?$' then {{ text_column }}
        when lower({{ text_column }}) ~ '(6|sáu) tháng đầu năm' or lower({{ text_column }}) ~ '^s1\M'
            then substring({{ text_column }} from '(?:19|20)\d{2}') || '-S1'
        when lower({{ text_column }}) ~ '(6|sáu) tháng cuối năm' or lower({{ text_column }}) ~ '^s2\M'
            then substring({{ text_column }} from '(?:19|20)\d{2}') || '-S2'
        when lower({{ text_column }}) ~ '(quý|quy|q)\s*(i{1,3}|iv|[1-4])\M'
            then
                substring({{ text_column }} from '(?:19|20)\d{2}') || '-Q'
                || case substring(lower({{ text_column }}) from '(?:quý|quy|q)\s*(iv|i{1,3}|[1-4])\M')
                    when 'i' then '1' when 'ii' then '2' when 'iii' then '3' when 'iv' then '4'
                    else substring(lower({{ text_column }}) from '(?:quý|quy|q)\s*([1-4])\M')
                end
        when lower({{ text_column }}) ~ '^(năm|cả năm|nam)\s*\d{4}$'
            then substring({{ text_column }} from '(?:19|20)\d{2}')
    end
{%- endmacro %}

{#- Why a reported number is not counted; NULL where it is. -#}
{% macro refusal_reason(known_unit, reported_value, is_share, period_code) -%}
    case
        when {{ known_unit }} is null then 'unknown_unit'
        when {{ reported_value }} is null then 'no_value'
        when {{ reported_value }} < 0 then 'negative_count'
        when {{ is_share }} and {{ reported_value }} > 100 then 'share_over_100'
        when not {{ is_share }} and {{ reported_value }} <> trunc({{ reported_value }})
            then 'broken_count'
        when {{ period_last_day(period_code) }} is null then 'unknown_period'
        when {{ period_last_day(period_code) }} > {{ reference_date() }} then 'period_not_ended'
    end
{%- endmacro %}

{#- The figures of the reports of one source that the build counts. -#}
{% macro report_figures(figures, batches) -%}
with source as (

    select * from {{ figures }}

),

selected_batches as (

    select * from {{ batches }}

),

renamed as (

    select
        source.record_id,
        source._batch_id,
        selected_batches.dataset as dataset_code,
        selected_batches.file_date,
        selected_batches.file_sha256,
        source.topic_vi,
        source.counted_unit_code,
        source.reported_value::numeric(18, 2) as figure_value,
        source.earlier_value::numeric(18, 2) as earlier_value,
        source.province_code,
        source.commune_vi,
        {{ period_code_of('trim(source.period_vi)') }} as period_code
    from source
    inner join selected_batches
        on source._batch_id = selected_batches._batch_id

)

select * from renamed
{%- endmacro %}
